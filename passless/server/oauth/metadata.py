"""What the authorization server can do, for programs (RFC 8414). Every line of it is true, which a test holds it to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from passless.domain.safety.assurance import ACR_VALUES
from passless.server.oauth.clients import GRANTS, SECRET_METHODS
from passless.server.site import Site

WELL_KNOWN = "/.well-known/oauth-authorization-server"
AUTHORIZE = "/oauth/authorize"
TOKEN = "/oauth/token"
DEVICE = "/oauth/device_authorization"
REVOKE = "/oauth/revoke"
INTROSPECT = "/oauth/introspect"
AGREED = "/oauth/agreed"  # where a person sees which programs they let in
VERIFY = "/device"  # where a person types a user code


def metadata(site: Site) -> Mapping[str, Any]:
    """Return the document."""
    return {
        "issuer": site.url,
        "authorization_endpoint": site.url + AUTHORIZE,
        "token_endpoint": site.url + TOKEN,
        "device_authorization_endpoint": site.url + DEVICE,
        "revocation_endpoint": site.url + REVOKE,
        "introspection_endpoint": site.url + INTROSPECT,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*SECRET_METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*SECRET_METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
    }
