"""Taking a loss report back: the thing turned up, and what is on it proves so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from passless.actions import naming, proving, throttle
from passless.actions.attempts import note_failure
from passless.actions.ceremonies import find_sign_in
from passless.actions.changing import Kept, Look, Wanted, carry_out
from passless.actions.operators import check_may_ask
from passless.actions.parts import Parts
from passless.actions.sign_in_states import SignInState
from passless.actions.who import Who, identify
from passless.domain import names
from passless.domain.account import Account, Version
from passless.domain.ceremonies import Ceremony
from passless.domain.changes import TakeBackLoss
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.recovery import Loss
from passless.domain.requests import Answer, TakeBackReport
from passless.ports.directory import Actor


class OneChallenge(WrongUse):
    """Two keys that prove one thing answer the same challenge."""

    code = "one-challenge"
    hint = "begin once, and let every key answer that"
    default = "the answers belong to different ceremonies"


def take_back(parts: Parts, actor: Actor, look: Look, request: TakeBackReport, *, version: Version | None = None) -> Kept:
    """Check the proofs against what the report named, and take it back; the rules say whether they are strong enough.

    Raises:
        WrongProof, and its kin: a proof is not right; each is counted before it is checked, as at a sign-in.
        Refused: the proofs are right, and too weak.
    """
    now = parts.now()
    account = look(now).account
    who = identify(parts, actor, account)
    check_may_ask(parts, who, request, now)
    reported_loss(who, request.device)
    try:
        for answer in request.proofs:
            throttle.count(parts, account.id, who.place, answer.kind, now=now)
        return carry_out(parts, actor, look, lambda who, now: _wanted(parts, actor, who, request, now), version=version)
    except (ProofNeeded, WrongUse) as error:
        kind = request.proofs[0].kind if request.proofs else ""
        note_failure(parts, account, actor, kind, error, now, event="take-back-loss")
        raise


def reported_loss(who: Who, words: str) -> Loss:
    """Return the report that is meant, by its id or by what was lost."""
    wanted = words.removeprefix("device:")
    for loss in reversed(who.account.losses):
        if loss.id == wanted or names.are_same(loss.what.removeprefix("device:"), wanted):
            return loss
    raise naming.Nothing(f'no loss of "{names.printable(wanted)}" is reported', hint="see: passless device list")


def _wanted(parts: Parts, actor: Actor, who: Who, request: TakeBackReport, now: datetime) -> Wanted:
    loss = reported_loss(who, request.device)
    pool = replace(who.account, methods=(*who.account.methods, *loss.methods))
    ceremony = _ceremony(parts, actor, who.account, request.proofs)
    state = None if ceremony is None else msgspec.json.decode(ceremony.state, type=SignInState).expected
    proven = tuple(proving.check(parts, pool, answer, state, now) for answer in request.proofs)
    return Wanted(
        changes=(TakeBackLoss(id=loss.id),),
        proofs=tuple(one.proof for one in proven),
        uses=tuple(one.use for one in proven),
        consumes=None if ceremony is None else ceremony.ending,
        forgives=throttle.forgiven(parts, who.account.id, who.place, [answer.kind for answer in request.proofs]),
    )


def _ceremony(parts: Parts, actor: Actor, account: Account, answers: Sequence[Answer]) -> Ceremony | None:
    named = {answer.ceremony for answer in answers if answer.ceremony}
    if len(named) > 1:
        raise OneChallenge
    return find_sign_in(parts, actor, named.pop(), account.id) if named else None
