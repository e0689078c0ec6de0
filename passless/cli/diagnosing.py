"""Looking at everything that passless needs on this machine; every look is on its own, and none changes anything."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import passless
from passless.domain.errors import PasslessError, Unavailable
from passless.domain.names import printable
from passless.output.machine_results import Verdict

if TYPE_CHECKING:
    from passless.cli.context import Run

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)  # passless is younger, so a clock before this is wrong
LATEST = datetime(2100, 1, 1, tzinfo=UTC)  # ours; later than that is a clock that was set by mistake
LIBRARIES = ("fido2", "cryptography", "argon2-cffi", "keyring", "msgspec", "typer", "rich")


class SomethingWrong(Unavailable):
    """Something on this machine, or the server, is not as it has to be."""

    code = "something-wrong"
    hint = "see what was found above"


class Found:
    """What is looked at, one thing after the other; afterwards it knows what was wrong."""

    def __init__(self, verdicts: Iterator[Verdict]) -> None:
        self._verdicts = verdicts
        self._wrong: list[str] = []

    def __iter__(self) -> Iterator[Verdict]:
        """Look."""
        for one in self._verdicts:
            if not one.ok:
                self._wrong.append(one.check)
            yield one

    def check(self) -> None:
        """Raise `SomethingWrong` where a look did not end well."""
        if self._wrong:
            raise SomethingWrong(f"not right: {', '.join(dict.fromkeys(self._wrong))}")


def everything(run: Run) -> Iterator[Verdict]:
    """Look at one thing after the other, once the profile is there to look at."""
    if run.given.profile is not None or run.settings.named is not None:
        _ = run.profile  # of that name is none: nothing else is worth a look then
    looks: tuple[tuple[str, Callable[[Run], Iterator[Verdict]]], ...] = (
        ("versions", _versions),
        ("terminal", _terminal),
        ("clock", _clock),
        ("folders", _folders),
        ("keyring", _keyring),
        ("keys", _keys),
        ("store", _store),
        ("vault", _vault),
        ("policy", _policy),
        ("network", _network),
        ("server", _server),
    )
    for name, look in looks:
        try:
            yield from look(run)
        except PasslessError as error:
            yield Verdict(check=name, ok=False, message=error.message, hint=error.hint)


def _versions(run: Run) -> Iterator[Verdict]:
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    python = platform.python_version()
    yield Verdict(check="versions", ok=True, message=f"passless {passless.__version__}, Python {python}, {libraries}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _terminal(run: Run) -> Iterator[Verdict]:
    if not sys.stdout.isatty():
        yield Verdict(check="terminal", ok=True, message="the output is no terminal: plain text, and nothing is asked")
        return
    size, encoding = shutil.get_terminal_size(), (sys.stdout.encoding or "").lower()
    is_fit = encoding.replace("-", "") == "utf8" and size.columns >= 60
    yield Verdict(
        check="terminal",
        ok=is_fit,
        message=f"{size.columns} by {size.lines} characters, {encoding or 'no encoding'}",
        hint="" if is_fit else "QR codes need UTF-8 and 60 columns; the secret can be typed instead",
    )


def _clock(run: Run) -> Iterator[Verdict]:
    now = run.now()
    is_sane = RELEASED <= now <= LATEST
    yield Verdict(
        check="clock",
        ok=is_sane,
        message=f"it is {now:%Y-%m-%d %H:%M:%S} UTC here",
        hint="compare it with another clock: codes of authenticator apps need it right to half a minute"
        if is_sane
        else "set the clock: codes of authenticator apps and sessions depend on it",
        tested=not is_sane,
    )


def _folders(run: Run) -> Iterator[Verdict]:
    folders = run.settings.folders
    named = (("configuration", folders.config), ("data", folders.data), ("state", folders.state))
    for what, folder in named:
        yield _folder(what, folder)


def _folder(what: str, folder: Path) -> Verdict:
    shown = printable(str(folder), at_most=200)
    try:
        found = folder.stat()
    except FileNotFoundError:
        return Verdict(check="folders", ok=True, message=f"{what}: {shown} (not made yet)")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be looked at"
        return Verdict(
            check="folders", ok=False, message=f"{what}: {shown}: {reason}", hint="give yourself the right to use it"
        )
    if problem := _exposed(found, folder):
        return Verdict(check="folders", ok=False, message=f"{what}: {shown} {problem[0]}", hint=problem[1])
    if not os.access(folder, os.W_OK | os.X_OK):
        return Verdict(
            check="folders", ok=False, message=f"{what}: {shown} cannot be written to", hint=f"chmod u+rwx '{shown}'"
        )
    return Verdict(check="folders", ok=True, message=f"{what}: {shown}")


def _exposed(found: os.stat_result, path: Path) -> tuple[str, str] | None:
    """Say who else may use a file or folder, and how to stop it."""
    if sys.platform == "win32":
        return None
    mode, shown = stat.S_IMODE(found.st_mode), printable(str(path), at_most=200)
    if mode & 0o077:
        right = "700" if stat.S_ISDIR(found.st_mode) else "600"
        return f"is open to other people (mode {mode:04o})", f"close it: chmod {right} '{shown}'"
    if found.st_uid != os.getuid():
        return "belongs to somebody else", "run passless as the user it belongs to"
    return None


def _keyring(run: Run) -> Iterator[Verdict]:
    from passless.vault import probe_keyring

    probe = probe_keyring()
    if probe.condition == "works":
        import keyring

        name = getattr(keyring.get_keyring(), "name", "") or type(keyring.get_keyring()).__name__
        yield Verdict(check="keyring", ok=True, message=f"{probe.message}: {printable(name)}")
        return
    hints = {
        "locked": "unlock it and try again, or keep vault keys in a file: passless profile set local --vault file",
        "silent": "it may wait for a prompt on another screen; or: passless profile set local --vault file",
    }
    message = probe.message if probe.condition != "absent" else f"{probe.message}; new stores keep their vault key in a file"
    yield Verdict(check="keyring", ok=probe.condition == "absent", message=message, hint=hints.get(probe.condition, ""))


def _keys(run: Run) -> Iterator[Verdict]:
    from passless import wiring

    found = wiring.key_reader().list_keys()
    if not found:
        yield Verdict(check="keys", ok=True, message="none is plugged in", hint="plug one in and look again", tested=False)
    for key in found:
        if key.problem:
            yield Verdict(check="keys", ok=False, message=f'"{key.name}": {key.problem}', hint=key.hint or "")
        else:
            pin = {True: "with a PIN", False: "without a PIN", None: "no PIN possible"}[key.has_pin]
            yield Verdict(check="keys", ok=True, message=f'"{key.name}" answers, {pin}')


def _store(run: Run) -> Iterator[Verdict]:
    from passless.cli import store_health

    if run.is_remote:
        return
    path = store_health.path_of(run.profile)
    if path is None and run.profile.place == "store":
        yield from store_health.reach(run.profile)
        return
    if path is None:
        yield Verdict(check="store", ok=True, message=f'the profile "{run.profile.name}" is no store on this machine')
        return
    yield from store_health.look(path)
    yield from store_health.open_and_look(run, path)


def _vault(run: Run) -> Iterator[Verdict]:
    from passless.cli import store_health, vault_keys

    path = store_health.path_of(run.profile)
    if path is None or not path.exists():
        return
    found = vault_keys.status(run)
    yield Verdict(check="vault", ok=found.ok, message=f"{found.message}: {found.where}", hint=found.hint)


def _policy(run: Run) -> Iterator[Verdict]:
    from passless.policy_file import read_policy

    if run.profile.policy is None:
        return
    read_policy(Path(run.profile.policy))
    yield Verdict(check="policy", ok=True, message=f"{printable(run.profile.policy, at_most=200)} can be read")


def _network(run: Run) -> Iterator[Verdict]:
    if run.is_remote:
        return
    is_here = not run.profile.address.startswith("postgresql:")
    message = f'not needed: the profile "{run.profile.name}" is on this machine' if is_here else "needed to reach the database"
    yield Verdict(check="network", ok=True, message=message)


def _server(run: Run) -> Iterator[Verdict]:
    if run.is_remote:
        from passless.cli import server_health

        yield from server_health.look(run)
