"""Coming back with a recovery code: never weaker than a sign-in (must hold 4)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from passless.actions import proving, throttle
from passless.actions.accounts import Found, find
from passless.actions.ceremonies import find_ceremony
from passless.actions.changing import TRIES
from passless.actions.parts import Parts
from passless.actions.signing_in import Opened, SignInState, entry_of, new_session, note_failure
from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.audit import Notice, Outcome
from passless.domain.ceremonies import CeremonyId
from passless.domain.changes import StartRecovery
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind, kind_of
from passless.domain.recovery import RecoveryCode, Reporter
from passless.domain.requests import Answer
from passless.domain.safety.ways_in import is_reachable, is_valid, opens_alone
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor


class FurtherProofNeeded(ProofNeeded):
    """Two-step is on, so a recovery needs one more proof beside the code."""

    code = "second-proof"
    hint = "give one more proof: --with KIND and --code-file or --password-file"
    default = "with two-step on, a recovery needs one more proof beside the code"


def recover(parts: Parts, actor: Actor, target: str, code: Secret, proof: Answer | None) -> Opened:
    """Begin a recovery, or come back to one that this code began.

    Raises:
        WrongProof: the code or the further proof is not right, whichever it was.
        FurtherProofNeeded: two-step is on and there was no further proof.
        Throttled, SwitchedOff: the further proof was guessed too often; the code cannot be guessed.
    """
    for _ in range(TRIES):
        now = parts.now()
        found = find(parts, target, now)
        guessable = proof is not None and proof.kind in proving.GUESSABLE
        throttle.count(parts, found.account.id, actor.place, guessable=guessable, now=now)
        try:
            return _recover(parts, actor, found, code, proof, now)
        except VersionMoved:
            continue
        except FurtherProofNeeded:
            raise
        except ProofNeeded as error:
            note_failure(parts, found.account, actor, Kind.RECOVERY_CODE, error, now)
            raise
    raise VersionMoved


def _recover(parts: Parts, actor: Actor, found: Found, code: Secret, proof: Answer | None, now: datetime) -> Opened:
    account = found.account
    kept = _check_code(account, code, now)
    uses, consumes = _further_proof(parts, account, kept, proof, now)
    events = list(found.caught_up.events)
    after = account
    notices: tuple[Notice, ...] = ()
    if account.recovery is None or account.recovery.finished_at is not None:
        after = apply(account, StartRecovery(by=Reporter.SELF), now=now)
        events.append(entry_of(account, actor, "start-recovery", Outcome.DONE, now, {"by": Reporter.SELF, "code": kept.id}))
        notices = (_notice(parts, account, now),)
    session, token = new_session(parts, account, SessionKind.RECOVERY_CODE, actor.place, (), SESSION_LIFE, now)
    events.append(entry_of(account, actor, "sign-in", Outcome.DONE, now, {"kinds": Kind.RECOVERY_CODE}))
    earlier = parts.store.sessions(account.id)  # one recovery at a time: the one before ends
    parts.store.commit(
        Write(
            at=now,
            account=after,
            expected=found.version,
            uses=uses,
            consumes=consumes,
            opens=session,
            ends=tuple(SessionId(one.id) for one in earlier if one.kind is SessionKind.RECOVERY_CODE),
            notices=notices,
            events=tuple(events),
            forgives=throttle.keys(account.id, actor.place),
        )
    )
    return Opened(account=after, session=session, token=token)


def _check_code(account: Account, typed: Secret, now: datetime) -> RecoveryCode:
    from passless.credentials import random_codes
    from passless.credentials.proofs import WrongProof

    valid = [code for code in account.recovery_codes if is_valid(code, now)]
    matching = [code for code in valid if random_codes.check_recovery_code(code.hash, typed)]
    if not valid:
        random_codes.check_recovery_code(random_codes.NOBODYS_RECOVERY_CODE, typed)
    if not matching:
        raise WrongProof("recovery code", hint="look at what you wrote down and type it again: 25 characters")
    return matching[0]


def _further_proof(
    parts: Parts, account: Account, code: RecoveryCode, proof: Answer | None, now: datetime
) -> tuple[tuple[Use, ...], CeremonyId | None]:
    if proof is None:
        if opens_alone(account, code, now):
            return (), None
        kinds = dict.fromkeys(kind_of(one) for one in account.methods if is_reachable(one, parts.rules, now))
        raise FurtherProofNeeded(hint=f"give one more proof: --with {' or '.join(kinds)}" if kinds else "ask an operator")
    ceremony = find_ceremony(parts, proof.ceremony) if proof.ceremony else None
    state = b"" if ceremony is None else msgspec.json.decode(ceremony.state, type=SignInState).expected
    proven = proving.check(parts, account, proof, state or None, now)
    return (proven.use,), None if ceremony is None else ceremony.id


def _notice(parts: Parts, account: Account, now: datetime) -> Notice:
    return Notice(
        id=parts.new_id(),
        account_id=account.id,
        at=now,
        code="start-recovery",
        message="a recovery was started with the recovery code; if it was not you: passless recover cancel",
    )
