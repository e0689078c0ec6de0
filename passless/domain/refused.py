"""A change that the rules refuse."""

from __future__ import annotations

from collections.abc import Sequence

from passless.domain.errors import PasslessError
from passless.domain.safety.context import Problem, Severity

ABOUT_PROOFS = frozenset({"weak-proof", "unproven-method"})


class Refused(PasslessError):
    """The change would break a rule; `problems` are all of them.

    `is_about_proofs`: nothing but a fresh or stronger proof is missing, so that asking for it helps.
    """

    code = "refused"
    hint = "see what would be allowed: passless status"

    def __init__(self, problems: Sequence[Problem]) -> None:
        refusals = [problem for problem in problems if problem.severity is Severity.REFUSAL]
        super().__init__(refusals[0].message, hint=refusals[0].hint, code=refusals[0].code)
        self.problems = tuple(problems)
        self.is_about_proofs = all(problem.code in ABOUT_PROOFS for problem in refusals)
