"""Coming back with a recovery code: never weaker than a sign-in (must hold 4)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from passless.actions import nobody, operators, proving, throttle
from passless.actions.attempts import Attempt, Opened, entry_of, new_session, note_failure
from passless.actions.catching_up import ended_for_good
from passless.actions.ceremonies import find_sign_in
from passless.actions.changing import TRIES
from passless.actions.parts import Parts
from passless.actions.recovery_sessions import continued, earlier_ones
from passless.actions.sign_in_states import SignInState
from passless.actions.who import place_of
from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.changes import StartRecovery
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.methods import Kind, kind_of
from passless.domain.recovery import RecoveryCode, Reporter
from passless.domain.requests import Answer
from passless.domain.safety.ways_in import is_reachable, is_valid, opens_alone
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, SessionKind
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor

MAXIMUM_VALID = 2  # recovery codes: the one in use, and for the wait the one it replaced (rule 11)


class FurtherProofNeeded(ProofNeeded):
    """Two-step is on, so a recovery needs one more proof beside the code."""

    code = "second-proof"
    hint = "give one more proof: --with KIND and --code-file or --password-file"
    default = "with two-step on, a recovery needs one more proof beside the code"


def recover(parts: Parts, actor: Actor, target: str, code: Secret, proof: Answer | None) -> Opened:
    """Begin a recovery, or come back to one that this code began.

    The code is checked first, so that nothing can be guessed without it; what stands beside it is counted apart from
    sign-ins, so that strangers cannot turn the code off.

    Raises:
        WrongProof: the code or the further proof is not right, whichever it was.
        FurtherProofNeeded: two-step is on and there was no further proof.
        Throttled, SwitchedOff: the further proof was guessed too often; the code cannot be guessed.
    """
    counted = False
    for _ in range(TRIES):
        now = parts.now()
        at = Attempt(actor=actor, found=nobody.someone(parts, target, now), now=now)
        try:
            kept = _check_code(at.account, code, now)
            if proof is not None and not counted:
                counted = True
                throttle.count(parts, at.account.id, actor.place, proof.kind, now=now, purpose=throttle.Purpose.RECOVERY)
            return _recover(parts, at, kept, proof)
        except VersionMoved:
            continue
        except (ProofNeeded, WrongUse) as error:
            note_failure(parts, at.account, actor, Kind.RECOVERY_CODE, error, now)
            raise
    raise VersionMoved


def _recover(parts: Parts, at: Attempt, code: RecoveryCode, proof: Answer | None) -> Opened:
    uses, consumes = _further_proof(parts, at, code, proof)
    after, events, notices = _in_recovery(parts, at, code)
    session, token = new_session(
        parts,
        after,
        SessionKind.RECOVERY_CODE,
        place_of(at.actor),
        (),
        SESSION_LIFE,
        at.now,
        name=code.id,
        in_browser=bool(at.actor.visit),
    )
    entry = entry_of(at.account, at.actor, "sign-in", Outcome.DONE, at.now, {"kinds": Kind.RECOVERY_CODE})
    parts.store.commit(
        Write(
            at=at.now,
            account=after,
            expected=at.found.version,
            uses=uses,
            consumes=consumes,
            opens=session,
            ends=earlier_ones(parts.store, after),
            ended=tuple(ended_for_good(at.found.stored, after)),
            notices=(*at.found.caught_up.notices, *notices),
            events=(*at.found.caught_up.events, *events, entry),
            forgives=throttle.forgiven(parts, after.id, at.actor.place, [Kind.RECOVERY_CODE]),
        )
    )
    return Opened(account=after, session=session, token=token)


def _in_recovery(parts: Parts, at: Attempt, code: RecoveryCode) -> tuple[Account, tuple[AuditEntry, ...], tuple[Notice, ...]]:
    """Return the account with a recovery under way, and what is to be written where it begins now."""
    account = at.account
    if account.recovery is not None and account.recovery.finished_at is None:
        return account, (), ()
    after = continued(account, apply(account, StartRecovery(by=Reporter.SELF), now=at.now), at.now)
    details = {"by": Reporter.SELF, "code": code.id}
    entry = entry_of(account, at.actor, "start-recovery", Outcome.DONE, at.now, details)
    told = operators.tell_of_recovery(parts, account, "whoever has its recovery code", at.now)
    return after, (entry,), (begun_notice(parts, account, at.now, "the recovery code"), *told)


def _check_code(account: Account, typed: Secret, now: datetime) -> RecoveryCode:
    from passless.credentials import random_codes
    from passless.credentials.proofs import WrongProof

    valid = [code for code in account.recovery_codes if is_valid(code, now)]
    matching = [code for code in valid if random_codes.check_recovery_code(code.hash, typed)]
    for _ in range(MAXIMUM_VALID - len(valid)):  # the same work whatever there is
        random_codes.check_recovery_code(random_codes.NOBODYS_RECOVERY_CODE, typed)
    if not matching:
        raise WrongProof("recovery code", hint="look at what you wrote down and type it again: 25 characters")
    return matching[0]


def _further_proof(
    parts: Parts, at: Attempt, code: RecoveryCode, proof: Answer | None
) -> tuple[tuple[Use, ...], CeremonyId | Ceremony | None]:
    account, now = at.account, at.now
    if proof is None:
        if opens_alone(account, code, now):
            return (), None
        kinds = dict.fromkeys(kind_of(one) for one in account.methods if is_reachable(one, parts.rules, now))
        raise FurtherProofNeeded(hint=f"give one more proof: --with {' or '.join(kinds)}" if kinds else "ask an operator")
    ceremony = find_sign_in(parts, at.actor, proof.ceremony, account.id) if proof.ceremony else None
    state = b"" if ceremony is None else msgspec.json.decode(ceremony.state, type=SignInState).expected
    proven = proving.check(parts, account, proof, state or None, now)
    return (proven.use,), None if ceremony is None else ceremony.ending


def begun_notice(parts: Parts, account: Account, now: datetime, how: str) -> Notice:
    """Tell everybody on the account that a recovery began."""
    return Notice(
        id=parts.new_id(),
        account_id=account.id,
        at=now,
        code="start-recovery",
        message=f"a recovery was started with {how}; if it was not you: passless recover cancel",
    )
