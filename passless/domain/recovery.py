"""Getting back in: recovery codes, temporary passes, reported losses and the recovery itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from passless.domain.methods import MethodId, SignInMethod, Strength

APPROVAL_LIFE = timedelta(hours=24)  # how long an operator's wish waits for another, and an approval for being used
HELPED_PERIOD = timedelta(days=31)  # how long whoever recovered an account stands behind it, once the recovery is finished
RECOVERY_PERIOD = timedelta(hours=24)  # features.md, "lost everything": how long rule 10 holds after a recovery


class Reporter(StrEnum):
    """Who reported a loss or started a recovery."""

    SELF = "self"
    OPERATOR = "operator"
    OWNER = "owner"


class RecoveryCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code that opens a recovery; `saved` once it was typed back.

    Rule 11: `valid_until` is set on a code that was replaced with too little proof and keeps working for the wait;
    `alone_until` on one that keeps opening a recovery without a further proof, because two-step was turned on with too little.
    The hash is salted SHA-256 and independent of the vault, so a lost vault never takes the last way back with it.
    """

    id: str
    hash: str
    created_at: datetime
    created_with: Strength
    saved: bool = False
    valid_until: datetime | None = None
    alone_until: datetime | None = None


class TemporaryPass(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operator's way to let a person in for minutes or hours; never a way in that counts.

    `made_by`: on a server, the id of whoever issued it, then of who stands behind them.
    """

    id: str
    hash: str
    issued_at: datetime
    expires_at: datetime
    issued_by: Reporter
    once: bool = True
    used_at: datetime | None = None
    made_by: tuple[str, ...] = ()


class Loss(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reported loss: the methods it took, kept for the wait so that the report can be taken back.

    `by` and `reported_with` decide how strong a proof takes it back.
    """

    id: str
    what: str
    methods: tuple[SignInMethod, ...]
    reported_at: datetime
    until: datetime
    reported_with: Strength
    by: Reporter


class Recovery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recovery under way or finished less than 24 hours ago.

    `enrolled` are the methods added in it, `lost` the names of what was reported lost when it began.
    """

    started_at: datetime
    by: Reporter
    enrolled: tuple[MethodId, ...] = ()
    lost: tuple[str, ...] = ()
    finished_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether rule 10 still binds the account."""
        return self.finished_at is None or now < self.finished_at + RECOVERY_PERIOD


class Helped(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who on a server recovered an account, or issued the pass it was recovered with, and who stands behind them.

    They may be who signs in to it now, so they count as its makers for a while (rule 12), and what was added since gives no
    rights of an operator. `since` is when the first of these recoveries began, `until` is None while none is finished.
    """

    by: tuple[str, ...]
    since: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether they still stand behind the account."""
        return self.until is None or now < self.until


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What exactly an operator asked for, part by part, for whoever is to agree to it.

    `kind` is the word of the request. The pass, if there is one, has `length` characters and lives `minutes`. `lost` names
    devices. `over` are the groups of whoever is to be an operator.
    """

    kind: str
    minutes: int = 0
    length: int = 0
    once: bool = True
    lost: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


class Approval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one operator asked for and another has to approve (rule 12), used once.

    `asked_by` and `approved_by` are ids of accounts; the names beside them are for people. `asked` says what exactly, `wish`
    part by part (None in what an older passless kept). `made_by` is who stands behind whoever asked.
    """

    id: str
    asked: str
    asked_by: str
    asked_name: str
    asked_at: datetime
    wish: Asked | None = None
    reason: str = ""
    made_by: tuple[str, ...] = ()
    approved_by: str = ""
    approved_name: str = ""
    approved_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether it can still be approved, or used."""
        return now < (self.approved_at or self.asked_at) + APPROVAL_LIFE
