"""Throwing people out, some at a time, beside the asking: what a program does not do is tried again until it is done.

Somebody is seen to once more where they could have been signing in when it ended. How far everything is done says `done_to`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.errors import PasslessError
from passless.domain.names import printable
from passless.programs.ending import Done, Ends

if TYPE_CHECKING:
    from passless.cli.context import Run

SLOWEST = timedelta(minutes=5)  # between two tries at what a program does not do
SAID_EVERY = 12  # tries, after the first, that are said to people
SOON = timedelta(seconds=1)  # after which who was signing in meanwhile is looked for
MILLISECOND = timedelta(milliseconds=1)


class Ended(Struct, frozen=True, kw_only=True):
    """One ending, as the server tells it."""

    id: str
    at: datetime
    event: str
    what: tuple[str, ...]
    everybody: bool
    account: str = ""


class Acted(Struct, frozen=True, kw_only=True):
    """What came of an ending here: one line of the output. An empty account is everybody's."""

    at: datetime
    event: str
    account: str
    done: str
    ok: bool
    ms: int


class Task(Struct, frozen=True, kw_only=True):
    """Somebody who is to be thrown out, not before a time; `turn` numbers the answer in which it was told."""

    ended: Ended
    account: str
    act: Callable[[], Done]
    turn: int
    at: datetime
    tries: int = 0
    is_later: bool = False


class ThrowingOut:
    """What is under way on this host and what is left. Its methods are called from any thread."""

    def __init__(self, run: Run, threads: Executor) -> None:
        self._run = run
        self._threads = threads
        self._turn = Lock()
        self._under_way: list[Task] = []
        self._left: dict[str, Task] = {}

    def take(self, ends: Ends, ended: Ended, turn: int) -> None:
        """Throw out whom an ending names."""
        account = "" if ended.everybody else ended.account
        act = ends.of_everybody if ended.everybody else partial(ends.of, account)
        with self._turn:
            before = self._left.pop(account, None)
            first = turn if before is None else min(turn, before.turn)
            tries = before.tries if before is not None else 0
            task = Task(ended=ended, account=account, act=act, turn=first, at=self._run.now(), tries=tries)
            self._under_way.append(task)
        self._begin(task)

    def go_on(self) -> None:
        """Begin what is left and whose time has come."""
        now = self._run.now()
        with self._turn:
            ready = [one for one in self._left.values() if one.at <= now]
            for one in ready:
                del self._left[one.account]
            self._under_way.extend(ready)
        for one in ready:
            self._begin(one)

    def done_to(self) -> int | None:
        """Return the number of the first answer of which something is not done; None where all of it is."""
        with self._turn:
            return min((one.turn for one in (*self._under_way, *self._left.values())), default=None)

    def next_in(self) -> timedelta | None:
        """Return when something is to be done again; None where nothing is."""
        now = self._run.now()
        with self._turn:
            if self._under_way:
                return SOON
            return min((one.at - now for one in self._left.values()), default=None)

    def say(self, acted: Acted, *, tries: int = 0) -> None:
        """Print a line about somebody; people are told of failures now and then."""
        if self._run.json:
            from passless.output import json, writing

            json.print_one(acted)
            writing.flush()
            return
        who = printable(acted.account) or "everybody"
        if acted.ok and acted.done:
            print(f"{who}: {acted.done} ({acted.event})", flush=True)  # noqa: T201 - one line each, as it happens
        elif not acted.ok and not tries:
            self._run.note(f"{who}: {acted.done} ({acted.event})")
        elif not acted.ok and tries % SAID_EVERY == 1:
            self._run.note(f"{who} could not be thrown out: {acted.done}; it is tried again")

    def _begin(self, task: Task) -> None:
        """Have it done, without the turn: what is done at once is noted right here."""
        self._threads.submit(task.act).add_done_callback(partial(self._note, task))

    def _note(self, task: Task, future: Future[Done]) -> None:
        """Say what came of one; called where it was done."""
        error, now = future.exception(), self._run.now()
        tries = 0 if error is None else task.tries + 1
        done = future.result() if error is None else Done(_words(error), ok=False)
        with self._turn:
            self._under_way.remove(task)
            if error is not None:
                self._keep(task, task.act, now + min(timedelta(seconds=2 ** min(tries, 20)) / 2, SLOWEST), tries, task.is_later)
            elif done.later is not None:
                self._keep(task, done.later, now + SOON, 0, True)
            if not task.is_later or done.text:
                ms = max(0, (now - task.ended.at) // MILLISECOND)
                acted = Acted(at=now, event=task.ended.event, account=task.account, done=done.text, ok=done.ok, ms=ms)
                self.say(acted, tries=tries)

    def _keep(self, task: Task, act: Callable[[], Done], at: datetime, tries: int, is_later: bool) -> None:
        """Leave somebody for later; where they are left already, for a newer ending, that is enough."""
        kept = self._left.get(task.account)
        if kept is not None:
            self._left[task.account] = replace(kept, turn=min(kept.turn, task.turn))
            return
        self._left[task.account] = replace(task, act=act, at=at, tries=tries, is_later=is_later)


def _words(error: BaseException) -> str:
    return error.message if isinstance(error, PasslessError) else type(error).__name__
