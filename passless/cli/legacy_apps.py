"""Programs that cannot sign in without a password."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context

from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Anywhere
from passless.domain.errors import NotFound
from passless.domain.legacy_apps import LegacyApp, find
from passless.domain.names import printable

app = single()


class NoSuchProgram(NotFound):
    """The list does not have it."""

    code = "no-such-program"
    hint = "passless does not know it: look in its manual how it signs in, and for the like in the list: passless legacy-apps"


@app.command("legacy-apps", cls=Anywhere)
def legacy_apps(
    ctx: Context,
    name: Annotated[list[str] | None, Argument(metavar="[NAME]", help="A program, such as 'Outlook 2010'.")] = None,
) -> None:
    """Which programs need what once there is no password: an app password, a device code, or the password."""
    current(ctx).show_each(named(" ".join(name or ())), of=LegacyApp)


def named(words: str) -> tuple[LegacyApp, ...]:
    """Return the programs meant; `NoSuchProgram` where there is none."""
    found = find(words)
    if not found:
        raise NoSuchProgram(f'"{printable(words)}" is not in the list of programs')
    return found
