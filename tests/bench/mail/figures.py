"""The figures of a run: passless beside each rival, and whether it grows with accounts or app passwords."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from tests.bench.mail import load, rivals
from tests.bench.mail.rivals import Asked
from tests.bench.server.figures import Figure

PROGRAM_ASKED, ARGON_ASKED, SQLITE_ASKED = 40.0, 50.0, 0.5
GROWTH_ASKED = 1.15  # times the cost among few; runs differ by as much
Asking = AbstractContextManager[Asked]
PASSLESS, SQLITE = 0, 3  # in the order that they are measured in


class Scale(Struct, frozen=True, kw_only=True):
    """How much is measured; a small one keeps the bench working, and says nothing about speed."""

    seconds: float = 3.0
    rounds: int = 2
    active: int = 1_000  # people who sign in
    many: int = 100_000  # accounts
    each: int = 40  # app passwords of one account, as many as there may be


def figures(folder: Path, scale: Scale) -> Iterator[Figure]:
    """Measure everything in one run, in turns."""
    who = rivals.people(scale.active)
    few: list[Callable[[Path], Asking]] = [
        lambda where: rivals.asking_passless(where, scale.active, 1),
        lambda where: rivals.asking_program(where, who),
        lambda where: rivals.asking_sqlite(where, who[: max(4, scale.active // 50)], slow=True),
        lambda where: rivals.asking_sqlite(where, who, slow=False),
        lambda where: rivals.asking_passless(where, scale.many, 1),
        lambda where: rivals.asking_passless(where, scale.active, scale.each),
    ]
    rates: list[list[float]] = [[] for _ in few]
    whole: dict[int, list[float]] = {PASSLESS: [], SQLITE: []}
    for turn in range(scale.rounds):
        for number, asking in enumerate(few):
            where = folder / f"{turn}-{number}"
            where.mkdir(mode=0o755)
            with asking(where) as asked:
                known = who[: max(4, scale.active // 50)] if number == 2 else who
                load.run(asked.auth, known, scale.seconds / 4)  # connections are opened, and last uses of the minute kept
                rates[number].append(load.run(asked.auth, known, scale.seconds).rate)
                if number in whole:
                    whole[number].append(load.run_whole(asked.imap, known, scale.seconds).rate)
    passless, program, argon, sqlite, many, full = (statistics.median(one) for one in rates)
    yield Figure(what="passless, app password by Dovecot's dict", measured=told(passless))
    yield Figure(what="a checkpassword program in Python", measured=told(program))
    yield Figure(what="Argon2id hashes by SQL", measured=told(argon))
    yield Figure(what="Dovecot reading SQLite by itself, SHA-256", measured=told(sqlite))
    yield from _ratio("times checkpassword", passless / program, PROGRAM_ASKED)
    yield from _ratio("times Argon2id by SQL", passless / argon, ARGON_ASKED)
    yield from _ratio("of Dovecot reading SQLite by itself", passless / sqlite, SQLITE_ASKED)
    ours, theirs = (statistics.median(whole[one]) for one in (PASSLESS, SQLITE))
    yield Figure(what="whole IMAP sign-ins, with passless", measured=told(ours))
    yield Figure(what="whole IMAP sign-ins, with SQLite by itself", measured=told(theirs))
    yield from _ratio("of whole sign-ins with SQLite by itself", ours / theirs, SQLITE_ASKED)
    yield from _growth(f"cost among {scale.many:,} accounts / among {scale.active:,}", passless / many)
    yield from _growth(f"cost with {scale.each} app passwords each / with one", passless / full)


def told(rate: float) -> str:
    """Return a rate in words."""
    return f"{rate:,.0f} sign-ins/s"


def _ratio(what: str, ratio: float, asked: float) -> Iterator[Figure]:
    yield Figure(what=what, measured=f"{ratio:.2f}", asked=f"at least {asked:g}", reached=ratio >= asked)


def _growth(what: str, ratio: float) -> Iterator[Figure]:
    yield Figure(what=what, measured=f"{ratio:.2f}", asked=f"at most {GROWTH_ASKED}", reached=ratio <= GROWTH_ASKED)
