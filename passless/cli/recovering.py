"""Beginning and cancelling a recovery."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Struct
from msgspec.structs import replace

from passless.cli import plans, proving
from passless.cli.secret_files import SecretFile, secret_file
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.domain.requests import Answer, CancelWaiting, IssuePass, SignInWith, StartRecoveryOf, StopRecovery
from passless.domain.secret import Secret
from passless.domain.views import AccountView, Applied, PlanView, SignedIn, Waits

if TYPE_CHECKING:
    from passless.cli.context import Run

PASS_LIFETIME = timedelta(hours=1)  # security.md, "temporary pass"
SECOND_PROOF = "second-proof"  # the code of what a recovery with two-step on raises

ProofFile = Annotated[SecretFile | None, secret_file("--proof-file", "A file with the further proof, or -.")]


class Files(Struct, frozen=True, kw_only=True):
    """The files that may hold the recovery code and the further proof."""

    code: SecretFile | None = None
    proof: SecretFile | None = None
    password: SecretFile | None = None
    pin: SecretFile | None = None


class Wish(Struct, frozen=True, kw_only=True):
    """The recovery that is asked for."""

    kind: Kind | None
    files: Files
    lost: tuple[str, ...]
    lifetime: timedelta | None


def start(run: Run, wish: Wish) -> SignedIn | PlanView | Applied | Waits:
    """Begin a recovery: with the code, or as operator."""
    if run.given.as_operator:
        request = StartRecoveryOf(lost=wish.lost, lifetime=wish.lifetime or PASS_LIFETIME)
        return run.change(request, confirm=_question(run, wish.lost))
    if run.given.dry_run:
        return plans.start_recovery(_seen(run))
    outcome = proving.patiently(run, lambda: _first(run, wish), is_typed=wish.files.code is None or _types_a_proof(wish))
    return run.signed_in(_with_further(run, wish, outcome) if isinstance(outcome, Secret) else outcome)


def _first(run: Run, wish: Wish) -> SignedIn | Secret:
    """Begin a recovery with what was given; return the code where it is right and one more proof is to be asked for."""
    code = run.secret(wish.files.code, "Recovery code", flag="--code-file FILE")
    proof = _proof(run, wish)
    try:
        return run.directory.recover(run.actor, run.target, code, proof)
    except ProofNeeded as error:
        if error.code != SECOND_PROOF or proof is not None or not run.can_ask:
            raise
        run.note(f"{error.message}.")
        return code


def _with_further(run: Run, wish: Wish, code: Secret) -> SignedIn:
    wish = replace(wish, kind=proving.choose(run))
    return proving.patiently(
        run,
        lambda: run.directory.recover(run.actor, run.target, code, _proof(run, wish)),
        is_typed=_types_a_proof(wish),
    )


def _types_a_proof(wish: Wish) -> bool:
    """Tell whether a proof beside the code is typed: not in a file, and nothing that answers a challenge."""
    return wish.kind is not None and wish.kind not in proving.SIGNED and not (wish.files.proof or wish.files.password)


def _seen(run: Run) -> AccountView | None:
    """Look at the account; None where a server shows nothing of it, as to anybody who has to recover it."""
    target = run.target
    try:
        return run.directory.read(run.looker, target)
    except ProofNeeded:
        return None


def issue(run: Run, request: IssuePass) -> PlanView | Applied | Waits:
    """Issue a temporary pass; one that is there is replaced only where that is meant."""
    return run.change(request, confirm=_question(run))


def cancel(run: Run, waiting: str | None) -> PlanView | Applied | Waits:
    """Cancel the recovery, or what waits where none is under way."""
    if waiting is None and run.view().state == "in-recovery":
        return run.change(StopRecovery(), confirm="cancel the recovery, and remove what was enrolled in it?")
    return run.change(CancelWaiting(id=waiting))


def _question(run: Run, lost: tuple[str, ...] = ()) -> str | None:
    """Return what to ask before something is turned off or replaced; nothing is asked where nothing is."""
    if run.given.dry_run or run.given.yes:
        return None
    named = ", ".join(f'"{printable(one)}"' for one in lost)
    taken = [f"turn off everything on {named}"] if lost else []
    if run.ask(lambda directory, actor, target: directory.passes(actor, target)):
        taken.append("replace the temporary pass")
    return f"{', and '.join(taken)}?" if taken else None


def _proof(run: Run, wish: Wish) -> Answer | None:
    kind = wish.kind or (Kind.PASSWORD if wish.files.password is not None else None)
    if kind is None:
        return None
    file = wish.files.password if kind is Kind.PASSWORD and wish.files.proof is None else wish.files.proof
    files = proving.Files(password=file, code=file, response=file, pin=wish.files.pin)
    if kind in proving.SIGNED and file is None:
        begun = run.directory.begin(run.actor, run.target, SignInWith(kind=kind))
        return proving.answer(run, kind, files, begun)
    return proving.answer(run, kind, files)
