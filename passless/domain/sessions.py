"""Sessions and the proofs they hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.methods import Kind, MethodId

SessionId = NewType("SessionId", str)

SESSION_LIFE = timedelta(hours=24)  # security.md, "session" (NIST AAL2)
SESSION_IDLE = timedelta(hours=1)  # security.md, "session" (NIST AAL2)
STEP_UP = timedelta(minutes=10)  # security.md, "session": how long a proof is fresh


class SessionKind(StrEnum):
    """How a session came to be; from the device code on they give no proof for changes (rule 8)."""

    DIRECT = "direct"  # proofs given right here; also the making of an account
    BROWSER = "browser"  # a browser on the same machine, through a loopback redirect
    DEVICE_CODE = "device-code"
    TEMPORARY_PASS = "temporary-pass"
    RECOVERY_CODE = "recovery-code"
    TOKEN = "token"  # a machine's; named rights only
    CLIENT = "client"  # a relying party's, by OAuth: says who somebody is, and may do nothing on the account
    OFFLINE = "offline"  # what a relying party asks for the next `CLIENT` session with, while the person is away


OF_PROGRAMS = frozenset({SessionKind.CLIENT, SessionKind.OFFLINE})  # relying parties'; nobody acts with them
NEVER_IDLE = frozenset({SessionKind.TOKEN, SessionKind.OFFLINE})  # used when a machine gets to it


class Proof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A completed proof. The making of an account counts as one factor and has no method."""

    kind: Kind | None
    at: datetime
    method: MethodId | None = None

    def made_stale(self) -> Proof:
        """Return the proof as one that counts for no change, for what only remembers with which methods it was made."""
        return replace(self, at=self.at - STEP_UP)


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody signed in. The token itself is never stored; `token_hash` is its SHA-256.

    `rights` are those of a machine's token, or the scopes of a relying party's, whose id is its `name`; empty for people, who
    may do everything their proofs allow. A session that gets a new token keeps its id; `version` is how often it became another
    in more than when it was seen. `came_of` is the line of the session that it was given or made in. `in_browser`: it was
    opened on a page of the server, for a browser and no program.
    """

    id: SessionId
    account_id: str
    token_hash: bytes
    kind: SessionKind
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    place: str = ""
    proofs: tuple[Proof, ...] = ()
    name: str = ""
    rights: tuple[str, ...] = ()
    came_of: str = ""
    version: int = 0
    in_browser: bool = False

    @property
    def line(self) -> str:
        """What names the session through every change of its token."""
        return self.id

    def kept_over(self, there: Session) -> Session | None:
        """Return what is kept of this session over what is there; None where that is not the one any more that was read.

        Several who only saw a session in use do not stand in each other's way.
        """
        if self.version != there.version:
            return None
        moved = replace(self, seen_at=there.seen_at) != there
        return replace(self, seen_at=max(self.seen_at, there.seen_at), version=self.version + moved)

    def is_expired(self, now: datetime) -> bool:
        """Too old, or not used for too long (what a machine uses when it gets to it has no idle limit)."""
        return now >= self.expires_at or (self.kind not in NEVER_IDLE and now >= self.seen_at + SESSION_IDLE)

    def fresh_proofs(self, now: datetime) -> tuple[Proof, ...]:
        """The proofs that still count for a change."""
        return tuple(proof for proof in self.proofs if proof.at <= now < proof.at + STEP_UP)


def coming_of(session: Session, everything: Iterable[Session]) -> tuple[Session, ...]:
    """Return the sessions that were given or made in a session, in those, and so on; not the session itself."""
    left, lines = list(everything), {session.line}
    found: list[Session] = []
    while more := [one for one in left if one.came_of in lines and one.line != session.line]:
        found += more
        left = [one for one in left if one not in more]
        lines = {one.line for one in more}
    return tuple(found)
