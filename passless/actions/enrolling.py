"""Adding a method: a begin and a finish, with the state between them on our side (must hold 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import made_up_credentials, naming
from passless.actions.accounts import Found, find_id
from passless.actions.ceremonies import NoSuchCeremony, binding, new_ceremony_id, origin_of
from passless.actions.changing import Identify, Kept, Wanted, carry_out, preview, refusal
from passless.actions.parts import Parts
from passless.actions.proving import bound_to
from passless.actions.reaching import reach
from passless.actions.who import Who, identify
from passless.domain import names
from passless.domain.account import Account
from passless.domain.ceremonies import CEREMONY_LIFE, PAIRING_LIFE, Ceremony, CeremonyId
from passless.domain.changes import AddMethod
from passless.domain.errors import CannotDoThat, WrongUse
from passless.domain.methods import (
    PHONE,
    Credential,
    DeviceName,
    Kind,
    MethodId,
    Passkey,
    RpId,
    SecurityKey,
    SignInMethod,
    Totp,
    credential_of,
    kind_of,
)
from passless.domain.requests import Answer, Enrol
from passless.domain.sealed import Sealed
from passless.domain.secret import Secret
from passless.domain.sessions import Proof
from passless.domain.use_state import Use
from passless.domain.views import Begun
from passless.ports import CredentialTaken, Record, Write
from passless.ports.directory import Actor

THIS_COMPUTER = DeviceName("this computer")  # where a passkey lives unless it is said otherwise


class NotHere(CannotDoThat):
    """A kind that this place cannot enrol."""

    code = "kind-not-here"


class WrongAnswer(WrongUse):
    """The answer does not belong to what was begun."""

    code = "wrong-answer"
    hint = "finish with what the begin asked for: --code-file or --response-file"


class EnrolState(Struct, frozen=True, kw_only=True):
    """What we keep between begin and finish. `expected` is the WebAuthn expectation as JSON."""

    kind: Kind
    method: MethodId
    name: str | None
    device: str | None
    seed: Sealed | None = None
    expected: bytes = b""


KeepsBegun = Callable[[CeremonyId], Record]


def begin(parts: Parts, actor: Actor, target: str, request: Enrol) -> Begun:
    """Begin to add a method; refused at once where the rules would refuse its finish.

    Raises:
        NotHere: no account has such a kind yet, or it is not added like a method.
        Refused: the proofs are too old or too weak, or there are too many already.
    """
    now = parts.now()
    who = identify(parts, actor, reach(parts, actor, target, now).account)
    return begin_for(parts, who, request, now, purpose=f"enrol-{request.kind}", bound=binding(actor, who.session))


def begin_for(
    parts: Parts,
    who: Who,
    request: Enrol,
    now: datetime,
    *,
    purpose: str,
    bound: str,
    at_most: datetime | None = None,
    consumes: CeremonyId | None = None,
    keeps: KeepsBegun | None = None,
) -> Begun:
    """Begin to add a method in the name of somebody, at most until a moment.

    `consumes` is the ceremony whose place it takes; `keeps` says what is kept with it.
    """
    begun, state = _begun(parts, who, request, now)
    ends_at = now + (PAIRING_LIFE if request.kind is Kind.TOTP else CEREMONY_LIFE)
    begun = replace(begun, expires_at=ends_at if at_most is None else min(ends_at, at_most))
    ceremony = Ceremony(
        id=CeremonyId(begun.ceremony),
        purpose=purpose,
        account_id=who.account.id,
        created_at=now,
        expires_at=begun.expires_at,
        state=msgspec.json.encode(state),
        session_id=bound,
    )
    parts.store.commit(Write(at=now, begins=ceremony, consumes=consumes, puts=() if keeps is None else (keeps(ceremony.id),)))
    return begun


def check(parts: Parts, who: Who, request: Enrol, now: datetime) -> None:
    """Refuse at once what could not be begun; nothing is kept."""
    _begun(parts, who, request, now)


def _begun(parts: Parts, who: Who, request: Enrol, now: datetime) -> tuple[Begun, EnrolState]:
    method_id = MethodId(parts.new_id())
    if request.kind is Kind.TOTP:
        begun, state = _begin_totp(parts, who, request, method_id, now)
    elif request.kind in (Kind.SECURITY_KEY, Kind.PASSKEY):
        begun, state = _begin_key(parts, who, request, method_id, now)
    else:
        raise NotHere(f'"{request.kind}" cannot be added here', hint=_why_not(request.kind))
    _check_early(parts, who, state, now)
    return begun, state


def _why_not(kind: Kind) -> str:
    match kind:
        case Kind.PHONE | Kind.EMAIL | Kind.AUTHENTICATOR:
            return "it is not built yet; add one of: security-key, passkey, totp"
        case Kind.PASSWORD:
            return "set a password with: passless passwordless off"
        case _:
            return "add one of: security-key, passkey, totp"


def _checked_names(account: Account, request: Enrol) -> tuple[str | None, str | None]:
    name = None if request.name is None else naming.fresh_method_name(account, request.name, chosen=True)
    device = None if request.device is None else names.clean(request.device, what="device name")
    return name, device


def _begin_totp(parts: Parts, who: Who, request: Enrol, method_id: MethodId, now: datetime) -> tuple[Begun, EnrolState]:
    from passless.credentials import totp

    name, device = _checked_names(who.account, request)
    seed = totp.new_seed(parts.entropy)
    parts.vault.reload()
    sealed = parts.vault.seal(seed.encode(), bound_to=bound_to(who.account.id, method_id))
    state = EnrolState(kind=Kind.TOTP, method=method_id, name=name, device=device, seed=sealed)
    uri = totp.otpauth_uri(seed, account=who.account.name, issuer=parts.issuer)
    return Begun(ceremony=new_ceremony_id(parts), expires_at=now, otpauth_uri=uri, secret=seed), state


def _begin_key(parts: Parts, who: Who, request: Enrol, method_id: MethodId, now: datetime) -> tuple[Begun, EnrolState]:
    from passless.credentials import passkey_registration as registration
    from passless.credentials.passkeys import RelyingParty, UserVerification

    name, device = _checked_names(who.account, request)
    assert parts.rules.rp_id is not None  # an embedded store and a server always have one
    party = RelyingParty(id=RpId(parts.rules.rp_id), name=parts.issuer)
    is_passkey = request.kind is Kind.PASSKEY
    begun = registration.begin_registration(
        party,
        origin=origin_of(parts, request.origin),
        user_handle=who.account.user_handle,
        account=who.account.name,
        known=[held for one in who.account.methods if (held := credential_of(one)) is not None],
        user_verification=UserVerification.REQUIRED if is_passkey else UserVerification.PREFERRED,
        resident_key=registration.ResidentKey.REQUIRED if is_passkey else registration.ResidentKey.DISCOURAGED,
        attachment=None if is_passkey else registration.Attachment.CROSS_PLATFORM,
        entropy=parts.entropy,
    )
    state = EnrolState(
        kind=request.kind, method=method_id, name=name, device=device, expected=msgspec.json.encode(begun.expected)
    )
    shown = Begun(
        ceremony=new_ceremony_id(parts),
        expires_at=now,
        origin=begun.expected.origin,
        public_key=msgspec.json.encode(begun.options),
    )
    return shown, state


def _check_early(parts: Parts, who: Who, state: EnrolState, now: datetime) -> None:
    """Refuse before anybody touches a key, by planning the weakest method that could come of it."""
    if state.kind is Kind.TOTP:
        assert state.seed is not None  # made just now
        method: SignInMethod = Totp(id=state.method, name="", device=PHONE, added_at=now, seed=state.seed)
    else:
        blank = Credential(id=b"", public_key=b"", rp_id=parts.rules.rp_id or RpId(""))
        method = SecurityKey(
            id=state.method, name="", device=PHONE, added_at=now, credential=blank, user_verified=state.kind is Kind.PASSKEY
        )
    planned = preview(parts, who, Wanted(changes=(AddMethod(method=method),)), now)
    if not planned.is_accepted:
        raise refusal(parts, who, planned, now)


def finish(
    parts: Parts,
    actor: Actor,
    ceremony: Ceremony,
    answer: Answer,
    *,
    who_acts: Identify | None = None,
    drops: tuple[Record, ...] = (),
) -> tuple[Kept, MethodId]:
    """Finish adding a method with a code or a WebAuthn response; a wrong code leaves the ceremony open until it expires.

    `who_acts` stands in for what the session says: that of a browser which a link let in. `drops` is used up with it.
    """
    state = msgspec.json.decode(ceremony.state, type=EnrolState)

    def build(who: Who, now: datetime) -> Wanted:
        named = replace(
            state, name=answer.name if answer.name is not None else state.name, device=answer.device or state.device
        )
        method, use = _finished(parts, who.account, named, answer, now)
        return Wanted(
            changes=(AddMethod(method=method),),
            uses=(use,),
            consumes=ceremony.id,
            drops=drops,
            proves=None if who_acts is not None else Proof(kind=kind_of(method), at=now, method=method.id),
            notes={} if who_acts is None else {"through": "link"},
        )

    def look(now: datetime) -> Found:
        return find_id(parts, ceremony.account_id, now)

    kept = carry_out(parts, actor, look, build, who_acts=who_acts)
    made_up_credentials.learn(parts, kept.account, state.kind)
    return kept, state.method


def _finished(parts: Parts, account: Account, state: EnrolState, answer: Answer, now: datetime) -> tuple[SignInMethod, Use]:
    if (answer.kind is Kind.TOTP) is not (state.kind is Kind.TOTP):
        raise WrongAnswer(f'this ceremony adds "{state.kind}"')
    if state.kind is Kind.TOTP:
        return _finish_totp(parts, account, state, answer.text, now)
    return _finish_key(account, state, answer.text, now)


def _finish_totp(parts: Parts, account: Account, state: EnrolState, code: Secret, now: datetime) -> tuple[SignInMethod, Use]:
    from passless.credentials import totp

    seed, sealed = _seed_of(parts, account, state)
    step = totp.verify(seed, code, at=now, last_step=None)
    chosen = state.name is not None
    method = Totp(
        id=state.method,
        name=naming.fresh_method_name(account, state.name or "authenticator app", chosen=chosen),
        device=PHONE if state.device is None else naming.known_device(account, state.device),
        added_at=now,
        seed=sealed,
    )
    return method, Use(item=method.id, at=now, totp_step=step)


def _seed_of(parts: Parts, account: Account, state: EnrolState) -> tuple[Secret, Sealed]:
    """Return the seed and its seal under the key that is current now.

    The key may have been replaced since the ceremony began, and forgotten. The keys are read while the ceremony is open:
    whoever replaces them later ends it, and then nothing is kept with it (`directories.local.vault_care`).
    """
    assert state.seed is not None  # begin put it there
    parts.vault.reload()
    if not parts.vault.has(state.seed.key):
        raise NoSuchCeremony("the vault key was replaced since this was begun")
    bound = bound_to(account.id, state.method)
    return Secret(parts.vault.open(state.seed, bound_to=bound).decode()), parts.vault.reseal(state.seed, bound_to=bound)


def _finish_key(account: Account, state: EnrolState, response: Secret, now: datetime) -> tuple[SignInMethod, Use]:
    from passless.credentials import passkey_registration as registration
    from passless.credentials.passkeys import name_of

    expected = msgspec.json.decode(state.expected, type=registration.RegistrationExpected)
    made = registration.finish_registration(expected, response.reveal())
    if any((held := credential_of(one)) is not None and held.id == made.credential.id for one in account.methods):
        raise CredentialTaken
    model = name_of(made.credential.aaguid) if made.credential.aaguid else None
    default = "passkey" if state.kind is Kind.PASSKEY else "security key"
    name = naming.fresh_method_name(
        account, state.name or (model or default)[: names.NAME_LENGTH], chosen=state.name is not None
    )
    use = Use(item=state.method, at=now, counter=made.counter or None, backed_up=made.backed_up)
    if state.kind is Kind.PASSKEY:
        where = naming.known_device(account, state.device or THIS_COMPUTER)
        return Passkey(id=state.method, name=name, device=where, added_at=now, credential=made.credential), use
    own = naming.fresh_device_name(account, name) if state.device is None else naming.known_device(account, state.device)
    key = SecurityKey(
        id=state.method,
        name=name,
        device=own,
        added_at=now,
        credential=made.credential,
        user_verified=made.user_verified,
    )
    return key, use
