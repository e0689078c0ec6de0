"""OAuth 2.0 at the server."""
