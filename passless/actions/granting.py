"""Sessions that come of another session: what somebody signed in gives to a program.

- A browser on the same machine gives the command line what it has itself: the proofs with their times and methods, the kind
  where that is one of a recovery (rule 10), and no day more than it lasts. All proofs, the stale ones too: a session ends with
  any method that opened it.
- An approved device code gives a session without a proof, for who typed it may have been talked into it (rule 8). It knows the
  methods of whoever approved, so that it ends with them, but every proof is stale from the start. Who approves has a session
  that gives proofs, and one that is fresh: the session says that they signed in as the account asks, the proof that they are
  there now; more would guard nothing, for what comes of it changes nothing.
- What is given remembers the line of the session it came of, so that it ends with that where the person says it was not them.
- A relying party's says who somebody is, and how they proved it; a session of a pass, a recovery or a machine does not say so
  (`says_who`). It may do nothing on the account (`who.session_of`).
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from passless.actions.attempts import new_session
from passless.actions.parts import Parts
from passless.domain.account import Account, AccountId
from passless.domain.names import printable
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, Session, SessionId, SessionKind, coming_of

CLIENT_LIFE = timedelta(hours=1)  # of a relying party's token: then it asks again
OFFLINE_LIFE = timedelta(days=30)  # of what lets a relying party go on while the person is away


def says_who(source: Session) -> bool:
    """Tell whether a session may approve a device or tell a relying party who somebody is: the person proved it in it."""
    return source.kind not in GIVES_NO_PROOF


def from_browser(parts: Parts, account: Account, source: Session, *, place: str) -> tuple[Session, Secret]:
    """Make the session that a browser gives the command line; it is kept by the caller, with what it is given for."""
    kind = source.kind if source.kind in GIVES_NO_PROOF else SessionKind.BROWSER
    life = min(SESSION_LIFE, source.expires_at - parts.now())
    session, token = new_session(parts, account, kind, printable(place), source.proofs, life, parts.now(), name=source.name)
    return replace(session, came_of=source.line), token


def for_device(parts: Parts, account: Account, source: Session, *, place: str) -> tuple[Session, Secret]:
    """Make the session of an approved device code, which gives no proof and never will."""
    stale = tuple(proof.made_stale() for proof in source.proofs)
    session, token = new_session(parts, account, SessionKind.DEVICE_CODE, printable(place), stale, SESSION_LIFE, parts.now())
    return replace(session, came_of=source.line), token


def for_client(
    parts: Parts, account: Account, source: Session, *, client: str, scopes: tuple[str, ...], place: str
) -> tuple[Session, Secret]:
    """Make a relying party's session; `client` is its id, `scopes` what it may say of the person."""
    life = min(CLIENT_LIFE, source.expires_at - parts.now())
    session, token = new_session(
        parts, account, SessionKind.CLIENT, printable(place), source.proofs, life, parts.now(), name=client
    )
    return replace(session, rights=scopes, came_of=source.line), token


def for_offline(
    parts: Parts, account: Account, source: Session, *, client: str, scopes: tuple[str, ...], place: str
) -> Session:
    """Make the session in which a relying party goes on while the person is away; no token stands for it.

    It outlasts the one in which they agreed, and ends with the methods that opened that like every other.
    """
    session, _ = new_session(
        parts, account, SessionKind.OFFLINE, printable(place), source.proofs, OFFLINE_LIFE, parts.now(), name=client
    )
    return replace(session, rights=scopes, came_of=source.line)


def with_what_came_of(parts: Parts, account_id: str, session_id: SessionId) -> tuple[SessionId, ...]:
    """Return a session that is to end, and all that were given in it."""
    everything = parts.store.sessions(AccountId(account_id))
    first = [one for one in everything if one.id == session_id]
    return (session_id, *(later.id for one in first for later in coming_of(one, everything)))
