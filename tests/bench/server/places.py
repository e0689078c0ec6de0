"""Servers to be measured, as `passless serve` runs them, over stores with as many accounts as wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from passless.actions.app_password_tags import HASHED
from passless.domain.account import Account, AccountId
from passless.domain.app_passwords import AppPassword
from passless.domain.changes import AccountName
from passless.domain.methods import Credential, DeviceName, MethodId, Passkey, RpId
from passless.domain.sealed import KeyId, Tag
from passless.stores.documents import account_row
from passless.stores.sqlite import connect
from passless.stores.statements import statements
from passless.vault import KeptVault, open_vault
from tests.bench.server.load import ROOT
from tests.bench.server.passkeys import DIFFERENT_KEYS, SoftPasskey
from tests.bench.server.processes import stop
from tests.free_ports import free_port

URL = ORIGIN = "http://localhost"
NAMED = RP_ID = "localhost"
STARTS_WITHIN = 30.0  # seconds
BATCH = 10_000  # accounts inserted at once
WITH_APP_PASSWORD = 1000  # accounts that have one
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Place:
    """A store in a folder, and the servers over it."""

    def __init__(self, folder: Path, store: str = "") -> None:
        self.folder = folder
        self.store = store or f"sqlite:///{folder / 'store.db'}"
        self.key_file = folder / "vault.key"
        self.log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)

    def make(self, accounts: int) -> None:
        """Make the store as a server does at its first start, and fill it."""
        with self.serving():
            pass
        if self.store.startswith("postgresql"):
            from tests.bench.server.postgres import fill
        else:
            fill = fill_sqlite
        fill(self, everybody(accounts, self.vault().tag))

    def vault(self) -> KeptVault:
        """Open the vault of the store."""
        (state,) = (one for one in (self.folder / "home" / "state" / "stores").iterdir() if one.is_dir())
        return open_vault("file", store_id=state.name, key_file=self.key_file, entropy=os.urandom)

    @contextmanager
    def serving(self, *, core: int = -1, module: str = "passless", before: tuple[str, ...] = ()) -> Iterator[Served]:
        """Run one server process; `before` goes in front of its command, such as a profiler."""
        port = free_port()
        command = [*before, sys.executable, "-m", module, "serve", "--store", self.store, "--listen", f"127.0.0.1:{port}"]
        command += ["--url", URL, "--vault-key-file", str(self.key_file)]
        if core >= 0:
            command = ["taskset", "-c", str(core), *command]
        environment = os.environ | {"PASSLESS_HOME": str(self.folder / "home")}
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait(process, port, self.log)
            yield Served(process, port)
        finally:
            stop(process)


class Served:
    """A server process that answers."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5, headers={"Host": NAMED})
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"the server does not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return


def name_of(number: int) -> str:
    """Return the name of an account."""
    return f"person {number:07}"


def id_of(number: int) -> str:
    """Return the id of an account; spread as random ones are."""
    return sha256(b"account %d" % number).hexdigest()[:12]


def app_password_of(number: int) -> str:
    """Return the app password of an account."""
    return "".join(ALPHABET[octet % len(ALPHABET)] for octet in sha256(b"app password %d" % number).digest()[:24])


Tagging = Callable[..., Tag]


def everybody(count: int, tag: Tagging) -> Iterator[Account]:
    """Make up accounts with a passkey each, and an app password the first of them."""
    made_at = datetime.now(UTC) - timedelta(days=400)
    for number in range(count):
        passkey = SoftPasskey(number, RP_ID, ORIGIN)
        method = Passkey(
            id=MethodId("passkey1"),
            name="passkey",
            device=DeviceName("phone"),
            added_at=made_at,
            credential=Credential(
                id=passkey.credential_id, public_key=public_key_of(number), rp_id=RpId(RP_ID), backup_eligible=False
            ),
        )
        yield Account(
            id=AccountId(id_of(number)),
            name=AccountName(name_of(number)),
            created_at=made_at,
            user_handle=passkey.user_handle,
            addresses=(f"{number}@example.org",),
            finished=True,
            methods=(method,),
            app_passwords=(app_password(number, tag, made_at),) if number < WITH_APP_PASSWORD else (),
        )


@cache
def _public_key(number: int) -> bytes:
    return SoftPasskey(number, RP_ID, ORIGIN).public_key


def public_key_of(number: int) -> bytes:
    """Return the COSE key of an account's passkey."""
    return _public_key(number % DIFFERENT_KEYS)


def app_password(number: int, tag: Tagging, made_at: datetime) -> AppPassword:
    """Return what is stored of an app password."""
    tags = (tag(sha256(app_password_of(number).encode()).digest(), purpose=HASHED),)
    return AppPassword(id=f"app{number}", name="Mail", tags=tags, created_at=made_at)


def rows_of(batch: list[Account]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that a batch of accounts takes, by the statement that inserts them."""
    return {
        "add_account": [account_row(account, 1) for account in batch],
        "add_address": [{"address_key": account.addresses[0], "account_id": account.id} for account in batch],
        "add_credential": [
            {"credential_id": account.methods[0].credential.id, "account_id": account.id}  # type: ignore[union-attr]
            for account in batch
            if account.methods
        ],
        "add_tag": [
            {"key_id": str(KeyId(tag.key)), "digest": tag.digest, "account_id": account.id, "item": one.id}
            for account in batch
            for one in account.app_passwords
            for tag in one.tags
        ],
    }


def fill_sqlite(place: Place, accounts: Iterator[Account]) -> None:
    """Insert accounts without waiting for the disk."""
    connection = connect(Path(place.store.removeprefix("sqlite://")), "rw")
    connection.execute("PRAGMA synchronous = OFF")
    while batch := list(islice(accounts, BATCH)):
        connection.execute("BEGIN")
        for statement, rows in rows_of(batch).items():
            connection.executemany(statements()[statement], rows)
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
