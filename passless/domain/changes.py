"""Every change to how a person signs in: plain data without secrets.

A change is the only thing that is planned, approved, journaled and audited; `domain.applying` carries it out.
"""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from msgspec import Struct

from passless.domain.app_passwords import AppPassword
from passless.domain.methods import DeviceName, MethodId, Password, SignInMethod, Strength
from passless.domain.recovery import Approval, RecoveryCode, Reporter, TemporaryPass

AccountName = NewType("AccountName", str)


class ChangeFields(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What makes a change a change: it is tagged by its type."""


class AddMethod(ChangeFields, frozen=True, kw_only=True, tag="add-method"):
    """A confirmed sign-in method joins the account; `in_recovery` where rule 10 bound who added it."""

    method: SignInMethod
    in_recovery: bool = False


class RenameMethod(ChangeFields, frozen=True, kw_only=True, tag="rename-method"):
    """A method gets another name."""

    id: MethodId
    name: str


class SetDefaultMethod(ChangeFields, frozen=True, kw_only=True, tag="set-default-method"):
    """The method that is asked for first."""

    id: MethodId


class RemoveMethod(ChangeFields, frozen=True, kw_only=True, tag="remove-method"):
    """A method leaves the account; never the password, which goes by `TurnPasswordlessOn`."""

    id: MethodId


class ReplacePassword(ChangeFields, frozen=True, kw_only=True, tag="replace-password"):
    """A new password in the place of the old one."""

    password: Password


class TurnPasswordlessOn(ChangeFields, frozen=True, kw_only=True, tag="turn-passwordless-on"):
    """The password is deleted."""


class TurnPasswordlessOff(ChangeFields, frozen=True, kw_only=True, tag="turn-passwordless-off"):
    """A password is set again."""

    password: Password


class TurnTwoStepOn(ChangeFields, frozen=True, kw_only=True, tag="turn-two-step-on"):
    """One proof is no longer enough, unless it is two factors in itself.

    `old_code_alone_until`: rule 11, when less than two factors asked for it on an account older than the wait.
    """

    old_code_alone_until: datetime | None = None


class TurnTwoStepOff(ChangeFields, frozen=True, kw_only=True, tag="turn-two-step-off"):
    """One proof is enough again; app passwords go, and a password too short to stand alone is replaced."""

    password: Password | None = None


class AddAppPassword(ChangeFields, frozen=True, kw_only=True, tag="add-app-password"):
    """A machine-made password for one program."""

    app_password: AppPassword


class RevokeAppPasswords(ChangeFields, frozen=True, kw_only=True, tag="revoke-app-passwords"):
    """Some app passwords stop working."""

    ids: tuple[str, ...]


class AddRecoveryCode(ChangeFields, frozen=True, kw_only=True, tag="add-recovery-code"):
    """A recovery code is made; the one before stays valid until this one is typed back."""

    code: RecoveryCode


class ConfirmRecoveryCode(ChangeFields, frozen=True, kw_only=True, tag="confirm-recovery-code"):
    """The recovery code was typed back, so it is saved; the ones before it end at once, or at `old_codes_until` (rule 11)."""

    id: str
    old_codes_until: datetime | None = None


class LoseDevice(ChangeFields, frozen=True, kw_only=True, tag="lose-device"):
    """Everything on a device is off at once. Never refused."""

    id: str
    device: DeviceName
    until: datetime
    reported_with: Strength = Strength.NOTHING
    by: Reporter = Reporter.SELF


class LoseMethods(ChangeFields, frozen=True, kw_only=True, tag="lose-methods"):
    """Some methods are off at once ("that was not me"). Never refused."""

    id: str
    ids: tuple[MethodId, ...]
    until: datetime
    reported_with: Strength = Strength.NOTHING
    by: Reporter = Reporter.SELF


class TakeBackLoss(ChangeFields, frozen=True, kw_only=True, tag="take-back-loss"):
    """A report was wrong; what it took comes back."""

    id: str


class IssueTemporaryPass(ChangeFields, frozen=True, kw_only=True, tag="issue-temporary-pass"):
    """An operator lets a person in for a while; replaces an earlier pass."""

    temporary_pass: TemporaryPass


class RevokeTemporaryPass(ChangeFields, frozen=True, kw_only=True, tag="revoke-temporary-pass"):
    """The pass stops working."""


class StartRecovery(ChangeFields, frozen=True, kw_only=True, tag="start-recovery"):
    """A recovery begins, with a recovery code or by an operator; `made_by` is who that is, then who stands behind them."""

    by: Reporter
    lost: tuple[str, ...] = ()
    made_by: tuple[str, ...] = ()


class FinishRecovery(ChangeFields, frozen=True, kw_only=True, tag="finish-recovery"):
    """The person has a way in and a saved code again; rule 10 binds for another day."""


class CancelRecovery(ChangeFields, frozen=True, kw_only=True, tag="cancel-recovery"):
    """Somebody with an older method stops a recovery; what was enrolled in it goes."""


class CancelPending(ChangeFields, frozen=True, kw_only=True, tag="cancel-pending"):
    """A waiting change is not to happen."""

    id: str


class RenameAccount(ChangeFields, frozen=True, kw_only=True, tag="rename-account"):
    """The account gets another name, or another name to show."""

    name: AccountName
    display_name: str = ""


class DeleteAccount(ChangeFields, frozen=True, kw_only=True, tag="delete-account"):
    """The account and everything it had is gone."""


class GrantRights(ChangeFields, frozen=True, kw_only=True, tag="grant-operator"):
    """The account is an operator over some groups, all where none is named, in the place of what it was.

    `by` is the id of who grants it, and of who made that one; empty on the host.
    """

    over: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class RevokeRights(ChangeFields, frozen=True, kw_only=True, tag="revoke-operator"):
    """The account is no operator any more."""


class PutIntoGroups(ChangeFields, frozen=True, kw_only=True, tag="set-groups"):
    """The account is in these groups and no others."""

    groups: tuple[str, ...]


class AskApproval(ChangeFields, frozen=True, kw_only=True, tag="ask-approval"):
    """An operator asked for something that another one has to approve; it takes the place of an earlier wish."""

    approval: Approval


class GiveApproval(ChangeFields, frozen=True, kw_only=True, tag="approve-recovery"):
    """Another operator agrees to what was asked for under an id; `by` is the id of their account.

    `since` is how long they are an operator, `made_by` who made them one.
    """

    id: str
    by: str
    name: str
    since: datetime
    made_by: tuple[str, ...] = ()


class Settle(ChangeFields, frozen=True, kw_only=True, tag="settle"):
    """Time has passed: expired passes, codes, app passwords and old loss reports are cleared away."""

    at: datetime


Change = (
    AddMethod
    | RenameMethod
    | SetDefaultMethod
    | RemoveMethod
    | ReplacePassword
    | TurnPasswordlessOn
    | TurnPasswordlessOff
    | TurnTwoStepOn
    | TurnTwoStepOff
    | AddAppPassword
    | RevokeAppPasswords
    | AddRecoveryCode
    | ConfirmRecoveryCode
    | LoseDevice
    | LoseMethods
    | TakeBackLoss
    | IssueTemporaryPass
    | RevokeTemporaryPass
    | StartRecovery
    | FinishRecovery
    | CancelRecovery
    | CancelPending
    | RenameAccount
    | DeleteAccount
    | GrantRights
    | RevokeRights
    | PutIntoGroups
    | AskApproval
    | GiveApproval
    | Settle
)


def type_of(change: Change) -> str:
    """Return the change's word, such as `remove-method`."""
    return str(change.__struct_config__.tag)
