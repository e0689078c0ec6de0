"""The names of all events that the code can write into the audit trail, found by reading it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec

import passless

CODE = Path(passless.__file__).parent
WRITE = ("actions", "directories", "server", "stores")  # packages that write into the trail
LOGS = frozenset({"log.py"})  # modules whose events are lines of the server's log
MAKES = "AuditEntry"  # the type that an event is made of
NAMED = "event"  # its field, and the parameter of whatever passes a name on to it


def tags(kind: type[msgspec.Struct]) -> list[object]:
    """Return the words of every kind of something."""
    return [one.__struct_config__.tag for one in kind.__subclasses__()]


def events_in(folder: Path) -> set[str]:
    """Return the names; what a function is given as `event` is looked for wherever something of its name is called.

    A function whose name begins with "_" is called in its own module alone.
    """
    paths = [path for package in WRITE for path in sorted((folder / package).rglob("*.py")) if path.name not in LOGS]
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    own = [{MAKES: {-1}} | _taking(module) for module in modules]
    shared: dict[str, set[int]] = {}
    for one in own:
        for name, places in one.items():
            if not name.startswith("_"):
                shared.setdefault(name, set()).update(places)
    return {name for module, takes in zip(modules, own, strict=True) for name in _named(module, shared | takes)}


def _taking(module: ast.Module) -> dict[str, set[int]]:
    """Return the functions that are given an event's name, and at which places; -1 is by its name alone."""
    found: dict[str, set[int]] = {}
    for one in ast.walk(module):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [argument.arg for argument in (*one.args.posonlyargs, *one.args.args)]
            if NAMED in arguments:
                found.setdefault(one.name, set()).add(arguments.index(NAMED) - (arguments[0] == "self"))
            elif NAMED in [argument.arg for argument in one.args.kwonlyargs]:
                found.setdefault(one.name, set()).add(-1)
    return found


def _named(module: ast.Module, takes: dict[str, set[int]]) -> Iterator[str]:
    constants = {
        target.id: one.value.value
        for one in module.body
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(module):
        if isinstance(call, ast.Call) and (name := _called(call.func)) in takes:
            for given in _given(call, takes[name]):
                yield from _words(given, constants)


def _called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _given(call: ast.Call, places: set[int]) -> Iterator[ast.expr]:
    yield from (one.value for one in call.keywords if one.arg == NAMED)
    yield from (call.args[place] for place in places if 0 <= place < len(call.args))


def _words(given: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    match given:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.IfExp(body=body, orelse=otherwise):
            yield from _words(body, constants)
            yield from _words(otherwise, constants)
        case _:
            return  # a change's own word, or what was given to this function: both are looked for elsewhere
