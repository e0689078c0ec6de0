"""Parts of an account's view, for the commands that show only those."""

from __future__ import annotations

from passless.domain.views import AccountView
from passless.output.results import RecoveryStatus, SettingStatus


def passwordless(view: AccountView) -> SettingStatus:
    """Return whether the account is passwordless."""
    return _setting(view, "passwordless", on=view.passwordless)


def two_step(view: AccountView) -> SettingStatus:
    """Return whether two-step is on."""
    return _setting(view, "two_step", on=view.two_step)


def recovery(view: AccountView) -> RecoveryStatus:
    """Return where a recovery stands."""
    return RecoveryStatus(
        account=view.account,
        state=view.state,
        recovery_until=view.recovery_until,
        recovery_code=view.recovery_code,
        pending=view.pending,
        reports=view.reports,
        next_steps=view.next_steps,
        approval=view.approval,
    )


def _setting(view: AccountView, setting: str, *, on: bool) -> SettingStatus:
    return SettingStatus(
        account=view.account,
        setting=setting,
        on=on,
        ways_in=view.ways_in,
        problems=view.problems,
        next_steps=view.next_steps,
    )
