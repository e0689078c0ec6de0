"""What PostgreSQL's errors mean for a store.

Their causes are not kept: a server's message may show whole rows.
"""

from __future__ import annotations

import psycopg

from passless.domain.errors import PasslessError
from passless.ports import StoreDamaged, StoreUnavailable
from passless.stores.database import Again
from passless.stores.errors import StoreMissing

MEETING = ("40001", "40P01", "23505")  # serialisation failure, deadlock, and a row that another one made first
REASONS = {  # by the first letters of the code (postgresql.org/docs/current/errcodes-appendix.html), the longest first
    "55P03": "is busy",
    "57014": "is busy",
    "53100": "cannot grow: the disk is full",
    "53300": "has too many connections",
    "53": "needs more than its server has",
    "25006": "cannot be written to",
    "42501": "may not be used by this user",
    "28": "does not let this user in",
    "3D": "has no such database",
    "54": "does not take something that is so long",
    "22": "does not take such a value",
    "58": "cannot be read or written by its server",
    "57P": "is not reachable",
    "08": "is not reachable",
}


def is_lost(error: psycopg.Error, connection: psycopg.Connection[object] | None) -> bool:
    """Tell whether the connection ended with the error."""
    if connection is not None and (connection.closed or connection.broken):
        return True
    state = error.sqlstate or ""
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not state
    return lost or state.startswith(("08", "57P"))


def fault(error: psycopg.Error, name: str, connection: psycopg.Connection[object] | None = None) -> PasslessError | Again:
    """Return the error that says what happened to the database."""
    state = error.sqlstate or ""
    if state in MEETING or is_lost(error, connection):
        return Again(reason(error))
    if state == "42P01":
        return StoreMissing(f'there is no store at "{name}" (the database has no tables of passless)')
    known = next((REASONS[part] for part in sorted(REASONS, key=len, reverse=True) if state.startswith(part)), "")
    if known or (not state and isinstance(error, psycopg.DataError)):
        return StoreUnavailable(f'the store "{name}" {known or REASONS["22"]}')
    return StoreDamaged(f'the store "{name}" is damaged ({reason(error)})')


def unreachable(error: psycopg.Error, name: str) -> PasslessError:
    """Return the error that says why no connection came about."""
    state = error.sqlstate or ""
    known = next((REASONS[part] for part in sorted(REASONS, key=len, reverse=True) if state.startswith(part)), "")
    return StoreUnavailable(
        f'the store "{name}" {known or "cannot be reached"} ({reason(error)})',
        hint="check that the database server runs and lets this user in, and that the password file holds the right password",
    )


def reason(error: psycopg.Error) -> str:
    """Return what the server said, without the rows it may show, or what the client noticed, in one line."""
    said = str(error).strip().splitlines()
    lines = [line.strip() for line in said if not line.startswith("\t")]  # what libpq guesses has a tab
    return error.diag.message_primary or (lines or ["no reason was given"])[-1]
