"""What people ask for. Requests may hold secrets and are never stored; actions turn them into changes."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from passless.domain.methods import Kind
from passless.domain.secret import Secret

PASS_LENGTH = 12  # characters; security.md, "temporary pass"


class RequestFields(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What makes a request a request, with a `type` where it is sent.

    Methods, devices and app passwords are meant by id or unambiguous name.
    """


class RenameMethodTo(RequestFields, frozen=True, kw_only=True, tag="rename-method"):
    """Give a method another name."""

    method: str
    name: str


class MakeDefault(RequestFields, frozen=True, kw_only=True, tag="make-default"):
    """Ask for this method first."""

    method: str


class RemoveMethodNamed(RequestFields, frozen=True, kw_only=True, tag="remove-method"):
    """Take a method off the account."""

    method: str


class SetPassword(RequestFields, frozen=True, kw_only=True, tag="set-password"):
    """Replace the password, or set one again, which turns passwordless off."""

    password: Secret


class PasswordlessOn(RequestFields, frozen=True, kw_only=True, tag="passwordless-on"):
    """Delete the password."""


class TwoStepOn(RequestFields, frozen=True, kw_only=True, tag="two-step-on"):
    """Ask for two proofs from now on."""


class TwoStepOff(RequestFields, frozen=True, kw_only=True, tag="two-step-off"):
    """One proof is enough again; `password` replaces one too short to stand alone."""

    password: Secret | None = None


class NewAppPassword(RequestFields, frozen=True, kw_only=True, tag="new-app-password"):
    """Make a password for one program. `known` are those services that were named as ones that are known where it is made."""

    name: str
    services: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    lifetime: timedelta | None = None
    device: str | None = None
    short: bool = False


class RevokeAppPasswordsNamed(RequestFields, frozen=True, kw_only=True, tag="revoke-app-passwords"):
    """Stop some app passwords, or all."""

    names: tuple[str, ...] = ()
    all: bool = False


class NewRecoveryCode(RequestFields, frozen=True, kw_only=True, tag="new-recovery-code"):
    """Make a recovery code."""


class ConfirmCode(RequestFields, frozen=True, kw_only=True, tag="confirm-recovery-code"):
    """Type the new recovery code back; without a code, take it as saved."""

    code: Secret | None


class ReportLostDevice(RequestFields, frozen=True, kw_only=True, tag="report-lost-device"):
    """Turn off everything on a device at once."""

    device: str


class ReportNotMe(RequestFields, frozen=True, kw_only=True, tag="report-not-me"):
    """A sign-in was somebody else's: end that session, turn off the methods that opened it."""

    session: str


class TakeBackReport(RequestFields, frozen=True, kw_only=True, tag="take-back-report"):
    """The device was not lost after all; `proofs` show what is on it."""

    device: str
    proofs: tuple[Answer, ...] = ()


class IssuePass(RequestFields, frozen=True, kw_only=True, tag="issue-temporary-pass"):
    """Let a person in for a while (operators)."""

    lifetime: timedelta
    once: bool = True
    length: int = PASS_LENGTH


class RevokePass(RequestFields, frozen=True, kw_only=True, tag="revoke-temporary-pass"):
    """Stop the temporary pass."""


class StartRecoveryOf(RequestFields, frozen=True, kw_only=True, tag="start-recovery"):
    """Begin a recovery for a person who lost everything (operators); `lost` names devices."""

    lost: tuple[str, ...] = ()
    lifetime: timedelta = timedelta(hours=1)  # of the temporary pass; security.md


class EndRecovery(RequestFields, frozen=True, kw_only=True, tag="finish-recovery"):
    """Finish a recovery."""


class StopRecovery(RequestFields, frozen=True, kw_only=True, tag="cancel-recovery"):
    """Cancel a recovery from an older method."""


class CancelWaiting(RequestFields, frozen=True, kw_only=True, tag="cancel-waiting"):
    """Cancel what waits; all of it where no id is given."""

    id: str | None = None


class RenameAccountTo(RequestFields, frozen=True, kw_only=True, tag="rename-account"):
    """Give the account another name or another name to show."""

    name: str | None = None
    display_name: str | None = None


class Delete(RequestFields, frozen=True, kw_only=True, tag="delete-account"):
    """Delete the account."""


class EndSessions(RequestFields, frozen=True, kw_only=True, tag="end-sessions"):
    """End one session, the others, or all."""

    session: str | None = None
    all: bool = False


class NewToken(RequestFields, frozen=True, kw_only=True, tag="new-token"):
    """Make a token for a machine, with named rights."""

    name: str
    rights: tuple[str, ...]
    lifetime: timedelta


class GrantOperator(RequestFields, frozen=True, kw_only=True, tag="grant-operator"):
    """Make the account an operator over the accounts of some groups, or over all where none is named (operators).

    `first` is for whoever can open the store on its host, while fewer than two operators can act; never over HTTP.
    """

    over: tuple[str, ...] = ()
    first: bool = False


class RevokeOperator(RequestFields, frozen=True, kw_only=True, tag="revoke-operator"):
    """Take an operator's rights away (operators)."""


class SetGroups(RequestFields, frozen=True, kw_only=True, tag="set-groups"):
    """Say which groups the account is in (operators)."""

    groups: tuple[str, ...]


class ApproveRecovery(RequestFields, frozen=True, kw_only=True, tag="approve-recovery"):
    """Agree, as a second operator, to what another one asked for (operators); `id` names the wish that was looked at."""

    id: str


class RevokeToken(RequestFields, frozen=True, kw_only=True, tag="revoke-token"):
    """Stop a token."""

    token: str


Request = (
    RenameMethodTo
    | MakeDefault
    | RemoveMethodNamed
    | SetPassword
    | PasswordlessOn
    | TwoStepOn
    | TwoStepOff
    | NewAppPassword
    | RevokeAppPasswordsNamed
    | NewRecoveryCode
    | ConfirmCode
    | ReportLostDevice
    | ReportNotMe
    | TakeBackReport
    | IssuePass
    | RevokePass
    | StartRecoveryOf
    | EndRecovery
    | StopRecovery
    | CancelWaiting
    | RenameAccountTo
    | Delete
    | EndSessions
    | NewToken
    | RevokeToken
    | GrantOperator
    | RevokeOperator
    | SetGroups
    | ApproveRecovery
)


class Enrol(Struct, frozen=True, kw_only=True, tag_field="type", tag="enrol"):
    """Begin to add a method. `origin` is set where a browser does it; the terminal's own otherwise."""

    kind: Kind
    name: str | None = None
    device: str | None = None
    origin: str | None = None


class SignInWith(Struct, frozen=True, kw_only=True, tag_field="type", tag="sign-in"):
    """Begin to sign in, or to prove a method again, with a method that needs a challenge.

    A passkey needs no account's name: the authenticator says whose it is (WebAuthn L3 §1.2.1, discoverable credentials).
    """

    kind: Kind
    origin: str | None = None


CeremonyRequest = Enrol | SignInWith


class Answer(Struct, frozen=True, kw_only=True):
    """What a person or their device answers: a code, a password, a pass, a token, or a WebAuthn response as JSON.

    `ceremony` is the one whose challenge a WebAuthn response answers, where the answer is part of something else.
    """

    kind: Kind
    text: Secret
    ceremony: str = ""
    name: str | None = None
    device: str | None = None


class NewAccount(Struct, frozen=True, kw_only=True):
    """Make an account; without a password it is passwordless from the start."""

    name: str
    display_name: str = ""
    email: str | None = None
    password: Secret | None = None
    invitation: Secret | None = None  # what stands in the link, on a server that asks for one
    groups: tuple[str, ...] = ()  # only an operator puts an account into groups; an invitation brings its own


class NewInvitation(Struct, frozen=True, kw_only=True):
    """Invite somebody to make an account (operators)."""

    groups: tuple[str, ...] = ()
    name: str = ""  # the account name that they get; empty where they choose
    email: str = ""  # an address that will stand for the name
    lifetime: timedelta = timedelta(days=7)
