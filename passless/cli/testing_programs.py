"""Looking at a relying party's files on this machine: whose they are, and what its program says of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.cli import configuring
from passless.domain.errors import PasslessError
from passless.domain.relying_parties import RelyingPartyView
from passless.output.machine_results import Verdict
from passless.programs.setting_up import program_of

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.secret import Secret
    from passless.programs.setting_up import Finding, Program, Setup


def look_at(run: Run, found: RelyingPartyView, where: configuring.Where, secret: Secret | None) -> Iterator[Verdict]:
    """Hold the files against the registration and the secret, have the program judge them, and ask on its socket as it does."""
    program = program_of(found.kind)
    if program is None:
        if where.folder is not None:
            message = f"not looked at: the program of a relying party of the kind {found.kind} has no files of ours"
            yield Verdict(check="files", ok=True, message=message, tested=False)
        return
    try:
        setup = replace(_setup(run, program, found, where), secret=secret)
        for one in _findings(program, setup, is_named=where.folder is not None):
            hint = "" if one.ok and one.tested else one.hint
            yield Verdict(check=one.check, ok=one.ok, message=one.message, hint=hint, tested=one.tested)
    except (PasslessError, OSError) as error:
        message = error.message if isinstance(error, PasslessError) else f"its files cannot be looked at: {error.strerror}"
        yield Verdict(check="program", ok=False, message=message, hint=getattr(error, "hint", "run it as root"))


def _findings(program: Program, setup: Setup, *, is_named: bool) -> Iterator[Finding]:
    from passless.programs import comparing
    from passless.programs.setting_up import Finding

    files = program.files(setup)
    missing = comparing.missing(files)
    again = comparing.rewrite(setup, files)
    if missing is None and is_named and setup.folder is not None and not setup.folder.is_dir():
        hint = "say where they were written: --to DIR"
        yield Finding(check="files", ok=False, message=f"there is no folder {setup.folder}", hint=hint)
        return
    if missing is None and is_named:
        yield Finding(check="files", ok=False, message=f"none of them is in {setup.folder}", hint=f"write them: {again}")
        return
    if missing is None:
        hint = "run this where the program is; files that were written elsewhere: --to DIR"
        yield Finding(check="files", ok=True, message="they are not here", hint=hint, tested=False)
        return
    for path in missing:
        yield Finding(check="files", ok=False, message=f"{path} is not there, or empty", hint=f"{comparing.ASIDE}: {again}")
    yield from (one for one in comparing.findings(program, setup) if not missing or not one.ok)
    if missing:
        yield Finding(check="program", ok=True, message="not asked while files are missing", tested=False)
        return
    yield from program.findings(setup)
    yield from program.in_use(setup)


def _setup(run: Run, program: Program, found: RelyingPartyView, where: configuring.Where) -> Setup:
    """Return what the files would be made of; the socket is the one that they name, where nobody says another."""
    from passless.programs.comparing import SOMEWHERE

    try:
        setup = configuring.setup_of(run, program, found, where)
    except configuring.NoServer:
        setup = configuring.setup_of(run, program, found, replace(where, server=SOMEWHERE))
    return replace(setup, socket=setup.socket.partition("?")[0] or program.socket_named(setup))
