"""What this OpenID provider can do (OpenID Connect Discovery 1.0 §3). Every line of it is true, which a test holds it to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from passless.domain.relying_parties import SIGNATURES
from passless.server.oauth import metadata as oauth
from passless.server.oauth.asking import PROMPTS
from passless.server.oauth.clients import GRANTS, REFRESH_GRANT
from passless.server.openid import claims
from passless.server.site import Site

WELL_KNOWN = "/.well-known/openid-configuration"
KEYS = "/oauth/keys"
USERINFO = "/oauth/userinfo"
END_SESSION = "/oauth/end_session"
IN_ID_TOKENS = ("iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")


def metadata(site: Site) -> Mapping[str, Any]:
    """Return the document: all of RFC 8414's, and what OpenID Connect adds."""
    return {
        **oauth.metadata(site),
        "grant_types_supported": [*GRANTS, REFRESH_GRANT],
        "userinfo_endpoint": site.url + USERINFO,
        "jwks_uri": site.url + KEYS,
        "end_session_endpoint": site.url + END_SESSION,
        "scopes_supported": list(claims.SCOPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNATURES),
        "claim_types_supported": ["normal"],
        "claims_supported": [*IN_ID_TOKENS, *(name for names in claims.CLAIMS.values() for name in names)],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": sorted(PROMPTS),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
