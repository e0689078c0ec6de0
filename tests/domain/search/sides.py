"""Two sides on one account: the person it belongs to and a thief, each with what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from passless.domain.account import Account
from passless.domain.changes import (
    AddRecoveryCode,
    Change,
    LoseDevice,
    LoseMethods,
    RemoveMethod,
    ReplacePassword,
    StartRecovery,
    TakeBackLoss,
)
from passless.domain.methods import MethodId, SignInMethod
from passless.domain.recovery import Reporter
from passless.domain.safety.proofs import is_old
from passless.domain.safety.ways_in import is_reachable, is_valid, opens, opens_alone, signs_in
from passless.domain.sessions import SessionKind
from tests.domain.search import moves
from tests.domain.search.model import NOW, RULES, UNTIL, Slot
from tests.domain.search.moves import Limits, Move


class Side(Struct, frozen=True, kw_only=True):
    """Somebody who acts. What they add to the account begins with their name, so that it is theirs.

    `session`: they sit in a session that the other one opened, whose proofs (of `proven`) are still fresh; `kind` is its kind.
    """

    name: str
    holds: frozenset[str]
    proven: frozenset[str] = frozenset()
    session: bool = False
    kind: SessionKind = SessionKind.DIRECT
    slots: tuple[Slot, ...] = ()

    def has(self, method_id: str) -> bool:
        """Tell whether they can prove it."""
        plain = method_id.removeprefix("lost-").rstrip("0123456789")
        return plain in self.holds or plain.startswith(self.name)

    def methods(self, account: Account) -> tuple[SignInMethod, ...]:
        """What they can prove of what the account has."""
        return tuple(one for one in account.methods if self.has(one.id))

    def proofs(self, account: Account) -> tuple[SignInMethod, ...]:
        """What they can prove, with what a session of the other one has proven, and with what was reported lost."""
        lost = (one for loss in account.losses for one in loss.methods)
        fresh = tuple(one for one in account.methods if one.id in self.proven and not self.has(one.id))
        return (*self.methods(account), *fresh, *(one for one in lost if self.has(one.id)))

    def signs_in(self, account: Account) -> bool:
        """Tell whether they can sign in on their own."""
        usable = [one for one in self.methods(account) if signs_in(one, RULES, NOW)]
        return opens(usable, two_step=account.two_step, among=account.methods)

    def recovers(self, account: Account) -> bool:
        """Tell whether they hold a code, and the further proof it needs."""
        further = any(is_reachable(one, RULES, NOW) for one in self.methods(account))
        valid = (one for one in account.recovery_codes if is_valid(one, NOW) and self.has(one.id))
        return any(further or opens_alone(account, one, NOW) for one in valid)

    def gets_in(self, account: Account) -> bool:
        """Tell whether they can sign in or recover."""
        return self.signs_in(account) or self.recovers(account)


def try_all(account: Account, side: Side, wishes: Iterable[Change]) -> Iterator[Move]:
    """Yield what a side gets at once, in a session of its own (or another's), and in a recovery."""
    asked = []
    if side.session:
        asked.append(moves.context(side.proofs(account), session=side.kind))
    elif side.signs_in(account):
        asked.append(moves.context(side.proofs(account)))
    if account.recovery is not None and side.recovers(account):
        asked.append(moves.context(session=SessionKind.RECOVERY_CODE))
    changes = tuple(wishes)
    for context in asked:
        for change in changes:
            if move := moves.try_change(account, change, context, RULES):
                yield move


def attacks(account: Account, thief: Side, limits: Limits) -> Iterator[Move]:
    """Everything a thief can do at once."""
    yield from try_all(account, thief, _wishes(account, thief, limits))
    yield from starts_recovery(account, thief)
    yield from takes_back(account, thief)
    if move := moves.after_a_day(account):
        yield move


def _wishes(account: Account, thief: Side, limits: Limits) -> Iterator[Change]:
    """What serves a thief: things of their own on the account, things of the owner off it, and the switches."""
    for change in moves.adding(account, limits, thief.name):
        if not _is_theirs_already(account, change, thief):
            yield change
    yield from moves.settings(account)
    yield from (RemoveMethod(id=one.id) for one in account.methods if not one.id.startswith(thief.name))
    yield from reports(account, thief, limits)
    yield from moves.finishing(account)
    yield from moves.stopping(account)


def _is_theirs_already(account: Account, change: Change, thief: Side) -> bool:
    match change:
        case ReplacePassword():
            return account.password is not None and account.password.id.startswith(thief.name)
        case AddRecoveryCode():
            return any(code.id.startswith(thief.name) for code in account.recovery_codes)
        case _:
            return False


def reports(account: Account, side: Side, limits: Limits) -> Iterator[Change]:
    """Reports of what is not theirs: each device, and everything at once."""
    others = tuple(one for one in account.methods if not one.id.startswith(side.name))
    if len(account.losses) >= limits.losses:
        return
    for device in dict.fromkeys(one.device for one in others if one != account.password):
        yield LoseDevice(id="loss", device=device, until=UNTIL)
    if others:
        yield LoseMethods(id="loss", ids=tuple(one.id for one in others), until=UNTIL)


def starts_recovery(account: Account, side: Side) -> Iterator[Move]:
    """Begin a recovery with a code of one's own."""
    if account.recovery is None and side.recovers(account):
        change = StartRecovery(by=Reporter.SELF)
        if move := moves.try_change(account, change, moves.context(session=SessionKind.RECOVERY_CODE), RULES):
            yield move


def takes_back(account: Account, side: Side) -> Iterator[Move]:
    """Take back every report that one can, for which nobody has to be signed in."""
    for loss in account.losses:
        if move := moves.try_change(account, TakeBackLoss(id=loss.id), moves.context(side.proofs(account)), RULES):
            yield move


def restores(account: Account, owner: Side) -> bool:
    """Tell whether the owner gets in, if need be by taking back one report after another."""
    seen, queue = {account}, [account]
    while queue:
        now = queue.pop()
        if owner.gets_in(now):
            return True
        for move in takes_back(now, owner):
            if move.after not in seen:
                seen.add(move.after)
                queue.append(move.after)
    return False


def holds_something_old(account: Account, owner: Side, thief: Side) -> bool:
    """Tell whether the owner holds a method (not SMS or e-mail) or a saved code older than the wait that the thief has not."""
    methods = (one for one in account.methods if not MethodId(one.id).startswith(("sms", "mail")))
    old = [one.id for one in methods if is_old(one.added_at, RULES, NOW)]
    old += [one.id for one in account.recovery_codes if one.saved and is_old(one.created_at, RULES, NOW)]
    return any(owner.has(one) and not thief.has(one) and one not in thief.proven for one in old)
