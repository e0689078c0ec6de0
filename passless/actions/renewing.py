"""The new token of a session in which somebody proved more than before: who has a copy of the old one has nothing of it."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.actions.who import token_hash
from passless.domain.secret import Secret
from passless.domain.sessions import Proof, Session


def renewed(parts: Parts, session: Session, proofs: tuple[Proof, ...], now: datetime) -> tuple[Session, Secret]:
    """Return a session with other proofs, and its new token; the old one ends when this is kept.

    It is kept over the session as it was read (`Write.updates`), and keeps its id: who ends it by that ends it in any case.
    """
    from passless.credentials.random_codes import new_token

    token = new_token(parts.entropy)
    return replace(session, proofs=proofs, token_hash=token_hash(token), seen_at=now), token
