"""What Dovecot is asked to ask: passless, a program for each sign-in, and SQLite by itself."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
from argon2 import PasswordHasher, profiles
from msgspec import Struct

from passless.actions.relying_parties import CLIENTS
from passless.domain.account import Account, AccountId
from passless.domain.changes import AccountName
from passless.domain.party_kinds import PartyKind
from passless.domain.party_views import RelyingPartyView
from passless.domain.relying_parties import Client
from passless.ports import Record, Write
from passless.programs import dovecot, setting_up
from passless.stores import open_store
from tests.bench.server.places import URL, Place, app_password, app_password_of, fill_sqlite, id_of
from tests.strangers.mail.a_dovecot import Dovecot

AUTH = "auth-bench"
MORE = "service auth {\n  unix_listener auth-bench {\n    mode = 0666\n  }\n}\nauth_verbose = no\n"
PARTY = "mail"
PLAIN = "auth_mechanisms = plain\nuserdb {\n  driver = static\n  args = allow_all_users=yes\n}\n"
CHECKS = """#!{python} -SE
import hashlib, os, sqlite3, sys
user, secret = os.read(3, 512).split(b"\\0")[:2]
found = sqlite3.connect({database!r}).execute("SELECT hash FROM people WHERE name = ?", (user.decode(),)).fetchone()
if found is None or found[0] != hashlib.sha256(secret).hexdigest():
    sys.exit(1)
os.environ["USER"] = user.decode()
os.execv(sys.argv[1], sys.argv[1:])
"""


class Asked(Struct, frozen=True):
    """A Dovecot that runs: the socket of its auth process, and where mail programs come to."""

    auth: Path
    imap: int


def name_of(number: int) -> str:
    """Return the name of somebody with a mailbox."""
    return f"person{number:07}"


def people(count: int) -> list[tuple[str, str]]:
    """Return names and app passwords."""
    return [(name_of(number), app_password_of(number)) for number in range(count)]


@contextmanager
def asking_passless(folder: Path, accounts: int, each: int) -> Iterator[Asked]:
    """Let Dovecot ask passless; return where it is asked."""
    place = Place(folder / "passless")
    with place.serving():
        pass
    fill_sqlite(place, _accounts(place, accounts, each))
    _register(place)
    mail = folder / "mail.sock"
    served = _serve(place, mail)
    try:
        with _dovecot(folder, f"!include {_configuration(folder, mail)}\n") as asked:
            yield asked
    finally:
        served.terminate()
        served.wait()


@contextmanager
def asking_program(folder: Path, who: Sequence[tuple[str, str]]) -> Iterator[Asked]:
    """Let Dovecot run a program in Python for each sign-in."""
    database = _database(folder, ((user, sha256(secret.encode()).hexdigest()) for user, secret in who))
    program = folder / "checks"
    program.write_text(CHECKS.format(python="/usr/bin/python3", database=str(database)))
    program.chmod(0o755)
    with _dovecot(folder, f"{PLAIN}passdb {{\n  driver = checkpassword\n  args = {program}\n}}\n") as asked:
        yield asked


@contextmanager
def asking_sqlite(folder: Path, who: Sequence[tuple[str, str]], *, slow: bool) -> Iterator[Asked]:
    """Let Dovecot read hashes from SQLite by itself: Argon2id as passwords have it, or one SHA-256."""
    database = _database(folder, ((user, _hash(secret, slow=slow)) for user, secret in who))
    settings = folder / "sql.conf.ext"
    query = "SELECT name AS user, hash AS password FROM people WHERE name = '%u'"
    settings.write_text(f"driver = sqlite\nconnect = {database}\npassword_query = {query}\n")
    limit = "service auth {\n  vsz_limit = 0\n}\nservice auth-worker {\n  vsz_limit = 0\n}\n"
    with _dovecot(folder, f"{PLAIN}{limit}passdb {{\n  driver = sql\n  args = {settings}\n}}\n") as asked:
        yield asked


def _hash(secret: str, *, slow: bool) -> str:
    if slow:
        return "{ARGON2ID}" + PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY).hash(secret)
    return "{SHA256}" + base64.b64encode(sha256(secret.encode()).digest()).decode()


def _database(folder: Path, rows: Iterator[tuple[str, str]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "people.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (name TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID")
    connection.executemany("INSERT INTO people VALUES (?, ?)", rows)
    connection.commit()
    connection.close()
    path.chmod(0o644)
    return path


@contextmanager
def _dovecot(folder: Path, configuration: str) -> Iterator[Asked]:
    stranger = folder / "dovecot"
    stranger.mkdir(mode=0o755)
    running = Dovecot(stranger, more=f"{configuration}{MORE}")
    try:
        yield Asked(stranger / "run" / AUTH, running.imap_port)
    finally:
        running.stop()


def _accounts(place: Place, count: int, each: int) -> Iterator[Account]:
    """Make up accounts with app passwords, of which the first is the one that is used."""
    tag, made_at = place.vault().tag, datetime.now(UTC) - timedelta(days=400)
    for number in range(count):
        others = (app_password(count * more + number, tag, made_at) for more in range(1, each))
        yield Account(
            id=AccountId(id_of(number)),
            name=AccountName(name_of(number)),
            created_at=made_at,
            user_handle=sha256(b"%d" % number).digest(),
            addresses=(f"{number}@example.org",),
            finished=True,
            app_passwords=(app_password(number, tag, made_at), *others),
        )


def _register(place: Place) -> None:
    now = datetime.now(UTC)
    client = Client(id=PARTY, name=PARTY, redirect_uris=(), created_at=now, kind=PartyKind.DOVECOT)
    store = open_store(place.folder / "store.db", state=place.folder / "home" / "state" / "stores", at=now)
    store.commit(Write(at=now, puts=(Record(kind=CLIENTS, key=PARTY, document=msgspec.json.encode(client)),)))
    store.close()


def _serve(place: Place, mail: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "passless", "serve", "--store", place.store, "--listen", "127.0.0.1:0", "--url", URL]
    command += ["--vault-key-file", str(place.key_file), "--socket", f"{PARTY}=unix:{mail}?group=dovecot"]
    with place.log.open("ab") as log:
        served = subprocess.Popen(command, env=os.environ | {"PASSLESS_HOME": str(place.folder / "home")}, stderr=log)
    until = time.monotonic() + 30
    while not mail.exists():
        if served.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server does not start: {place.log.read_text()[-2000:]}")
        time.sleep(0.05)
    return served


def _configuration(folder: Path, mail: Path) -> Path:
    view = partial(RelyingPartyView, public=False, redirect_uris=(), scopes=(), introspects=False)
    where = folder / "written"
    where.mkdir()
    party = view(id=PARTY, name=PARTY, kind=PartyKind.DOVECOT, created_at=datetime.now(UTC))
    setup = setting_up.Setup(party=party, url="http://localhost", folder=where, socket=f"unix:{mail}")
    return Path(setting_up.set_up(dovecot, setup).files[0])
