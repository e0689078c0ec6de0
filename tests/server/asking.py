"""Somebody who asks a server over HTTP, short enough to read as a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pyotp

from passless.credentials.totp import step_at
from tests.directories.security_key import SecurityKey
from tests.server.serving import Served, keep_secret

PASSWORD = "stately otter lantern mosaic"
ANOTHER_PASSWORD = "velvet anchor thimble quarry"
API = "/api/v1"


class Caller:
    """A program with a token, once it has signed in."""

    def __init__(self, served: Served | None = None, *, url: str = "", name: str = "ada", **options: Any) -> None:
        base = url or (served.url if served is not None else "")
        self.http = httpx.Client(base_url=base + API, timeout=60, **options)
        self.name = name
        self.token = ""

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request with the token."""
        headers = dict(options.pop("headers", {}))
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.http.request(method, path, json=body, headers=headers, **options)

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """Return a document."""
        return self._read(self.ask("GET", path, **options), status)

    def post(self, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        """Send a document and return the answer's."""
        return self._read(self.ask("POST", path, {} if body is None else body, **options), status)

    def create(self, password: str | None = PASSWORD, **more: Any) -> Any:
        """Make the account and keep its session."""
        if password is not None:
            keep_secret(password)
        made = self.post("/accounts", {"name": self.name, "password": password, **more}, 201)
        return self._keep(made)

    def sign_in(self, password: str = PASSWORD, status: int = 200) -> Any:
        """Sign in with the password."""
        keep_secret(password)
        answer = self.post(f"/accounts/{self.name}/sign-in", {"kind": "password", "text": password}, status)
        return self._keep(answer) if "token" in answer else answer

    def apply(self, kind: str, status: int = 200, headers: Any = None, **fields: Any) -> Any:
        """Ask for a change to the own account."""
        return self.post("/accounts/me/apply", {"type": kind, **fields}, status, headers=headers or {})

    def add_app(self) -> pyotp.TOTP:
        """Add an authenticator app; it has shown its code of the step before."""
        begun = self.post("/accounts/me/ceremonies", {"type": "enrol", "kind": "totp"}, 201)
        app = pyotp.TOTP(keep_secret(begun["secret"]))
        finish, code = f"/ceremonies/{begun['ceremony']}", code_before(app)
        answer = self.ask("POST", finish, {"kind": "totp", "text": code})
        if answer.status_code != 200 and code != code_before(app):  # the step ended on the way; a wrong code ends nothing
            answer = self.ask("POST", finish, {"kind": "totp", "text": code_before(app)})
        self._keep(self._read(answer, 200))
        return app

    def add_key(self, key: SecurityKey, kind: str = "security-key") -> Any:
        """Add a security key or a passkey."""
        begun = self.post("/accounts/me/ceremonies", {"type": "enrol", "kind": kind}, 201)
        answer = key.register(json.dumps(begun["publicKey"]).encode(), begun["origin"]).reveal()
        return self._keep(self.post(f"/ceremonies/{begun['ceremony']}", {"kind": kind, "text": answer}))["method"]

    def begin_key(self, kind: str = "security-key") -> Any:
        """Begin to sign in with a key."""
        return self.post(f"/accounts/{self.name}/ceremonies", {"type": "sign-in", "kind": kind}, 201)

    def finish_key(self, key: SecurityKey, begun: Any, status: int = 200, kind: str = "security-key") -> Any:
        """Finish a sign-in with a key."""
        answer = key.answer(json.dumps(begun["publicKey"]).encode(), begun["origin"]).reveal()
        done = self.post(f"/ceremonies/{begun['ceremony']}", {"kind": kind, "text": answer}, status)
        return self._keep(done) if "token" in done else done

    def _keep(self, answer: Any) -> Any:
        """Keep the token of a session that began, or that more was proven in."""
        self.token = keep_secret(answer["token"])
        return answer

    def _read(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None


def code_before(app: pyotp.TOTP) -> str:
    """Return the code of the step before this one, so that the one of this step is left."""
    return str(app.generate_otp(step_at(datetime.now(UTC)) - 1))
