"""The options that commands share: what was given, before or after the command's name, is gathered in one place.

A command says which of them it takes by its class: `@app.command(cls=Changing)`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct
from typer import CallbackParam, Context, Exit
from typer.core import TyperCommand, TyperGroup, TyperOption

from passless import __version__
from passless.domain.errors import WrongUse

GIVEN = "passless.given"


class NotTaken(WrongUse):
    """A shared option that the command does not take."""

    code = "option-not-taken"

    def __init__(self, command: str, option: str, *, why: str) -> None:
        super().__init__(f'"{command}" takes no {option}: {why}', hint=f"leave {option} out; see: {command} --help")


class Given(Struct):
    """What the shared options said; None and False where they were left out."""

    json: bool = False
    profile: str | None = None
    no_input: bool = False
    verbose: bool = False
    debug: bool = False
    account: str | None = None
    acting_as: str | None = None
    dry_run: bool = False
    yes: bool = False
    as_operator: bool = False
    reason: str | None = None
    ticket: str | None = None


def given(ctx: Context) -> Given:
    """Return what was given so far, on every level of the command line."""
    found: Given = ctx.meta.setdefault(GIVEN, Given())
    return found


def _remember(ctx: Context, param: CallbackParam, value: object) -> None:
    if value not in (None, False):
        setattr(given(ctx), str(param.name), value)


def _version(ctx: Context, param: CallbackParam, value: object) -> None:
    if value and not ctx.resilient_parsing:
        print(f"passless {__version__}")  # noqa: T201 - the one line of --version
        raise Exit


def flag(*names: str, help: str, hidden: bool = False) -> TyperOption:  # noqa: A002 - as Typer calls it
    """Return an option that is there or not."""
    return TyperOption(
        param_decls=list(names), is_flag=True, default=False, expose_value=False, callback=_remember, help=help, hidden=hidden
    )


def text(*names: str, metavar: str, help: str, hidden: bool = False) -> TyperOption:  # noqa: A002 - as Typer calls it
    """Return an option with a value."""
    return TyperOption(
        param_decls=list(names), metavar=metavar, expose_value=False, callback=_remember, help=help, hidden=hidden
    )


def every(*, hidden: bool = False) -> list[Any]:
    """Return the options that every command takes."""
    return [
        flag("json", "--json", help="Print one JSON document.", hidden=hidden),
        text("profile", "--profile", metavar="NAME", help="Where the account lives.", hidden=hidden),
        flag("no_input", "--no-input", help="Never ask; what is missing is an error.", hidden=hidden),
        flag("verbose", "--verbose", help="Say more.", hidden=hidden),
        flag("debug", "--debug", help="Show a traceback when something fails.", hidden=hidden),
    ]


def on_account(*, hidden: bool = False) -> list[Any]:
    """Return the options of commands that act on an account."""
    return [
        text("account", "--account", metavar="NAME", help="The account acted on.", hidden=hidden),
        text("acting_as", "--as", metavar="NAME", help="The signed-in account that acts.", hidden=hidden),
    ]


def changing(*, hidden: bool = False) -> list[Any]:
    """Return the options of commands that change something."""
    return [
        flag("dry_run", "--dry-run", help="Show the plan and change nothing.", hidden=hidden),
        *asking(hidden=hidden),
    ]


def asking(*, hidden: bool = False) -> list[Any]:
    """Return the option of commands that may ask whether something is meant."""
    return [flag("yes", "--yes", help="Answer yes to every question.", hidden=hidden)]


def for_operators(*, hidden: bool = False) -> list[Any]:
    """Return the options of commands that operators use for others."""
    return [
        flag("as_operator", "--as-operator", help="Act for somebody else, as operator.", hidden=hidden),
        text("reason", "--reason", metavar="TEXT", help="Why, for the audit trail.", hidden=hidden),
        text("ticket", "--ticket", metavar="ID", help="The ticket it belongs to.", hidden=hidden),
    ]


class Anywhere(TyperCommand):
    """A command that needs no account."""

    shared: ClassVar[tuple[Any, ...]] = (every,)

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **attributes: Any) -> None:
        added = [option for make in self.shared for option in make()]
        super().__init__(name, params=[*(params or []), *added], rich_markup_mode=None, **_without_markup(attributes))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what was given; what stands before the command's name must be something that the command heeds."""
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            _check_heeded(ctx, self.shared)
        return rest


class ChangingAnywhere(Anywhere):
    """A command that changes something, but no account."""

    shared = (every, changing)


class Reading(Anywhere):
    """A command that shows something of an account."""

    shared = (every, on_account)


class Writing(Anywhere):
    """A command that changes nothing but a file, which may be there already."""

    shared = (every, on_account, asking)


class Changing(Anywhere):
    """A command that changes an account."""

    shared = (every, on_account, changing)


class ReadingAsOperator(Anywhere):
    """A command that shows something of an account, also to operators."""

    shared = (every, on_account, for_operators)


class ChangingAsOperator(Anywhere):
    """A command that changes an account, also for operators."""

    shared = (every, on_account, changing, for_operators)


class Group(TyperGroup):
    """A group of commands; the shared options may also stand before the command's name, where help does not list them."""

    hides_shared: ClassVar[bool] = True

    def __init__(self, *, params: list[Any] | None = None, **attributes: Any) -> None:
        hidden = self.hides_shared
        shared = [*every(hidden=hidden), *on_account(hidden=True), *changing(hidden=True), *for_operators(hidden=True)]
        super().__init__(params=[*(params or []), *shared], rich_markup_mode=None, **_without_markup(attributes))


def version() -> TyperOption:
    """Return `--version`."""
    return TyperOption(
        param_decls=["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        help="Show the version and exit.",
    )


def _check_heeded(ctx: Context, shared: tuple[Any, ...]) -> None:
    """Refuse a promise that the command would not keep, such as a dry run of what has no plan."""
    found, command = given(ctx), ctx.command_path
    if found.dry_run and changing not in shared:
        raise NotTaken(command, "--dry-run", why="it has no plan to show")
    if for_operators not in shared:
        for option, value in (("--as-operator", found.as_operator), ("--reason", found.reason), ("--ticket", found.ticket)):
            if value:
                raise NotTaken(command, option, why="operators cannot do this for others")


def _without_markup(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != "rich_markup_mode"}
