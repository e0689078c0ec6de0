"""Attempts to sign in: what is written down where the proof is wrong, and the session that begins where it is right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import Struct

from passless.actions import nobody, noting, throttle
from passless.actions.accounts import Found
from passless.actions.parts import Parts
from passless.actions.sign_in_states import SIGN_IN
from passless.actions.who import place_of, token_hash
from passless.credentials.random_codes import new_id, new_token
from passless.domain import hosts
from passless.domain.account import Account
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.errors import PasslessError
from passless.domain.methods import SignInMethod, credential_of
from passless.domain.secret import Secret
from passless.domain.sessions import Proof, Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import Write
from passless.ports.directory import Actor

MARK_CLONED = "mark-cloned"  # in the audit trail, once for a key


class Attempt(Struct, frozen=True, kw_only=True):
    """Somebody at the door of an account as it is now.

    `ceremony` is the one they answer, if any.
    """

    actor: Actor
    found: Found
    now: datetime
    ceremony: Ceremony | None = None

    @property
    def account(self) -> Account:
        """The account as it is now."""
        return self.found.account

    @property
    def consumes(self) -> CeremonyId | Ceremony | None:
        """The ceremony that ends when the answer is right."""
        return None if self.ceremony is None else self.ceremony.ending


class Opened(Struct, frozen=True, kw_only=True):
    """A session began, or had a proof added; either has a token of its own from now on."""

    account: Account
    session: Session
    token: Secret


def note_failure(
    parts: Parts,
    account: Account,
    actor: Actor,
    kind: str,
    error: PasslessError,
    now: datetime,
    *,
    event: str = SIGN_IN,
    held_up: bool = False,
    about: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Record a wrong proof, or only count it; the reason is for the audit trail only.

    `held_up`: from now on its source has to wait. `about` is what else the trail says.
    """
    cloned = _possible_clone(account, error)
    of = account.id if kind in throttle.COUNTED else f"{account.id}{noting.FREE}"
    number = noting.told(parts, of, actor.place, now=now, of_nobody=nobody.is_nobody(account))
    if cloned is not None:
        number = number or {}
    details = {"kind": kind, "reason": str(getattr(error, "reason", error.code)), **about} | (number or {})
    if held_up:
        details["source"] = "waits"
    events: tuple[AuditEntry, ...] = ()
    if number is not None:
        events = (entry_of(account, actor, event, Outcome.FAILED, now, details),)
    if nobody.is_nobody(account):
        parts.store.commit(Write(at=now, events=events))
        return
    uses: tuple[Use, ...] = ()
    notices: tuple[Notice, ...] = ()
    if cloned is not None:
        uses = (Use(item=cloned.id, at=now, cloned=True),)
        known = parts.store.uses(account.id).get(cloned.id)
        if known is None or not known.cloned:
            marked = {"method": cloned.id, "kind": kind, "name": cloned.name} | hosts.said_of(account, MARK_CLONED)
            events = (entry_of(account, actor, MARK_CLONED, Outcome.DONE, now, marked), *events)
        message = f'"{cloned.name}" may have been copied: its counter went back, and the sign-in was refused'
        notices = (Notice(id=parts.new_id(), account_id=account.id, at=now, code="possible-clone", message=message),)
    parts.store.commit(Write(at=now, account_id=account.id, uses=uses, notices=notices, events=events))


def _possible_clone(account: Account, error: PasslessError) -> SignInMethod | None:
    credential_id = getattr(error, "credential_id", None)
    held = ((one, credential_of(one)) for one in account.methods)
    return next((one for one, credential in held if credential is not None and credential.id == credential_id), None)


def entry_of(
    account: Account, actor: Actor, event: str, outcome: Outcome, now: datetime, details: dict[str, str]
) -> AuditEntry:
    """Return an audit entry of the person's own doing; of a name without an account, nothing is written down."""
    if nobody.is_nobody(account):
        return AuditEntry(at=now, actor="nobody", event=event, outcome=outcome, place=place_of(actor), details=details)
    return AuditEntry(
        at=now,
        actor=account.name,
        event=event,
        outcome=outcome,
        account_id=account.id,
        account=account.name,
        place=place_of(actor),
        details=details,
    )


def new_session(
    parts: Parts,
    account: Account,
    kind: SessionKind,
    place: str,
    proofs: tuple[Proof, ...],
    life: timedelta,
    now: datetime,
    *,
    name: str = "",
    in_browser: bool = False,
) -> tuple[Session, Secret]:
    """Make a session and the token that stands for it; only its hash is stored."""
    token = new_token(parts.entropy)
    session = Session(
        id=SessionId(new_id(parts.entropy)),
        account_id=account.id,
        token_hash=token_hash(token),
        kind=kind,
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        place=place,
        proofs=proofs,
        name=name,
        in_browser=in_browser,
    )
    return session, token
