"""OpenID Connect at the server: discovery, keys, id_tokens, userinfo, signing out, and telling programs of it.

The flows themselves are those of `server.oauth`; a relying party of the kind `oidc` that asks for `openid` gets an id_token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar import Router

    from passless.server.site import Site


def router(site: Site) -> Router:
    """Return the addresses; they are imported only here, for `server.oauth` needs some of this package itself."""
    from passless.server.openid import routes

    return routes.router(site)
