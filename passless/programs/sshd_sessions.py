"""Ending the ssh sessions of one user of this host, those too that are only beginning."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from passless.programs.sshd import FIRST_PERSON, NOBODY

PROC = Path("/proc")
ROOT = 0
SESSIONS = ("sshd", "sshd-session")  # what runs a session, by the program's file; the second since OpenSSH 9.8
LISTENER = "[listener]"  # in the title of what waits for connections
KNOWN = " [priv]"  # ends the title of a connection that named its user: "sshd: ada [priv]"
PARENT, USER_IDS = "PPid", "Uid"  # lines of /proc/PID/status
STARTED = (
    19  # the field of /proc/PID/stat behind the program's name that says when it began: no two of one number have the same
)


class Found(Struct, frozen=True):
    """A process: its id, its parent's, whose it is, the file that it runs, what it calls itself, and when it began."""

    id: int
    parent: int
    user_ids: frozenset[int]
    program: str
    title: str
    started: int


Connection = tuple[int, int]  # the number of root's process for it, and when that began


def coming(user: str) -> frozenset[Connection]:
    """Return the connections that may become sessions of a user: sshd asks for keys once, and then waits for a code."""
    everything = tuple(_processes())
    return frozenset((one.id, one.started) for one in everything if _is_coming(one, user, everything))


def end_sessions(user: str, among: frozenset[Connection] | None = None) -> int:
    """End every ssh session of a user, and what was begun in them; return how many sessions there were.

    sshd runs each session in a process that is the user's own. Those end, and nothing else: never a process of root's, of the
    machine's own users or of anybody else, whoever's name is given. What freed itself of its session, as tmux does, goes on.
    `among` are the connections whose sessions end; left out, it is all of them.
    """
    user_id = _id_of(user)
    if user_id is None:
        return 0
    everything = tuple(_processes())
    sessions = [one for one in everything if _is_session(one, user_id) and _is_among(one, everything, among)]
    within = [one for session in sessions for one in _below(session, everything) if one.user_ids == {user_id}]
    for one in sessions:
        _end(one, signal.SIGTERM)
    for one in within:
        _end(one, signal.SIGHUP)
    return len(sessions)


def users() -> tuple[str, ...]:
    """Return the people who have a session now: nobody whose sessions are never ended."""
    ids = {next(iter(one.user_ids)) for one in _processes() if one.program in SESSIONS and len(one.user_ids) == 1}
    return tuple(sorted(one.pw_name for one in pwd.getpwall() if one.pw_uid in ids and _id_of(one.pw_name) is not None))


def _id_of(user: str) -> int | None:
    """Return the id of a person of this host; nothing for root, the machine's own users and nobody."""
    try:
        user_id = pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):
        return None
    return None if user_id < FIRST_PERSON or user_id == NOBODY else user_id


def _is_session(found: Found, user_id: int) -> bool:
    return found.user_ids == {user_id} and found.program in SESSIONS


def _is_among(session: Found, everything: Sequence[Found], among: frozenset[Connection] | None) -> bool:
    return among is None or any((one.id, one.started) in among for one in everything if one.id == session.parent)


def _is_coming(found: Found, user: str, everything: Sequence[Found]) -> bool:
    """Tell whether a process of root's is for a connection without a session yet, of this user or of nobody that is known.

    Root's own sessions are root's process itself, whose title has the terminal behind "@".
    """
    if found.user_ids != {ROOT} or found.program not in SESSIONS or LISTENER in found.title:
        return False
    if found.title.endswith(KNOWN) and found.title.removesuffix(KNOWN).partition(": ")[2] != user:
        return False
    if not found.title.endswith("]") and "@" in found.title:
        return False
    below = [one for one in everything if one.parent == found.id and one.program in SESSIONS]
    return not any(min(one.user_ids) >= FIRST_PERSON for one in below)


def _below(session: Found, everything: Sequence[Found]) -> Iterator[Found]:
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
            now = _process(found.id)
            if now is not None and (now.started, now.user_ids, now.program) == (found.started, found.user_ids, found.program):
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
        title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    return Found(
        id=number,
        parent=int(said[PARENT]),
        user_ids=frozenset(map(int, said[USER_IDS].split())),
        program=program.removesuffix(" (deleted)"),
        title=title,
        started=int(fields[STARTED]),
    )
