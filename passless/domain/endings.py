"""Endings: something that let a person in no longer does, and programs that let them in have to act on it.

Every event of the audit trail is in one of two lists here, and `tests/actions/test_endings.py` holds the code to it: it ends
something, or it ends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class What(StrEnum):
    """What no longer lets a person in."""

    APP_PASSWORDS = "app-passwords"
    SESSIONS = "sessions"  # and the tokens of programs that came of them
    METHODS = "methods"  # keys, passkeys, authenticator apps
    PASSWORD = "password"
    NAME = "name"  # the account is known by another one
    ACCOUNT = "account"  # all of it


ALL = tuple(What)
EVERYTHING = "all"  # in an event's details, where no session of the account was to stay
NEVER_AT = "never_at"  # what an event's details call the kinds of hosts that the account had nothing for
GROUPS, GROUPS_BEFORE = "groups", "groups_before"  # the account's in an event's details: since then, and until then
LEAVE_HOST, SET_GROUPS = AT_HOSTS = "leave-host", "set-groups"  # what ends at hosts alone
_OPENED = (What.METHODS, What.SESSIONS)  # a method, and what was opened with it

ENDINGS: Mapping[str, tuple[What, ...]] = {
    "cancel-recovery": _OPENED,
    "delete-account": ALL,
    "end-session": (What.SESSIONS,),
    "expire-app-passwords": (What.APP_PASSWORDS,),
    "expire-method": _OPENED,
    "grant-operator": (What.SESSIONS,),  # where the rights are fewer than before
    "issue-temporary-pass": (What.SESSIONS,),  # those of the pass before
    LEAVE_HOST: (What.METHODS,),  # there, by somebody who is in none of its groups any more, for it has others
    "lose-device": (What.APP_PASSWORDS, *_OPENED),
    "lose-methods": (What.APP_PASSWORDS, What.PASSWORD, *_OPENED),
    "mark-cloned": (What.METHODS,),  # a key that may have been copied is told to no host any more
    "move-server": (What.METHODS,),  # everybody's keys and passkeys that were made for the address before
    "remove-method": _OPENED,
    "remove-relying-party": (What.SESSIONS,),  # everybody's who were given to it
    "rename-account": (What.NAME,),
    "replace-password": (What.PASSWORD, What.SESSIONS),
    "reuse-code": (What.SESSIONS,),  # what it gave, and all that came of that
    "reuse-refresh-token": (What.SESSIONS,),  # all that came of it
    "revoke-app-passwords": (What.APP_PASSWORDS,),
    "revoke-operator": (What.SESSIONS,),
    "revoke-temporary-pass": (What.SESSIONS,),
    SET_GROUPS: (What.METHODS,),  # at hosts whose users were in a group that the account left, and in no other of theirs
    "sign-out": (What.SESSIONS,),
    "start-recovery": _OPENED,  # of the recovery before; and no key opens a host while there is one (`hardware_keys`)
    "store-restored": ALL,  # everybody's: what ended in between may be open at programs still, and all sessions are void
    "take-back-consent": (What.SESSIONS,),
    "tighten-relying-party": (What.APP_PASSWORDS, What.SESSIONS),  # what somebody was given; of mail everybody's
    "turn-passwordless-on": (What.PASSWORD, What.SESSIONS),
    "turn-two-step-off": (What.APP_PASSWORDS, What.PASSWORD, What.SESSIONS),  # the password, where it was too short
}

ENDS_NOTHING = frozenset(
    {
        "act-as-operator",
        "add-app-password",
        "add-method",
        "add-recovery-code",
        "add-relying-party",
        "approve-client",
        "approve-device",
        "approve-recovery",
        "ask-approval",
        "cancel-pending",
        "change-relying-party",  # what ends by it stands in an event of its own
        "check-app-password",
        "confirm-recovery-code",  # the older codes end, which let nobody into a program
        "create-account",
        "create-invitation",
        "create-token",
        "export-account",
        "export-accounts",
        "finish-ceremony",
        "finish-recovery",  # its pass ends, and what was opened with that is bound by rule 10 for a day
        "import-account",  # what is there already stays as it is
        "import-accounts",
        "new-relying-party-secret",  # what was given stays; who has the old one learns nothing more
        "new-signing-key",  # what the one before signed is good until it is over
        "rename-method",
        "renew-client",
        "revoke-invitation",
        "revoke-token",  # a machine's token signs nobody in at a program
        "rotate-vault-key",  # a key that something needs stays
        "second-step",
        "set-default-method",
        "settle",
        "sign-in",
        "sign-in-by-ssh",
        "sign-in-first-proof",
        "take-back-loss",
        "turn-passwordless-off",
        "turn-two-step-on",  # what was opened with one proof before stays open
        "use-device-code",
        "use-token",
    }
)


class Ending(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that let a person in no longer does. `id` names it for good, on every server and after every start.

    Without an account it is about everybody's. `account` is the name that the account had just before. `sessions` are those
    that the event names, `everything` that none was to stay, `relying_party` the one whose tokens ended, `never_at` kinds of
    hosts that the account, as it was just before, had nothing for. `groups_before` are those it was in just before, None where
    nobody wrote that down, and `groups` those it is in since then, where they changed.
    """

    id: str
    at: datetime
    event: str
    what: tuple[What, ...]
    account_id: str = ""
    account: str = ""
    sessions: tuple[str, ...] = ()
    everything: bool = False
    relying_party: str = ""
    never_at: tuple[str, ...] = ()
    groups_before: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()

    @property
    def is_everybodys(self) -> bool:
        """Whether it is not about one account."""
        return not self.account_id
