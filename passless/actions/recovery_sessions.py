"""What a recovery binds: it goes on where one is under way, and what was opened by it ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.changes import CancelRecovery, Change, IssueTemporaryPass, RevokeTemporaryPass, StartRecovery
from passless.domain.safety.proof_rules import RECOVERY_SESSIONS
from passless.domain.sessions import NEVER_IDLE, SessionId, SessionKind
from passless.ports import Store


def continued(before: Account, after: Account, now: datetime) -> Account:
    """Let a recovery that begins while another still binds count from the start of that one.

    Otherwise a cancel would undo the second only, and leave the code that was made in the first.
    """
    earlier, later = before.recovery, after.recovery
    if earlier is None or later is None or not earlier.holds(now):
        return after
    return replace(after, recovery=replace(later, started_at=earlier.started_at))


def sessions_it_ends(before: Account, after: Account, changes: Sequence[Change]) -> frozenset[SessionKind]:
    """Return the kinds of session that end with these changes: of a recovery that is over, of a pass that is none any more.

    Where a recovery begins, be it by a loss, what machines and programs use alone ends too: whoever took the account may have
    made it.
    """
    if any(isinstance(change, CancelRecovery | StartRecovery) for change in changes):
        return frozenset((*RECOVERY_SESSIONS, *NEVER_IDLE))
    if _is_under_way(after) and not _is_under_way(before):
        return NEVER_IDLE
    if before.temporary_pass is not None and any(isinstance(one, RevokeTemporaryPass | IssueTemporaryPass) for one in changes):
        return frozenset({SessionKind.TEMPORARY_PASS})
    return frozenset()


def _is_under_way(account: Account) -> bool:
    return account.recovery is not None and account.recovery.finished_at is None


def earlier_ones(store: Store, account: Account) -> tuple[SessionId, ...]:
    """Return what ends when a recovery begins: the sessions of an earlier one, for there is one at a time, and all tokens."""
    ended = (*RECOVERY_SESSIONS, *NEVER_IDLE)
    return tuple(one.id for one in store.sessions(account.id) if one.kind in ended)
