"""What would be left after a loss: the same value a reported loss would make, never saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import combinations

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.changes import LoseDevice, LoseMethods
from passless.domain.methods import DeviceName, MethodId, Password
from passless.domain.safety.context import Rules
from passless.domain.safety.ways_in import WayIn, can_recover, can_sign_in, ways_in


class Lost(Struct, frozen=True):
    """A thing that may be lost: a device or one method."""

    device: DeviceName | None = None
    method: MethodId | None = None

    def __str__(self) -> str:
        return f"device:{self.device}" if self.device is not None else f"method:{self.method}"


class Loss(Struct, frozen=True, kw_only=True):
    """What is left after losing something. `survives`: a way in remains, or a recovery the person can do alone."""

    lost: tuple[Lost, ...]
    survives: bool
    ways_in: tuple[WayIn, ...]
    recovery_code_helps: bool


def after_losing(account: Account, lost: Sequence[Lost], now: datetime) -> Account:
    """Return the account as it would be; a lost password is a forgotten one."""
    after = account
    for one in lost:
        if one.device is not None:
            after = apply(after, LoseDevice(id="what-if", device=one.device, until=now), now=now)
        elif one.method is not None:
            after = apply(after, LoseMethods(id="what-if", ids=(one.method,), until=now), now=now)
    return replace(after, losses=account.losses)


def lose(account: Account, lost: Sequence[Lost], rules: Rules, now: datetime) -> Loss:
    """Work out one loss of any number of things."""
    after = after_losing(account, lost, now)
    recovers = can_recover(after, rules, now)
    return Loss(
        lost=tuple(lost),
        survives=recovers or can_sign_in(after, rules, now),
        ways_in=ways_in(after, rules, now),
        recovery_code_helps=recovers,
    )


def losable(account: Account) -> tuple[Lost, ...]:
    """Return what can be lost: every device, and the password, which can be forgotten."""
    devices = tuple(Lost(device=device) for device in account.devices)
    return devices + tuple(Lost(method=method.id) for method in account.methods if isinstance(method, Password))


def every_loss(account: Account, rules: Rules, now: datetime, *, at_once: int = 1) -> Iterator[Loss]:
    """Work out the loss of every so many things at once: one, or any two."""
    for lost in combinations(losable(account), at_once):
        yield lose(account, lost, rules, now)
