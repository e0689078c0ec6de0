"""Erasing a key: only within ten seconds of plugging it in, and with a touch (CTAP 2.1 §6.6)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TypeVar

import fido2.hid
from fido2.ctap import STATUS, CtapError

from passless.devices.errors import KeyCannot, NotReplugged, ResetTooLate
from passless.devices.lines import Line, close_all, key_id, open_lines
from passless.devices.reader import KeyPrompts, KeyState
from passless.devices.refusals import explaining
from passless.devices.states import state_of

REPLUG_LIMIT = 60.0  # seconds to pull the key out, and again to put it back
LOOK_EVERY = 0.2  # seconds; of the ten that the key allows

Seconds = Callable[[], float]
Wait = Callable[[float], None]
_T = TypeVar("_T")


def reset(line: Line, prompts: KeyPrompts, *, clock: Seconds, wait: Wait) -> KeyState:
    """Have the key pulled out, put back and touched, and erase it; see `KeyReader.reset`."""
    before = _identity(line)
    if line.transport != "usb":
        raise KeyCannot(f'"{line.name}" can only be erased over USB')
    line.close()
    prompts.unplug(line.name)
    others = _until(lambda: _without(line.id), clock, wait, NotReplugged(f'"{line.name}" was not pulled out in time'))
    prompts.plug_in(line.name)
    # Another key that happens to be plugged in now must not be erased in its place.
    fresh = _until(
        lambda: _open_new(others, before), clock, wait, NotReplugged(f'"{line.name}" was not plugged in again in time')
    )
    try:
        with explaining(fresh.name):
            _erase(fresh, prompts)
            return state_of(fresh)
    finally:
        fresh.close()


def _erase(line: Line, prompts: KeyPrompts) -> None:
    def on_keepalive(status: int) -> None:
        if status == STATUS.UPNEEDED:
            prompts.touch(line.name)

    try:
        line.ctap2().reset(event=Event(), on_keepalive=on_keepalive)
    except CtapError as error:
        if error.code == CtapError.ERR.NOT_ALLOWED:
            raise ResetTooLate(f'"{line.name}" was plugged in too long ago to be erased') from error
        raise


def _until(look: Callable[[], _T | None], clock: Seconds, wait: Wait, otherwise: NotReplugged) -> _T:
    began = clock()
    while True:
        if (seen := look()) is not None:
            return seen
        if clock() - began > REPLUG_LIMIT:
            raise otherwise
        wait(LOOK_EVERY)


def _without(gone: str) -> frozenset[str] | None:
    """Return what is plugged in once the key is not; None until then."""
    present = _present()
    return None if gone in present else present


def _present() -> frozenset[str]:
    return frozenset(key_id(one) for one in fido2.hid.list_descriptors())  # type: ignore[no-untyped-call]


def _open_new(others: frozenset[str], before: tuple[str | None, ...]) -> Line | None:
    """Open the key that came back; None until it did."""
    if _present() <= others:
        return None
    lines = open_lines()
    back = [line for line in lines if line.id not in others and _identity(line) == before]
    close_all([line for line in lines if line not in back[:1]])
    return back[0] if back else None


def _identity(line: Line) -> tuple[str | None, ...]:
    with explaining(line.name):
        return (line.name.removesuffix(f" ({line.id})"), line.serial, str(line.ctap2().info.aaguid))
