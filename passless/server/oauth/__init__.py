"""OAuth 2.0 at the server: authorization code with PKCE, device grant, revocation, introspection, metadata.

authlib's core judges what clients send; what it leaves open is done here (docs/decisions: authlib behind strict forms).
"""

from passless.server.oauth.routes import router

__all__ = ["router"]
