"""What people ask for. Requests may hold secrets and are never stored; actions turn them into changes."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from passless.domain.methods import Kind
from passless.domain.secret import Secret


class RequestFields(Struct, frozen=True, kw_only=True):
    """What makes a request a request. Methods, devices and app passwords are meant by id or unambiguous name."""


class RenameMethodTo(RequestFields, frozen=True, kw_only=True):
    """Give a method another name."""

    method: str
    name: str


class MakeDefault(RequestFields, frozen=True, kw_only=True):
    """Ask for this method first."""

    method: str


class RemoveMethodNamed(RequestFields, frozen=True, kw_only=True):
    """Take a method off the account."""

    method: str


class SetPassword(RequestFields, frozen=True, kw_only=True):
    """Replace the password, or set one again, which turns passwordless off."""

    password: Secret


class PasswordlessOn(RequestFields, frozen=True, kw_only=True):
    """Delete the password."""


class TwoStepOn(RequestFields, frozen=True, kw_only=True):
    """Ask for two proofs from now on."""


class TwoStepOff(RequestFields, frozen=True, kw_only=True):
    """One proof is enough again; `password` replaces one too short to stand alone."""

    password: Secret | None = None


class NewAppPassword(RequestFields, frozen=True, kw_only=True):
    """Make a password for one program."""

    name: str
    services: tuple[str, ...] = ()
    lifetime: timedelta | None = None
    device: str | None = None
    short: bool = False


class RevokeAppPasswordsNamed(RequestFields, frozen=True, kw_only=True):
    """Stop some app passwords, or all."""

    names: tuple[str, ...] = ()
    all: bool = False


class NewRecoveryCode(RequestFields, frozen=True, kw_only=True):
    """Make a recovery code."""


class ConfirmCode(RequestFields, frozen=True, kw_only=True):
    """Type the new recovery code back; without a code, take it as saved."""

    code: Secret | None


class ReportLostDevice(RequestFields, frozen=True, kw_only=True):
    """Turn off everything on a device at once."""

    device: str


class ReportNotMe(RequestFields, frozen=True, kw_only=True):
    """A sign-in was somebody else's: end that session, turn off the methods that opened it."""

    session: str


class TakeBackReport(RequestFields, frozen=True, kw_only=True):
    """The device was not lost after all; `proofs` show what is on it."""

    device: str
    proofs: tuple[Answer, ...] = ()


class IssuePass(RequestFields, frozen=True, kw_only=True):
    """Let a person in for a while (operators)."""

    lifetime: timedelta
    once: bool = True
    length: int = 12  # characters; security.md, "temporary pass"


class RevokePass(RequestFields, frozen=True, kw_only=True):
    """Stop the temporary pass."""


class StartRecoveryOf(RequestFields, frozen=True, kw_only=True):
    """Begin a recovery for a person who lost everything (operators); `lost` names devices."""

    lost: tuple[str, ...] = ()
    lifetime: timedelta = timedelta(hours=1)  # of the temporary pass; security.md


class EndRecovery(RequestFields, frozen=True, kw_only=True):
    """Finish a recovery."""


class StopRecovery(RequestFields, frozen=True, kw_only=True):
    """Cancel a recovery from an older method."""


class CancelWaiting(RequestFields, frozen=True, kw_only=True):
    """Cancel what waits; all of it where no id is given."""

    id: str | None = None


class RenameAccountTo(RequestFields, frozen=True, kw_only=True):
    """Give the account another name or another name to show."""

    name: str | None = None
    display_name: str | None = None


class Delete(RequestFields, frozen=True, kw_only=True):
    """Delete the account."""


class EndSessions(RequestFields, frozen=True, kw_only=True):
    """End one session, the others, or all."""

    session: str | None = None
    all: bool = False


class NewToken(RequestFields, frozen=True, kw_only=True):
    """Make a token for a machine, with named rights."""

    name: str
    rights: tuple[str, ...]
    lifetime: timedelta


class RevokeToken(RequestFields, frozen=True, kw_only=True):
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
)


class Enrol(Struct, frozen=True, kw_only=True):
    """Begin to add a method. `origin` is set where a browser does it; the terminal's own otherwise."""

    kind: Kind
    name: str | None = None
    device: str | None = None
    origin: str | None = None
    browser_token: str = ""


class SignInWith(Struct, frozen=True, kw_only=True):
    """Begin to sign in, or to prove a method again, with a method that needs a challenge."""

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
