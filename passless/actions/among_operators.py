"""From a request among operators to a change: rights, groups, approvals."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from passless.actions import asking, naming, operators
from passless.actions.changing import Wanted
from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.domain.changes import GiveApproval, GrantRights, PutIntoGroups, RevokeRights
from passless.domain.operators import clean_groups, line
from passless.domain.requests import ApproveRecovery, GrantOperator, RevokeOperator, SetGroups

AmongOperators = GrantOperator | RevokeOperator | SetGroups | ApproveRecovery  # what only a server's store has


def wanted(parts: Parts, who: Who, request: AmongOperators, now: datetime) -> Wanted:
    """Turn a request into a change; `Nothing` where there is nothing to take away or to approve."""
    match request:
        case GrantOperator(over=over):
            return _grant(parts, who, request, clean_groups(over), now)
        case RevokeOperator():
            if who.account.operator is None:
                raise naming.Nothing("the account is no operator", hint="see: passless operator list")
            return Wanted(changes=(RevokeRights(),), problems=operators.last_over_all(parts, who.account, now))
        case SetGroups(groups=groups):
            return Wanted(changes=(PutIntoGroups(groups=clean_groups(groups)),))
        case ApproveRecovery(id=wish):
            if who.account.approval is None:
                raise naming.Nothing("nothing waits for an approval", hint="another operator asks for it first")
            by = who.acting.account if who.acting is not None else who.account
            since = now if by.operator is None else by.operator.since
            change = GiveApproval(id=wish, by=by.id, name=by.name, since=since, made_by=by.made_by(now))
            return Wanted(changes=(change,))
        case _:
            assert_never(request)


def _grant(parts: Parts, who: Who, request: GrantOperator, over: tuple[str, ...], now: datetime) -> Wanted:
    """Say who grants it: the operator, and whoever made them one; on the host nobody that has an account."""
    by = () if who.acting is None else line(who.acting.account.id, *who.acting.account.made_by(now))
    asked = asking.asked_in(request, over=over)
    approvals, empty = asking.approvals(parts, who, asked, now), operators.nobody_in(parts, over)
    return Wanted(changes=(GrantRights(over=over, by=by),), asked=asked, approvals=approvals, problems=empty)
