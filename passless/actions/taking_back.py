"""Taking a loss report back: the thing turned up, and what is on it proves so."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from passless.actions import naming, proving
from passless.actions.changing import Wanted
from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.domain import names
from passless.domain.changes import TakeBackLoss
from passless.domain.recovery import Loss
from passless.domain.requests import TakeBackReport


def take_back(parts: Parts, who: Who, request: TakeBackReport, now: datetime) -> Wanted:
    """Check the proofs against what the report named, and want it back; the rules say whether they are strong enough."""
    loss = _loss(who, request.device)
    pool = replace(who.account, methods=(*who.account.methods, *loss.methods))
    proven = tuple(proving.check(parts, pool, answer, None, now) for answer in request.proofs)
    return Wanted(
        changes=(TakeBackLoss(id=loss.id),),
        proofs=tuple(one.proof for one in proven),
        uses=tuple(one.use for one in proven),
    )


def _loss(who: Who, words: str) -> Loss:
    wanted = words.removeprefix("device:")
    for loss in reversed(who.account.losses):
        if loss.id == wanted or names.are_same(loss.what.removeprefix("device:"), wanted):
            return loss
    raise naming.Nothing(f'no loss of "{names.printable(wanted)}" is reported', hint="see: passless device list")
