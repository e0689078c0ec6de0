"""What a change is judged by besides the account: who asks, when, with which proofs, and under which rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from passless.domain.methods import MethodId, RpId
from passless.domain.operators import OperatorRights
from passless.domain.recovery import Reporter
from passless.domain.sessions import Proof, SessionKind

WAIT = timedelta(days=30)  # features.md, "replacing all methods": 7 to 90 days
SHORTEST_WAIT = timedelta(days=7)
LONGEST_WAIT = timedelta(days=90)

GIVES_NO_PROOF = frozenset(
    {
        SessionKind.DEVICE_CODE,
        SessionKind.TEMPORARY_PASS,
        SessionKind.RECOVERY_CODE,
        SessionKind.TOKEN,
        SessionKind.CLIENT,
        SessionKind.OFFLINE,
    }
)  # rule 8: it could be phished, or is not the person's own

READS_ONLY = frozenset(
    {SessionKind.DEVICE_CODE, SessionKind.TOKEN, SessionKind.CLIENT, SessionKind.OFFLINE}
)  # decision 0016: they change nothing


class Rules(Struct, frozen=True, kw_only=True):
    """What a policy may set. `rp_id` is the relying party that credentials must be made for; None takes any."""

    wait: timedelta = WAIT
    email_signs_in: bool = False
    rp_id: RpId | None = None
    second_operator: bool = False


class Context(Struct, frozen=True, kw_only=True):
    """Who acts, when, and what they have proven in the last 10 minutes.

    `opened_with`: the methods of every proof that the session ever took, the stale ones too; they prove nothing any more and
    still say how whoever asks came in (rule 10). `waited`: the change was pending and its time has come. `approvals` are the
    operators who agreed; `rights` are those of the operator who acts.
    """

    now: datetime
    actor: Reporter = Reporter.SELF
    session: SessionKind = SessionKind.DIRECT
    proofs: tuple[Proof, ...] = ()
    opened_with: frozenset[MethodId] = frozenset()
    approvals: tuple[str, ...] = ()
    waited: bool = False
    rights: OperatorRights | None = None


class Severity(StrEnum):
    """What a problem does to a change."""

    REFUSAL = "refusal"
    PENDING = "pending"
    WARNING = "warning"


class Problem(Struct, frozen=True, kw_only=True):
    """One broken rule: a stable code, a sentence, what to do, and what it does to the change.

    `factors`: how many factors proofs must cover to lift it, where proofs are what is missing.
    """

    code: str
    message: str
    hint: str
    severity: Severity
    factors: int = 0
