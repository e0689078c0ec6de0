"""Files of a program that are there, held against what the registration would have written.

What has been changed in them by hand is nobody's business here. Whose they are is: after a relying party was removed and added
anew, or files were copied, a program may go on asking for another one, and hide the cookie of one that is gone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from passless.domain.names import printable
from passless.programs.setting_up import Finding, Program, Setup
from passless.programs.writing import NewFile

CLIENT_ID, NAME, PATH, SERVER, SOCKET, SITE, SECRET = "client id", "name", "path", "server", "socket", "site", "secret"
SOMEWHERE = "https://nowhere.invalid"  # in the place of a server that nobody named
ASIDE = "put them aside, and write them anew"
LONGEST = 100  # characters shown of what stands in a file
OTHERS = 0o077  # the group and everybody
EVERYBODY_READS = 0o004
SAID: Mapping[str, str] = {  # of what differs
    CLIENT_ID: "of another relying party: client id {found}, not {wanted}",
    NAME: 'of another relying party: "{found}", not "{wanted}"',
    PATH: "of another relying party: it asks /auth/{found}, not /auth/{wanted}",
    SERVER: "for another server: {found}, not {wanted}",
    SOCKET: "for another socket: {found}, not {wanted}",
    SITE: "for another site: {found}, not {wanted}",
    SECRET: "out of date: it holds another secret than --secret-file",
}


def missing(files: Sequence[NewFile]) -> tuple[Path, ...] | None:
    """Return what is missing, or has nothing in it, where some are there; None where none is.

    Files that belong together are missing where one of those is there; those that belong to everything always.
    """
    here = {file.path for file in files if file.path.exists() and file.path.stat().st_size}
    if not here:
        return None
    used = {"", *(file.together for file in files if file.path in here)}
    return tuple(file.path for file in files if file.together in used and file.path not in here)


def findings(program: Program, setup: Setup) -> Iterator[Finding]:
    """Hold the files that are there against what would be written now."""
    files = [file for file in program.files(setup) if file.path.exists()]
    again = f"{ASIDE}: {rewrite(setup, files)}"
    wrong: dict[str, Finding] = {}
    for file in files:
        for what, message in _differing(program, setup, file):
            if what != SERVER or setup.url != SOMEWHERE:
                wrong.setdefault(what, Finding(check="files", ok=False, message=f"{file.path.name} is {message}", hint=again))
    open_ones = [(file.path, file.mode) for file in files if _is_open(file)]
    for path, mode in open_ones:
        yield Finding(
            check="files", ok=False, message=f"others can read {path}", hint=f"chmod {mode:o} {shlex.quote(str(path))}"
        )
    yield from wrong.values()
    if files and not wrong and not open_ones:
        yield Finding(check="files", ok=True, message=f"{files[0].path.parent}: this relying party's")


def rewrite(setup: Setup, files: Sequence[NewFile]) -> str:
    """Return the command that writes files anew; where some are there it refuses, and they are to be put aside first."""
    arguments = [f"passless relying-party configure {setup.quoted_name}"]
    if setup.folder is not None:
        arguments.append(f"--to {shlex.quote(str(setup.folder))}")
    if setup.socket not in ("", setup.url):
        arguments.append(f"--socket {shlex.quote(setup.socket)}")
    if setup.url != SOMEWHERE:
        arguments.append(f"--server {setup.url}")
    if any(_is_secret(file) for file in files):
        arguments.append(f"--secret-file {setup.quoted_secret_file}")
    return " ".join(arguments)


def _differing(program: Program, setup: Setup, file: NewFile) -> Iterator[tuple[str, str]]:
    """Return what stands in a file and would not be written into it now."""
    text = file.path.read_text(encoding="utf-8", errors="replace")
    for what, pattern in program.SAYS.items():
        if what == SECRET and setup.secret is None:
            continue
        wanted, there = _all(pattern, file.content), _all(pattern, text)
        if what == SOCKET and wanted and not there:
            yield what, "broken: it names no socket"
        also = {setup.party.id} if what == CLIENT_ID else set()
        for found in there:
            if found not in wanted and found not in also:
                meant = next(iter(wanted or also), "none")
                yield what, SAID[what].format(found=printable(found, at_most=LONGEST), wanted=printable(meant, at_most=LONGEST))
        if what == SITE and (left_out := [one for one in wanted if one not in there]):
            yield what, f"of before: it knows nothing of the site {printable(left_out[0], at_most=LONGEST)}"


def _all(pattern: str, text: str) -> dict[str, None]:
    return dict.fromkeys(found.group(1) for found in re.finditer(pattern, text, re.MULTILINE))


def _is_secret(file: NewFile) -> bool:
    return not file.mode & EVERYBODY_READS


def _is_open(file: NewFile) -> bool:
    return _is_secret(file) and bool(file.path.stat().st_mode & OTHERS & ~file.mode)
