"""What people call things: methods, devices, app passwords and sessions, by id or by a name that means one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from passless.domain import names
from passless.domain.account import Account
from passless.domain.app_passwords import AppPassword
from passless.domain.errors import NotFound, WrongUse
from passless.domain.methods import MAILBOX, PHONE, DeviceName, SignInMethod, kind_of


class NoSuchMethod(NotFound):
    """No sign-in method of that name."""

    code = "no-such-method"
    hint = "see what there is: passless method list"


class NoSuchDevice(NotFound):
    """No device of that name."""

    code = "no-such-device"
    hint = "see what there is: passless device list"


class NoSuchAppPassword(NotFound):
    """No app password of that name."""

    code = "no-such-app-password"
    hint = "see what there is: passless app-password list"


class NoSuchSession(NotFound):
    """No session of that id."""

    code = "no-such-session"
    hint = "see what there is: passless session list"


class NoSuchToken(NotFound):
    """No machine's token of that name."""

    code = "no-such-token"
    hint = "see what there is: passless token list"


class Nothing(NotFound):
    """There is nothing of the kind that was asked for."""

    code = "nothing-there"


class Ambiguous(WrongUse):
    """A name means more than one thing."""

    code = "ambiguous"


class NameInUse(WrongUse):
    """Something else on the account has that name."""

    code = "name-in-use"
    hint = "choose another name: --name NAME"


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


def one_of(things: Iterable[_T], words: str, missing: type[NotFound], what: str) -> _T:
    """Return the one thing that an id or a name means.

    Raises:
        NotFound: of the given class, where nothing is meant.
        Ambiguous: more than one is meant; the ids are named.
    """
    everything = list(things)
    by_id = [one for one in everything if one.id == words]
    found = by_id or [one for one in everything if names.are_same(one.name, words)]
    if not found:
        raise missing(f'there is no {what} "{names.printable(words)}"')
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise Ambiguous(f'"{names.printable(words)}" means more than one {what}', hint=f"use an id: {ids}")
    return found[0]


def method(account: Account, words: str) -> SignInMethod:
    """Return a method by id, name, or by its kind where there is one of it; `method:` may stand before it."""
    wanted = words.removeprefix("method:")
    by_kind = [one for one in account.methods if kind_of(one) == wanted]
    named = [one for one in account.methods if one.id == wanted or names.are_same(one.name, wanted)]
    if not named and len(by_kind) == 1:
        return by_kind[0]
    return one_of(account.methods, wanted, NoSuchMethod, "sign-in method")


def device(account: Account, words: str) -> DeviceName:
    """Return a device by its name; `device:` may stand before it."""
    wanted = words.removeprefix("device:")
    known = (*account.devices, *(one.device for one in account.app_passwords if one.device is not None))
    for name in known:
        if names.are_same(name, wanted):
            return name
    raise NoSuchDevice(f'there is no device "{names.printable(wanted)}"', hint=_near(wanted, known))


def _near(words: str, known: Iterable[str]) -> str | None:
    """Return a hint that names what was hardly missed, if anything was."""
    from difflib import get_close_matches

    spelled = {one.casefold(): one for one in known}
    near = [f'"{names.printable(spelled[one])}"' for one in get_close_matches(words.casefold(), spelled, n=2)]
    return f"did you mean {' or '.join(near)}? {NoSuchDevice.hint}" if near else None


def known_device(account: Account, words: str) -> DeviceName:
    """Return the device that a method is put on: the one that is there already, however it is spelled, or a new name."""
    name = names.clean(words, what="device name")
    programs = (one.device for one in account.app_passwords if one.device is not None)
    known = (*account.devices, *programs, PHONE, MAILBOX)
    return next((one for one in known if names.are_same(one, name)), DeviceName(name))


def app_password(account: Account, words: str) -> AppPassword:
    """Return an app password by id or name."""
    return one_of(account.app_passwords, words, NoSuchAppPassword, "app password")


def fresh_method_name(account: Account, wanted: str, *, chosen: bool) -> str:
    """Return a name no other method has; a chosen one is refused, a proposed one numbered."""
    name = names.clean(wanted, what="method name")
    return _fresh(name, [one.name for one in account.methods], chosen=chosen)


def without_method(account: Account, gone: SignInMethod) -> Account:
    """Return the account without one method, to look for names that are free."""
    return replace(account, methods=tuple(one for one in account.methods if one.id != gone.id))


def fresh_device_name(account: Account, wanted: str) -> DeviceName:
    """Return a name for a thing that carries one method only, such as a security key."""
    return DeviceName(_fresh(names.clean(wanted, what="device name"), account.devices, chosen=False))


def _fresh(name: str, taken: Sequence[str], *, chosen: bool) -> str:
    used = {names.key(one) for one in taken}
    if names.key(name) not in used:
        return name
    if chosen:
        raise NameInUse(f'"{name}" is already the name of another method')
    return next(numbered for count in range(2, len(used) + 3) if names.key(numbered := f"{name} {count}") not in used)
