"""Adding a passkey of a computer or phone: its browser makes it at the server's page, and this terminal waits for it.

The browser need not be signed in: a link that is good once leads it to that page, and stands in no argument of any program.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from passless.cli import asking, opening
from passless.cli.failures import MissingInput
from passless.domain.errors import Unavailable
from passless.domain.methods import Kind
from passless.domain.requests import Enrol
from passless.domain.views import Applied, MadeMethod, MethodView, Outcome, PlanView

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.views import MadeEnrolLink

LOOK_EVERY = timedelta(seconds=2)  # ours
WHAT = "make the passkey there; nobody has to sign in for that"


class NothingCame(Unavailable):
    """No passkey was made in time."""

    code = "no-passkey-came"
    hint = "begin again: passless method add passkey"
    default = "no passkey was made in the browser in time"


def add_passkey(run: Run, request: Enrol) -> Outcome | PlanView:
    """Lead a browser to the page that makes the passkey, and wait until it is there."""
    if not run.can_ask:
        raise MissingInput("the answer of the browser", "--begin, then --finish ID --response-file FILE")
    before = {one.id for one in run.view().methods}
    made = run.ask(lambda directory, actor, target: directory.enrol_link(actor, target, request))
    with TemporaryDirectory(prefix="passless-") as folder:
        _show(run, made, Path(folder))
        return Applied(plan=None, made=MadeMethod(method=_wait(run, before, until=made.expires_at)))


def _show(run: Run, made: MadeEnrolLink, folder: Path) -> None:
    """Open the link; where no browser is here, print it, also for the camera of a phone that reaches the server."""
    link = made.link.reveal()
    if opening.is_possible():
        opening.show_privately(link, folder, WHAT)
    else:
        asking.say(f"open this address in a browser, and {WHAT}:")
        run.draw(made)
    asking.say(f"this terminal waits until {made.expires_at:%H:%M} UTC; Ctrl-C leaves")


def _wait(run: Run, before: set[str], *, until: datetime) -> MethodView:
    """Look again and again until a new passkey is there."""
    with asking.ending_the_line():
        while run.now() < until:
            new = next((one for one in run.view().methods if one.id not in before and one.kind == Kind.PASSKEY), None)
            if new is not None:
                return new
            time.sleep(LOOK_EVERY.total_seconds())
    raise NothingCame
