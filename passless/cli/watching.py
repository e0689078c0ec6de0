"""Watching for endings on a program's host: whoever may no longer be let in is thrown out there.

One question after the other, each answered when there is something. What is done runs beside it, so that a program that hangs
over one person keeps nobody else waiting. How far it is stands in a file, written once everything before is done.
"""

from __future__ import annotations

import base64
import random
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct

from passless import private_files
from passless.cli import configuring
from passless.cli.testing_parties import SecretWrong
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
WAIT, WAIT_SHORT = 25, 1  # seconds a question waits for its answer; the second while something is to be tried again
PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds before a server that does not answer is asked again, then always the last
AT_ONCE = 8  # people that are thrown out at a time
MOST_KNOWN = 10_000  # endings that are known to be done, so that none is done twice
GIVE_UP = timedelta(minutes=10)  # after which what a program does not do is left
FIRST = timedelta(seconds=30)  # within which it is said that a program did not do it
MILLISECOND = timedelta(milliseconds=1)
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


class Ended(Struct, frozen=True, kw_only=True):
    """One ending, as the server tells it."""

    id: str
    at: datetime
    event: str
    what: tuple[str, ...]
    everybody: bool
    account: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """What the server tells; without `known`, from here on."""

    cursor: str
    known: bool
    endings: tuple[Ended, ...]
    relying_party: RelyingParty


class Acted(Struct, frozen=True, kw_only=True):
    """What came of an ending here: one line of the output. An empty account is everybody's."""

    at: datetime
    event: str
    account: str
    done: str
    ok: bool
    ms: int


class Left(Struct):
    """What a program did not do yet, and since when."""

    ended: Ended
    since: datetime


def watch(run: Run, words: str, server: str | None, secret: SecretFile, ca: str | None) -> None:
    """Throw out whoever may no longer be let in, until somebody says stop."""
    from passless.directories.server.connection import Connection

    origin = configuring.server_of(run, server)
    authorization = _authorization(words, secret.read().reveal())
    place = run.settings.folders.state / STATE / f"{quote(words, safe='')}.json"
    connection = Connection(origin, clock=run.now, entropy=run.entropy, ca=ca or run.profile.ca)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ending") as threads:
        Watch(run, connection, authorization, place, threads).go_on()


class Watch:
    """One relying party on this host, watched."""

    def __init__(self, run: Run, connection: Connection, authorization: str, place: Path, threads: Executor) -> None:
        self._run = run
        self._connection = connection
        self._authorization = authorization
        self._place = place
        self._threads = threads
        self._turn = Lock()
        self._known: dict[str, None] = {}
        self._under_way = 0
        self._left: dict[str, Left] = {}
        self._is_down = False

    def go_on(self) -> None:
        """Ask, act, and ask again."""
        cursor, tries = _read(self._place), 0
        while True:
            try:
                answer = self._ask(cursor)
            except Unavailable as error:
                self._say_down(error)
                sleep(PAUSES[min(tries, len(PAUSES) - 1)] * random.uniform(0.5, 1))  # noqa: S311 - not all at once
                tries += 1
                continue
            self._say_up(answer, first=not cursor)
            self._act(answer, is_new=not cursor)
            cursor, tries = answer.cursor, 0
            if self._is_done():
                private_files.write(self._place, msgspec.json.encode({"cursor": cursor}), what="file of how far it is")

    def _ask(self, cursor: str) -> Answer:
        waits = 0 if not cursor else WAIT if self._is_done() else WAIT_SHORT
        asked = {"wait": str(waits)} | ({"after": cursor} if cursor else {})
        return _answer(self._connection.send("GET", ENDINGS, params=asked, headers={"Authorization": self._authorization}))

    def _is_done(self) -> bool:
        with self._turn:
            return not self._under_way and not self._left

    def _act(self, answer: Answer, *, is_new: bool) -> None:
        """Throw out whom the answer names, each once, and try again whom a program did not throw out before."""
        ends = ends_of(answer.relying_party.kind, introspects=answer.relying_party.introspects)
        new = [one for one in answer.endings if one.id not in self._known]
        self._known |= dict.fromkeys(one.id for one in new)
        for known in list(self._known)[: max(0, len(self._known) - MOST_KNOWN)]:
            del self._known[known]
        if not (answer.known or is_new):
            self._run.note("what ended while nobody watched is not known any more; everybody is looked at")
            new.append(Ended(id="", at=self._run.now(), event="unknown", what=tuple(What), everybody=True))
        of_each = {"" if one.everybody else one.account: one for one in new if ends.what.intersection(one.what)}
        with self._turn:
            again, self._left = self._left, {}
        since = {account: left.since for account, left in again.items()}
        for account, ended in ({account: left.ended for account, left in again.items()} | of_each).items():
            self._begin(ends, account, ended, since.get(account, self._run.now()))

    def _begin(self, ends: Ends, account: str, ended: Ended, since: datetime) -> None:
        with self._turn:
            self._under_way += 1
        done = self._threads.submit(ends.of, account) if account else self._threads.submit(ends.of_everybody)
        done.add_done_callback(partial(self._note, account, ended, since))

    def _note(self, account: str, ended: Ended, since: datetime, done: Future[str]) -> None:
        """Say what came of one; called where it was done."""
        error, now = done.exception(), self._run.now()
        text = done.result() if error is None else error.message if isinstance(error, PasslessError) else type(error).__name__
        gives_up = error is not None and now - since > GIVE_UP
        with self._turn:
            if error is not None and not gives_up:
                self._left[account] = Left(ended, since)
            self._under_way -= 1
            acted = Acted(
                at=now,
                event=ended.event,
                account=account,
                done=text,
                ok=error is None,
                ms=max(0, (now - ended.at) // MILLISECOND),
            )
            self._show(acted, is_first=now - since < FIRST, gives_up=gives_up)

    def _show(self, acted: Acted, *, is_first: bool, gives_up: bool) -> None:
        if self._run.json:
            from passless.output import json, writing

            json.print_one(acted)
            writing.flush()
            return
        who = printable(acted.account) or "everybody"
        if acted.ok and acted.done:
            print(f"{who}: {acted.done} ({acted.event})", flush=True)  # noqa: T201 - one line each, as it happens
        elif not acted.ok and (is_first or gives_up):
            rest = "this is given up" if gives_up else "it is tried again"
            self._run.note(f"{who} could not be thrown out: {acted.done}; {rest}")

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
