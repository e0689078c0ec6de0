"""One account in one encrypted file: out of a store, and into another.

How it is sealed stands in `passphrase_files` and `age_files`. Inside, the secrets of authenticator apps stand in plain, for the
other store has another vault: to whoever made it, a copy is as good as the apps and the password in it. These come along only
where two factors were proven (docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.vault_care import TRIES, bound_to, sealed_methods, with_seals
from passless.domain.account import MAXIMUM_METHODS, SCHEMA, Account, AccountId
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AccountName
from passless.domain.methods import MethodId, Password, SignInMethod, Strength, Totp, credential_of, kind_of
from passless.domain.names import BadName, clean, printable
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.proof_rules import is_bound
from passless.domain.safety.proofs import counted_proofs, covered, is_vouched_for, proof_ids, strongest_way_in
from passless.domain.safety.ways_in import WayIn, can_sign_in, replace_methods, signs_in, ways_in, ways_in_of
from passless.domain.sealed import KeyId, Sealed
from passless.ports import VersionMoved, Write

Seal = Callable[[bytes], bytes]

HANDLE_LENGTH = 32  # bytes; as accounts are made
NO_SEAL = Sealed(key=KeyId(""), box=b"")


class Inside(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a copy holds: the account without seals, and what was sealed, by method."""

    account: Account
    secrets: dict[MethodId, bytes]
    store_id: str
    exported_at: datetime
    left_out: tuple[str, ...] = ()  # names of methods that did not come along, because the account has only one factor


class Imported(Struct, frozen=True, kw_only=True):
    """An account as it would be here, and what could not come along."""

    account: Account
    left_out: tuple[str, ...]
    exported_at: datetime


def export_account(parts: Parts, who: Who, seal: Seal) -> bytes:
    """Return a copy of the account, sealed.

    Raises:
        Refused: the proofs are too weak, rule 10 binds who asks, or it is somebody else's.
        VaultKeyMissing, …: a secret that belongs to it cannot be read.
    """
    now = parts.now()
    left_out = check_may_export(parts, who, now)
    account, secrets = _without(who.account, left_out), {}
    for method in account.methods:
        if isinstance(method, Totp):
            secrets[method.id] = parts.vault.open(method.seed, bound_to=bound_to(account, method))
    bare = with_seals(_portable(account), lambda _: NO_SEAL)
    names = tuple(method.name for method in left_out)
    inside = Inside(account=bare, secrets=secrets, store_id=parts.store.id, exported_at=now, left_out=names)
    sealed = seal(msgspec.json.encode(inside))
    _note_export(parts, who, left_out, now)
    return sealed


def check_may_export(parts: Parts, who: Who, now: datetime) -> tuple[SignInMethod, ...]:
    """Refuse unless the person proved as much as a copy would give them; return the methods that it must leave out.

    The seed of an app and the hash of a password would hand a thief of one factor the second one. They take two factors, and
    where an account has only one, they stay behind.
    """
    problem = _problem_with(parts, who, now)
    if problem is not None:
        _note(parts, who, Outcome.REFUSED, now, {"problems": problem.code})
        raise Refused([problem])
    secret = tuple(method for method in who.account.methods if isinstance(method, Password | Totp))
    return () if _have(parts, who, now) is Strength.TWO_FACTORS else secret


def _problem_with(parts: Parts, who: Who, now: datetime) -> Problem | None:
    account, context = who.account, who.context(now)
    if who.reporter is not Reporter.SELF:
        return _problem("operator-may-not", "an operator cannot copy somebody's account", "the person does it, signed in")
    if is_bound(account, context):
        return _problem(
            "in-recovery",
            "after a recovery the account cannot be copied",
            "sign in with a method from before the recovery, or wait until the day after it: passless recover status",
        )
    have = _have(parts, who, now)
    holds_secrets = any(isinstance(method, Password | Totp) for method in account.methods)
    pairs = _two_factors_of(parts, account, now) if holds_secrets else ()
    if have is Strength.TWO_FACTORS or (have and not pairs and have >= strongest_way_in(account, parts.rules, now)):
        return None
    return _problem(
        "weak-proof",
        "a copy holds the password and the secrets of apps: it needs two factors proven in the last 10 minutes"
        if pairs
        else "this needs proofs as strong as your strongest way in, from the last 10 minutes",
        _how_to_prove(account, pairs or ways_in(account, parts.rules, now), proof_ids(context)),
    )


def _have(parts: Parts, who: Who, now: datetime) -> Strength:
    return covered(who.account, counted_proofs(who.context(now)), parts.rules, now)


def _two_factors_of(parts: Parts, account: Account, now: datetime) -> tuple[WayIn, ...]:
    """Return the smallest sets of methods that are two factors now; none where the account has only one."""
    rules = parts.rules
    trusted = [one for one in account.methods if signs_in(one, rules, now) and is_vouched_for(one, account, rules, now)]
    return ways_in_of(trusted, two_step=True, among=account.methods)


def _how_to_prove(account: Account, ways: tuple[WayIn, ...], proven: frozenset[MethodId]) -> str:
    """Say what is missing on the shortest way, the one that needs the fewest further proofs."""
    missing = min((tuple(one for one in way if one not in proven) for way in ways), key=len, default=())
    kinds = [str(kind_of(method)) for method in account.methods if method.id in missing]
    if not kinds:
        return "prove it again: passless sign-in"
    first = "sign in with a second method first" if proven else "sign in first"
    return f"{first}: passless sign-in --with {', and again --with '.join(kinds)}"


def _without(account: Account, methods: tuple[SignInMethod, ...]) -> Account:
    return replace_methods(account, tuple(method for method in account.methods if method not in methods))


def read_copy(content: bytes) -> Inside:
    """Return the account of a copy that was unsealed; `AccountCopyDamaged` where it is none."""
    try:
        return msgspec.json.decode(content, type=Inside)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AccountCopyDamaged("the account in this copy cannot be read by this version of passless") from error


def prepare(parts: Parts, inside: Inside, name: str | None) -> Imported:
    """Work out the account as it would be in this store; nothing is kept, and nothing is sealed.

    Raises:
        AccountCopyDamaged, BadName: it cannot be an account here.
    """
    now = parts.now()
    _check(inside, now)
    account = replace(
        inside.account,
        id=AccountId(parts.new_id()),
        name=AccountName(clean(name or inside.account.name, what="account name")),
    )
    left_out = [
        f'"{printable(name)}": its secret is copied only with two factors proven, and the account had one: add it again'
        for name in inside.left_out[:MAXIMUM_METHODS]
    ]
    left_out += [f'the app password "{one.name}": make it again' for one in account.app_passwords]
    account = replace(account, app_passwords=())
    for method in account.methods:
        credential = credential_of(method)
        if credential is not None and parts.rules.rp_id is not None and credential.rp_id != parts.rules.rp_id:
            left_out.append(f'"{method.name}" signs in only where it was added: add it again here')
    if not can_sign_in(account, parts.rules, now):
        left_out.append("nothing signs in here yet: passless recover start, with the recovery code or as operator")
    return Imported(account=account, left_out=tuple(left_out), exported_at=inside.exported_at)


def keep(parts: Parts, ready: Imported, inside: Inside, *, place: str) -> None:
    """Seal the secrets under this store's vault and keep the account, in one transaction.

    Raises:
        NameTaken, CredentialTaken: another account here has its name or one of its keys.
    """
    account = ready.account

    def sealed(method: Totp) -> Sealed:
        return parts.vault.seal(inside.secrets[method.id], bound_to=bound_to(account, method))

    now = parts.now()
    entry = AuditEntry(
        at=now,
        actor="owner",
        event="import-account",
        outcome=Outcome.DONE,
        account_id=account.id,
        account=account.name,
        place=place,
        details={"from_store": inside.store_id, "exported_at": inside.exported_at.isoformat()},
    )
    parts.store.commit(Write(at=now, account=with_seals(account, sealed), events=(entry,)))
    _follow_key(parts, account.id, lambda method: sealed(method) if method.id in inside.secrets else method.seed)


def _follow_key(parts: Parts, account_id: AccountId, sealed: Callable[[Totp], Sealed]) -> None:
    """Seal once more where the vault key was replaced between the sealing and the keeping, and may be forgotten by now."""
    for _ in range(TRIES):
        parts.vault.reload()
        key, stored = parts.vault.key_id(), parts.store.read(account_id)
        if all(method.seed.key == key for method in sealed_methods(stored.account)):
            return
        with suppress(VersionMoved):
            after = with_seals(stored.account, sealed)
            parts.store.commit(Write(at=parts.now(), account=after, expected=stored.version))
    raise VersionMoved


def _portable(account: Account) -> Account:
    """Return what of an account makes sense elsewhere: no passes, nothing that waits, no reports."""
    return replace(account, temporary_pass=None, pending=(), losses=())


def _check(inside: Inside, now: datetime) -> None:
    account = inside.account
    ids = [method.id for method in account.methods]
    sealed = {method.id for method in account.methods if isinstance(method, Totp)}
    passwords = sum(isinstance(method, Password) for method in account.methods)
    is_whole = (
        account.schema <= SCHEMA
        and len(account.user_handle) == HANDLE_LENGTH
        and len(set(ids)) == len(ids) <= MAXIMUM_METHODS
        and passwords <= 1
        and sealed == set(inside.secrets)
        and all(moment.tzinfo is not None for moment in (account.created_at, inside.exported_at))
        and account.created_at <= now
    )
    if not is_whole:
        raise AccountCopyDamaged("the account in this copy is not one that can be here")
    try:
        for method in account.methods:
            clean(method.name, what="name of a method")
            clean(method.device, what="device name")
        if account.display_name:
            clean(account.display_name, what="display name")
    except BadName as error:
        raise AccountCopyDamaged(f"in this copy, {error.message}") from error


def _note_export(parts: Parts, who: Who, left_out: tuple[SignInMethod, ...], now: datetime) -> None:
    names = ", ".join(f'"{method.name}"' for method in left_out)
    without = f" without {names}: add a second method first, and copy it again" if names else ""
    told = Notice(
        id=parts.new_id(),
        account_id=who.account.id,
        at=now,
        code="export-account",
        message=f"the account was copied to a file{without}",
    )
    _note(parts, who, Outcome.DONE, now, {"left_out": names} if names else {}, told)


def _note(parts: Parts, who: Who, outcome: Outcome, now: datetime, details: dict[str, str], *told: Notice) -> None:
    """Record that the account was copied, or that it was refused."""
    account = who.account
    entry = AuditEntry(
        at=now,
        actor=who.name,
        event="export-account",
        outcome=outcome,
        account_id=account.id,
        account=account.name,
        place=who.place,
        details=details | ({"reason": who.reason} if who.reason else {}),
    )
    parts.store.commit(Write(at=now, notices=told, events=(entry,)))


def _problem(code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, message=message, hint=hint, severity=Severity.REFUSAL)
