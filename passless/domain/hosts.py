"""Which kinds of hosts an account lets somebody in to, so that endings of the others throw nobody out there.

Local users have names as accounts have. Whoever takes the name of a user whose account it is not must not be able to end that
user's sessions, which have nothing to do with passless: only an account that has what a host takes can have opened any, and
where a host has groups only one that is in them.
"""

from __future__ import annotations

from passless.domain.account import Account
from passless.domain.endings import ENDINGS, GROUPS_BEFORE, NEVER_AT, What
from passless.domain.hardware_keys import hardware_keys
from passless.domain.methods import Email, Other, Password
from passless.domain.party_kinds import PartyKind

ENDED_THERE = frozenset({What.METHODS, What.NAME, What.ACCOUNT})  # what ends sessions on hosts
HOSTS = (PartyKind.PAM, PartyKind.SSH)
NO_SECOND_STEP = (Password, Email, Other)


def never_at(account: Account) -> tuple[PartyKind, ...]:
    """Return the kinds of hosts that nothing in an account lets anybody in to."""
    lets_in = {
        PartyKind.PAM: any(not isinstance(one, NO_SECOND_STEP) for one in account.methods),
        PartyKind.SSH: any(hardware_keys(account)),
    }
    return tuple(kind for kind in HOSTS if not lets_in[kind])


def said_of(account: Account, event: str) -> dict[str, str]:
    """Return what an ending's details say of the hosts of an account, as it was just before."""
    if not ENDED_THERE.intersection(ENDINGS.get(event, ())):
        return {}
    kinds = never_at(account)
    said = {NEVER_AT: ",".join(kinds)} if kinds else {}
    return said if len(kinds) == len(HOSTS) else said | {GROUPS_BEFORE: ",".join(account.groups)}
