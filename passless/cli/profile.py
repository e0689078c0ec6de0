"""Profiles: the places where accounts live."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from passless.cli import profiles
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Anywhere, ChangingAnywhere
from passless.cli.profiles import VaultWish
from passless.output.machine_results import ProfileView

app = group("The places where accounts live.")


Name = Annotated[str, Argument(metavar="NAME", help="What the profile is called.")]
Store = Annotated[str | None, Option("--store", metavar="URL", help="A store, such as sqlite:////srv/accounts.sqlite.")]
Server = Annotated[str | None, Option("--server", metavar="URL", help="A passless server.")]
Provider = Annotated[str | None, Option("--provider", metavar="KIND", help="An identity provider, such as entra.")]
Vault = Annotated[VaultWish | None, Option("--vault", help="Where the store's vault key is kept, or the session at a server.")]
CaFile = Annotated[
    str | None, Option("--ca-file", metavar="FILE", help="The certificates a server's must come from; '' for the public ones.")
]
Password = Annotated[
    str | None,
    Option("--password-file", metavar="FILE", help="A file with the password of the store's database; '' for libpq's file."),
]
Policy = Annotated[str | None, Option("--policy", metavar="FILE", help="The policy its accounts are held to; '' for none.")]


@app.command("add", cls=ChangingAnywhere)
def add(
    ctx: Context,
    name: Name,
    store: Store = None,
    server: Server = None,
    provider: Provider = None,
    vault: Vault = None,
    policy: Policy = None,
    ca: CaFile = None,
    password: Password = None,
) -> None:
    """Add a place where accounts live; a store that is not there yet is made with its first account."""
    run = current(ctx)
    place = {"store": store, "server": server, "provider": provider, "ca": ca, "password": password}
    wish = profiles.Wish(name=name, vault=vault, policy=policy, **place)
    run.show(profiles.add(run, wish))


@app.command("set", cls=ChangingAnywhere)
def change(
    ctx: Context,
    name: Name,
    store: Store = None,
    server: Server = None,
    provider: Provider = None,
    vault: Vault = None,
    policy: Policy = None,
    ca: CaFile = None,
    password: Password = None,
) -> None:
    """Change a profile; a vault key that can be read moves along."""
    run = current(ctx)
    place = {"store": store, "server": server, "provider": provider, "ca": ca, "password": password}
    wish = profiles.Wish(name=name, vault=vault, policy=policy, **place)
    run.show(profiles.change(run, wish))


@app.command("list", cls=Anywhere)
def list_profiles(ctx: Context) -> None:
    """List the profiles."""
    run = current(ctx)
    run.show_each(profiles.everyone(run), of=ProfileView)


@app.command("use", cls=ChangingAnywhere)
def use(ctx: Context, name: Name) -> None:
    """Choose the profile that commands use when none is named."""
    run = current(ctx)
    run.show(profiles.use(run, name))


@app.command("show", cls=Anywhere)
def show(
    ctx: Context, name: Annotated[str | None, Argument(metavar="[NAME]", help="Which; else the chosen one.")] = None
) -> None:
    """Show a profile."""
    run = current(ctx)
    run.show(profiles.view(run, run.settings.profile(name or run.given.profile)))


@app.command("remove", cls=ChangingAnywhere)
def remove(ctx: Context, name: Name) -> None:
    """Forget a profile; its accounts stay where they are."""
    run = current(ctx)
    run.show(profiles.remove(run, name))
