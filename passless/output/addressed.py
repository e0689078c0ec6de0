"""Commands that are printed to be typed again: they name the profile and the account that this run was told to use.

Who named one with a flag or in the environment would else change another account with the very command they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from shlex import quote

from msgspec import Struct

ANYWHERE = frozenset({"completion", "legacy-apps", "profile"})  # commands that act in no profile
OF_AN_ACCOUNT = frozenset(
    {
        "app-password",
        "audit",
        "device",
        "method",
        "passwordless",
        "recover",
        "recovery-code",
        "session",
        "setup",
        "sign-in",
        "sign-out",
        "status",
        "temporary-pass",
        "token",
        "two-step",
        "what-if",
    }
)
ELSEWHERE = (" --server ", " --first")  # in a command that is for another machine, or for another profile
COMMAND = re.compile(r"(?<![\w/-])passless ([a-z][a-z-]*)(?![\w-])([^\n,;:()]*)")


class Named(Struct, frozen=True, kw_only=True):
    """What a run was told that a later one would not know; None where it is the chosen one."""

    profile: str | None = None
    account: str | None = None


class _Told(Struct):
    """What this run was told, asked for when the first command is printed."""

    ask: Callable[[], Named] | None = None
    commands: frozenset[str] = frozenset()
    named: Named | None = None


_told = _Told()


def tell(ask: Callable[[], Named] | None, commands: frozenset[str] = frozenset()) -> None:
    """Say how to find out what was named, for everything that is printed from now on; None forgets it."""
    _told.ask, _told.commands, _told.named = ask, commands, None


def addressed(text: str) -> str:
    """Return a text whose commands act where this run did."""
    if _told.ask is None or "passless " not in text:
        return text
    if _told.named is None:
        _told.named = _told.ask()
    named = _told.named
    if named == Named():
        return text
    return COMMAND.sub(lambda found: _with(named, found), text)


def _with(named: Named, found: re.Match[str]) -> str:
    noun, rest = found[1], f"{found[2]} "
    if noun not in _told.commands or noun in ANYWHERE or any(one in rest for one in ELSEWHERE):
        return found[0]
    profile = f" --profile {quote(named.profile)}" if named.profile else ""
    is_open = noun in OF_AN_ACCOUNT and " --account " not in rest
    account = f" --account {quote(named.account)}" if named.account and is_open else ""
    return f"passless{profile}{account} {noun}{found[2]}"
