"""One account in one encrypted file: out of a store, and into another.

The passphrase becomes a key by Argon2id as for copies of vault keys; the account is sealed under it with AES-256-GCM, bound to
everything else in the file. Inside, the secrets of authenticator apps stand in plain, for the other store has another vault.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Parts
from passless.actions.who import Who
from passless.directories.local.vault_care import bound_to, with_seals
from passless.domain.account import MAXIMUM_METHODS, SCHEMA, Account, AccountId
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.changes import AccountName
from passless.domain.errors import WrongUse
from passless.domain.methods import MethodId, Password, Totp, credential_of
from passless.domain.names import BadName, clean
from passless.domain.recovery import Reporter
from passless.domain.refused import Refused
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.proofs import counted_proofs, covered, strongest_way_in
from passless.domain.safety.ways_in import can_sign_in
from passless.domain.sealed import KeyId, Sealed
from passless.domain.secret import Secret
from passless.ports import Entropy, Write
from passless.vault.copies import (
    ARGON2_LANES,
    ARGON2_MEMORY,
    ARGON2_PASSES,
    MOST_LANES,
    MOST_MEMORY,
    MOST_PASSES,
    SALT_LENGTH,
    _Argon2id,
    _passphrase_key,
)
from passless.vault.errors import WrongPassphrase
from passless.vault.sealing import NONCE_LENGTH

LARGEST = 4 * 1024 * 1024  # bytes; ours, far more than the largest account
HANDLE_LENGTH = 32  # bytes; as accounts are made
NO_SEAL = Sealed(key=KeyId(""), box=b"")


class AccountCopyDamaged(WrongUse):
    """The file is no copy of an account, or not a whole one."""

    code = "account-copy-damaged"
    hint = "use another copy, or make one where the account is: passless account export FILE"
    default = "this is no whole copy of an account"


class _Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be known to open a copy, and what the copy is bound to."""

    passless_account_copy: Literal[1]  # the version of this form
    derivation: _Argon2id
    cipher: Literal["aes-256-gcm"]
    nonce: bytes


class _Copy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opening: _Opening
    box: bytes
    checksum: bytes  # SHA-256 over the opening and the box: against damage, not against people


class Inside(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a copy holds: the account without seals, and what was sealed, by method."""

    account: Account
    secrets: dict[MethodId, bytes]
    store_id: str
    exported_at: datetime


class Imported(Struct, frozen=True, kw_only=True):
    """An account as it would be here, and what could not come along."""

    account: Account
    left_out: tuple[str, ...]
    exported_at: datetime


def export_account(parts: Parts, who: Who, passphrase: Secret) -> bytes:
    """Return a copy of the account that only the passphrase opens, as text.

    Raises:
        Refused: the proofs are weaker than the account's strongest way in, or it is somebody else's.
        VaultKeyMissing, …: a secret that belongs to it cannot be read.
    """
    now = parts.now()
    check_may_export(parts, who, now)
    account, secrets = who.account, {}
    for method in account.methods:
        if isinstance(method, Totp):
            secrets[method.id] = parts.vault.open(method.seed, bound_to=bound_to(account, method))
    bare = with_seals(_portable(account), lambda _: NO_SEAL)
    inside = Inside(account=bare, secrets=secrets, store_id=parts.store.id, exported_at=now)
    sealed = seal(msgspec.json.encode(inside), passphrase, parts.entropy)
    _note_export(parts, who, now)
    return sealed


def check_may_export(parts: Parts, who: Who, now: datetime) -> None:
    """Refuse unless the person proved as much as their strongest way in: a copy holds everything."""
    have = covered(who.account, counted_proofs(who.context(now)), parts.rules, now)
    if who.reporter is not Reporter.SELF:
        raise Refused(
            [_problem("operator-may-not", "an operator cannot copy somebody's account", "the person does it, signed in")]
        )
    if have < strongest_way_in(who.account, parts.rules, now) or not have:
        raise Refused(
            [_problem("weak-proof", "this needs proofs as strong as your strongest way in", "prove it again: passless sign-in")]
        )


def open_copy(blob: bytes, passphrase: Secret) -> Inside:
    """Return what a copy holds.

    Raises:
        AccountCopyDamaged: this is no copy, or not a whole one.
        WrongPassphrase: the passphrase does not open it, or somebody changed it on purpose.
    """
    try:
        return msgspec.json.decode(unseal(blob, passphrase), type=Inside)
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
    left_out = [f'the app password "{one.name}": make it again' for one in account.app_passwords]
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


def seal(content: bytes, passphrase: Secret, entropy: Entropy) -> bytes:
    """Return content that only the passphrase opens, as text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = entropy(SALT_LENGTH)
    derivation = _Argon2id(salt=salt, passes=ARGON2_PASSES, lanes=ARGON2_LANES, memory_kib=ARGON2_MEMORY)
    opening = _Opening(passless_account_copy=1, derivation=derivation, cipher="aes-256-gcm", nonce=entropy(NONCE_LENGTH))
    box = AESGCM(_passphrase_key(passphrase, derivation)).encrypt(opening.nonce, content, msgspec.json.encode(opening))
    copy = _Copy(opening=opening, box=box, checksum=_checksum(opening, box))
    return msgspec.json.format(msgspec.json.encode(copy), indent=2) + b"\n"


def unseal(blob: bytes, passphrase: Secret) -> bytes:
    """Return what `seal` was given."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    copy = _whole(blob)
    cipher = AESGCM(_passphrase_key(passphrase, copy.opening.derivation))
    try:
        return cipher.decrypt(copy.opening.nonce, copy.box, msgspec.json.encode(copy.opening))
    except InvalidTag as error:
        raise WrongPassphrase(
            "the passphrase does not open this copy of an account", hint="type the passphrase that was chosen when it was made"
        ) from error


def _whole(blob: bytes) -> _Copy:
    if len(blob) > LARGEST:
        raise AccountCopyDamaged("this file is too large to be a copy of an account")
    try:
        copy = msgspec.json.decode(blob, type=_Copy)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AccountCopyDamaged from error
    if not hmac.compare_digest(copy.checksum, _checksum(copy.opening, copy.box)):
        raise AccountCopyDamaged("this copy of an account is damaged")
    one = copy.opening.derivation
    is_affordable = (
        1 <= one.passes <= MOST_PASSES
        and 1 <= one.lanes <= MOST_LANES
        and 8 * one.lanes <= one.memory_kib <= MOST_MEMORY  # RFC 9106 §3.1: at least 8 KiB a lane
    )
    if not is_affordable or len(one.salt) != SALT_LENGTH or len(copy.opening.nonce) != NONCE_LENGTH:
        raise AccountCopyDamaged("this copy of an account asks for parameters that are not accepted")
    return copy


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


def _note_export(parts: Parts, who: Who, now: datetime) -> None:
    account = who.account
    entry = AuditEntry(
        at=now,
        actor=who.name,
        event="export-account",
        outcome=Outcome.DONE,
        account_id=account.id,
        account=account.name,
        place=who.place,
    )
    told = Notice(
        id=parts.new_id(), account_id=account.id, at=now, code="export-account", message="the account was copied to a file"
    )
    parts.store.commit(Write(at=now, notices=(told,), events=(entry,)))


def _problem(code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, message=message, hint=hint, severity=Severity.REFUSAL)


def _checksum(opening: _Opening, box: bytes) -> bytes:
    return hashlib.sha256(msgspec.json.encode(opening) + box).digest()
