"""What a program on this machine is told, and what it says of it. One module beside this one for each kind that has files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from msgspec import Struct

from passless.domain.errors import Unavailable
from passless.domain.party_kinds import PartyKind
from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import writing
from passless.programs.writing import NewFile

MODULES = {
    PartyKind.DOVECOT: "dovecot",
    PartyKind.HTTP: "proxies",
    PartyKind.PAM: "pam",
    PartyKind.SSH: "sshd",
}


class NotTaken(Unavailable):
    """The program does not take its new configuration, which is gone again."""

    code = "configuration-not-taken"
    hint = "nothing was kept; see what the program said"


class Setup(Struct, frozen=True, kw_only=True):
    """What a program's configuration is made of.

    `url` is the server's origin, `folder` where the files go, `socket` the address that `serve --socket NAME=ADDRESS` is
    given; each is empty or None where the kind's module is to choose what is usual. `way_back` is what somebody says that they
    have where a program could lock everybody out, and nothing of it can be seen from here. `secret_file` is where the secret
    is kept beside the program, if anybody said so.
    """

    party: RelyingPartyView
    url: str
    secret: Secret | None = None
    folder: Path | None = None
    socket: str = ""
    way_back: str = ""
    secret_file: str = ""

    @property
    def quoted_name(self) -> str:
        """The relying party's name as it is typed."""
        return shlex.quote(self.party.name)

    @property
    def quoted_secret_file(self) -> str:
        """The file with the secret as it is typed."""
        return shlex.quote(self.secret_file) if self.secret_file else "FILE"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that a program, or this machine, said of the configuration; not `tested` where nothing could be said."""

    check: str
    ok: bool
    message: str
    hint: str = ""
    tested: bool = True


class Written(Struct, frozen=True, kw_only=True):
    """What was written, what is left to do, and how it is undone, in their order.

    A step is a sentence, and on lines below it what is typed or written as it stands (`step`).
    """

    files: tuple[str, ...]
    then: tuple[str, ...]
    undo: tuple[str, ...]


class Program(Protocol):
    """What the module of a kind has."""

    SAYS: Mapping[str, str]
    """What its files say of whose they are, by the names of `comparing`: patterns with one group each."""

    def usual_folder(self) -> Path:
        """Return where this program's files are on this machine, there or not."""
        ...

    def check(self, setup: Setup) -> None:
        """Refuse what cannot be done here, such as one without a way back, before anything is made."""
        ...

    def files(self, setup: Setup) -> tuple[NewFile, ...]:
        """Return the files. Without a secret (before anything is made) their paths are right all the same."""
        ...

    def findings(self, setup: Setup) -> tuple[Finding, ...]:
        """Have the program itself judge the files that were written; nothing is changed by it."""
        ...

    def in_use(self, setup: Setup) -> tuple[Finding, ...]:
        """See whether the program's own configuration includes them, and whether they are answered: later, not when written."""
        ...

    def socket_named(self, setup: Setup) -> str:
        """Return the socket that the files name which are there, as `Setup.socket` says it; empty where they name none."""
        ...

    def then(self, setup: Setup) -> tuple[str, ...]:
        """Say what is left to do."""
        ...

    def undo(self, setup: Setup) -> tuple[str, ...]:
        """Say how all of it is undone."""
        ...


def program_of(kind: str) -> Program | None:
    """Return the module of a kind that has files; None for those that ask over OAuth and need none."""
    found = MODULES.get(PartyKind(kind))
    return None if found is None else cast(Program, import_module(f"passless.programs.{found}"))


def step(sentence: str, *lines: str) -> str:
    """Return a step: a sentence, and below it what is typed or written as it stands."""
    return "\n".join((sentence, *lines))


def app_passwords(services: Sequence[str]) -> str:
    """Return what people do where app passwords let them in: first two-step, without which none is made."""
    wanted = "people turn two-step on, without which there are no app passwords, and make one for each program, such as"
    return step(wanted, f"passless app-password create NAME --for {','.join(services)}")


def removal(setup: Setup) -> str:
    """Return the last step back."""
    return step("forget it:", f"passless relying-party remove {setup.quoted_name}")


def check(program: Program, setup: Setup) -> None:
    """Refuse what cannot be, before anything is made."""
    program.check(setup)
    paths = [file.path for file in program.files(setup)]
    writing.check_free(setup.folder or program.usual_folder(), paths)


def set_up(program: Program, setup: Setup) -> Written:
    """Write the files and have the program test them; `NotTaken`, and nothing is left, where it does not like them."""
    files = program.files(setup)
    with writing.written(files):
        wrong = [one for one in program.findings(setup) if not one.ok]
        if wrong:
            raise NotTaken(f"{wrong[0].check}: {wrong[0].message}", hint=wrong[0].hint or NotTaken.hint)
    return Written(files=_spoken(files), then=program.then(setup), undo=program.undo(setup))


def _spoken(files: Sequence[NewFile]) -> tuple[str, ...]:
    return tuple(str(file.path) for file in files)
