"""Writing the configuration of a relying party's program on this machine."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict, replace

from passless.domain.errors import WrongUse
from passless.domain.party_kinds import PartyKind
from passless.domain.party_views import ConfiguredRelyingParty, MadeRelyingParty, RelyingPartyView
from passless.domain.relying_parties import NewRelyingParty
from passless.domain.secret import Secret
from passless.programs.setting_up import Setup, program_of

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.views import PlanView
    from passless.output.results import PlannedRelyingParty
    from passless.programs.setting_up import Program

NOWHERE = "URL"  # in words to people, for a server that nobody named
SOMEWHERE = "http://localhost"  # in files that are not written
NOT_YET = "CLIENT-ID"  # of what is only planned


class NoServer(WrongUse):
    """Nobody said at which address the server is."""

    code = "no-server"
    hint = "name it: --server URL"
    default = "nobody said at which address the server is"


class NothingToWrite(WrongUse):
    """A kind of relying party whose program is configured by hand."""

    code = "nothing-to-write"
    hint = "see what the program has to be given: passless relying-party configure NAME --steps"


class Where(Struct, frozen=True, kw_only=True):
    """Where files go, on which socket the program asks, and where the server is; None and empty are what is usual."""

    folder: str | None = None
    socket: str | None = None
    server: str | None = None
    way_back: str | None = None
    elsewhere: bool = False  # on another machine: nothing is written here
    secret_to: str | None = None  # where the secret is kept, rather than shown: a whole path


def prepared(run: Run, new: NewRelyingParty, where: Where) -> Setup | None:
    """Look whether a new relying party's files can be written here; None where there are none to be written.

    Nothing is written unasked where the program's own folder is not on this machine.
    """
    program = program_of(new.kind)
    _refuse_unused(new.kind, where)
    if program is None:
        return None
    if where.elsewhere or (where.folder is None and not program.usual_folder().is_dir()):
        return None
    setup = setup_of(run, program, not_made(run, new), where)
    _check(program, setup)
    return setup


def write(setup: Setup, made: MadeRelyingParty) -> MadeRelyingParty:
    """Write the files of a relying party that was just made."""
    from passless.programs import setting_up

    program = program_of(made.kind)
    assert program is not None  # it was prepared
    done = setting_up.set_up(program, replace(setup, party=_seen(made), secret=made.secret))
    return replace(made, written=done.files, then=done.then, undo=done.undo)


def to_be_written(run: Run, made: MadeRelyingParty, where: Where) -> MadeRelyingParty:
    """Say what is left to do where nothing was written here: what the program is given, or how its files come to be there."""
    from passless.programs import apps
    from passless.programs.setting_up import step

    party = _seen(made)
    url = address_of(run, where)
    if program_of(made.kind) is None:
        return replace(made, then=apps.then(_setup_without_program(party, url, where)))
    to = " --to DIR" if made.kind == PartyKind.HTTP else ""
    there = f"passless relying-party configure {quote(made.name)}{to} --server {url} --secret-file FILE"
    return replace(made, then=(step("on the host of the program, with the secret in a file:", there),))


def address_of(run: Run, where: Where) -> str:
    """Return the server's address for words to people; URL in its place where nobody said it."""
    try:
        return server_of(run, where.server)
    except NoServer:
        return NOWHERE


def planned(run: Run, plan: PlanView | None, setup: Setup | None, party: RelyingPartyView, where: Where) -> PlannedRelyingParty:
    """Return what would be done; nothing is."""
    from passless.output.results import PlannedFile, PlannedRelyingParty
    from passless.programs import apps

    program = program_of(party.kind)
    if program is None:
        made = replace(party, id=party.id or NOT_YET)
        return PlannedRelyingParty(plan=plan, then=apps.then(_setup_without_program(made, address_of(run, where), where)))
    if setup is None:
        return PlannedRelyingParty(plan=plan)
    kept = (PlannedFile(path=where.secret_to, mode="0600"),) if where.secret_to and plan else ()
    files = tuple(
        PlannedFile(path=str(one.path), mode=f"{one.mode:04o}", group=_group(one.group)) for one in program.files(setup)
    )
    return PlannedRelyingParty(plan=plan, files=(*kept, *files), then=program.then(setup), undo=program.undo(setup))


def steps(run: Run, found: RelyingPartyView, where: Where) -> ConfiguredRelyingParty:
    """Say again what is left to do with files that are there, and how they go; nothing is written."""
    from passless.programs import apps

    program = program_of(found.kind)
    url = address_of(run, where)
    if program is None:
        written: tuple[str, ...] = ()
        undo: tuple[str, ...] = ()
        then = apps.then(_setup_without_program(found, url, where))
    else:
        setup = setup_of(run, program, found, replace(where, server=where.server or (None if url != NOWHERE else SOMEWHERE)))
        written = tuple(str(one.path) for one in program.files(setup) if one.path.exists())
        then, undo = program.then(setup), program.undo(setup)
    return ConfiguredRelyingParty(id=found.id, name=found.name, kind=found.kind, written=written, then=then, undo=undo)


def _group(number: int | None) -> str:
    from grp import getgrgid

    return "" if number is None else getgrgid(number).gr_name


def _setup_without_program(party: RelyingPartyView, url: str, where: Where) -> Setup:
    return Setup(party=party, url=url, secret_file=where.secret_to or "")


def configure(
    run: Run, found: RelyingPartyView, where: Where, secret: Secret | None
) -> ConfiguredRelyingParty | PlannedRelyingParty:
    """Write the files of a relying party that was made before."""
    from passless.programs import setting_up

    program = program_of(found.kind)
    if program is None:
        raise NothingToWrite(f"the program of a relying party of the kind {found.kind} has no files of ours")
    setup = replace(setup_of(run, program, found, where), secret=secret)
    _check(program, setup)
    if run.given.dry_run:
        return planned(run, None, setup, found, where)
    done = setting_up.set_up(program, setup)
    return ConfiguredRelyingParty(
        id=found.id, name=found.name, kind=found.kind, written=done.files, then=done.then, undo=done.undo
    )


def _check(program: Program, setup: Setup) -> None:
    from passless.programs import setting_up

    setting_up.check(program, setup)


def _refuse_unused(kind: str, where: Where) -> None:
    """Refuse what would be passed over without a word."""
    if program_of(kind) is None and where.folder is not None:
        raise NothingToWrite(f"the program of a relying party of the kind {kind} has no files of ours")
    said = {"--to": where.folder, "--socket": where.socket, "--way-back": where.way_back}
    unused = [option for option, value in said.items() if value is not None]
    if where.elsewhere and unused:
        hint = f"leave out one of them; on its host it is passless relying-party configure NAME {unused[0]} …"
        raise WrongUse(f"--elsewhere writes nothing here, so {unused[0]} has no use", hint=hint)


def setup_of(run: Run, program: Program, party: RelyingPartyView, where: Where) -> Setup:
    """Return what a program's configuration is made of."""
    folder = program.usual_folder() if where.folder is None else Path(where.folder).absolute()
    return Setup(
        party=party,
        url=server_of(run, where.server),
        folder=folder,
        socket=where.socket or "",
        way_back=where.way_back or "",
        secret_file=where.secret_to or "",
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


def not_made(run: Run, new: NewRelyingParty) -> RelyingPartyView:
    """Return a relying party as it would be."""
    return RelyingPartyView(id="", created_at=run.now(), **asdict(new))


def _seen(made: MadeRelyingParty) -> RelyingPartyView:
    """Return what is known of a new relying party without its secret, which goes into no file by way of a view."""
    return RelyingPartyView(**{name: getattr(made, name) for name in RelyingPartyView.__struct_fields__})
