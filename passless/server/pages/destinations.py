"""Where somebody goes on to after a sign-in, where that is a program: they are told before they prove who they are.

The name is the registered one, and never what an address says of itself.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from passless.server.oauth import clients
from passless.server.oauth.metadata import AUTHORIZE
from passless.server.site import Site
from passless.server.web.sites import AUTH, Sites

SIGN_IN = "/sign-in"


def program(site: Site, to: str) -> str:
    """Return the name of the relying party that a page to come back to is of; empty where it is none."""
    asked = urlsplit(to)
    if asked.path == AUTHORIZE:
        ids = parse_qs(asked.query).get("client_id", [])
        found = clients.query(site.parts, ids[0]) if len(ids) == 1 else None
        return "" if found is None else found.client.name
    if asked.path.startswith(f"{AUTH}/") and asked.path.endswith(SIGN_IN):
        guarded = Sites(site.parts).find(unquote(asked.path.removeprefix(f"{AUTH}/").removesuffix(SIGN_IN)))
        return "" if guarded is None else guarded.name
    return ""
