"""What runs on a program's own host, ended when what let a person in no longer does: `relying-party watch` calls this.

The names come from the server. Each program is asked by a name in the one form that it has there, after "--" and without
wildcards; a name that the program could take for something else is nobody's there, for it let nobody in under it either.
"""

from __future__ import annotations

import pwd
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from passless.domain import names
from passless.domain.endings import ALL, What
from passless.domain.errors import WrongUse
from passless.domain.party_kinds import PartyKind

IN_A_PATH = "._-@+"  # beside letters and digits: what a mailbox's name may have (`actions.mailboxes`)


class NothingRuns(WrongUse):
    """A kind of relying party whose programs are not told of endings on their own host."""

    code = "nothing-to-end"
    hint = "see what it can and cannot enforce: passless relying-party show NAME"


class Ends(Struct, frozen=True):
    """How a program ends what runs: `what` it cares for, somebody's connections, and everybody's.

    Each says in words what it did, nothing where there was nothing, and raises a `PasslessError` where it could not.
    """

    what: frozenset[What]
    of: Callable[[str], str]
    of_everybody: Callable[[], str]


def ends_of(kind: str, *, introspects: bool) -> Ends:
    """Return how the program of a kind ends what runs; `NothingRuns` where nothing does."""
    match kind:
        case PartyKind.DOVECOT:
            taken = frozenset(ALL) if introspects else frozenset({What.APP_PASSWORDS, What.NAME, What.ACCOUNT})
            return Ends(taken, _mail_of, _mail)
        case PartyKind.SSH | PartyKind.PAM:
            return Ends(frozenset({What.METHODS, What.NAME, What.ACCOUNT}), _sessions_of, _sessions)
        case _:
            raise NothingRuns(f"nothing runs on the host of a relying party of the kind {names.printable(kind)}")


def _mail_of(account: str) -> str:
    from passless.programs import dovecot

    mailbox = names.key(account)
    if not mailbox or mailbox.startswith(".") or not all(one.isalnum() or one in IN_A_PATH for one in mailbox):
        return ""
    dovecot.end_connections(mailbox)
    return "mail connections ended"


def _mail() -> str:
    from passless.programs import dovecot

    dovecot.end_everybody()
    return "all mail connections ended"


def _sessions_of(account: str) -> str:
    from passless.programs import sshd_sessions

    ended = sum(map(sshd_sessions.end_sessions, _users(account)))
    return f"{ended} ssh session{'' if ended == 1 else 's'} ended" if ended else ""


def _sessions() -> str:
    """Nobody is thrown out of a host because it is not known who should be: root would lose their shells for it."""
    return ""


def _users(account: str) -> set[str]:
    """Return the users of this host that an account signs in as, however their names are written."""
    named = {account, names.key(account)}
    return named | {one.pw_name for one in _all_users() if names.are_same(one.pw_name, account)}


def _all_users() -> list[Any]:
    return list(pwd.getpwall())
