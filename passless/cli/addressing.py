"""Which profile and account the commands name that a run prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli.table import COMMANDS
from passless.domain.errors import PasslessError
from passless.domain.names import key
from passless.output import addressed

if TYPE_CHECKING:
    from passless.cli.context import Run


def begin(run: Run) -> None:
    """Let what is printed from now on name what the run was told."""
    addressed.tell(lambda: told(run), frozenset(COMMANDS))


def told(run: Run) -> addressed.Named:
    """Return the profile and the account that were named by a flag or in the environment and are not the chosen ones."""
    profile = run.given.profile or run.settings.named
    account = None if run.given.as_operator else run.given.account or run.settings.account
    try:
        if profile and key(profile) == key(run.settings.written):
            profile = None
        if account and run.tokens.chosen in (account, run.tokens.id_of(account)):
            account = None
    except PasslessError:  # of settings that cannot be read; what was told is still so
        pass
    return addressed.Named(profile=profile, account=account)
