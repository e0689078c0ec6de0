"""Telling relying parties of endings: `GET /relying-parties/endings`, answered when there is one.

Who waits holds a connection and no thread, and takes no place among the requests at work. Every confidential relying party may
listen. Those that know people by `sub` alone are told no names, so that no web app learns who else has an account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.concurrency import sync_to_thread
from litestar.enums import MediaType

from passless.actions import relying_parties
from passless.actions.parts import Parts
from passless.domain.endings import LEAVE_HOST, SET_GROUPS, Ending
from passless.domain.hosts import HOSTS
from passless.domain.party_kinds import PartyKind
from passless.domain.relying_parties import Client
from passless.server import browser
from passless.server.addresses import address_of
from passless.server.crowd import Turn
from passless.server.endings import Endings, Told
from passless.server.gate import TURN
from passless.server.oauth import clients, forms
from passless.server.oauth.routes import FOR_PROGRAMS, NO_STORE
from passless.server.site import Site

ENDINGS = "/relying-parties/endings"
LONGEST_WAIT = 60.0  # seconds; proxies and firewalls take a connection for dead from about there on
BY_ID = frozenset({PartyKind.OAUTH, PartyKind.OIDC})  # kinds that know people by `sub`
KNOWN = frozenset({"after", "wait", "about"})
MOST_NAMES = 100  # that may be asked about at a time
ITSELF = ("id", "name", "kind", "introspects", "redirect_uris", "requires", "services", "signed_with")  # what it is told it is
REMOVED = "remove-relying-party"


@get(ENDINGS, exception_handlers=FOR_PROGRAMS)
async def tell(request: browser.Asking) -> Response[Any]:
    """Tell a relying party what ended behind its cursor, as soon as something did."""
    site: Site = request.app.state["site"]
    endings: Endings = request.app.state["endings"]
    asked = forms.read(request.scope.get("query_string", b""))
    if not KNOWN.issuperset(asked):
        raise forms.Malformed("this is asked with after, wait and about, and nothing else")
    wait = _wait(asked.get("wait", "0"))
    said = forms.credentials(request.headers.get("authorization"), {})
    prove = partial(_prove, site.parts, said, address_of(request, site))
    client = await sync_to_thread(prove)
    if isinstance(turn := request.scope.get(TURN), Turn):
        turn.close()
    told = await _unless_gone(request, _telling(endings, client, asked, wait))
    if any(one.event == REMOVED and one.relying_party == client.id for one in told.endings):
        await sync_to_thread(prove)
    who = {one: getattr(client, one) for one in ITSELF}
    answer = {"cursor": told.cursor, "known": told.known, "endings": _seen(told.endings, client), "relying_party": who}
    return Response(msgspec.json.encode(answer), status_code=HTTPStatus.OK, media_type=MediaType.JSON, headers=NO_STORE)


def _telling(endings: Endings, client: Client, asked: Mapping[str, str], wait: float) -> Coroutine[Any, Any, Told]:
    """Return what waits for endings; where accounts are asked about, what looks up what ended for them."""
    after, about = asked.get("after", ""), asked.get("about", "").split()
    if not about:
        return endings.after(after, wait=wait, party=client.id)
    if client.kind in BY_ID or len(about) > MOST_NAMES:
        raise forms.Malformed(f"about is up to {MOST_NAMES} names, for relying parties that know people by name")
    return endings.about(frozenset(about), after, party=client.id)


def _prove(parts: Parts, said: forms.Credentials | None, place: str) -> Client:
    """Return the relying party that asks: by its client id, or by its name, which is what people know."""
    if said is not None and (named := relying_parties.find_named(parts, said.client_id)) is not None:
        said = msgspec.structs.replace(said, client_id=named.id)
    return clients.prove(parts, said, place, public=False).client


async def _unless_gone(request: browser.Asking, telling: Coroutine[Any, Any, Told]) -> Told:
    """Wait for endings, but not for a listener that is not there any more."""
    told = asyncio.ensure_future(telling)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not told.done():
            told.cancel()
            with suppress(asyncio.CancelledError):
                await told
    return Told(cursor="") if told.cancelled() else told.result()


async def _gone(request: browser.Asking) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _seen(found: Sequence[Ending], client: Client) -> list[dict[str, Any]]:
    return [_one(one, with_name=client.kind not in BY_ID) for one in found if not _is_anothers(one, client)]


def _is_anothers(one: Ending, client: Client) -> bool:
    """Tell whether it is about the tokens of another relying party alone, which only who looks at all tokens cares for.

    For a host it is also what happens to accounts that never had anything for it, or were in none of its groups: a local user
    of that name is somebody else. What ends with a group ends at hosts alone that have it.
    """
    if client.kind in one.never_at or (one.event == LEAVE_HOST and one.relying_party != client.id):
        return True
    if one.event == SET_GROUPS:
        return client.kind not in HOSTS or client.has_user(one.groups) or not client.has_user(one.groups_before or ())
    if client.kind in HOSTS and one.groups_before is not None and not client.has_user(one.groups_before):
        return True
    return bool(one.relying_party) and one.relying_party != client.id and not client.introspects


def _one(one: Ending, *, with_name: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"id": one.id, "at": one.at, "event": one.event, "what": one.what, "everybody": one.is_everybodys}
    if not one.is_everybodys:
        said |= {"account_id": one.account_id} | ({"account": one.account} if with_name else {})
    return said


def _wait(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise forms.Malformed("wait is a number of seconds")
    return min(float(text), LONGEST_WAIT)


def router(site: Site) -> Router:
    """Return the addresses of a site; a router of its own for each application."""
    return Router(path="/", route_handlers=[tell], include_in_schema=False, request_max_body_size=forms.LONGEST_FORM)
