"""Step-up: when only a proof is missing, asking the person for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.domain.errors import ProofNeeded
from passless.domain.refused import Refused

if TYPE_CHECKING:
    from passless.cli.context import Run

SIGN_IN_NEEDED = frozenset({"sign-in-needed", "proof-needed"})


def would_help(error: Exception) -> bool:
    """Tell whether the same would be done after a fresh proof."""
    match error:
        case Refused():
            return error.is_about_proofs
        case ProofNeeded():
            return error.code in SIGN_IN_NEEDED
        case _:
            return False


def ask(run: Run, error: Exception) -> None:
    """Ask for a proof of the account acted on."""
    from passless.cli.proving import sign_in

    run.note(f"{error.args[0]}.")
    sign_in(run, kind=None)
