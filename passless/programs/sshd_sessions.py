"""Ending the ssh sessions of one user of this host."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from passless.programs.sshd import FIRST_PERSON, NOBODY

PROC = Path("/proc")
SESSIONS = ("sshd", "sshd-session")  # what runs a session, by the program's file; the second since OpenSSH 9.8
PARENT, USER_IDS = "PPid", "Uid"  # lines of /proc/PID/status


class Found(Struct, frozen=True):
    """A process: its id, its parent's, whose it is, and the file that it runs."""

    id: int
    parent: int
    user_ids: frozenset[int]
    program: str


def end_sessions(user: str) -> int:
    """End every ssh session of a user, and what was begun in them; return how many sessions there were.

    sshd runs each session in a process that is the user's own. Those end, and nothing else: never a process of root's, of the
    machine's own users or of anybody else, whoever's name is given. What freed itself of its session, as tmux does, goes on.
    """
    try:
        user_id = pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):
        return 0
    if user_id < FIRST_PERSON or user_id == NOBODY:
        return 0
    everything = tuple(_processes())
    sessions = [one for one in everything if _is_session(one, user_id)]
    within = [one for session in sessions for one in _below(session, everything) if one.user_ids == {user_id}]
    for one in sessions:
        _end(one, signal.SIGTERM)
    for one in within:
        _end(one, signal.SIGHUP)
    return len(sessions)


def _is_session(found: Found, user_id: int) -> bool:
    return found.user_ids == {user_id} and found.program in SESSIONS


def _below(session: Found, everything: tuple[Found, ...]) -> Iterator[Found]:
    """Return what was begun in a session, by who began it."""
    for one in everything:
        if one.parent == session.id:
            yield one
            yield from _below(one, everything)


def _end(found: Found, how: signal.Signals) -> None:
    """Send a signal to this very process: another may have its number by now."""
    with suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(found.id)
        try:
            if _process(found.id) == found:
                signal.pidfd_send_signal(descriptor, how)
        finally:
            os.close(descriptor)


def _processes() -> Iterator[Found]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            found = _process(int(entry.name))
            if found is not None:
                yield found


def _process(number: int) -> Found | None:
    """Read what a process is; nothing where it has ended, or is one of the kernel's."""
    folder = PROC / str(number)
    try:
        program = (folder / "exe").readlink().name
        lines = (folder / "status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    return Found(
        id=number,
        parent=int(said[PARENT]),
        user_ids=frozenset(map(int, said[USER_IDS].split())),
        program=program.removesuffix(" (deleted)"),
    )
