"""Telling relying parties that a session of theirs ended (OpenID Connect Back-Channel Logout 1.0).

Only what somebody ended is told, not that a session was idle. One process of all that share a store tells of each; where it
dies over it, another one goes on a minute later. Who cannot be told is told later, for a day.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from litestar.concurrency import sync_to_thread

from passless.actions import endings as trail
from passless.actions import relying_parties
from passless.actions.parts import Parts
from passless.domain.endings import Ending
from passless.domain.errors import PasslessError
from passless.domain.relying_parties import SIGNATURES, Client, check_redirect_uri
from passless.server.endings import AWAY, Endings
from passless.server.lasting import go_on
from passless.server.log import Log
from passless.server.openid import given, id_tokens, posting
from passless.server.openid.given import Held
from passless.server.openid.posting import Answer
from passless.server.site import Site

NAME = "back-channel"  # in the log
EVENT = "http://schemas.openid.net/event/backchannel-logout"  # §2.4
TOKEN_LIFE = timedelta(minutes=2)  # §2.4: at most two minutes
JTI_SIZE = 16  # bytes, 128 bits
TRIES_AFTER = (0.0, 1.0, 4.0, 15.0)  # seconds before each try of the first time; later there is one each time
MOST_AT_ONCE = 8  # things that one program is told at the same time; none waits for another program
LOOK_FOR_LEFT_EVERY = 30.0  # seconds between two looks for what is to be told again
LOOK_EVERY = 1.0  # seconds between two looks whether there is anybody to be told
TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})  # §2.8; the second is what many say
NEVER = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.GONE}
)  # §2.8: it was looked at, and is refused; else a proxy may have answered


class BackChannel:
    """Tells of endings, as one task of a server process."""

    def __init__(self, site: Site, endings: Endings, log: Log) -> None:
        self._site, self._endings, self._log = site, endings, log
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Tell until the server ends; nothing is looked at while no relying party wants to be told."""
        try:
            while not await self._is_wanted():
                await asyncio.sleep(LOOK_EVERY)
            others = asyncio.create_task(go_on(self._tell_what_is_left, self._log, NAME))
            try:
                await self._catch_up()
                async for told in self._endings.follow():
                    for ending in told.endings:
                        await self._act_on(ending)
                    if not told.known:
                        await self._catch_up()
            finally:
                others.cancel()
        finally:
            for task in tuple(self._telling.values()):
                task.cancel()

    async def _is_wanted(self) -> bool:
        parts = self._site.parts
        with suppress(PasslessError):
            return await sync_to_thread(lambda: any(one.told_of_endings_at for one in relying_parties.clients(parts)))
        return False

    async def _catch_up(self) -> None:
        """Act on what ended while nobody listened; what was told of is not there any more."""
        parts = self._site.parts
        with suppress(PasslessError):
            since = parts.now() - AWAY
            for ending in await sync_to_thread(lambda: tuple(trail.between(parts.store, since))):
                await self._act_on(ending)

    async def _tell_what_is_left(self) -> None:
        """Tell again who could not be told, and what another process began to tell."""
        parts = self._site.parts
        while True:
            with suppress(PasslessError):
                for held in await sync_to_thread(given.left_behind, parts):
                    self._tell(held)
            await asyncio.sleep(LOOK_FOR_LEFT_EVERY)

    async def _act_on(self, ending: Ending) -> None:
        """Tell of one ending; a fault of ours over it keeps none behind it from being told."""
        try:
            for held in await sync_to_thread(given.ended_by, self._site.parts, ending):
                self._tell(held)
        except PasslessError:
            return
        except Exception as error:  # noqa: BLE001 - it is in the log
            self._log.fault(error, request_id=NAME)

    def _tell(self, held: Held) -> None:
        key = held.record.key
        if key in self._telling:
            return
        self._telling[key] = asyncio.create_task(self._told(held))
        self._telling[key].add_done_callback(lambda _: self._telling.pop(key, None))

    async def _told(self, held: Held) -> None:
        parts = self._site.parts
        turns = self._turns.setdefault(held.given.client_id, asyncio.Semaphore(MOST_AT_ONCE))
        try:
            async with turns:
                claimed = await sync_to_thread(given.claim, parts, held)
                if claimed is None:
                    return
                client = await sync_to_thread(_client, parts, claimed)
                why = None if client is None else await self._say(client, claimed)
                if client is None or why is None:
                    await sync_to_thread(given.forget, parts, claimed)
                else:
                    await self._not_told(client, claimed, why)
        except PasslessError:
            return  # the claim runs out, and it is told then
        except Exception as error:  # noqa: BLE001 - so it is after a fault of ours, which is in the log
            self._log.fault(error, request_id=NAME)

    async def _not_told(self, client: Client, held: Held, why: Answer) -> None:
        """Say so, and tell it later; one that says it will never take it has said so."""
        parts, again = self._site.parts, None
        if why.status in NEVER:
            await sync_to_thread(given.forget, parts, held)
        else:
            again = await sync_to_thread(given.tell_later, parts, held)
        seconds = None if again is None else int(again.total_seconds())
        self._log.line("warning", "logout-not-told", relying_party=client.id, why=why.said, again_in=seconds)

    async def _say(self, client: Client, held: Held) -> Answer | None:
        """Post a logout token, at first a few times where that fails for now; return why it was not taken."""
        answer = None
        for wait in TRIES_AFTER if held.given.tried == 0 else TRIES_AFTER[:1]:
            await asyncio.sleep(wait)
            token = await sync_to_thread(logout_token, self._site, client, held)
            answer = await posting.post(client.told_of_endings_at, token, inwards=client.made_on_host)
            if answer.status in TAKEN:
                return None
            if answer.status in NEVER:
                break
        return answer


def logout_token(site: Site, client: Client, held: Held) -> str:
    """Return what a relying party is told (§2.4): never with a nonce, so that nobody takes it for an id_token."""
    parts, now = site.parts, site.parts.now()
    content = {
        "iss": site.url,
        "sub": held.given.account_id,
        "aud": client.id,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "jti": parts.entropy(JTI_SIZE).hex(),
        "sid": id_tokens.sid_of(parts, client.id, held.given.line, held.given.session),
        "events": {EVENT: {}},
    }
    return id_tokens.sign(parts, content, client.signed_with or SIGNATURES[0], kind="logout+jwt")


def _client(parts: Parts, held: Held) -> Client | None:
    """Return who is to be told; None where it is registered no more, or nowhere that may be asked."""
    found = relying_parties.find(parts, held.given.client_id)
    if found is None or not found[0].told_of_endings_at:
        return None
    check_redirect_uri(found[0].told_of_endings_at, public=False)
    return found[0]
