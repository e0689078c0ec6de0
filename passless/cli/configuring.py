"""Writing the configuration of a relying party's program on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from passless.domain.errors import WrongUse
from passless.domain.party_views import ConfiguredRelyingParty, MadeRelyingParty, RelyingPartyView
from passless.domain.relying_parties import NewRelyingParty
from passless.domain.secret import Secret
from passless.programs.setting_up import Setup, program_of

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.programs.setting_up import Program


class NoServer(WrongUse):
    """Nobody said at which address the server is."""

    code = "no-server"
    hint = "name it: --server URL"
    default = "where the server is has to stand in the configuration"


class NothingToWrite(WrongUse):
    """A kind of relying party whose program is configured by hand."""

    code = "nothing-to-write"
    hint = "give the program its client id, its secret and the server's address"


class Where(Struct, frozen=True, kw_only=True):
    """Where files go, on which socket the program asks, and where the server is; None and empty are what is usual."""

    folder: str | None = None
    socket: str | None = None
    server: str | None = None
    way_back: str | None = None
    elsewhere: bool = False  # on another machine: nothing is written here


def prepared(run: Run, new: NewRelyingParty, where: Where) -> Setup | None:
    """Look whether a new relying party's files can be written here; None where there are none to be written.

    Nothing is written unasked where the program's own folder is not on this machine.
    """
    program = program_of(new.kind)
    if program is None:
        _refuse_folder(new.kind, where)
        return None
    if where.elsewhere or (where.folder is None and not program.usual_folder().is_dir()):
        return None
    setup = setup_of(run, program, _not_made(run, new), where)
    _check(program, setup)
    return setup


def write(setup: Setup, made: MadeRelyingParty) -> MadeRelyingParty:
    """Write the files of a relying party that was just made."""
    from passless.programs import setting_up

    program = program_of(made.kind)
    assert program is not None  # it was prepared
    done = setting_up.set_up(program, replace(setup, party=_seen(made), secret=made.secret))
    return replace(made, written=done.files, then=done.then, undo=done.undo)


def to_be_written(made: MadeRelyingParty) -> MadeRelyingParty:
    """Say how the files come to be on the machine that a program runs on."""
    if program_of(made.kind) is None:
        return made
    told = f"there, with the secret in a file: passless relying-party configure {made.id} --server URL --secret-file FILE"
    return replace(made, then=(told,))


def configure(run: Run, found: RelyingPartyView, where: Where, secret: Secret | None) -> ConfiguredRelyingParty:
    """Write the files of a relying party that was made before."""
    from passless.programs import setting_up

    program = program_of(found.kind)
    if program is None:
        raise NothingToWrite(f"the program of a relying party of the kind {found.kind} has no files of ours")
    setup = replace(setup_of(run, program, found, where), secret=secret)
    _check(program, setup)
    done = setting_up.set_up(program, setup)
    return ConfiguredRelyingParty(
        id=found.id, name=found.name, kind=found.kind, written=done.files, then=done.then, undo=done.undo
    )


def _check(program: Program, setup: Setup) -> None:
    from passless.programs import setting_up

    setting_up.check(program, setup)


def _refuse_folder(kind: str, where: Where) -> None:
    if where.folder is not None:
        raise NothingToWrite(f"the program of a relying party of the kind {kind} has no files of ours")


def setup_of(run: Run, program: Program, party: RelyingPartyView, where: Where) -> Setup:
    """Return what a program's configuration is made of."""
    folder = program.usual_folder() if where.folder is None else Path(where.folder).absolute()
    return Setup(
        party=party, url=server_of(run, where.server), folder=folder, socket=where.socket or "", way_back=where.way_back or ""
    )


def server_of(run: Run, named: str | None) -> str:
    """Return the server's address: what was named, the profile's, or what the store remembers."""
    from passless.directories.local.parts_of import parts_of
    from passless.directories.local.served import origin_of, served_as

    if named:
        return origin_of(named)
    if run.profile.place == "server":
        return origin_of(run.profile.address)
    served = served_as(parts_of(run.directory).store)
    if served is None:
        raise NoServer
    return served.url


def _not_made(run: Run, new: NewRelyingParty) -> RelyingPartyView:
    return RelyingPartyView(
        id="",
        name=new.name,
        kind=new.kind,
        public=new.public,
        redirect_uris=new.redirect_uris,
        scopes=new.scopes,
        introspects=new.introspects,
        created_at=run.now(),
        requires=new.requires,
        services=new.services,
    )


def _seen(made: MadeRelyingParty) -> RelyingPartyView:
    return RelyingPartyView(
        **{name: getattr(made, name) for name in RelyingPartyView.__struct_fields__},
    )
