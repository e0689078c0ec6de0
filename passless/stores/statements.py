"""The statements and migrations that lie beside the code as SQL files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
NAME = "-- name: "
PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
MARKED = re.compile(r"/\* (FOR UPDATE[A-Z ]*) \*/")


@lru_cache(maxsize=1)
def statements() -> Mapping[str, str]:
    """Return every statement by its name."""
    found = {}
    for part in (HERE / "statements.sql").read_text(encoding="utf-8").split(NAME)[1:]:
        name, _, sql = part.partition("\n")
        found[name.strip()] = sql.strip()
    return found


@lru_cache(maxsize=1)
def numbered_statements() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return every statement by its name with numbers for its parameters, and their names in that order.

    SQLite finds a parameter by its number without making a text of its name.
    """
    return {name: _numbered(sql) for name, sql in statements().items()}


def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(PARAMETER.findall(sql)))
    return PARAMETER.sub(lambda found: f"?{names.index(found[1]) + 1}", sql), names


@lru_cache(maxsize=1)
def locking_statements() -> Mapping[str, bytes]:
    """Return every statement by its name as psycopg takes it, with the rows held that its comments say."""
    return {
        name: PARAMETER.sub(r"%(\1)s", MARKED.sub(r"\1", sql.replace("%", "%%"))).encode() for name, sql in statements().items()
    }


def migrations(engine: str) -> tuple[tuple[int, Path], ...]:
    """Return the numbered migrations of an engine in their order."""
    found = ((int(path.name.partition("_")[0]), path) for path in (HERE / "migrations" / engine).glob("*.sql"))
    return tuple(sorted(found))


def split(script: Path) -> tuple[str, ...]:
    """Return the statements of a migration, which has no semicolon inside of one."""
    lines = (line for line in script.read_text(encoding="utf-8").splitlines() if not line.startswith("--"))
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())
