"""Which methods count on a host, where one sign-in may be root's: the same for keys by ssh, for codes and for approvals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from passless.domain.account import Account
from passless.domain.methods import Email, Factor, Phone, SignInMethod, factor
from passless.domain.safety.context import Rules
from passless.domain.safety.proofs import is_vouched_for, proven
from passless.domain.safety.ways_in import signs_in
from passless.domain.sessions import Proof


def count_on_hosts(account: Account, rules: Rules, now: datetime) -> tuple[SignInMethod, ...]:
    """Return the methods that count on hosts now.

    Only those that are vouched for: whoever has one factor alone may add a method, and would be let in with it. None while the
    account is being recovered, and for the day after none that was added in the recovery (rule 10), for it may be a stranger's.
    """
    vouched = tuple(method for method in account.methods if is_vouched_for(method, account, rules, now))
    recovery = account.recovery
    if recovery is None or not recovery.holds(now):
        return vouched
    if recovery.finished_at is None:
        return ()
    return tuple(method for method in vouched if method.id not in recovery.enrolled)


def is_second_step(method: SignInMethod) -> bool:
    """Tell whether a method can be the second step beside a password: something one has, and nothing that messages go to."""
    return factor(method) in (Factor.POSSESSION, Factor.BOTH) and not isinstance(method, Phone | Email)


def has_shown_second_step(account: Account, proofs: Iterable[Proof], rules: Rules, now: datetime) -> bool:
    """Tell whether proofs show something that the person has, and that counts on hosts."""
    counting = {method.id for method in count_on_hosts(account, rules, now)}
    return any(method.id in counting and is_second_step(method) for method in proven(account, proofs, rules, now))


def can_show_second_step(account: Account, rules: Rules, now: datetime) -> bool:
    """Tell whether the account has something that can be shown, and counts on hosts."""
    return any(is_second_step(method) and signs_in(method, rules, now) for method in count_on_hosts(account, rules, now))
