"""Step-up: when only a proof is missing, asking the person for it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from passless.domain.errors import ProofNeeded
from passless.domain.refused import Refused

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.directories.server.errors import Challenge

MENDED_BY_SIGNING_IN = frozenset({"sign-in-needed", "proof-needed", "weak-proof", "session-may-not"})


def would_help(error: Exception) -> bool:
    """Tell whether the same would be done after a fresh proof."""
    match error:
        case Refused():
            return error.is_about_proofs
        case ProofNeeded():
            return error.code in MENDED_BY_SIGNING_IN
        case _:
            return False


def ask(run: Run, error: Exception) -> None:
    """Ask for a proof of the account acted on; of an operator's own, where it is for somebody else."""
    from passless.cli.proving import Wish, sign_in

    run.note(f"{error.args[0]}.")
    with run.for_oneself() if run.given.as_operator else nullcontext():
        sign_in(run, Wish(asked=_challenge(run, error)))


def _challenge(run: Run, error: Exception) -> Challenge | None:
    """Return what a server asks of the proof, for a browser to be told."""
    if not run.is_remote:
        return None
    from passless.directories.server.errors import STEP_UP, challenge_of

    return challenge_of(error) or STEP_UP
