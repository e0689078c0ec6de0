"""A small world: a few abstract methods on a few devices, and times in two buckets, old and young.

The accounts are real ones and so are the rules; only names and times are brought to one form, so that two accounts that the
rules cannot tell apart are the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account, AccountId
from passless.domain.changes import AccountName
from passless.domain.methods import (
    MAILBOX,
    MEMORY,
    PHONE,
    Credential,
    DeviceName,
    Email,
    MethodId,
    Passkey,
    Password,
    Phone,
    RpId,
    SecurityKey,
    SignInMethod,
    Strength,
    Totp,
)
from passless.domain.recovery import Loss, Recovery, RecoveryCode
from passless.domain.safety.context import Rules
from passless.domain.sealed import KeyId, Sealed

RULES = Rules()
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_BEFORE = NOW - 500 * DAY  # old, and older than an old recovery
OLD = NOW - 400 * DAY
RECENTLY = NOW - 2 * DAY  # young, and older than a young recovery
UNTIL = NOW + RULES.wait
AFTER_THE_WAIT = NOW + RULES.wait + DAY

LAPTOP = DeviceName("laptop")
KEY = DeviceName("key")
SPARE = DeviceName("spare")


class Slot(Struct, frozen=True):
    """A method the account may get: its kind's short word and the device it lives on."""

    kind: str
    device: DeviceName

    @property
    def id(self) -> MethodId:
        """One method of a kind a device."""
        return MethodId(f"{self.kind}@{self.device}")


def small_alphabet() -> tuple[Slot, ...]:
    """Every kind that matters, on two devices and a mailbox."""
    return (Slot("totp", PHONE), Slot("sms", PHONE), Slot("key", KEY), Slot("key-uv", KEY), Slot("mail", MAILBOX))


def large_alphabet() -> tuple[Slot, ...]:
    """Every kind that matters, on three devices and a mailbox."""
    return (*small_alphabet(), Slot("passkey", PHONE), Slot("totp", LAPTOP), Slot("passkey", LAPTOP), Slot("key", LAPTOP))


def a_method(slot: Slot, *, owner: str = "", added_at: datetime = NOW) -> SignInMethod:
    """Make the method of a slot."""
    method_id = MethodId(f"{owner}{slot.id}")
    fields = {"id": method_id, "name": slot.kind, "device": DeviceName(f"{owner}{slot.device}"), "added_at": added_at}
    credential = Credential(id=method_id.encode(), public_key=b"", rp_id=RpId("search"))
    match slot.kind:
        case "totp":
            return Totp(seed=Sealed(key=KeyId("k"), box=b""), **fields)
        case "sms":
            return Phone(number="", **fields)
        case "mail":
            return Email(address="", **fields)
        case "key":
            return SecurityKey(credential=credential, user_verified=False, **fields)
        case "key-uv":
            return SecurityKey(credential=credential, user_verified=True, **fields)
        case "passkey":
            return Passkey(credential=credential, **fields)
        case _:
            raise ValueError(slot.kind)


def a_password(owner: str = "", *, added_at: datetime = NOW) -> Password:
    """Make a password that is long enough to stand alone."""
    return Password(
        id=MethodId(f"{owner}password"), name="password", device=MEMORY, added_at=added_at, hash="", stands_alone=True
    )


def a_code(code_id: str, *, created_at: datetime = NOW, saved: bool = False) -> RecoveryCode:
    """Make a recovery code."""
    return RecoveryCode(id=code_id, hash="", created_at=created_at, created_with=Strength.ONE_FACTOR, saved=saved)


def an_account(*methods: SignInMethod, made: datetime, **more: object) -> Account:
    """Make an account."""
    return Account(id=AccountId("a"), name=AccountName("a"), created_at=made, user_handle=b"", methods=methods, **more)


def canonical(account: Account) -> Account:
    """Return the account in the one form that all accounts the rules treat alike share."""
    since = account.recovery.started_at if account.recovery is not None else None
    young = _is_young(account.created_at)
    return replace(
        account,
        created_at=RECENTLY if young else OLD,
        default_method=None,
        methods=tuple(sorted((_method(one, young=young) for one in account.methods), key=_id)),
        recovery_codes=_codes(account, since, young=young),
        losses=tuple(sorted((_loss(one, young=young) for one in account.losses), key=_id)),
        recovery=_recovery(account.recovery),
    )


def _id(one: SignInMethod | Loss) -> str:
    return one.id


def _codes(account: Account, since: datetime | None, *, young: bool) -> tuple[RecoveryCode, ...]:
    """Codes are told apart by what they do, not by their names (but whose they are, which the name begins with, stays)."""
    found = sorted((_code(one, since, young=young) for one in account.recovery_codes), key=_code_key)
    return tuple(replace(one, id=f"{_owner(one.id)}{number}") for number, one in enumerate(found))


def _code_key(code: RecoveryCode) -> tuple[str, bool, datetime, bool, bool]:
    return _owner(code.id), code.saved, code.created_at, code.valid_until is None, code.alone_until is None


def _owner(code_id: str) -> str:
    return code_id.rstrip("0123456789")


def _is_young(moment: datetime) -> bool:
    return NOW - moment <= RULES.wait


def _method(method: SignInMethod, *, young: bool) -> SignInMethod:
    """Where the account itself is young, and once a method is old, nothing asks any more how it was added."""
    if isinstance(method, Password) and "new-" in method.id:
        method = replace(method, id=MethodId(method.id.replace("new-", "")))
    if not _is_young(method.added_at):
        return replace(method, added_at=OLD, added_with=Strength.ONE_FACTOR)
    two = method.added_with is Strength.TWO_FACTORS and not young
    return replace(method, added_at=RECENTLY, added_with=Strength.TWO_FACTORS if two else Strength.ONE_FACTOR)


def _stamp(moment: datetime, since: datetime | None) -> datetime:
    """Old or young; and where a recovery is under way, before or since it began."""
    if since is None or moment < since:
        return RECENTLY if _is_young(moment) else LONG_BEFORE
    return NOW if _is_young(moment) else OLD


def _code(code: RecoveryCode, since: datetime | None, *, young: bool) -> RecoveryCode:
    two = code.created_with is Strength.TWO_FACTORS and not code.saved and not young
    return replace(
        code,
        created_at=_stamp(code.created_at, since),
        created_with=Strength.TWO_FACTORS if two else Strength.ONE_FACTOR,
        valid_until=None if code.valid_until is None else UNTIL,
        alone_until=None if code.alone_until is None else UNTIL,
    )


def _lost(method_id: str) -> MethodId:
    """A password has no slot: a lost one must not be mistaken for the one that was set after it."""
    return MethodId("lost-" + method_id.removeprefix("lost-"))


def _loss(loss: Loss, *, young: bool) -> Loss:
    lost = (replace(one, id=_lost(one.id)) if isinstance(one, Password) else one for one in loss.methods)
    methods = tuple(sorted((_method(one, young=young) for one in lost), key=_id))
    return replace(loss, id=loss.what + "".join(one.id for one in methods), methods=methods, reported_at=NOW, until=UNTIL)


def _recovery(recovery: Recovery | None) -> Recovery | None:
    if recovery is None or not recovery.holds(NOW):
        return None
    return replace(
        recovery,
        started_at=NOW - DAY if _is_young(recovery.started_at) else OLD - 50 * DAY,
        enrolled=tuple(sorted(set(recovery.enrolled))),
        lost=tuple(sorted(set(recovery.lost))),
        finished_at=None if recovery.finished_at is None else NOW,
    )


def aged(account: Account) -> Account:
    """Return the account with everything on it older than the wait."""
    since = account.recovery.started_at if account.recovery is not None else None
    return replace(
        account,
        created_at=OLD,
        methods=tuple(replace(one, added_at=OLD) for one in account.methods),
        recovery_codes=tuple(
            replace(one, created_at=LONG_BEFORE if since is None or one.created_at < since else OLD)
            for one in account.recovery_codes
        ),
        recovery=None if account.recovery is None else replace(account.recovery, started_at=OLD - 50 * DAY),
    )


def free_slots(account: Account, alphabet: tuple[Slot, ...], *, methods: int, devices: int) -> Iterator[Slot]:
    """Return the slots that may still be filled, within so many methods and devices."""
    if len(account.methods) >= methods:
        return
    taken = {one.id for one in account.methods} | {one.id for loss in account.losses for one in loss.methods}
    there = set(account.devices)
    for slot in alphabet:
        if slot.id not in taken and (slot.device in there or len(there) < devices):
            yield slot
