"""Adding a passkey of a computer or phone: its browser makes it at the server's page, and this terminal waits for it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from passless.cli import opening
from passless.cli.failures import Contradiction, MissingInput
from passless.domain.errors import Unavailable
from passless.domain.methods import Kind
from passless.domain.requests import RenameMethodTo
from passless.domain.views import Applied, MadeMethod, Outcome, PlanView

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.enrolling import Wish

PAGE = "/enrol/passkey"
LOOK_EVERY = timedelta(seconds=2)  # ours
LOOK_FOR = timedelta(minutes=10)  # ours: to sign in there, and to find the phone


class NothingCame(Unavailable):
    """No passkey was made in time."""

    code = "no-passkey-came"
    hint = "look whether it is there: passless method list; or begin again: passless method add passkey"
    default = "no passkey was added in the browser in time"


def add_passkey(run: Run, wish: Wish) -> Outcome | PlanView:
    """Open the account's page and wait until a new passkey is there; it gets its name here."""
    if wish.device is not None:
        raise Contradiction("passkey", "--device; the page asks for the device")
    if not run.can_ask:
        raise MissingInput("the answer of the browser", "--begin, then --finish ID --response-file FILE")
    before = {one.id for one in run.view().methods}
    opening.show(f"{run.profile.address}{PAGE}", "sign in there as yourself and add the passkey; this terminal waits")
    until = run.now() + LOOK_FOR
    while run.now() < until:
        new = next((one for one in run.view().methods if one.id not in before and one.kind == Kind.PASSKEY), None)
        if new is not None:
            if wish.name is not None:
                run.change(RenameMethodTo(method=new.id, name=wish.name))
                new = next(one for one in run.view().methods if one.id == new.id)
            return Applied(plan=None, made=MadeMethod(method=new))
        time.sleep(LOOK_EVERY.total_seconds())
    raise NothingCame
