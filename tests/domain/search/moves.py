"""What anybody may try on an account of the small world, and what time does to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.changes import (
    AddMethod,
    AddRecoveryCode,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    FinishRecovery,
    LoseDevice,
    LoseMethods,
    RemoveMethod,
    ReplacePassword,
    Settle,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import SignInMethod, kind_of
from passless.domain.recovery import Reporter
from passless.domain.safety.context import Context, Rules
from passless.domain.safety.planning import Plan, plan
from passless.domain.safety.ways_in import can_recover
from passless.domain.sessions import Proof, SessionKind
from tests.domain.search.model import (
    AFTER_THE_WAIT,
    NOW,
    UNTIL,
    Slot,
    a_code,
    a_method,
    a_password,
    aged,
    canonical,
    free_slots,
)

NOTHING = Settle(at=NOW)  # a change that does nothing to an account on which nothing has expired


class Limits(Struct, frozen=True, kw_only=True):
    """How large the small world is."""

    alphabet: tuple[Slot, ...]
    methods: int
    devices: int
    losses: int = 0
    recoveries: bool = False


class Move(Struct, frozen=True, kw_only=True):
    """A plan that was accepted, and the account it leads to."""

    what: str
    plan: Plan | None
    after: Account

    @property
    def is_a_loss(self) -> bool:
        """A report, which is never refused."""
        return self.plan is not None and isinstance(self.plan.change, LoseDevice | LoseMethods)

    @property
    def undoes_a_recovery(self) -> bool:
        """The account is as before a recovery, one device away from a lock-out where it was so then."""
        return self.plan is not None and isinstance(self.plan.change, CancelRecovery)


def context(
    proven: Sequence[SignInMethod] = (), *, session: SessionKind = SessionKind.DIRECT, actor: Reporter = Reporter.SELF
) -> Context:
    """Say who asks, having just proven these methods."""
    proofs = tuple(Proof(kind=kind_of(method), at=NOW, method=method.id) for method in proven)
    return Context(now=NOW, proofs=proofs, session=session, actor=actor)


def adding(account: Account, limits: Limits, owner: str = "") -> Iterator[Change]:
    """Everything that puts something on the account."""
    for slot in free_slots(account, limits.alphabet, methods=limits.methods, devices=limits.devices):
        yield AddMethod(method=a_method(slot, owner=owner))
    if account.password is not None:
        yield ReplacePassword(password=a_password(f"{owner}new-"))
    elif len(account.methods) < limits.methods:
        yield TurnPasswordlessOff(password=a_password(f"{owner}new-"))
    yield from codes(account, owner)


def codes(account: Account, owner: str = "") -> Iterator[Change]:
    """Recovery codes: at most two saved ones and one that is not."""
    saved = [code for code in account.recovery_codes if code.saved]
    if len(saved) < 2 and len(saved) == len(account.recovery_codes):
        yield AddRecoveryCode(code=a_code(f"{owner}9"))
    for code in account.recovery_codes:
        if not code.saved:
            yield ConfirmRecoveryCode(id=code.id)


def settings(account: Account) -> Iterator[Change]:
    """The two switches."""
    if account.password is not None:
        yield TurnPasswordlessOn()
    yield TurnTwoStepOff() if account.two_step else TurnTwoStepOn()


def removing(account: Account) -> Iterator[Change]:
    """Everything that takes a method away for good."""
    for method in account.methods:
        yield RemoveMethod(id=method.id)


def losing(account: Account, limits: Limits) -> Iterator[Change]:
    """Every report of a loss."""
    if len(account.losses) < limits.losses:
        for device in account.devices:
            yield LoseDevice(id="loss", device=device, until=UNTIL)
        if account.password is not None:
            yield LoseMethods(id="loss", ids=(account.password.id,), until=UNTIL)


def taking_back(account: Account) -> Iterator[Change]:
    """Every report that can still be taken back."""
    for loss in account.losses:
        yield TakeBackLoss(id=loss.id)


def stopping(account: Account) -> Iterator[Change]:
    """Everything that stops a recovery."""
    if account.recovery is not None:
        yield CancelRecovery()


def recovering(account: Account, rules: Rules, limits: Limits) -> Iterator[Change]:
    """A recovery with a code, as far as one exists."""
    if limits.recoveries and account.recovery is None and can_recover(account, rules, NOW):
        yield StartRecovery(by=Reporter.SELF)


def finishing(account: Account) -> Iterator[Change]:
    """The end of a recovery."""
    if account.recovery is not None and account.recovery.finished_at is None:
        yield FinishRecovery()


def try_change(account: Account, change: Change, asked: Context, rules: Rules) -> Move | None:
    """Plan a change; return where it leads at once, or None where it is refused or waits."""
    found = plan(account, change, asked, rules)
    if found.due_at is not None or not found.is_accepted:
        return None
    return as_move(found)


def as_move(found: Plan) -> Move:
    """Take the step that a plan shows."""
    return Move(what=type(found.change).__name__, plan=found, after=canonical(found.after))


def after_the_wait(account: Account, rules: Rules) -> Move:
    """Let more than the wait pass: what expires is gone, what is there is old."""
    settled = plan(account, Settle(at=AFTER_THE_WAIT), Context(now=AFTER_THE_WAIT), rules).after
    return Move(what="wait", plan=None, after=canonical(aged(settled)))


def after_a_day(account: Account) -> Move | None:
    """Let the day pass that follows a finished recovery."""
    recovery = account.recovery
    if recovery is None or recovery.finished_at is None:
        return None
    return Move(what="a day", plan=None, after=canonical(replace(account, recovery=None)))
