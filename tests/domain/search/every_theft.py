"""Every theft of one factor from every kind of old account: does a thief ever end up alone?"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from msgspec import Struct

from passless.domain.account import Account
from passless.domain.methods import SignInMethod, Strength
from passless.domain.safety.proofs import beyond_messages
from tests.domain.search import moves
from tests.domain.search.attackers import Theft, is_one_factor, old_accounts, reach, thefts
from tests.domain.search.model import NOW, RULES
from tests.domain.search.sides import holds_something_old


class Thefts(Struct, kw_only=True):
    """What following every theft saw."""

    followed: int = 0
    left: int = 0
    states: int = 0
    ties: list[str] = []
    alone: list[str] = []

    def __str__(self) -> str:
        head = (
            f"followed {self.followed} thefts through {self.states} states, {self.left} left: "
            f"{len(self.alone)} thieves alone; {len(self.ties)} ties where who reports first keeps the account"
        )
        return "\n".join((head, *self.alone))


def follow_every_theft(*, methods: int, seconds: float | None = None) -> Thefts:
    """Follow every theft that the promise is about, on accounts of up to so many methods."""
    seen = Thefts()
    end = None if seconds is None else monotonic() + seconds
    accounts = sorted(old_accounts(), key=lambda account: len(account.methods))
    for account in accounts:
        if len(account.methods) > methods:
            break
        for theft in promised(account):
            for reacts in (False, True):
                if end is not None and monotonic() > end:
                    seen.left += 1
                else:
                    _follow(account, theft, seen, reacts=reacts)
    return seen


def promised(account: Account) -> list[Theft]:
    """Return the thefts that the promise is about.

    What the thief can prove is less than two factors, and the owner holds a method (not SMS or e-mail) or a saved code, older
    than the wait, that the thief can not prove.
    """
    return [
        theft
        for theft in thefts(account)
        if is_one_factor(account, theft.thief) and holds_something_old(account, theft.owner, theft.thief)
    ]


def is_a_tie(account: Account, theft: Theft) -> bool:
    """Tell whether both hold one thing of the same worth that the other has not, and the owner neither a password nor a code.

    Then each may report the other's device, and the first report stands (design.md, "Known and accepted").
    """
    if account.password is not None or account.recovery_codes:
        return False
    own = [method for method in theft.owner.proofs(account) if not theft.thief.has(method.id)]
    return _worth(account, own) <= _worth(account, theft.thief.proofs(account))


def _worth(account: Account, methods: Sequence[SignInMethod]) -> Strength:
    return beyond_messages(account, moves.context(methods).proofs, RULES, NOW)


def _follow(account: Account, theft: Theft, seen: Thefts, *, reacts: bool) -> None:
    found = reach(account, theft, reacts=reacts)
    if found is None:
        return
    seen.followed += 1
    seen.states += found.states
    if not found.alone:
        return
    steps = " > ".join(move.what for move in found.path)
    shown = f"{theft.what}: {', '.join(one.id for one in account.methods)}, two-step {account.two_step}: {steps}"
    (seen.ties if is_a_tie(account, theft) and not reacts else seen.alone).append(shown)
