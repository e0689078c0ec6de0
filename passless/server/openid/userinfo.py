"""What a relying party may know of a person, for its access token (OpenID Connect Core §5.3)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from passless.server.oauth import forms, looking
from passless.server.openid import claims
from passless.server.site import Site


class Unanswered(Struct, frozen=True):
    """Why nothing is told, in the words of RFC 6750 §3.1; without an error nobody showed a token."""

    status: int
    error: str = ""
    scope: str = ""

    @property
    def challenge(self) -> str:
        """What the header `WWW-Authenticate` says."""
        words = [f'error="{self.error}"'] if self.error else []
        words += [f'scope="{self.scope}"'] if self.scope else []
        return f"Bearer {', '.join(words)}".strip()


def token_of(authorization: str | None, content_type: str | None, body: bytes) -> str | Unanswered:
    """Return the token that was shown: in the header, or in a form (RFC 6750 §2.1, §2.2); never in the address."""
    is_form = (content_type or "").partition(";")[0].strip().lower() == forms.FORM
    in_form = forms.read(body).get("access_token") if is_form else None
    if authorization is None:
        return in_form or Unanswered(401)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return Unanswered(401)
    if in_form is not None or not token.strip():
        return Unanswered(400, "invalid_request")
    return token.strip()


def of(site: Site, token: str) -> dict[str, Any] | Unanswered:
    """Return the claims, where the token holds, of a relying party that speaks OpenID Connect and asked for it."""
    found = looking.find(site, token)
    owner = None if found is None else looking.owner_of(site.parts, found)
    if found is None or owner is None:
        return Unanswered(401, "invalid_token")
    if not owner.speaks_openid or claims.OPENID not in found.session.rights:
        return Unanswered(403, "insufficient_scope", claims.OPENID)
    return claims.of(found.account, found.session.rights)
