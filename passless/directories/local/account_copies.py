"""One account in one encrypted file: out of a store, and into another.

How it is sealed stands in `passphrase_files` and `age_files`. Inside, the secrets of authenticator apps stand in plain, for the
other store has another vault: to whoever made it, a copy is as good as the apps and the password in it. These come along only
where two factors were proven (docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import kept_names
from passless.actions.accounts import check_address_is_free, check_no_ones_address, check_not_kept
from passless.actions.parts import Access, Parts
from passless.actions.who import Who
from passless.directories.local.copy_checks import Inside, check_whole
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.vault_care import NO_SEAL, TRIES, bound_to, sealed_methods, with_seals
from passless.domain.account import MAXIMUM_METHODS, Account, AccountId
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AccountName
from passless.domain.methods import MethodId, Password, SignInMethod, Strength, Totp, credential_of, kind_of
from passless.domain.names import clean_account, printable
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.proof_rules import is_bound
from passless.domain.safety.proofs import counted_proofs, covered, is_vouched_for, proof_ids, strongest_way_in
from passless.domain.safety.ways_in import WayIn, can_recover, can_sign_in, replace_methods, signs_in, ways_in, ways_in_of
from passless.domain.sealed import Sealed
from passless.domain.use_state import Use
from passless.ports import VersionMoved, Write

Seal = Callable[[bytes], bytes]


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
    note_export(parts, who, left_out, now)
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
        NameTaken: its name is kept for another account or is its address, or the other way round.
    """
    now = parts.now()
    inside = replace(inside, account=_portable(inside.account))
    check_whole(inside, now)
    called = clean_account(name or inside.account.name)
    check_not_kept(parts, called, is_given=True)
    check_no_ones_address(parts, called)
    left_out = tuple(_left_out(parts, inside))
    account, ended = inside.account, parts.store.ended([code.id for code in inside.account.recovery_codes])
    account = replace(
        replace_methods(account, account.methods),
        id=AccountId(parts.new_id()),
        name=AccountName(called),
        address_names=account.addresses if parts.access is Access.OWNER else (),
        created_at=account.created_at if account.finished else now,  # its day to be finished in begins here
        app_passwords=(),
        recovery_codes=tuple(code for code in account.recovery_codes if code.id not in ended),
    )
    for address in account.address_names:
        check_address_is_free(parts, address)
    if not can_sign_in(account, parts.rules, now):
        how = ", with the recovery code or as operator" if can_recover(account, parts.rules, now) else " --as-operator"
        left_out = (*left_out, f"nothing signs in here yet: passless recover start{how}")
    return Imported(account=account, left_out=left_out, exported_at=inside.exported_at)


def _left_out(parts: Parts, inside: Inside) -> Iterator[str]:
    """Say what cannot come along, and why."""
    account, rp_id = inside.account, parts.rules.rp_id
    for name in inside.left_out[:MAXIMUM_METHODS]:
        yield f'"{printable(name)}": its secret is copied only with two factors proven, and the account had one: add it again'
    for one in account.app_passwords:
        yield f'the app password "{printable(one.name)}": make it again'
    for method in account.methods:
        credential = credential_of(method)
        if credential is not None and rp_id is not None and credential.rp_id != rp_id:
            yield f'"{method.name}" signs in only where it was added: add it again here'
    if parts.store.ended([code.id for code in account.recovery_codes]):
        yield "the recovery code: it ended in this store: make another one: passless recovery-code new"


def keep(parts: Parts, ready: Imported, inside: Inside, *, place: str) -> None:
    """Seal the secrets under this store's vault and keep the account, in one transaction.

    Raises:
        NameTaken, CredentialTaken: another account here has its name or one of its keys.
    """
    account = ready.account

    def sealed(method: Totp) -> Sealed:
        return parts.vault.seal(inside.secrets[method.id], bound_to=bound_to(account, method))

    from passless.credentials.totp import step_at

    now = parts.now()
    step = step_at(now)  # whatever an app showed up to now may have been used, here or where the copy was made
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
    uses = tuple(Use(item=method, at=now, totp_step=step) for method in inside.secrets)
    taken = kept_names.taken(parts, account.id, (account.name, *account.address_names), now)
    parts.store.commit(Write(at=now, account=with_seals(account, sealed), uses=uses, events=(entry,), puts=taken))
    follow_key(parts, account.id, lambda method: sealed(method) if method.id in inside.secrets else method.seed)


def follow_key(parts: Parts, account_id: AccountId, sealed: Callable[[Totp], Sealed]) -> None:
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
    """Return what of an account makes sense elsewhere: no passes, nothing that waits, no reports, no rights over others."""
    without = replace(account, temporary_pass=None, pending=(), losses=())
    return replace(without, groups=(), operator=None, approval=None, invited_by=(), helped=None)


def note_export(parts: Parts, who: Who, left_out: tuple[SignInMethod, ...], now: datetime) -> None:
    """Record that the account was copied, and tell the person."""
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
