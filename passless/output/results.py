"""Results that only the command line has; the other types stand in `domain.views`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.views import (
    ApprovalView,
    Begun,
    PendingView,
    PlanView,
    ProblemView,
    RecoveryCodeView,
    ReportView,
    SignedIn,
    StepView,
)


class Chosen(Struct, frozen=True, kw_only=True):
    """An account was chosen."""

    profile: str
    account: str
    applied: bool = True


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file that would be written; an empty group is root's."""

    path: str
    mode: str
    group: str = ""


class PlannedRelyingParty(Struct, frozen=True, kw_only=True):
    """What registering or configuring a relying party would do; `then` and `undo` are as in `MadeRelyingParty`."""

    plan: PlanView | None
    files: tuple[PlannedFile, ...] = ()
    then: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    applied: bool = False


class SignedOut(Struct, frozen=True, kw_only=True):
    """Sessions ended."""

    ended: int


class SettingStatus(Struct, frozen=True, kw_only=True):
    """Whether passwordless or two-step is on, and what follows."""

    account: str
    setting: str
    on: bool
    ways_in: tuple[tuple[str, ...], ...]
    problems: tuple[ProblemView, ...]
    next_steps: tuple[StepView, ...]


class GroupStatus(Struct, frozen=True, kw_only=True):
    """Which groups an account is in, and over whom it is an operator; None where it is none, empty where over all."""

    account: str
    groups: tuple[str, ...]
    operator_over: tuple[str, ...] | None


class RecoveryStatus(Struct, frozen=True, kw_only=True):
    """Where a recovery stands, and what else waits or can be taken back."""

    account: str
    state: str
    recovery_code: RecoveryCodeView
    pending: tuple[PendingView, ...]
    reports: tuple[ReportView, ...]
    next_steps: tuple[StepView, ...]
    recovery_until: datetime | None = None
    approval: ApprovalView | None = None


class KitWritten(Struct, frozen=True, kw_only=True):
    """A recovery kit was written."""

    path: str
    account: str
    drill_at: datetime


class AccountMade(Struct, frozen=True, kw_only=True):
    """An account was made and signed in."""

    plan: PlanView
    signed_in: SignedIn


class BegunAdding(Struct, frozen=True, kw_only=True):
    """A begun ceremony that adds a method, and the command that finishes it. For people; scripts get `begun`."""

    begun: Begun
    finish_with: str


class DeviceSignIn(Struct, frozen=True, kw_only=True):
    """A sign-in that waits for somebody on another device, who types the code at the address."""

    ceremony: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: datetime
    interval: int
