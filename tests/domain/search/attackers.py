"""What a thief of one thing reaches before the wait is over, on every kind of old account."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import combinations

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.changes import (
    AddMethod,
    Change,
    LoseDevice,
    LoseMethods,
    RemoveMethod,
    ReplacePassword,
    TurnPasswordlessOn,
    TurnTwoStepOn,
)
from passless.domain.methods import PHONE, DeviceName, MethodId, Strength
from passless.domain.safety.proofs import counted_proofs, covered
from passless.domain.safety.ways_in import can_sign_in, fatal_devices, recovery_methods, ways_in
from passless.domain.sessions import SessionKind
from tests.domain.search import moves
from tests.domain.search.model import KEY, NOW, OLD, RULES, UNTIL, Slot, a_code, a_method, a_password, an_account, canonical
from tests.domain.search.moves import Limits, Move
from tests.domain.search.sides import Side, attacks, restores, starts_recovery, takes_back, try_all

THIEF, OWNER = "thief-", "owner-"
THIEFS = (Slot("totp", PHONE), Slot("key-uv", KEY))
PHONE_HOLDS = ("totp@phone", "sms@phone", "passkey@phone")
ALPHABET = (
    Slot("totp", PHONE),
    Slot("sms", PHONE),
    Slot("key", KEY),
    Slot("key-uv", DeviceName("spare")),
    Slot("mail", DeviceName("mailbox")),
)


class Theft(Struct, frozen=True, kw_only=True):
    """A thief, what is left to the owner, and what the owner does first when they notice."""

    what: str
    thief: Side
    owner: Side
    answer: Change | None = None


class Reach(Struct, kw_only=True):
    """What a thief reaches before the wait is over."""

    states: int = 0
    signs_in: bool = False
    adds: bool = False
    removes: bool = False
    two_step: bool = False
    passwordless: bool = False
    locks_out: bool = False
    alone: bool = False
    path: tuple[Move, ...] = ()


def old_accounts(alphabet: tuple[Slot, ...] = ALPHABET) -> Iterator[Account]:
    """Every old, finished account that holds to rules 1, 2 and 4."""
    for password in (True, False):
        for number in range(len(alphabet) + 1):
            for slots in combinations(alphabet, number):
                methods = [a_method(slot, added_at=OLD) for slot in slots]
                if password:
                    methods.append(a_password(added_at=OLD))
                for two_step in (False, True):
                    for saved in (False, True):
                        codes = (a_code("code", created_at=OLD, saved=True),) if saved else ()
                        account = an_account(*methods, made=OLD, finished=True, two_step=two_step, recovery_codes=codes)
                        if is_sound(account):
                            yield canonical(account)


def is_sound(account: Account) -> bool:
    """Tell whether rules 1, 2 and 4 hold."""
    if not can_sign_in(account, RULES, NOW):
        return False
    if account.passwordless and fatal_devices(account, RULES, NOW):
        return False
    return not account.two_step or recovery_methods(account, RULES, NOW) >= 2


def thefts(account: Account) -> Iterator[Theft]:
    """Every theft of one thing from this account."""
    there = frozenset(one.id for one in account.methods) | frozenset({"code"} if account.recovery_codes else ())
    phone, number = there & set(PHONE_HOLDS), there & {"sms@phone"}
    if number:
        answer = LoseMethods(id="loss", ids=(MethodId("sms@phone"),), until=UNTIL)
        yield _theft("the phone's number", there, taken=number, gone=number, answer=answer)
    if phone:
        answer = LoseDevice(id="loss", device=PHONE, until=UNTIL)
        yield _theft("the phone", there, taken=phone | (there & {"mail@mailbox"}), gone=phone, answer=answer)
    if "key@key" in there:
        answer = LoseDevice(id="loss", device=KEY, until=UNTIL)
        yield _theft("a key without PIN", there, taken=frozenset({"key@key"}), gone=frozenset({"key@key"}), answer=answer)
    if "password" in there:
        answer = ReplacePassword(password=a_password(f"{OWNER}new-"))
        yield _theft("the password", there, taken=frozenset({"password"}), answer=answer)
    yield _theft("a stale session", there, session=True)
    proven = frozenset(ways_in(account, RULES, NOW)[0])
    yield _theft("a fresh session", there, session=True, proven=proven)
    yield _theft("a session by a device code", there, session=True, proven=proven, kind=SessionKind.DEVICE_CODE)


def _theft(
    what: str,
    there: frozenset[str],
    *,
    taken: frozenset[str] = frozenset(),
    gone: frozenset[str] = frozenset(),
    answer: Change | None = None,
    **more: object,
) -> Theft:
    thief = Side(name=THIEF, holds=taken, slots=THIEFS, **more)
    return Theft(what=what, thief=thief, owner=Side(name=OWNER, holds=there - gone), answer=answer)


def noticed(account: Account, theft: Theft) -> Account | None:
    """Return the account after the owner's first answer; None where they cannot get in to give it.

    They end the sessions, and report the device or replace the password; with a recovery code where nothing else is left.
    """
    if theft.answer is None:
        return account
    starts = [account, *(move.after for move in starts_recovery(account, theft.owner))]
    for start in starts:
        for move in try_all(start, theft.owner, (theft.answer,)):
            return move.after
    return None


def is_one_factor(account: Account, thief: Side) -> bool:
    """Tell whether what the thief proves covers less than two factors."""
    context = moves.context(thief.proofs(account), session=thief.kind)
    return covered(account, counted_proofs(context), RULES, NOW) < Strength.TWO_FACTORS


def reach(account: Account, theft: Theft, *, reacts: bool = False) -> Reach | None:
    """Follow everything a thief can do until nothing new is reached.

    Where the owner reacts, they answer first and take every report back that they can, whenever they can.
    """
    thief, owner = theft.thief, theft.owner
    start = noticed(account, theft) if reacts else account
    if reacts:
        thief = replace(thief, session=False, proven=frozenset())
    if start is None:
        return None
    limits = Limits(alphabet=thief.slots, methods=len(account.methods) + 2, devices=9, losses=1 + len(start.losses))
    found = Reach()
    came: dict[Account, tuple[Account, Move] | None] = {start: None}
    queue = deque([start])
    while queue:
        now = queue.popleft()
        _look(now, thief, owner, found, came)
        following = list(attacks(now, thief, limits))
        for move in following:
            _note(now, move, found)
        if reacts:
            following += takes_back(now, owner)
        for move in following:
            if move.after not in came:
                came[move.after] = (now, move)
                queue.append(move.after)
    return found


def _look(now: Account, thief: Side, owner: Side, found: Reach, came: dict[Account, tuple[Account, Move] | None]) -> None:
    found.states += 1
    found.signs_in |= thief.signs_in(now)
    if owner.gets_in(now):
        return
    found.locks_out = True
    if thief.gets_in(now) and not found.alone and not restores(now, owner):
        found.alone, found.path = True, _path(came, now)


def _path(came: dict[Account, tuple[Account, Move] | None], end: Account) -> tuple[Move, ...]:
    steps: list[Move] = []
    step = came[end]
    while step is not None:
        steps.append(step[1])
        step = came[step[0]]
    return tuple(reversed(steps))


def _note(before: Account, move: Move, found: Reach) -> None:
    if move.plan is None:
        return
    change = move.plan.change
    found.adds |= isinstance(change, AddMethod)
    found.two_step |= isinstance(change, TurnTwoStepOn)
    found.passwordless |= isinstance(change, TurnPasswordlessOn)
    found.removes |= isinstance(change, RemoveMethod | ReplacePassword) and any(
        not one.id.startswith(THIEF) and before.method(one.id) is not None and move.after.method(one.id) is None
        for one in before.methods
    )
