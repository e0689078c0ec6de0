"""What the walk-through prints: a recovery code that nobody types back comes first, before it is taken as saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from passless.domain.views import AccountView, MadeRecoveryCode
from passless.output import json
from passless.output.machine_results import SetupDone, SetupPlan
from passless.output.writing import flush

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.safety.next_steps import Goal
    from passless.domain.secret import Secret


class Printing:
    """The one document of a walk-through, for programs in two parts: the recovery code, and everything else."""

    def __init__(self, run: Run) -> None:
        self.has_code = False
        self._run = run

    def code(self, code: Secret) -> None:
        """Print a recovery code at once."""
        if not self._run.json:
            self._run.show(MadeRecoveryCode(code=code, saved=True))
        elif not self.has_code:
            json.print_first(recovery_code=code.reveal())
        flush()
        self.has_code = True

    def result(self, result: SetupDone | SetupPlan | AccountView) -> None:
        """Print what it came to."""
        if not self._run.json or not isinstance(result, SetupDone):
            self._run.show(result)
            return
        if not self.has_code:
            json.print_first(recovery_code=None)
        json.print_rest(**asdict(result))

    def broken_off(self, goal: Goal, done: tuple[str, ...]) -> None:
        """End a document that was begun; what went wrong is told on its own."""
        if self._run.json and self.has_code:
            json.print_rest(goal=goal, reached=False, done=done)
