"""Watching for endings on a program's host: whoever may no longer be let in is thrown out there.

One question after the other, each answered when there is something. What is done runs beside it, so that a program that hangs
over one person keeps nobody else waiting. How far everything is done stands in a file, so that a new start goes on there.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from math import ceil
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct

from passless import private_files
from passless.cli import configuring
from passless.cli.testing_parties import SecretWrong
from passless.cli.throwing_out import Ended, ThrowingOut
from passless.domain import names
from passless.domain.endings import What
from passless.domain.errors import PasslessError, Unavailable
from passless.domain.names import printable
from passless.programs.ending import Ends, ends_of
from passless.server import systemd

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.directories.server.connection import Connection, Received

ENDINGS = "/relying-parties/endings"
WAIT, WAIT_SHORT = 25, 1  # seconds a question waits for its answer; at least the second while something is to be tried again
MOST_NAMES = 100  # that the server is asked about at a time
PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds before a server that does not answer is asked again, then always the last
AT_ONCE = 8  # people that are thrown out at a time
MOST_KNOWN = 10_000  # endings that are known to be done, so that none is done twice
STATE = "watching"  # the folder of the files that say how far it is


class NotAnswering(Unavailable):
    """The server answers something else than endings."""

    code = "no-endings"
    hint = "check the address: the server's passless may be older, or it is another server"


class RelyingParty(Struct, frozen=True, kw_only=True):
    """Whom the server takes us for."""

    id: str
    name: str
    kind: str
    introspects: bool


class Answer(Struct, frozen=True, kw_only=True):
    """What the server tells; without `known`, from here on."""

    cursor: str
    known: bool
    endings: tuple[Ended, ...]
    relying_party: RelyingParty


def watch(run: Run, words: str, server: str | None, secret: SecretFile, ca: str | None) -> None:
    """Throw out whoever may no longer be let in, until somebody says stop."""
    from passless.directories.server.connection import Connection

    origin = configuring.server_of(run, server)
    authorization = _authorization(words, secret.read().reveal())
    place = run.settings.folders.state / STATE / f"{quote(words, safe='')}.json"
    connection = Connection(origin, clock=run.now, entropy=run.entropy, ca=ca or run.profile.ca)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ending") as threads:
        Watch(run, connection, authorization, place, ThrowingOut(run, threads)).go_on()


class Watch:
    """One relying party on this host, watched."""

    def __init__(self, run: Run, connection: Connection, authorization: str, place: Path, throwing_out: ThrowingOut) -> None:
        self._run = run
        self._connection = connection
        self._authorization = authorization
        self._place = place
        self._throwing_out = throwing_out
        self._known: dict[str, None] = {}
        self._before: dict[int, str] = {}
        self._written = ""
        self._is_down = False

    def go_on(self) -> None:
        """Ask, act, and ask again."""
        cursor, tries, turn = _read(self._place), 0, 0
        while True:
            self._throwing_out.go_on()
            try:
                answer = self._ask({"after": cursor, "wait": str(self._wait())} if cursor else {"wait": "0"})
                ends = ends_of(answer.relying_party.kind, introspects=answer.relying_party.introspects)
                self._say_up(answer, first=not cursor)
                turn += 1
                self._act(ends, answer, cursor, turn)
            except Unavailable as error:
                self._say_down(error)
                sleep(PAUSES[min(tries, len(PAUSES) - 1)] * random.uniform(0.5, 1))  # noqa: S311 - not all at once
                tries += 1
                continue
            self._before[turn] = cursor
            cursor, tries = answer.cursor, 0
            self._write(cursor)

    def _wait(self) -> int:
        """Return how long the next question may wait: not beyond what is to be done again."""
        left = self._throwing_out.next_in()
        return WAIT if left is None else max(WAIT_SHORT, min(ceil(left.total_seconds()), WAIT))

    def _write(self, cursor: str) -> None:
        """Write down how far everything is done: where the answer was asked for of which something is not."""
        first = self._throwing_out.done_to()
        done = cursor if first is None else self._before[first]
        self._before = {turn: one for turn, one in self._before.items() if first is not None and turn >= first}
        if done not in ("", self._written):
            private_files.write(self._place, msgspec.json.encode({"cursor": done}), what="file of how far it is")
            self._written = done

    def _ask(self, asked: dict[str, str]) -> Answer:
        return _answer(self._connection.send("GET", ENDINGS, params=asked, headers={"Authorization": self._authorization}))

    def _act(self, ends: Ends, answer: Answer, cursor: str, turn: int) -> None:
        """Throw out whom the answer names, each once; whoever it may be where the answer does not know."""
        missed = () if answer.known or not cursor else self._missed(ends, cursor)
        new = [one for one in (*missed, *answer.endings) if one.id not in self._known]
        self._known |= dict.fromkeys(one.id for one in new if one.id)
        for known in list(self._known)[: max(0, len(self._known) - MOST_KNOWN)]:
            del self._known[known]
        of_each = {"" if one.everybody else one.account: one for one in new if ends.what.intersection(one.what)}
        for one in of_each.values():
            self._throwing_out.take(ends, one, turn)

    def _missed(self, ends: Ends, cursor: str) -> tuple[Ended, ...]:
        """Return what ended while nobody watched for too long: of who is in now where the server can say, else everybody's."""
        everybody = Ended(id="", at=self._run.now(), event="unknown", what=tuple(What), everybody=True)
        if ends.people is None:
            self._run.note("what ended while nobody watched is not known any more; everybody is thrown out")
            return (everybody,)
        people = [one for one in ends.people() if names.key(one) == one]
        found = tuple(self._about(people, cursor))
        if not all(one.known for one in found):
            return (everybody,)
        self._run.note(
            f"nobody watched for long; what ended meanwhile was looked up for the {len(people)} who are signed in here"
        )
        return tuple(ended for one in found for ended in one.endings)

    def _about(self, people: list[str], cursor: str) -> Iterator[Answer]:
        """Ask what ended for some people, however long ago."""
        for first in range(0, len(people), MOST_NAMES):
            yield self._ask({"after": cursor, "about": " ".join(people[first : first + MOST_NAMES])})

    def _say_down(self, error: PasslessError) -> None:
        if not self._is_down:
            self._run.note(f"{error.message}; it is asked again until it answers")
        self._is_down = True

    def _say_up(self, answer: Answer, *, first: bool) -> None:
        party = answer.relying_party
        if self._is_down:
            self._run.note("the server answers again")
        elif first:
            self._run.note(f'watching for "{printable(party.name)}" ({party.kind}), from here on')
        if first or self._is_down:
            systemd.notify(systemd.READY)
        self._is_down = False


def _answer(received: Received) -> Answer:
    """Read what the server told.

    Raises:
        SecretWrong: the relying party is not known there, or its secret is not right.
        NotAnswering: it is not what tells of endings.
    """
    if received.status == HTTPStatus.UNAUTHORIZED:
        raise SecretWrong("the server does not know this relying party, or its secret is not right")
    if received.status != HTTPStatus.OK:
        raise NotAnswering(f"the server answers with status {received.status}")
    try:
        return msgspec.json.decode(received.content, type=Answer)
    except msgspec.MsgspecError as error:
        raise NotAnswering("what the server answers is not understood") from error


def _authorization(words: str, secret: str) -> str:
    pair = f"{quote_plus(words)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _read(place: Path) -> str:
    """Return how far it was; nothing where it never ran, or that file is none of ours."""
    content = private_files.read(place, what="file of how far it is")
    try:
        return "" if content is None else msgspec.json.decode(content, type=dict[str, str]).get("cursor", "")
    except msgspec.MsgspecError:
        return ""
