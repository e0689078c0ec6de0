"""What a sign-in to a mail server takes: a statement, and no thread that has to be woken up. Nothing here is timed."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from passless.actions import relying_parties
from passless.directories.local import LocalDirectory
from passless.domain.relying_parties import Client, NewRelyingParty
from passless.domain.requests import RevokeAppPasswordsNamed
from passless.ports.directory import Actor
from passless.server import batches, own_loop
from passless.server.log import Log
from passless.server.site import Site
from passless.server.sockets import dovecot
from passless.server.sockets.dovecot import open_at
from passless.stores.sqlite import SqliteConnection, SqliteDatabase
from tests.directories.person import Person
from tests.directories.place import Place, on_disk, reopened

HELLO = b"H3\t2\t0\t\tpassless\n"
YES = b'O{"user":"ada","nopassword":"y","userdb_user":"ada"}\n'
NO = b"N\n"
LONG = 60.0  # seconds that nobody waits
MANY = 40  # sign-ins at once, of one person with as many app passwords as there may be

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sockets in folders")


class Work:
    """The statements that a store runs, and the threads that they run in."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.threads: set[int] = set()

    def note(self, statement: str) -> None:
        """Remember one."""
        self.statements.append(statement.split(maxsplit=1)[0])
        self.threads.add(threading.get_ident())

    def clear(self) -> None:
        """Forget them."""
        self.statements.clear()
        self.threads.clear()


@contextmanager
def noted(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Note what runs on every connection to the file."""
    work, connect = Work(), SqliteDatabase._connect
    database: SqliteDatabase = place.store._database  # type: ignore[attr-defined]

    def connected(self: SqliteDatabase) -> SqliteConnection:
        made = connect(self)
        made.connection.set_trace_callback(work.note)
        return made

    monkeypatch.setattr(SqliteDatabase, "_connect", connected)
    connection: sqlite3.Connection = database._writer.connection
    connection.set_trace_callback(work.note)
    yield work
    connection.set_trace_callback(None)


def mail_of(place: Place) -> tuple[Person, Site, Client]:
    """Return somebody with two-step, and a mail server."""
    ada = Person(place).create(email="ada@example.org")
    ada.add_app()
    ada.new_code()
    ada.turn_on_two_step()
    ada.with_password()
    made = relying_parties.add(place.parts, Actor(), NewRelyingParty(name="mail", kind="dovecot"))
    found = relying_parties.find(place.parts, made.id)
    assert found is not None
    return ada, Site(directory=LocalDirectory(place.parts), url="https://passless.example"), found[0]


def question(secret: str, user: str = "ada") -> bytes:
    """Return what Dovecot asks."""
    return f"Lshared/passdb/imap/{sha256(secret.encode()).hexdigest()}/192.0.2.1/{user}\t\n".encode()


async def asked(connections: list[socket.socket], questions: list[bytes]) -> list[bytes]:
    """Ask on each connection, all at once, and return the answers."""
    loop = asyncio.get_running_loop()
    for connection, one in zip(connections, questions, strict=True):
        await loop.sock_sendall(connection, one)
    return list(await asyncio.gather(*(asyncio.wait_for(loop.sock_recv(one, 1000), LONG) for one in connections)))


@contextmanager
def connected(path: Path, count: int) -> Iterator[list[socket.socket]]:
    """Connect as often as Dovecot has workers."""
    made = [socket.socket(socket.AF_UNIX) for _ in range(count)]
    try:
        for one in made:
            one.connect(str(path))
            one.sendall(HELLO)
            one.setblocking(False)
        yield made
    finally:
        for one in made:
            one.close()


@pytest.mark.parametrize("app_passwords", [1, MANY])
def test_a_sign_in_within_the_minute_is_one_statement_of_a_thread_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app_passwords: int
) -> None:
    """However many app passwords there are: what all of a batch costs is a transaction that keeps nothing."""
    place = on_disk(tmp_path)
    ada, site, party = mail_of(place)
    secrets = [ada.new_app_password(f"Mail {number}") for number in range(app_passwords)]
    questions = [question(secrets[number % app_passwords]) for number in range(MANY)]
    monkeypatch.delattr(batches, "get_asyncio_executor")  # nothing is handed to a thread

    async def ask() -> None:
        path = tmp_path / "mail.sock"
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        async with aclosing(opened):
            with connected(path, MANY) as connections, noted(place, monkeypatch) as work:
                assert await asked(connections, questions) == [YES] * MANY
                work.clear()
                assert await asked(connections, questions) == [YES] * MANY
                begun = work.statements.count("BEGIN")
                assert 1 <= begun == work.statements.count("COMMIT")
                assert len(work.statements) == 2 * begun + MANY, work.statements
                assert work.statements.count("SELECT") == MANY
                assert len(work.threads) == 1
                assert threading.get_ident() not in work.threads, "the server's own loop waits for no store"

    asyncio.run(ask())
    place.store.close()


def test_what_another_process_ends_signs_in_never_again(tmp_path: Path) -> None:
    """Must hold 7: from the commit on, on connections that are open, and in the minute in which it was used."""
    place = on_disk(tmp_path)
    ada, site, party = mail_of(place)
    secret, stays = ada.new_app_password("Mail"), ada.new_app_password("Phone")
    other = reopened(tmp_path, at=place.clock.now)

    async def ask() -> None:
        path = tmp_path / "mail.sock"
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        async with aclosing(opened):
            with connected(path, 2) as connections:
                assert await asked(connections, [question(secret), question(stays)]) == [YES, YES]
                Person(other, "ada", token=ada.token).do(RevokeAppPasswordsNamed(names=("Mail",)))
                assert await asked(connections, [question(secret), question(stays)]) == [NO, YES]

    asyncio.run(ask())
    other.store.close()
    place.store.close()


def test_its_last_use_is_kept_once_a_minute_whoever_asks(tmp_path: Path) -> None:
    place = on_disk(tmp_path)
    ada, site, party = mail_of(place)
    secret, begin = ada.new_app_password("Mail"), place.clock.now

    async def ask() -> None:
        path = tmp_path / "mail.sock"
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        async with aclosing(opened):
            with connected(path, 3) as connections:
                for seconds, kept in ((0, 0), (59, 0), (1, 60)):
                    place.clock.move(seconds=seconds)
                    assert await asked(connections, [question(secret)] * 3) == [YES] * 3
                    (shown,) = place.directory.app_passwords(ada.actor, "ada")
                    assert shown.last_used_at == begin + timedelta(seconds=kept)

    asyncio.run(ask())
    place.store.close()


def test_closing_ends_the_thread_and_what_is_asked_then_is_no_answer(tmp_path: Path) -> None:
    place = on_disk(tmp_path)
    ada, site, party = mail_of(place)
    secret, path = ada.new_app_password("Mail"), tmp_path / "mail.sock"

    async def ask() -> None:
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        with connected(path, 1) as connections:
            assert await asked(connections, [question(secret)]) == [YES]
            own = f"passless {party.name}"
            assert own in {one.name for one in threading.enumerate()}
            await opened.aclose()
            assert own not in {one.name for one in threading.enumerate()}
            assert await asyncio.get_running_loop().sock_recv(connections[0], 100) == b""

    asyncio.run(ask())
    assert not path.exists()
    place.store.close()


@pytest.mark.parametrize("hangs", [False, True])
def test_closing_waits_for_what_is_looked_up_and_holds_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """The server's own loop goes on; a disk that hangs is waited for no longer than it may take."""
    place = on_disk(tmp_path)
    ada, site, party = mail_of(place)
    secret, path = ada.new_app_password("Mail"), tmp_path / "mail.sock"
    begun, goes_on = threading.Event(), threading.Event()

    def slow(*_: object) -> bytes:
        begun.set()
        goes_on.wait(2 * LONG)
        return NO

    monkeypatch.setattr(dovecot, "answer", slow)
    monkeypatch.setattr(own_loop, "LONGEST", 0.01 if hangs else LONG)

    async def ask() -> None:
        opened = await open_at(site, Log(site.parts.clock), party, f"unix:{path}")
        with connected(path, 1) as connections:
            connections[0].sendall(question(secret))
            assert await asyncio.to_thread(begun.wait, LONG)
            closing = asyncio.create_task(opened.aclose())
            await asyncio.sleep(0)
            assert not closing.done()
            if not hangs:
                goes_on.set()
            async with asyncio.timeout(LONG):
                await closing
            assert opened._own._thread.is_alive() == hangs
            goes_on.set()
            await asyncio.to_thread(opened._own._thread.join, LONG)

    asyncio.run(ask())
    assert not path.exists()
    place.store.close()
