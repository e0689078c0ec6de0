"""Where a PostgreSQL database is: the URL of a store, read by libpq's own rules."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from passless.domain.errors import WrongUse

SCHEMES = ("postgresql://", "postgres://")
SECRETS = ("password", "sslpassword")  # what a URL may hold for libpq, and must not for us: security.md, "Must hold" 1


class WrongStoreUrl(WrongUse):
    """The address of a store cannot be read, or holds what does not belong there."""

    code = "wrong-store-url"
    hint = "write it as sqlite:////absolute/path or postgresql://user@host:port/name, the password in a file of its own"


class PostgresAddress(Struct, frozen=True):
    """What libpq connects to, and how the place is called in messages."""

    parameters: Mapping[str, str]
    name: str


def read_address(url: str) -> PostgresAddress:
    """Read a URL.

    Raises:
        WrongStoreUrl: libpq does not understand it, it holds a password, or names no database. The message never repeats it.
    """
    if not url.startswith(SCHEMES):
        raise WrongStoreUrl("the address of the store is neither one of SQLite nor one of PostgreSQL")
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except ProgrammingError:
        raise WrongStoreUrl("the address of the store is not one that PostgreSQL understands") from None
    if any(name in found for name in SECRETS):
        raise WrongStoreUrl("the address of the store holds a password, which everybody could see who sees the address")
    if not found.get("dbname"):
        raise WrongStoreUrl("the address of the store names no database")
    host, port = found.get("host", ""), found.get("port", "")
    where = "" if host.startswith("/") else host
    return PostgresAddress(found, f"postgresql://{where}{f':{port}' if port and where else ''}/{found['dbname']}")
