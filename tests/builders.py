"""Accounts, methods and contexts for tests, short enough to read as part of a sentence.

Everything is old unless it says otherwise: `an_account(methods=[a_security_key("blue key"), a_totp(added=YOUNG)])`.
A method's id is its name, so a test can write `RemoveMethod(id="blue key")`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from passless.domain.account import Account, AccountId
from passless.domain.app_passwords import AppPassword
from passless.domain.changes import AccountName, Change, LoseDevice, LoseMethods
from passless.domain.methods import (
    MAILBOX,
    MEMORY,
    PHONE,
    Authenticator,
    Credential,
    DeviceName,
    Email,
    MethodId,
    Other,
    Passkey,
    Password,
    Phone,
    RpId,
    SecurityKey,
    SignInMethod,
    Strength,
    Totp,
    kind_of,
)
from passless.domain.recovery import Recovery, RecoveryCode, Reporter, TemporaryPass
from passless.domain.safety.context import Context, Rules
from passless.domain.safety.planning import Plan, plan
from passless.domain.sealed import KeyId, Sealed, Tag
from passless.domain.sessions import Proof, SessionKind

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=400)  # longer ago than any wait
YOUNG = NOW - timedelta(hours=1)
LATER = NOW + timedelta(days=30)

RULES = Rules()
MAIL_SIGNS_IN = Rules(email_signs_in=True)
RP_ID = RpId("s1a2b3.passless.localhost")


def a_credential(name: str, *, rp_id: str = RP_ID) -> Credential:
    """The public half of a key."""
    return Credential(id=name.encode(), public_key=b"cose key", rp_id=RpId(rp_id))


def _fields(name: str, device: str, added: datetime, more: dict[str, Any]) -> dict[str, Any]:
    return {"id": MethodId(name), "name": name, "device": DeviceName(device), "added_at": added} | more


def a_password(name: str = "password", *, short: bool = False, added: datetime = OLD, **more: Any) -> Password:
    """A password; a `short` one cannot stand alone."""
    return Password(hash="$argon2id$made-up", stands_alone=not short, **_fields(name, MEMORY, added, more))


def a_security_key(
    name: str = "blue key",
    *,
    verified: bool = True,
    device: str | None = None,
    rp_id: str = RP_ID,
    added: datetime = OLD,
    **more: Any,
) -> SecurityKey:
    """A security key on a device of its own; `verified` ones check a PIN or a finger and are two factors."""
    credential = a_credential(name, rp_id=rp_id)
    return SecurityKey(credential=credential, user_verified=verified, **_fields(name, device or name, added, more))


def a_passkey(name: str = "Touch ID", *, device: str = "laptop", added: datetime = OLD, **more: Any) -> Passkey:
    """A passkey of a computer."""
    return Passkey(credential=a_credential(name), **_fields(name, device, added, more))


def an_authenticator(name: str = "approvals", *, device: str = PHONE, added: datetime = OLD, **more: Any) -> Authenticator:
    """Approvals on the phone."""
    return Authenticator(credential=a_credential(name), **_fields(name, device, added, more))


def a_totp(name: str = "app", *, device: str = PHONE, added: datetime = OLD, **more: Any) -> Totp:
    """An app that shows codes, on the phone."""
    return Totp(seed=Sealed(key=KeyId("key-1"), box=b"sealed seed"), **_fields(name, device, added, more))


def a_phone(name: str = "number", *, device: str = PHONE, added: datetime = OLD, **more: Any) -> Phone:
    """Codes by SMS to the phone."""
    return Phone(number="+4790000000", **_fields(name, device, added, more))


def an_email(name: str = "mail", *, device: str = MAILBOX, added: datetime = OLD, **more: Any) -> Email:
    """Codes by e-mail."""
    return Email(address="ada@example.org", **_fields(name, device, added, more))


def an_other(name: str = "voice call", *, device: str = "desk", added: datetime = OLD, **more: Any) -> Other:
    """Something a provider has and passless does not know."""
    return Other(provider_kind="voice", **_fields(name, device, added, more))


def a_code(name: str = "paper", *, saved: bool = True, added: datetime = OLD, **more: Any) -> RecoveryCode:
    """A recovery code, typed back unless it says otherwise."""
    more.setdefault("created_with", Strength.ONE_FACTOR)
    return RecoveryCode(id=name, hash="salted-sha256", created_at=added, saved=saved, **more)


def a_saved_code(name: str = "paper", *, added: datetime = OLD, **more: Any) -> RecoveryCode:
    """A recovery code that was typed back."""
    return a_code(name, added=added, **more)


def an_unsaved_code(name: str = "screen", *, added: datetime = YOUNG, **more: Any) -> RecoveryCode:
    """A recovery code that was shown and not typed back."""
    return a_code(name, saved=False, added=added, **more)


def an_app_password(name: str = "Mail", *, device: str | None = None, **more: Any) -> AppPassword:
    """A machine-made password for one program."""
    tags = (Tag(key=KeyId("key-1"), digest=name.encode()),)
    where = None if device is None else DeviceName(device)
    return AppPassword(id=name, name=name, tags=tags, created_at=OLD, device=where, **more)


def a_temporary_pass(name: str = "pass", *, expires_at: datetime = NOW + timedelta(hours=1)) -> TemporaryPass:
    """A pass an operator issued."""
    return TemporaryPass(id=name, hash="$argon2id$made-up", issued_at=YOUNG, expires_at=expires_at, issued_by=Reporter.OPERATOR)


def a_recovery(*, enrolled: Iterable[str] = (), since: datetime = YOUNG, **more: Any) -> Recovery:
    """A recovery under way."""
    return Recovery(started_at=since, by=Reporter.SELF, enrolled=tuple(map(MethodId, enrolled)), **more)


def an_account(
    name: str = "ada",
    *,
    methods: Iterable[SignInMethod] = (),
    codes: Iterable[RecoveryCode] = (),
    two_step: bool = False,
    made: datetime = OLD,
    finished: bool = True,
    **more: Any,
) -> Account:
    """An old, finished account with these methods."""
    return Account(
        id=AccountId(name),
        name=AccountName(name),
        created_at=made,
        user_handle=name.encode().ljust(32, b"\0"),
        methods=tuple(methods),
        recovery_codes=tuple(codes),
        two_step=two_step,
        finished=finished,
        **more,
    )


def a_young_account(**more: Any) -> Account:
    """An account younger than the wait."""
    return an_account(made=YOUNG, **more)


def a_proof(method: SignInMethod, *, at: datetime = NOW) -> Proof:
    """A completed proof with a method."""
    return Proof(kind=kind_of(method), at=at, method=method.id)


def the_making(at: datetime = NOW) -> Proof:
    """The proof that the making of an account is."""
    return Proof(kind=None, at=at)


def proven_with(
    *methods: SignInMethod,
    now: datetime = NOW,
    session: SessionKind = SessionKind.DIRECT,
    actor: Reporter = Reporter.SELF,
    approvals: Iterable[str] = (),
    waited: bool = False,
) -> Context:
    """Who acts has just proven these methods."""
    return Context(
        now=now,
        actor=actor,
        session=session,
        proofs=tuple(a_proof(method, at=now) for method in methods),
        approvals=tuple(approvals),
        waited=waited,
    )


def an_operator(*approvals: str) -> Context:
    """Helpdesk acts."""
    return proven_with(actor=Reporter.OPERATOR, approvals=approvals)


def codes_of(account: Account, change: Change, context: Context, rules: Rules = RULES) -> set[str]:
    """Return the codes of the problems that refuse a change, and of those that make it wait."""
    return {one.code for one in plan(account, change, context, rules).problems if one.severity != "warning"}


def refusals_of(account: Account, change: Change, context: Context, rules: Rules = RULES) -> set[str]:
    """Return the codes of the problems that refuse a change."""
    return {one.code for one in plan(account, change, context, rules).refusals}


def warnings_of(account: Account, change: Change, context: Context, rules: Rules = RULES) -> set[str]:
    """Return the codes of the warnings."""
    return {one.code for one in plan(account, change, context, rules).problems if one.severity == "warning"}


def accepted(account: Account, change: Change, context: Context, rules: Rules = RULES) -> Account:
    """Return the account after a change that acts at once."""
    found: Plan = plan(account, change, context, rules)
    assert found.is_accepted, [one.code for one in found.refusals]
    assert found.due_at is None, "it waits"
    return found.after


def a_lost_device(device: str, name: str = "loss") -> LoseDevice:
    """A report of a lost device."""
    return LoseDevice(id=name, device=DeviceName(device), until=LATER)


def lost_methods(*ids: str, name: str = "loss") -> LoseMethods:
    """A report that some methods are not mine."""
    return LoseMethods(id=name, ids=tuple(map(MethodId, ids)), until=LATER)
