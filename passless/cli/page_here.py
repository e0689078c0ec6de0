"""A page on this machine, where the browser makes or uses a passkey for an embedded account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from passless.cli import opening
from passless.domain.methods import Kind
from passless.domain.requests import Enrol, SignInWith
from passless.domain.views import Outcome

if TYPE_CHECKING:
    from passless.cli.context import Run


def add_passkey(run: Run, request: Enrol) -> Outcome:
    """Open the page that makes a passkey, and wait until it is made."""
    from passless.server.loopback import serve_enrolment

    with TemporaryDirectory(prefix="passless-") as folder:
        show = _showing(folder, "make the passkey there; this terminal waits")
        return run.ask(lambda directory, actor, target: serve_enrolment(directory, actor, target, request, show))


def sign_in(run: Run) -> Outcome:
    """Open the page that asks for a passkey, and wait until it answered."""
    from passless.server.loopback import serve_sign_in

    with TemporaryDirectory(prefix="passless-") as folder:
        show = _showing(folder, "prove it there; this terminal waits")
        return serve_sign_in(run.directory, run.actor, run.target, SignInWith(kind=Kind.PASSKEY), show)


def _showing(folder: str, what: str) -> Callable[[str], None]:
    return lambda address: opening.show_privately(address, Path(folder), what)
