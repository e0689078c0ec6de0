"""Programs that sign people in against a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from typer import Argument, Context, Option

from passless.cli import changing_parties, new_secrets, relying_parties, signing_keys, testing_parties, watching
from passless.cli.arguments import words
from passless.cli.configuring import Where
from passless.cli.context import current
from passless.cli.grouped_help import Grouped
from passless.cli.lazy import group
from passless.cli.options import Anywhere, Changing, ChangingAnywhere, ChangingAsOperator, Reading
from passless.cli.secret_files import STDIN, SecretFile, secret_file
from passless.domain.party_kinds import ALLOWED, PartyKind, Requirement
from passless.domain.party_views import SigningKeyView
from passless.domain.relying_parties import SIGNATURES
from passless.domain.views import RelyingPartyView
from passless.output.machine_results import Verdict

app = group("Programs that sign people in against a server.")

Party = Annotated[str, Argument(metavar="NAME", help="Its name or client id.")]
Folder = Annotated[
    str | None, Option("--to", metavar="DIR", help="Where its configuration is written; else the program's own folder.")
]
Socket = Annotated[str | None, Option("--socket", metavar="ADDRESS", help="Where it asks, as `serve --socket` says it.")]
WayBack = Annotated[
    str | None, Option("--way-back", metavar="TEXT", help="How you get in if it fails, where passless cannot see that.")
]
Server = Annotated[str | None, Option("--server", metavar="URL", help="Where the server is; else the profile's address.")]


CODES = f"{PartyKind.OAUTH}, {PartyKind.OIDC}"


def _for(field: str, text: str) -> str:
    """Return the help of an option that means something for some kinds only."""
    return f"{text} [{', '.join(one for one in PartyKind if one in ALLOWED[field])}]"


def _kept_in(secret: SecretFile | None) -> str | None:
    """Return the file that a secret came from, for commands that are printed; they are run in other folders."""
    return None if secret is None or secret.path == STDIN else str(Path(secret.path).absolute())


NONE = "'' for none"


class Adding(Grouped):
    """`add`, whose options depend on the kind."""

    titles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "What it may and must, by its kind": (*ALLOWED, "device_codes", "signed_with", "told_at"),
        "Its program's configuration, where that runs on this machine [http, dovecot, pam, ssh]": (
            "to",
            "socket",
            "server",
            "way_back",
            "elsewhere",
        ),
    }


@app.command("add", cls=Adding)
def add(
    ctx: Context,
    name: Annotated[str, Argument(metavar="NAME", help="What people are shown, such as 'Webmail'.")],
    kind: Annotated[str, Option("--kind", metavar="KIND", help=f"How it asks: {', '.join(PartyKind)}.")],
    redirect_uris: Annotated[
        list[str] | None,
        Option("--redirect-uri", metavar="URI", help=_for("redirect_uris", "Where people go back to. May be repeated.")),
    ] = None,
    public: Annotated[
        bool, Option("--public", help=_for("public", "It keeps no secret, as on a phone or in a browser."))
    ] = False,
    scopes: Annotated[
        str | None, Option("--scope", metavar="SCOPE,…", help=_for("scopes", "What it may ask for, in its own words."))
    ] = None,
    introspects: Annotated[
        bool, Option("--introspects", help=_for("introspects", "It takes tokens of others, and may look at them."))
    ] = False,
    requires: Annotated[
        str | None,
        Option("--require", metavar="WHAT", help=_for("requires", f"How people have to sign in: {', '.join(Requirement)}.")),
    ] = None,
    services: Annotated[
        str | None, Option("--service", metavar="NAME,…", help=_for("services", "What app passwords for it may be limited to."))
    ] = None,
    after_sign_out: Annotated[
        list[str] | None,
        Option("--after-sign-out", metavar="URI", help=_for("after_sign_out", "Where people may go after they signed out.")),
    ] = None,
    told_at: Annotated[
        str | None,
        Option("--told-at", metavar="URI", help=_for("told_of_endings_at", "Where it is told of sessions that ended.")),
    ] = None,
    device_codes: Annotated[
        bool, Option("--device-codes", help=f"Nobody comes back to it: people approve a code that it shows. [{CODES}]")
    ] = False,
    signed_with: Annotated[
        str | None,
        Option(
            "--sign-with", metavar="ALGORITHM", help=_for("signed_with", f"How id_tokens are signed: {', '.join(SIGNATURES)}.")
        ),
    ] = None,
    groups: Annotated[
        list[str] | None,
        Option("--group", metavar="GROUP", help=_for("groups", "Its users are people in this group. May be repeated.")),
    ] = None,
    to: Folder = None,
    socket: Socket = None,
    server: Server = None,
    way_back: WayBack = None,
    elsewhere: Annotated[bool, Option("--elsewhere", help="It runs on another machine: nothing is written here.")] = False,
    secret_to: Annotated[
        str | None, Option("--secret-to", metavar="FILE", help="Write its secret there, for its owner alone; it is not shown.")
    ] = None,
) -> None:
    """Register a program and show its secret once; its configuration is written where it runs on this machine."""
    run = relying_parties.helping(current(ctx))
    new = relying_parties.wish(
        kind,
        name,
        redirect_uris=tuple(redirect_uris or ()),
        public=public,
        scopes=words(scopes),
        introspects=introspects,
        requires=requires,
        services=words(services),
        after_sign_out=tuple(after_sign_out or ()),
        told_of_endings_at=told_at,
        signed_with=signed_with,
        groups=tuple(groups or ()),
    )
    relying_parties.check_way_back(new, device_codes=device_codes)
    kept = None if secret_to is None else str(Path(secret_to).absolute())
    where = Where(folder=to, socket=socket, server=server, way_back=way_back, elsewhere=elsewhere, secret_to=kept)
    run.show(relying_parties.add(run, new, where))


@app.command("set", cls=ChangingAsOperator)
def set_relying_party(
    ctx: Context,
    name: Party,
    new_name: Annotated[str | None, Option("--name", metavar="NAME", help="What it is called from now on.")] = None,
    redirect_uris: Annotated[
        list[str] | None,
        Option("--redirect-uri", metavar="URI", help=_for("redirect_uris", "All addresses to go back to. May be repeated.")),
    ] = None,
    added: Annotated[
        list[str] | None, Option("--add-redirect-uri", metavar="URI", help=_for("redirect_uris", "One more of them."))
    ] = None,
    removed: Annotated[
        list[str] | None, Option("--remove-redirect-uri", metavar="URI", help=_for("redirect_uris", "One of them less."))
    ] = None,
    scopes: Annotated[
        str | None, Option("--scope", metavar="SCOPE,…", help=_for("scopes", f"All that it may ask for; {NONE}."))
    ] = None,
    requires: Annotated[
        str | None,
        Option("--require", metavar="WHAT", help=_for("requires", f"How people have to sign in: {', '.join(Requirement)}.")),
    ] = None,
    services: Annotated[
        str | None,
        Option("--service", metavar="NAME,…", help=_for("services", "All that app passwords for it may be limited to.")),
    ] = None,
    after_sign_out: Annotated[
        list[str] | None,
        Option("--after-sign-out", metavar="URI", help=_for("after_sign_out", f"All addresses after signing out; {NONE}.")),
    ] = None,
    told_at: Annotated[
        str | None,
        Option("--told-at", metavar="URI", help=_for("told_of_endings_at", f"Where it is told of endings; {NONE}.")),
    ] = None,
    signed_with: Annotated[
        str | None,
        Option(
            "--sign-with", metavar="ALGORITHM", help=_for("signed_with", f"How id_tokens are signed: {', '.join(SIGNATURES)}.")
        ),
    ] = None,
    groups: Annotated[
        list[str] | None,
        Option("--group", metavar="GROUP", help=_for("groups", f"All groups whose people are its users; {NONE}.")),
    ] = None,
) -> None:
    """Change a program's registration; what it was given under looser rules ends, and its client id and secret stay."""
    run = relying_parties.helping(current(ctx))
    wanted = changing_parties.wish(
        name=new_name,
        redirect_uris=redirect_uris,
        added=added,
        removed=removed,
        scopes=scopes,
        requires=requires,
        services=services,
        after_sign_out=after_sign_out,
        told_at=told_at,
        signed_with=signed_with,
        groups=groups,
    )
    run.show(changing_parties.change(run, name, wanted))


@app.command("configure", cls=Changing)
def configure(
    ctx: Context,
    name: Party,
    to: Folder = None,
    socket: Socket = None,
    server: Server = None,
    way_back: WayBack = None,
    secret: Annotated[SecretFile | None, secret_file("--secret-file", "A file with its secret, or -.")] = None,
    steps: Annotated[bool, Option("--steps", help="Write nothing; say again what is left to do, and how to undo it.")] = False,
) -> None:
    """Write a program's configuration on this machine, test it, and say how to undo it."""
    run = relying_parties.ready(current(ctx))
    where = Where(folder=to, socket=socket, server=server, way_back=way_back, secret_to=_kept_in(secret))
    if steps:
        run.show(relying_parties.steps(run, name, where, secret))
    else:
        run.show(relying_parties.configure(run, name, where, secret))


@app.command("list", cls=Reading)
def list_relying_parties(ctx: Context) -> None:
    """List the programs."""
    run = relying_parties.ready(current(ctx))
    run.show_each(run.attempt(run.directory.relying_parties), of=RelyingPartyView)


@app.command("show", cls=Reading)
def show(ctx: Context, name: Party) -> None:
    """Show one of them."""
    run = relying_parties.ready(current(ctx))
    run.show(relying_parties.find(run, name))


@app.command("test", cls=Reading)
def look_at(
    ctx: Context,
    name: Party,
    server: Annotated[
        str | None, Option("--server", metavar="URL", help="Where the server is, if the profile is a store.")
    ] = None,
    to: Annotated[str | None, Option("--to", metavar="DIR", help="Where its configuration was written.")] = None,
    socket: Socket = None,
    secret: Annotated[SecretFile | None, secret_file("--secret-file", "A file with its secret, or -.")] = None,
) -> None:
    """See whether the server answers it, whether its secret is right, and what its program says of its files."""
    run = relying_parties.ready(current(ctx))
    where = Where(folder=to, socket=socket, server=server, secret_to=_kept_in(secret))
    run.show_each(verdicts := testing_parties.look_at(run, name, where, secret), of=Verdict)
    testing_parties.end(verdicts)


@app.command("watch", cls=Anywhere)
def watch(
    ctx: Context,
    name: Party,
    secret: Annotated[SecretFile, secret_file("--secret-file", "A file with its secret, or -.")],
    server: Server = None,
    ca: Annotated[
        str | None, Option("--ca-file", metavar="FILE", help="The authority that the server's certificate is of.")
    ] = None,
) -> None:
    """On the program's host: throw out at once whoever may no longer be let in, until stopped."""
    run = current(ctx)
    watching.watch(run, name, server, secret, ca)


@app.command("new-secret", cls=ChangingAsOperator)
def new_secret(ctx: Context, name: Party) -> None:
    """Make a program another secret, shown once; the one before is refused at once, and all else stays."""
    run = relying_parties.helping(current(ctx))
    run.show(new_secrets.make(run, name))


@app.command("remove", cls=ChangingAsOperator)
def remove(ctx: Context, name: Party) -> None:
    """Forget a program; every token that it was given ends at once."""
    run = relying_parties.helping(current(ctx))
    run.show(relying_parties.remove(run, name))


@app.command("keys", cls=ChangingAnywhere)
def keys(
    ctx: Context,
    rotate: Annotated[bool, Option("--rotate", help="Make the next keys, which sign a day from now on.")] = False,
    at_once: Annotated[
        bool, Option("--at-once", help="They sign now, and the keys before them are good for nothing: somebody has them.")
    ] = False,
) -> None:
    """Show the keys that sign id_tokens, on the server's host; they are replaced by themselves every 90 days."""
    run = current(ctx)
    run.show_each(signing_keys.show(run, rotate=rotate, at_once=at_once), of=SigningKeyView)
