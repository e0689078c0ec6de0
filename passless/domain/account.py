"""An account: one person's identity in a directory, as one immutable value."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from passless.domain.app_passwords import AppPassword
from passless.domain.changes import AccountName, Change
from passless.domain.methods import DeviceName, MethodId, Password, SignInMethod
from passless.domain.operators import OperatorRights, line
from passless.domain.recovery import Approval, Helped, Loss, Recovery, RecoveryCode, Reporter, TemporaryPass

AccountId = NewType("AccountId", str)
Version = NewType("Version", int)

SCHEMA = 1  # the version of the stored document
MAXIMUM_TOTP = 5  # features.md, "TOTP apps": at most 5
MAXIMUM_METHODS = 64  # a bound on one document; provider limits are lower


class State(StrEnum):
    """Where an account stands, as `status --json` writes it."""

    OK = "ok"
    UNFINISHED = "unfinished"
    IN_RECOVERY = "in-recovery"


class Pending(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change that was accepted but waits, and is checked again when it is due."""

    id: str
    change: Change
    asked_at: datetime
    due_at: datetime
    asked_by: Reporter
    proven_by: tuple[MethodId, ...] = ()


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's identity. Names are NFKC-normalised and case-folded where they are compared (`domain.names`)."""

    id: AccountId
    name: AccountName
    created_at: datetime
    user_handle: bytes  # WebAuthn's, 32 random bytes with no name in them
    schema: int = SCHEMA
    display_name: str = ""
    addresses: tuple[str, ...] = ()
    address_names: tuple[str, ...] = ()  # the addresses that stand for the name: somebody answerable gave them
    two_step: bool = False
    finished: bool = False
    methods: tuple[SignInMethod, ...] = ()
    default_method: MethodId | None = None
    recovery_codes: tuple[RecoveryCode, ...] = ()
    app_passwords: tuple[AppPassword, ...] = ()
    temporary_pass: TemporaryPass | None = None
    losses: tuple[Loss, ...] = ()
    recovery: Recovery | None = None
    pending: tuple[Pending, ...] = ()
    groups: tuple[str, ...] = ()
    operator: OperatorRights | None = None
    approval: Approval | None = None
    invited_by: tuple[str, ...] = ()  # the id of who invited them, then of who made that one, and so on
    helped: Helped | None = None  # by operators of a server, in a recovery; kept when it is over

    @property
    def password(self) -> Password | None:
        """The password, where there is one."""
        return next((method for method in self.methods if isinstance(method, Password)), None)

    @property
    def passwordless(self) -> bool:
        """No password exists at all."""
        return self.password is None

    def made_by(self, now: datetime) -> tuple[str, ...]:
        """The ids of who stands behind the account and its rights: who granted, invited or lately recovered them, and so on."""
        granted = () if self.operator is None else self.operator.granted_by
        helped = self.helped.by if self.helped is not None and self.helped.holds(now) else ()
        nearest = (*helped[:1], *granted[:1], *self.invited_by[:1])
        return line(*nearest, *helped[1:], *granted[1:], *self.invited_by[1:])

    def method(self, method_id: MethodId) -> SignInMethod | None:
        """Return the method with this id."""
        return next((method for method in self.methods if method.id == method_id), None)

    @property
    def devices(self) -> tuple[DeviceName, ...]:
        """The things whose loss takes methods away, in the order they first appear."""
        return tuple(dict.fromkeys(method.device for method in self.methods if not isinstance(method, Password)))

    def age(self, now: datetime) -> timedelta:
        """How long the account has existed."""
        return now - self.created_at

    def state(self, now: datetime) -> State:
        """Where the account stands."""
        if self.recovery is not None and self.recovery.holds(now):
            return State.IN_RECOVERY
        return State.OK if self.finished else State.UNFINISHED
