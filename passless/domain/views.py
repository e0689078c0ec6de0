"""What is shown of an account: what is stored never leaves. These are the shapes of `--json` (cli.md, "JSON")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from passless.domain.operator_views import ApprovalView as ApprovalView  # noqa: PLC0414 - they are imported from here
from passless.domain.operator_views import InvitationSeen as InvitationSeen  # noqa: PLC0414 - they are imported from here
from passless.domain.operator_views import InvitationView as InvitationView  # noqa: PLC0414 - they are imported from here
from passless.domain.operator_views import MadeInvitation as MadeInvitation  # noqa: PLC0414 - they are imported from here
from passless.domain.operator_views import OperatorView as OperatorView  # noqa: PLC0414 - they are imported from here
from passless.domain.party_views import ChangedRelyingParty as ChangedRelyingParty  # noqa: PLC0414 - they are imported from here
from passless.domain.party_views import MadeRelyingParty as MadeRelyingParty  # noqa: PLC0414 - they are imported from here
from passless.domain.party_views import RelyingPartyView as RelyingPartyView  # noqa: PLC0414 - they are imported from here
from passless.domain.secret import Secret


class MethodView(Struct, frozen=True, kw_only=True):
    """A sign-in method, without its hash, seed or key."""

    id: str
    kind: str
    name: str
    device: str | None
    added_at: datetime
    last_used_at: datetime | None
    phishing_resistant: bool
    two_factor: bool
    default: bool
    usable: bool


class ProblemView(Struct, frozen=True, kw_only=True):
    """A broken rule; `severity` is refusal or warning."""

    code: str
    message: str
    hint: str
    severity: str


class LossView(Struct, frozen=True, kw_only=True):
    """What losing one device would leave."""

    device: str
    survives: bool
    ways_in: tuple[tuple[str, ...], ...]


class RecoveryCodeView(Struct, frozen=True, kw_only=True):
    """Whether a recovery code exists and was typed back; `unsaved_at` is when a newer one was made that was not yet."""

    exists: bool
    saved: bool
    created_at: datetime | None
    unsaved_at: datetime | None = None


class StepView(Struct, frozen=True, kw_only=True):
    """What to do next, and the command that does it."""

    code: str
    message: str
    command: str
    optional: bool = False


class NoticeView(Struct, frozen=True, kw_only=True):
    """Something that happened to the account."""

    id: str
    at: datetime
    code: str
    message: str


class FreshnessView(Struct, frozen=True, kw_only=True):
    """The session in use. `strength` counts what its fresh proofs cover: 0, 1 or 2 factors.

    `made`: nothing was proven yet; the making of the account counts as one factor.
    """

    expires_at: datetime
    fresh_until: datetime | None
    strength: int
    made: bool = False


class PendingView(Struct, frozen=True, kw_only=True):
    """A change that waits."""

    id: str
    change: str
    message: str
    asked_at: datetime
    due_at: datetime


class ReportView(Struct, frozen=True, kw_only=True):
    """A reported loss that can still be taken back."""

    id: str
    what: str
    methods: tuple[str, ...]
    reported_at: datetime
    until: datetime


class AccountView(Struct, frozen=True, kw_only=True):
    """An account at a glance. `recovery_until`: a finished recovery, after which other changes wait until then (rule 10)."""

    profile: str
    account: str
    display_name: str
    state: str
    passwordless: bool
    two_step: bool
    methods: tuple[MethodView, ...]
    app_passwords: int
    ways_in: tuple[tuple[str, ...], ...]
    losses: tuple[LossView, ...]
    recovery_code: RecoveryCodeView
    problems: tuple[ProblemView, ...]
    next_steps: tuple[StepView, ...]
    notices: tuple[NoticeView, ...]
    session: FreshnessView | None
    id: str
    created_at: datetime
    recovery_until: datetime | None = None
    pending: tuple[PendingView, ...] = ()
    reports: tuple[ReportView, ...] = ()
    addresses: tuple[str, ...] = ()
    address_names: tuple[str, ...] = ()  # those that stand for the name
    version: int = 0
    groups: tuple[str, ...] = ()
    operator_over: tuple[str, ...] | None = None  # None: no operator; empty: over all
    approval: ApprovalView | None = None


class AccountSummary(Struct, frozen=True, kw_only=True):
    """One line of a list of accounts."""

    id: str
    account: str
    display_name: str
    state: str
    passwordless: bool
    two_step: bool
    methods: int
    created_at: datetime
    current: bool = False


class StateView(Struct, frozen=True, kw_only=True):
    """What a plan compares before and after."""

    passwordless: bool
    two_step: bool
    methods: tuple[str, ...]
    ways_in: tuple[tuple[str, ...], ...]
    state: str


NOTHING = StateView(
    passwordless=True, two_step=False, methods=(), ways_in=(), state="none"
)  # of what is no account, or not yet


class EffectView(Struct, frozen=True, kw_only=True):
    """One thing a change would do, for people."""

    code: str
    message: str


class PlanView(Struct, frozen=True, kw_only=True):
    """A change, whether the rules accept it, and what it would do. `due_at` is set where it would wait."""

    change: Mapping[str, object]
    accepted: bool
    problems: tuple[ProblemView, ...]
    effects: tuple[EffectView, ...]
    before: StateView
    after: StateView
    due_at: datetime | None = None


class AppPasswordView(Struct, frozen=True, kw_only=True, rename={"services": "for"}):
    """An app password, without itself."""

    id: str
    name: str
    services: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    short: bool
    device: str | None = None


class PassView(Struct, frozen=True, kw_only=True):
    """A temporary pass, without itself."""

    id: str
    issued_at: datetime
    expires_at: datetime
    once: bool
    used_at: datetime | None


class SessionView(Struct, frozen=True, kw_only=True):
    """Somebody signed in, `through` a browser, a terminal or a program; `name` is the relying party's that it was given to."""

    id: str
    kind: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    place: str
    current: bool
    methods: tuple[str, ...] = ()
    name: str = ""
    through: str = "terminal"


class TokenView(Struct, frozen=True, kw_only=True):
    """A machine's token, without itself. `methods` are those that were proven when it was made, at `place`."""

    id: str
    name: str
    may: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    methods: tuple[str, ...] = ()
    place: str = ""


class DeviceView(Struct, frozen=True, kw_only=True):
    """A device, what lives on it, and what its loss would do."""

    name: str
    methods: tuple[MethodView, ...]
    survives: bool


class WhatIfView(Struct, frozen=True, kw_only=True):
    """What a loss would leave. `recovery` names what else would help."""

    lost: tuple[str, ...]
    survives: bool
    ways_in: tuple[tuple[str, ...], ...]
    recovery: tuple[str, ...]
    problems: tuple[ProblemView, ...]


class MadeAppPassword(Struct, frozen=True, kw_only=True, rename={"services": "for"}):
    """A new app password, shown once."""

    id: str
    name: str
    secret: Secret
    services: tuple[str, ...]
    expires_at: datetime | None
    shown_once: bool = True


class MadeRecoveryCode(Struct, frozen=True, kw_only=True):
    """A new recovery code, shown once; `saved` where it counts as typed back."""

    code: Secret
    saved: bool = False
    shown_once: bool = True


class MadePass(Struct, frozen=True, kw_only=True):
    """A new temporary pass, shown once."""

    id: str
    secret: Secret
    expires_at: datetime
    once: bool
    shown_once: bool = True


class MadeToken(Struct, frozen=True, kw_only=True):
    """A new token, shown once."""

    id: str
    name: str
    secret: Secret
    may: tuple[str, ...]
    expires_at: datetime
    shown_once: bool = True


class MadeMethod(Struct, frozen=True, kw_only=True):
    """A new sign-in method."""

    method: MethodView


class MadeReport(Struct, frozen=True, kw_only=True):
    """A reported loss: what was turned off and what ended with it."""

    report: ReportView
    sessions_ended: int
    app_passwords_ended: tuple[str, ...]
    next_steps: tuple[StepView, ...]


class Ended(Struct, frozen=True, kw_only=True):
    """What was stopped: ids of sessions, tokens or app passwords."""

    ended: tuple[str, ...]


class MadeEnrolLink(Struct, frozen=True, kw_only=True):
    """A link that lets one browser add one passkey, once; nobody has to sign in there."""

    link: Secret
    expires_at: datetime


Made = (
    MadeAppPassword
    | MadeRecoveryCode
    | MadePass
    | MadeToken
    | MadeInvitation
    | MadeRelyingParty
    | ChangedRelyingParty
    | MadeMethod
    | MadeReport
    | Ended
)


class Applied(Struct, frozen=True, kw_only=True):
    """A change was kept. Sessions and tokens are no changes to the account, so they have no plan.

    `token` is the new one of the session in use where the change proved more in it; the one before ended. It goes into the
    state folder, never to the screen.
    """

    plan: PlanView | None
    made: Made | None = None
    token: Secret | None = None


class Waits(Struct, frozen=True, kw_only=True):
    """A change is kept as waiting until its time comes, or until others agree."""

    plan: PlanView
    pending: PendingView


class SignedIn(Struct, frozen=True, kw_only=True):
    """A session began, or a proof was added to it; either has a token of its own from now on.

    It goes into the state folder, never to the screen.
    """

    account: str
    account_id: str
    token: Secret
    session: FreshnessView
    kind: str
    notices: tuple[NoticeView, ...] = ()


class SecondProofNeeded(Struct, frozen=True, kw_only=True):
    """Two-step: the first proof was right, another is needed. The ceremony takes it, from a key with these WebAuthn options.

    `proven` are the methods that were proven: for the terminal of an embedded store, and no part of any document.
    """

    ceremony: str
    accepts: tuple[str, ...]
    origin: str | None = None
    public_key: bytes | None = None
    proven: tuple[str, ...] = ()


Outcome = Applied | Waits | SignedIn | SecondProofNeeded


class Begun(Struct, frozen=True, kw_only=True):
    """A ceremony that waits for its answer.

    TOTP has `otpauth_uri` and `secret`; keys and passkeys have the `origin` the answer must carry and `public_key`, the
    WebAuthn options as JSON text.
    """

    ceremony: str
    expires_at: datetime
    otpauth_uri: Secret | None = None
    secret: Secret | None = None
    origin: str | None = None
    public_key: bytes | None = None
