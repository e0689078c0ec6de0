"""privacyIDEA 3.14 on the same job, set up as it is meant to be run: gunicorn with threads, a database of its own.

It needs an environment of its own: `python -m venv V && V/bin/pip install privacyidea==3.14 gunicorn`; give it with
`--privacyidea V/bin/python`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.bench.server.load import text_base64
from tests.bench.server.passkeys import SoftPasskey
from tests.bench.server.processes import cpu_of, stop
from tests.free_ports import free_port

CONFIGURATION = """
SUPERUSER_REALM = ["super"]
SQLALCHEMY_DATABASE_URI = {database!r}
SECRET_KEY = "a key for measuring, long enough for SHA-256"
PI_PEPPER = "a pepper for measuring"
PI_ENCFILE = {folder!r} + "/enckey"
PI_AUDIT_KEY_PRIVATE = {folder!r} + "/private.pem"
PI_AUDIT_KEY_PUBLIC = {folder!r} + "/public.pem"
PI_LOGFILE = {folder!r} + "/pi.log"
PI_LOGLEVEL = 40
PI_ENGINE_REGISTRY_CLASS = "shared"
"""
STARTS_WITHIN = 60.0  # seconds
RP_ID, ORIGIN = "localhost", "http://localhost"
NO_ATTESTATION = "webauthn_relying_party_name=bench, passkey_attestation_conveyance_preference=none"
PASSWORD = "a password for measuring"


class PrivacyIdea:
    """One installation, in a folder."""

    def __init__(self, python: Path, folder: Path, *, workers: int = 1, threads: int = 4, database: str = "") -> None:
        self._python = python
        self._folder = folder
        self._workers = workers
        self._threads = threads
        self._database = database or f"sqlite:///{folder}/pi.sqlite"
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "PRIVACYIDEA_CONFIGFILE": str(self._folder / "pi.cfg"),
            "PATH": f"{self._python.parent}:{os.environ['PATH']}",
        }

    def set_up(self) -> None:
        """Make keys, tables and an administrator."""
        self._folder.mkdir(parents=True)
        text = CONFIGURATION.format(folder=str(self._folder), database=self._database)
        (self._folder / "pi.cfg").write_text(text)
        for steps in (["setup", "create_enckey"], ["setup", "create_audit_keys"], ["setup", "create_tables"]):
            self._manage(*steps)
        self._manage("admin", "add", "admin", "--password", PASSWORD)

    def _manage(self, *steps: str) -> None:
        subprocess.run([self._python.parent / "pi-manage", *steps], env=self._environment, check=True, capture_output=True)

    @contextmanager
    def serving(self, *, core: int = -1) -> Iterator[subprocess.Popen[bytes]]:
        """Run it behind gunicorn."""
        command = [
            str(self._python.parent / "gunicorn"),
            "--workers", str(self._workers),
            "--threads", str(self._threads),
            "--keep-alive", "60",
            "--bind", f"127.0.0.1:{self.port}",
            "--log-level", "error",
            f"privacyidea.app:create_app(config_name='production', config_file='{self._folder}/pi.cfg', silent=True)",
        ]  # fmt: skip
        if core >= 0:
            command = ["taskset", "-c", str(core), *command]
        with (self._folder / "gunicorn.log").open("ab") as log:
            server = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        try:
            self._wait()
            yield server
        finally:
            stop(server)

    def _wait(self) -> None:
        ends = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz/startupz", timeout=5)
            except httpx.HTTPError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.2)
            else:
                return

    def enrol(self, count: int) -> None:
        """Make users with a passkey each."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            token = _ok(client.post("/auth", data={"username": "admin", "password": PASSWORD}))["value"]["token"]
            client.headers = {"Authorization": token, "Origin": ORIGIN}  # type: ignore[assignment]
            resolver: dict[str, Any] = {
                "type": "sqlresolver",
                "Driver": "sqlite",
                "Server": "/",
                "Database": str(self._folder / "users.sqlite").lstrip("/"),
                "Table": "users",
                "Map": json.dumps({"userid": "id", "username": "name", "password": "password"}),
                "Editable": "1",
            }
            self._make_users(count)
            _ok(client.post("/resolver/people", json=resolver))
            _ok(client.post("/realm/people", json={"resolvers": "people"}))
            _ok(client.post("/defaultrealm/people"))
            action = f"webauthn_relying_party_id={RP_ID}, {NO_ATTESTATION}"
            _ok(client.post("/policy/passkeys", json={"scope": "enrollment", "action": action, "active": True}))
            for number in range(count):
                self._enrol_one(client, number)

    def _make_users(self, count: int) -> None:
        import sqlite3

        connection = sqlite3.connect(self._folder / "users.sqlite")
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, password TEXT)")
        rows = [(number + 1, f"person{number:07}") for number in range(count)]
        connection.executemany("INSERT INTO users (id, name) VALUES (?, ?)", rows)
        connection.commit()
        connection.close()

    def _enrol_one(self, client: httpx.Client, number: int) -> None:
        passkey = SoftPasskey(number, RP_ID, ORIGIN)
        begun = client.post("/token/init", json={"type": "passkey", "user": f"person{number:07}", "realm": "people"})
        detail = begun.json()["detail"]
        asked = detail["passkey_registration"]
        said, attested = passkey.register(text_base64(asked["challenge"]))
        finish = {
            "type": "passkey",
            "user": f"person{number:07}",
            "realm": "people",
            "serial": detail["serial"],
            "transaction_id": detail["transaction_id"],
            "credential_id": text_base64(passkey.credential_id),
            "rawId": text_base64(passkey.credential_id),
            "authenticatorAttachment": "platform",
            "clientDataJSON": text_base64(said),
            "attestationObject": text_base64(attested),
        }
        _ok(client.post("/token/init", json=finish))

    def cpu(self, server: subprocess.Popen[bytes]) -> float:
        """Return the CPU seconds that it used up to now, its workers included."""
        return cpu_of(server.pid)


def _ok(answer: httpx.Response) -> dict[str, Any]:
    result: dict[str, Any] = answer.json()["result"]
    if not result["status"]:
        raise RuntimeError(f"privacyIDEA: {result}")
    return result
