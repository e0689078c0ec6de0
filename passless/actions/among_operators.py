"""From a request among operators to a change: rights, groups, approvals."""

from __future__ import annotations

from typing import assert_never

from passless.actions import naming
from passless.actions.changing import Wanted
from passless.actions.who import Who
from passless.domain.changes import GiveApproval, GrantRights, PutIntoGroups, RevokeRights
from passless.domain.operators import clean_groups
from passless.domain.requests import ApproveRecovery, GrantOperator, RevokeOperator, SetGroups

AmongOperators = GrantOperator | RevokeOperator | SetGroups | ApproveRecovery  # what only a server's store has


def wanted(who: Who, request: AmongOperators) -> Wanted:
    """Turn a request into a change; `Nothing` where there is nothing to take away or to approve."""
    match request:
        case GrantOperator(over=over):
            return Wanted(changes=(GrantRights(over=clean_groups(over)),))
        case RevokeOperator():
            if who.account.operator is None:
                raise naming.Nothing("the account is no operator", hint="see: passless operator list")
            return Wanted(changes=(RevokeRights(),))
        case SetGroups(groups=groups):
            return Wanted(changes=(PutIntoGroups(groups=clean_groups(groups)),))
        case ApproveRecovery():
            if who.account.approval is None:
                raise naming.Nothing("no recovery waits for an approval", hint="another operator asks for it first")
            by = who.acting.account if who.acting is not None else who.account
            return Wanted(changes=(GiveApproval(by=by.id, name=by.name),))
        case _:
            assert_never(request)
