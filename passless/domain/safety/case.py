"""One change to be judged: everything a rule looks at."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.account import Account
from passless.domain.changes import (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    LoseDevice,
    LoseMethods,
    RenameAccount,
    RenameMethod,
    RevokeAppPasswords,
    RevokeTemporaryPass,
    SetDefaultMethod,
    Settle,
    TakeBackLoss,
    TurnPasswordlessOff,
)
from passless.domain.safety.context import Context, Problem, Rules, Severity

# "A change that only adds is never refused for 1, 2 or 4."
ONLY_ADDS = (
    AddAppPassword,
    AddMethod,
    AddRecoveryCode,
    ConfirmRecoveryCode,
    RenameAccount,
    RenameMethod,
    SetDefaultMethod,
    TakeBackLoss,
    TurnPasswordlessOff,
)
# "A reported loss is never refused ... ending sessions and revoking act at once." Time passing is nobody's wish.
NEVER_REFUSED = (LoseDevice, LoseMethods, RevokeAppPasswords, RevokeTemporaryPass, Settle)


class Case(Struct, frozen=True, kw_only=True):
    """The account before, the change, the account after, who asks, and under which rules."""

    before: Account
    change: Change
    after: Account
    context: Context
    rules: Rules

    @property
    def now(self) -> datetime:
        """When it is judged."""
        return self.context.now

    @property
    def only_adds(self) -> bool:
        """Nothing that was there goes."""
        return isinstance(self.change, ONLY_ADDS)

    @property
    def deletes_the_password(self) -> bool:
        """The account is passwordless after it and was not before, and nobody reported the password lost."""
        return self.after.passwordless and not self.before.passwordless and not self.never_refused

    @property
    def undoes_a_recovery(self) -> bool:
        """The account is again as before a recovery; rules 2 and 4 must not protect what a thief enrolled in it."""
        return isinstance(self.change, CancelRecovery)

    @property
    def renames(self) -> bool:
        """The account's own name changes, by which it signs in and programs know it; the name to show is free."""
        return isinstance(self.change, RenameAccount) and self.change.name != self.before.name

    @property
    def never_refused(self) -> bool:
        """It acts at once, whatever it breaks."""
        return isinstance(self.change, NEVER_REFUSED)

    def problem(self, code: str, message: str, hint: str, *, refuse: bool, pending: bool = False, factors: int = 0) -> Problem:
        """Make a problem; a warning where it does not refuse."""
        severity = Severity.REFUSAL if refuse else Severity.PENDING if pending else Severity.WARNING
        if self.never_refused:
            severity = Severity.WARNING
        return Problem(code=code, message=message, hint=hint, severity=severity, factors=factors)
