"""The keys of a user of a host, as lines of authorized_keys; and that one of them let the user in, which the host tells.

Users without an account, without keys, or whose name is not even text are answered 200 and nothing: sshd goes on with whatever
else it lets them in with. What a host tells is answered 204, whoever it is about, and whether it was written down or not.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response, Router, get, post
from litestar.enums import MediaType
from litestar.params import RawBody

from passless.actions import hardware_keys, ssh_sign_ins
from passless.domain.party_kinds import PartyKind
from passless.domain.relying_parties import Client
from passless.server import browser
from passless.server.addresses import address_of
from passless.server.oauth import clients, forms
from passless.server.oauth.routes import FOR_PROGRAMS
from passless.server.site import Site

KEYS = "/relying-parties/keys"
SIGN_INS = "/relying-parties/sign-ins"
LONGEST_QUERY = forms.LONGEST_FORM  # bytes
USER = "user"
TOLD = frozenset({USER, "key", "from"})  # what a host says of a sign-in
NO_STORE = {"Cache-Control": "no-store"}


@get(KEYS, sync_to_thread=True, media_type=MediaType.TEXT, exception_handlers=FOR_PROGRAMS)
def give_keys(request: browser.Asking) -> Response[Any]:
    """Tell a host which keys let a user in."""
    site: Site = request.app.state["site"]
    party = _party(request, site)
    told = hardware_keys.authorized_keys(site.parts, party, _user(request.scope.get("query_string", b"")))
    if told.account_id:
        request.scope["passless_account"] = told.account_id  # type: ignore[typeddict-unknown-key]
    content = "".join(f"{line}\n" for line in told.lines)
    return Response(content, media_type=MediaType.TEXT, headers=NO_STORE)


@post(SIGN_INS, sync_to_thread=True, exception_handlers=FOR_PROGRAMS)
def take_sign_in(request: browser.Asking, body: RawBody) -> Response[Any]:
    """Take from a host that a key let a user in."""
    site: Site = request.app.state["site"]
    party = _party(request, site)
    said = forms.read_body(request.headers.get("content-type"), body)
    if not TOLD.issuperset(said) or request.scope.get("query_string"):
        raise forms.Malformed("say who, with which key and from where: user, key, from", hint="see docs/relying-parties/ssh.md")
    user, key, caller = (said.get(one, "") for one in ("user", "key", "from"))
    account_id = ssh_sign_ins.note(site.parts, party, user=user, key=key, caller=caller)
    if account_id:
        request.scope["passless_account"] = account_id  # type: ignore[typeddict-unknown-key]
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=NO_STORE)


def _party(request: browser.Asking, site: Site) -> Client:
    """Return the host that asks; any other relying party is answered like one that is not known."""
    said = forms.credentials(request.headers.get("authorization"), {})
    client = clients.prove(site.parts, said, address_of(request, site), public=False).client
    if client.kind is not PartyKind.SSH:
        raise clients.unproven()
    return client


def _user(query: bytes) -> str:
    """Return the user that is asked about; what is not UTF-8 becomes characters that no name has."""
    if len(query) > LONGEST_QUERY:
        raise forms.Malformed("the request is too long")
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape", max_num_fields=2)
    if len(pairs) != 1 or pairs[0][0] != USER:
        raise forms.Malformed("name one user: ?user=NAME", hint="see docs/relying-parties/ssh.md")
    return pairs[0][1]


def router(_: Site) -> Router:
    """Return the addresses, under `/`."""
    return Router(path="/", route_handlers=[give_keys, take_sign_in], include_in_schema=False)
