"""Signing in with a temporary pass, which begins a recovery: rule 10 says what may be done then."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from passless.actions import operators, throttle
from passless.actions.attempts import Attempt, Opened, entry_of, new_session
from passless.actions.catching_up import ended_for_good
from passless.actions.parts import Parts
from passless.actions.recovering import begun_notice
from passless.actions.recovery_sessions import continued, earlier_ones
from passless.actions.who import place_of
from passless.credentials.proofs import WrongProof
from passless.domain.account import Account
from passless.domain.applying import apply, helped
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import StartRecovery
from passless.domain.methods import Kind
from passless.domain.recovery import TemporaryPass
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, SessionKind
from passless.ports import Write

ONE_TIME_PASS_LIFE = timedelta(minutes=10)  # features.md, "temporary pass": a one-time pass enrols within 10 minutes


def sign_in(parts: Parts, at: Attempt, typed: Secret) -> Opened:
    """Sign in with a pass; `WrongProof` where there is none, or it is not right, used or expired."""
    issued = _checked(at, typed)
    after, events, notices = _in_recovery(parts, at, issued)
    life = ONE_TIME_PASS_LIFE if issued.once else min(SESSION_LIFE, issued.expires_at - at.now)
    place, in_browser = place_of(at.actor), bool(at.actor.visit)
    session, token = new_session(parts, after, SessionKind.TEMPORARY_PASS, place, (), life, at.now, in_browser=in_browser)
    entry = entry_of(at.account, at.actor, "sign-in", Outcome.DONE, at.now, {"kinds": Kind.TEMPORARY_PASS})
    used = (issued.id,) if issued.once else ()
    gone = (one for one in ended_for_good(at.found.stored, after) if one != issued.id)
    parts.store.commit(
        Write(
            at=at.now,
            account=after,
            expected=at.found.version,
            opens=session,
            ends=earlier_ones(parts.store, after),
            ended=(*used, *gone),
            notices=(*at.found.caught_up.notices, *notices),
            events=(*at.found.caught_up.events, *events, entry),
            forgives=(
                *throttle.forgiven(parts, after.id, at.actor.place, [Kind.TEMPORARY_PASS]),
                *throttle.forgiven_pass(after.id, at.actor.place),
            ),
        )
    )
    return Opened(account=after, session=session, token=token)


def _checked(at: Attempt, typed: Secret) -> TemporaryPass:
    from passless.credentials import passwords, random_codes

    issued = at.account.temporary_pass
    if issued is None or at.now >= issued.expires_at or (issued.once and issued.used_at is not None):
        passwords.verify_nothing(random_codes.as_typed(typed))
        raise WrongProof("no pass, or used")
    if not random_codes.verify_temporary_pass(issued.hash, typed):
        raise WrongProof("temporary pass")
    return issued


def _in_recovery(
    parts: Parts, at: Attempt, issued: TemporaryPass
) -> tuple[Account, tuple[AuditEntry, ...], tuple[Notice, ...]]:
    """Return the account with the pass used and a recovery under way, and what is to be written of that."""
    account = helped(replace(at.account, temporary_pass=replace(issued, used_at=at.now)), issued.made_by, at.now)
    if account.recovery is not None and account.recovery.finished_at is None:
        return account, (), ()
    after = continued(account, apply(account, StartRecovery(by=issued.issued_by), now=at.now), at.now)
    entry = entry_of(account, at.actor, "start-recovery", Outcome.DONE, at.now, {"by": issued.issued_by})
    by = f'"{operators.name_of(parts, issued.made_by[0])}"' if issued.made_by else "an operator"
    told = operators.tell_of_recovery(parts, account, f"{by}, whose temporary pass was used just now", at.now)
    return after, (entry,), (begun_notice(parts, account, at.now, "a temporary pass"), *told)
