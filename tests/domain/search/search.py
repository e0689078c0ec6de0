"""Breadth first over every account that accepted changes can reach: is anybody locked out, or one device away from it?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.refused import ABOUT_PROOFS
from passless.domain.safety.context import Context
from passless.domain.safety.planning import conclude, plan
from passless.domain.safety.ways_in import can_sign_in, fatal_devices
from passless.domain.sessions import Proof, SessionKind
from tests.domain.search import moves
from tests.domain.search.model import NOW, OLD, RULES, a_password, an_account, canonical
from tests.domain.search.moves import Limits, Move


class Fault(Struct, frozen=True, kw_only=True):
    """A step that should not exist: what is wrong after it, from where, by what."""

    what: str
    before: Account
    move: Move


class Report(Struct, kw_only=True):
    """What a search saw."""

    visited: int = 0
    left: int = 0
    steps: int = 0
    locked_out: list[Fault] = []
    one_device_away: list[Fault] = []

    @property
    def faults(self) -> list[Fault]:
        """Everything that should not be."""
        return self.locked_out + self.one_device_away

    def __str__(self) -> str:
        return (
            f"visited {self.visited} accounts by {self.steps} steps, {self.left} left in the queue: "
            f"{len(self.locked_out)} locked out, {len(self.one_device_away)} one device away"
        )


def new_accounts() -> tuple[Account, ...]:
    """Where everybody starts: an account with a password, one without, and an old one."""
    with_password = an_account(a_password(), made=NOW, finished=True)
    without = an_account(made=NOW)
    old = an_account(a_password(added_at=OLD), made=OLD, finished=True)
    return with_password, without, old


def contexts(account: Account) -> Iterator[Context]:
    """Who may ask: with every proof, with each alone where that makes a difference, later on what waited, in a recovery.

    On a young account without a recovery more proofs only allow more and leave no trace, so all of them stand for any.
    What waits is not kept as a part of the state: on an old account anything may have been asked for a wait ago.
    """
    lost = tuple(one for loss in account.losses for one in loss.methods)
    everything = moves.context(account.methods + lost)
    yield everything if account.finished else replace(everything, proofs=(*everything.proofs, Proof(kind=None, at=NOW)))
    if account.created_at == OLD or account.recovery is not None:
        if len(account.methods) > 1:
            yield from (moves.context((method,)) for method in account.methods)
        yield Context(now=NOW, waited=True)
    if account.recovery is not None:
        yield moves.context(session=SessionKind.RECOVERY_CODE)


def steps(account: Account, limits: Limits) -> Iterator[Move]:
    """Every accepted step from an account."""
    wishes = [
        *moves.adding(account, limits),
        *moves.settings(account),
        *moves.removing(account),
        *moves.taking_back(account),
        *moves.stopping(account),
        *moves.finishing(account),
    ]
    askers = tuple(contexts(account))
    for change in wishes:
        for asked in askers:
            found = plan(account, change, asked, RULES)
            if found.is_accepted and found.due_at is None:
                yield moves.as_move(found)
            elif any(problem.code not in ABOUT_PROOFS for problem in found.refusals):
                break  # no other proof helps
    for asked in (moves.context(), moves.context(account.methods)):
        for change in moves.losing(account, limits):
            if move := moves.try_change(account, change, asked, RULES):
                yield move
    for change in moves.recovering(account, RULES, limits):
        if move := moves.try_change(account, change, moves.context(session=SessionKind.RECOVERY_CODE), RULES):
            yield move
    yield moves.after_the_wait(account, RULES)
    if move := moves.after_a_day(account):
        yield move


def search(
    limits: Limits, starts: Iterable[Account] = (), *, seconds: float | None = None, at_most: int | None = None
) -> Report:
    """Visit every account within the limits, or as many as the time or the number allows, nearest first."""
    report = Report()
    queue = deque(canonical(conclude(start, moves.NOTHING, RULES, NOW)) for start in starts or new_accounts())
    seen = set(queue)
    end = None if seconds is None else monotonic() + seconds
    while queue and (end is None or monotonic() < end) and report.visited != at_most:
        account = queue.popleft()
        report.visited += 1
        for move in steps(account, limits):
            report.steps += 1
            judge(account, move, report)
            if move.after not in seen:
                seen.add(move.after)
                queue.append(move.after)
    report.left = len(queue)
    return report


def judge(before: Account, move: Move, report: Report) -> None:
    """Note a step that takes the last way in, or brings an account one device away from that."""
    if move.after == before or move.is_a_loss:
        return
    if can_sign_in(before, RULES, NOW) and not can_sign_in(move.after, RULES, NOW):
        report.locked_out.append(Fault(what="locked out", before=before, move=move))
    if is_one_away(move.after) and not is_one_away(before) and not move.undoes_a_recovery:
        report.one_device_away.append(Fault(what="one device away", before=before, move=move))


def is_one_away(account: Account) -> bool:
    """Tell whether a finished account without a password would be shut by one loss (or is)."""
    if not account.finished or not account.passwordless:
        return False
    return not can_sign_in(account, RULES, NOW) or bool(fatal_devices(account, RULES, NOW))
