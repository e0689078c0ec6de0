"""What a program does not do is tried again until it is done, and how far everything is done is known."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from threading import Thread
from typing import Any, cast

import pytest

from passless.cli.context import Run
from passless.cli.throwing_out import SLOWEST, Acted, Ended, ThrowingOut
from passless.domain.endings import ALL
from passless.domain.errors import Unavailable
from passless.programs.ending import Done, Ends
from tests.builders import NOW


class AtOnce(Executor):
    """Does everything where it is asked for."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []

    def submit(self, what: Any, /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, what))
        return future

    def do(self) -> None:
        """Do what was asked for."""
        waiting, self.waiting = self.waiting, []
        for future, what in waiting:
            try:
                future.set_result(what())
            except Unavailable as error:
                future.set_exception(error)


class Clock:
    """What of a run is needed here."""

    json = False

    def __init__(self) -> None:
        self.at = NOW
        self.notes: list[str] = []

    def now(self) -> datetime:
        return self.at

    def note(self, text: str) -> None:
        self.notes.append(text)


class Program:
    """Throws nobody out while it is broken."""

    def __init__(self) -> None:
        self.broken = False
        self.asked: list[str] = []

    def of(self, account: str) -> Done:
        self.asked.append(account)
        if self.broken:
            raise Unavailable("it is broken")
        return Done("ended")

    @property
    def ends(self) -> Ends:
        return Ends(frozenset(ALL), self.of, lambda: Done("look yourself", ok=False))


def an_ending(account: str = "ada") -> Ended:
    return Ended(id="1", at=NOW, event="remove-method", what=("methods",), everybody=not account, account=account)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_program_that_fails_for_a_day_is_asked_until_it_does_it(clock: Clock) -> None:
    executor, program = AtOnce(), Program()
    throws = ThrowingOut(cast(Run, clock), executor)
    program.broken = True
    throws.take(program.ends, an_ending(), 7)
    while clock.at < NOW + timedelta(days=1):
        executor.do()
        left = throws.next_in()
        assert left is not None
        assert left <= SLOWEST
        assert throws.done_to() == 7
        clock.at += left
        throws.go_on()
    assert 280 < len(program.asked) < 320
    assert 20 < len(clock.notes) < 40
    assert all("it is tried again" in one for one in clock.notes)
    program.broken = False
    executor.do()
    assert throws.done_to() is None
    assert throws.next_in() is None


def test_a_newer_ending_is_done_at_once_and_stands_for_what_was_left(clock: Clock) -> None:
    executor, program = AtOnce(), Program()
    throws = ThrowingOut(cast(Run, clock), executor)
    program.broken = True
    throws.take(program.ends, an_ending(), 1)
    executor.do()
    program.broken = False
    throws.take(program.ends, an_ending("bob"), 2)
    throws.take(program.ends, an_ending(), 3)
    assert throws.done_to() == 1
    executor.do()
    assert program.asked == ["ada", "bob", "ada"]
    assert throws.done_to() is None


def test_who_was_signing_in_meanwhile_is_seen_to_a_moment_later(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    executor, looks = AtOnce(), iter((Done(""), Done("1 ssh session ended")))
    throws = ThrowingOut(cast(Run, clock), executor)

    def look() -> Done:
        found = next(looks)
        return found if found.text else Done("", later=look)

    throws.take(Ends(frozenset(ALL), lambda _: Done("", later=look), lambda: Done("")), an_ending(), 1)
    for _ in range(3):
        executor.do()
        clock.at += timedelta(seconds=1)
        throws.go_on()
    executor.do()
    assert throws.done_to() is None
    assert capsys.readouterr().out == "ada: 1 ssh session ended (remove-method)\n"


def test_what_is_done_at_once_holds_nothing_up(clock: Clock) -> None:
    class Immediately(AtOnce):
        def submit(self, what: Any, /, *given: Any, **named: Any) -> Future[Any]:
            future = super().submit(what)
            self.do()
            return future

    throws = ThrowingOut(cast(Run, clock), Immediately())
    ended = Thread(target=throws.take, args=(Program().ends, an_ending(), 1), daemon=True)
    ended.start()
    ended.join(60)
    assert not ended.is_alive()
    assert throws.done_to() is None


def test_what_nobody_can_do_here_is_said_and_not_tried_again(clock: Clock) -> None:
    executor = AtOnce()
    throws = ThrowingOut(cast(Run, clock), executor)
    throws.take(Program().ends, an_ending(""), 1)
    executor.do()
    assert throws.done_to() is None
    assert clock.notes == ["everybody: look yourself (remove-method)"]


def test_a_line_for_machines_says_that_it_was_not_done(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    clock.json = True
    executor = AtOnce()
    ThrowingOut(cast(Run, clock), executor).take(Program().ends, an_ending(""), 1)
    executor.do()
    said = capsys.readouterr().out
    assert '"ok":false' in said.replace(" ", "")
    assert Acted.__struct_fields__ == ("at", "event", "account", "done", "ok", "ms")
