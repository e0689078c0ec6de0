"""docs/commands.md, made from the program itself: `python -m tests.docs.commands`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer import Context

from passless.cli import options
from passless.cli.program import program
from tests.docs.running import REPOSITORY

PAGE = REPOSITORY / "docs" / "commands.md"
MADE_BY = "<!-- Made by `python -m tests.docs.commands`; change the help texts of the commands instead. -->"
SHARED = {
    "every command": options.every,
    "commands that act on an account": options.on_account,
    "commands that change something": options.changing,
    "commands that operators use for others": options.for_operators,
}


def page() -> str:
    """Return the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    top = program()
    ctx = Context(top, info_name="passless")
    yield from ("# Commands", "", MADE_BY, "")
    yield from ("What each exit status means, and the JSON that programs get, is in [scripting.md](scripting.md).", "")
    yield from _contents(top, ctx)
    yield from _shared()
    for name in top.list_commands(ctx):
        yield from _command(top.get_command(ctx, name), ctx, name, depth=2)


def _contents(top: Any, ctx: Context) -> Iterator[str]:
    yield from ("| command | what it is for |", "| --- | --- |")
    for name in top.list_commands(ctx):
        line = top.get_command(ctx, name).short_help
        yield f"| [`{name}`](#passless-{name}) | {_cell(line)} |"
    yield ""


def _shared() -> Iterator[str]:
    yield from ("## Options that commands share", "")
    yield from ("They may stand before or after the command's name.", "")
    yield from ("| option | | taken by |", "| --- | --- | --- |")
    for who, make in SHARED.items():
        for option in make():
            yield f"| {_spelled(option)} | {_cell(option.help)} | {who} |"
    yield from ("| `--version` | Show the version and exit. | `passless` itself |", "")


def _command(command: Any, parent: Context, name: str, *, depth: int) -> Iterator[str]:
    ctx = Context(command, info_name=name, parent=parent)
    path = ctx.command_path
    if hasattr(command, "list_commands"):
        yield from (f"{'#' * depth} {path}", "", command.short_help or command.help, "")
        for inner in command.list_commands(ctx):
            yield from _command(command.get_command(ctx, inner), ctx, inner, depth=depth + 1)
        return
    own = [one for one in command.get_params(ctx) if _is_own(one)]
    arguments = " ".join(["[OPTIONS]", *(one.make_metavar(ctx) for one in own if one.param_type_name == "argument")])
    yield from (f"{'#' * depth} {path}", "", *_paragraphs(command.help), "", "```", f"{path} {arguments}", "```", "")
    rows = [f"| {_spelled(one, ctx)} | {_cell(one.help)}{_default(one)} |" for one in own if not one.hidden]
    if rows:
        yield from ("| | |", "| --- | --- |", *rows, "")
    taken = [who for who, make in SHARED.items() if make is not options.every and _takes(command, ctx, make)]
    if taken:
        yield from (f"Also takes the options of {' and '.join(taken)}.", "")


def _is_own(one: Any) -> bool:
    """Tell whether it is the command's alone; an argument may be called as a shared option is."""
    return one.param_type_name == "argument" or (one.name not in _shared_names() and one.name != "help")


def _paragraphs(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").strip().splitlines()]


def _shared_names() -> frozenset[str]:
    return frozenset(str(option.name) for make in SHARED.values() for option in make())


def _takes(command: Any, ctx: Context, make: Any) -> bool:
    names = {one.name for one in command.get_params(ctx)}
    return {option.name for option in make()} <= names


def _spelled(one: Any, ctx: Context | None = None) -> str:
    if one.param_type_name == "argument":
        return f"`{one.make_metavar(ctx)}`"
    value = "" if one.is_flag else f" {one.make_metavar(ctx or Context(program()))}"
    return ", ".join(f"`{_cell(name + value)}`" for name in (*one.opts, *one.secondary_opts))


def _default(one: Any) -> str:
    return f" Left out: {one.default}." if one.default not in (None, False, "", (), []) else ""


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
