"""Taking back the report of a loss: the device is here after all, and what is on it proves so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from passless.cli import asking, proving
from passless.domain.methods import Kind
from passless.domain.requests import Answer, TakeBackReport
from passless.domain.views import Applied, PlanView, Waits

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile


class Files(Struct, frozen=True, kw_only=True):
    """The files that may hold a proof of what is on the device."""

    code: SecretFile | None = None
    password: SecretFile | None = None
    pin: SecretFile | None = None


def found(run: Run, device: str, files: Files) -> PlanView | Applied | Waits:
    """Take a report back with the proofs that were given; at a terminal, ask for a code of the device."""
    proofs = tuple(_proofs(run, files))
    return run.change(TakeBackReport(device=device, proofs=proofs))


def _proofs(run: Run, files: Files) -> list[Answer]:
    given = {Kind.TOTP: files.code, Kind.PASSWORD: files.password}
    answers = [proving.answer(run, kind, proving.Files(code=file, password=file)) for kind, file in given.items() if file]
    if not answers and run.can_ask and not run.given.dry_run and asking.yes("Is there an app on it that shows codes?"):
        answers.append(proving.answer(run, Kind.TOTP, proving.Files()))
    return answers
