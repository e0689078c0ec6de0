"""Command groups that import a command's module only when that command is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.main import get_command as build

from passless.cli.failures import MissingCommand, NoSuchCommand, ReaderGone
from passless.cli.options import Group
from passless.cli.table import COMMANDS


def single() -> typer.Typer:
    """Return the app of a module with one command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def group(help: str) -> typer.Typer:  # noqa: A002 - as Typer calls it
    """Return the app of a module with a group of commands."""
    return typer.Typer(cls=SpokenGroup, help=help, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


class SpokenGroup(Group):
    """A group whose errors say what there is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command's name; without a name, show what there is."""
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing and not ctx._protected_args:
            raise MissingCommand(ctx.command_path, help_text=ctx.get_help())
        return rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write what each command does, its whole first sentence."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, _first_line(one)) for name, one in commands if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, or say which ones are near."""
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing:
            from difflib import get_close_matches

            raise NoSuchCommand(args[0], ctx.command_path, get_close_matches(args[0], self.list_commands(ctx)))
        return (args[0] if command else None), command, args[1:]


class LazyGroup(SpokenGroup):
    """The program itself: names and lines of help come from the table, everything else from the one module asked for."""

    hides_shared: ClassVar[bool] = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of a command and build it."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = build(import_module(entry.module).app)
        command.short_help = entry.help
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table into the help text."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete command names without importing them."""
        from typer._click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=entry.help) for name, entry in COMMANDS.items() if name.startswith(incomplete)]
        return named + _options(self, ctx, incomplete)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader that went away is not Typer's business."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error


def _first_line(command: Any) -> str:
    text = command.short_help or command.help or ""
    return " ".join(text.strip().partition("\n\n")[0].split())


def _options(command: Any, ctx: Any, incomplete: str) -> list[Any]:
    from typer._click.core import Command

    return list(Command.shell_complete(command, ctx, incomplete))
