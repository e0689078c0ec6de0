"""Making a recovery code, confirming it, and writing the page to print."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless import private_files
from passless.cli import outside_files
from passless.cli.failures import MissingInput
from passless.credentials.random_codes import CROCKFORD, RECOVERY_CODE_LENGTH, as_typed
from passless.domain.errors import NotFound, WrongUse
from passless.domain.requests import ConfirmCode, NewRecoveryCode
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadeRecoveryCode, PlanView, Waits
from passless.output.kit import Kit, as_svg, as_text
from passless.output.results import KitWritten
from passless.output.writing import flush

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile

DRILL = timedelta(days=182)  # ours: twice a year, so that the page is found when it is needed
PICTURE = ".svg"
TEXT = ".txt"


class NoRecoveryCode(WrongUse):
    """What was typed cannot be a recovery code."""

    code = "no-recovery-code"
    hint = "type all 25 characters; dashes and spaces do not matter"
    default = "that is not a recovery code"


class BadKitFile(WrongUse):
    """A kit is text or a picture."""

    code = "bad-kit-file"
    hint = f"end the name with {PICTURE} or {TEXT}"


def new_code(run: Run, kit: Path | None) -> None:
    """Make a recovery code and show it; write the kit where one is asked for.

    Under `--yes` it is taken as saved, but not before all of it was written: until then the one before works.
    """
    if kit is not None:
        _check_file(run, kit)
    outcome = run.change(NewRecoveryCode())
    if not isinstance(outcome, Applied) or not isinstance(outcome.made, MadeRecoveryCode):
        run.show(outcome)
        return
    if kit is not None:
        _write(run, kit, outcome.made.code)
    if not run.given.yes:
        run.show(outcome)
        return
    run.show(replace(outcome, made=replace(outcome.made, saved=True)))
    flush()
    run.change(ConfirmCode(code=None))


def confirm(run: Run, file: SecretFile | None) -> PlanView | Applied | Waits:
    """Confirm the new recovery code by typing it back, or take it as saved under `--yes`."""
    if run.given.yes and file is None:
        return run.change(ConfirmCode(code=None))
    return run.change(ConfirmCode(code=run.secret(file, "Recovery code", flag="--code-file FILE or --yes")))


def write_again(run: Run, out: Path | None, file: SecretFile | None) -> Kit | KitWritten:
    """Write the kit of a code that was made before and is typed back; a new code is saved by that."""
    if out is not None:
        _check_file(run, out)
    elif run.json:
        raise MissingInput("the file to write", "--out FILE")
    code = run.secret(file, "Recovery code", flag="--code-file FILE")
    if not set(as_typed(code).reveal().upper()) <= set(CROCKFORD) or len(as_typed(code)) != RECOVERY_CODE_LENGTH:
        raise NoRecoveryCode
    if not run.directory.is_recovery_code(run.actor, run.target, code):
        _confirm_new(run, code)
    return _kit(run, code) if out is None else _write(run, out, code)


def _confirm_new(run: Run, code: Secret) -> None:
    """Save a new code by its being typed back; `NoRecoveryCode` where there is no new one either."""
    try:
        run.change(ConfirmCode(code=code))
    except NotFound as error:
        raise NoRecoveryCode("that is not the recovery code of this account") from error


def _check_file(run: Run, path: Path) -> None:
    """Refuse what cannot be a kit, and ask before a file is replaced: before there is a code that somebody would need."""
    if path.suffix not in (PICTURE, TEXT):
        raise BadKitFile(f'"{path}" is neither text nor a picture')
    if not run.given.dry_run:
        outside_files.may_write(run, str(path))


def _write(run: Run, path: Path, code: Secret) -> KitWritten:
    kit = _kit(run, code)
    page = as_svg(kit) if path.suffix == PICTURE else as_text(kit)
    private_files.write(path, page.encode(), what="recovery kit")
    run.note(f'the recovery kit is in "{path}"; print it and delete the file')
    return KitWritten(path=str(path), account=kit.account, drill_at=kit.drill_at)


def _kit(run: Run, code: Secret) -> Kit:
    view = run.view()
    return Kit(
        account=view.account,
        display_name=view.display_name,
        profile=view.profile,
        code=as_typed(code),
        made_at=view.recovery_code.created_at or run.now(),
        drill_at=run.now() + DRILL,
        two_step=view.two_step,
    )
