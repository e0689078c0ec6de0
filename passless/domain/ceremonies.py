"""Ceremonies: a begin and a finish with the state between them on our side, used once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NewType

from msgspec import Struct

CeremonyId = NewType("CeremonyId", str)

CEREMONY_LIFE = timedelta(minutes=5)  # security.md, "WebAuthn"
PAIRING_LIFE = timedelta(minutes=10)  # security.md, "pairing link" (NIST SP 800-63B-4 §4.1.2)

ENROL_TOTP = "enrol-totp"  # the purpose of those that hold a seal
USED = "used"  # the purpose of what is kept of one that was handed out sealed, so that nobody uses it again


class Ceremony(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One open ceremony. `purpose` is a word such as `add-totp` or `sign-in`; `state` is its own JSON, secrets sealed.

    `account_id` is empty where nobody may learn whether the account exists. One that was `sealed` is not in the store: whoever
    began it holds it, and cannot read or change it (docs/decisions/0010-what-a-ceremony-is-bound-to.md).
    """

    id: CeremonyId
    purpose: str
    account_id: str
    created_at: datetime
    expires_at: datetime
    state: bytes
    session_id: str = ""
    sealed: bool = False

    @property
    def ending(self) -> CeremonyId | Ceremony:
        """What a write consumes: the id of one that is in the store, else the ceremony itself."""
        return self if self.sealed else self.id
