"""What runs on a program's own host, ended when what let a person in no longer does: `relying-party watch` calls this.

The names come from the server. Each program is asked by a name in the one form that it has there, after "--" and without
wildcards; a name that the program could take for something else is nobody's there, for it let nobody in under it either.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic

from msgspec import Struct

from passless.domain import names
from passless.domain.endings import ALL, What
from passless.domain.errors import WrongUse
from passless.domain.hosts import ENDED_THERE
from passless.domain.party_kinds import PartyKind

IN_A_PATH = "._-@+"  # beside letters and digits: what a mailbox's name may have (`actions.mailboxes`)
LONGEST = 600.0  # seconds that somebody is waited for who was signing in when it ended; sshd's own LoginGraceTime is 120


class NothingRuns(WrongUse):
    """A kind of relying party whose programs are not told of endings on their own host."""

    code = "nothing-to-end"
    hint = "see what it can and cannot enforce: passless relying-party show NAME"


class Done(Struct, frozen=True):
    """What was done, in words; nothing where there was nothing to do. `ok`: it is all that there was to do.

    `later` is to be called a moment later: who was signing in when it ended may be in by then.
    """

    text: str
    ok: bool = True
    later: Callable[[], Done] | None = None


class Ends(Struct, frozen=True):
    """How a program ends what runs: `what` it cares for, somebody's connections, and everybody's.

    Each raises a `PasslessError` where it could not. `people` returns who is in now, where nobody is thrown out but by name.
    """

    what: frozenset[What]
    of: Callable[[str], Done]
    of_everybody: Callable[[], Done]
    people: Callable[[], tuple[str, ...]] | None = None


def ends_of(kind: str, *, introspects: bool) -> Ends:
    """Return how the program of a kind ends what runs; `NothingRuns` where nothing does."""
    match kind:
        case PartyKind.DOVECOT:
            taken = frozenset(ALL) if introspects else frozenset({What.APP_PASSWORDS, What.NAME, What.ACCOUNT})
            return Ends(taken, _mail_of, _mail)
        case PartyKind.SSH | PartyKind.PAM:
            return Ends(ENDED_THERE, _sessions_of, _sessions, _people)
        case _:
            raise NothingRuns(f"nothing runs on the host of a relying party of the kind {names.printable(kind)}")


def _mail_of(account: str) -> Done:
    from passless.programs import dovecot

    mailbox = names.key(account)
    if not mailbox or mailbox.startswith(".") or not all(one.isalnum() or one in IN_A_PATH for one in mailbox):
        return Done("")
    dovecot.end_connections(mailbox)
    return Done("all of their mail connections ended, whichever password opened them", later=partial(_mail_again, mailbox))


def _mail_again(mailbox: str) -> Done:
    """Throw out once more: who was answered just before it ended may have come in just after."""
    from passless.programs import dovecot

    dovecot.end_connections(mailbox)
    return Done("")


def _mail() -> Done:
    from passless.programs import dovecot

    dovecot.end_everybody()
    return Done("all mail connections ended")


def _sessions_of(account: str) -> Done:
    """End the sessions of the one user who is an account on a host: that of its plain name, as when sshd asks for keys."""
    from passless.programs import sshd_sessions

    user = names.key(account)
    beginning = sshd_sessions.coming(user)
    return _ended(sshd_sessions.end_sessions(user), user, beginning, monotonic() + LONGEST)


def _sessions_again(user: str, beginning: frozenset[tuple[int, int]], until: float) -> Done:
    """End what became of connections that were beginning; who connected afterwards was asked about afterwards."""
    from passless.programs import sshd_sessions

    left = beginning & sshd_sessions.coming(user)  # looked at first: what is a session by now ends in the next line
    return _ended(sshd_sessions.end_sessions(user, beginning), user, left, until)


def _ended(ended: int, user: str, beginning: frozenset[tuple[int, int]], until: float) -> Done:
    goes_on = bool(beginning) and monotonic() < until
    text = f"{ended} ssh session{'' if ended == 1 else 's'} ended" if ended else ""
    return Done(text, later=partial(_sessions_again, user, beginning, until) if goes_on else None)


def _sessions() -> Done:
    """Throw nobody out of a host because it is not known who should be: who mends it there would go too."""
    return Done("nobody was thrown out, for it is not known who should be: look who is signed in by ssh (who)", ok=False)


def _people() -> tuple[str, ...]:
    from passless.programs import sshd_sessions

    return sshd_sessions.users()
