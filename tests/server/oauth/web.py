"""A relying party that speaks OpenID Connect, and what is read in its tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

from passless.domain.views import MadeRelyingParty
from tests.server.oauth.world import WEB_CALLBACK, Browser, World, carried

OTHER_CALLBACK = "https://other.example/signed-in"
BYE = "https://mail.example/bye"


class Web:
    """A relying party that speaks OpenID Connect, and somebody's browser."""

    def __init__(self, world: World, name: str = "mail", callback: str = WEB_CALLBACK, **more: Any) -> None:
        self.world = world
        self.callback = callback
        self.party: MadeRelyingParty = world.register(name, kind="oidc", redirect_uris=(callback,), **more)

    @property
    def basic(self) -> tuple[str, str]:
        assert self.party.secret is not None
        return self.party.id, self.party.secret.reveal()

    def asks(self, **more: str | None) -> dict[str, str | None]:
        return {"client_id": self.party.id, "redirect_uri": self.callback, "scope": "openid", **more}

    def code(self, browser: Browser, **more: str | None) -> str:
        """Return a code, with consent where that is asked."""
        page = browser.ask(**self.asks(**more))
        return carried(page if page.status_code == 303 else browser.answer(page))["code"]

    def exchange(self, code: str, **more: Any) -> Any:
        return self.world.program().exchange(
            code, **{"client_id": None, "redirect_uri": self.callback, "basic": self.basic, **more}
        )

    def tokens(self, browser: Browser, **more: str | None) -> dict[str, str]:
        answer = self.exchange(self.code(browser, **more))
        assert answer.status_code == 200, answer.text
        said: dict[str, str] = answer.json()
        return said

    def refresh(self, token: str, **more: Any) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        return self.world.program().post("/oauth/token", **{"basic": self.basic, **form})

    def is_good(self, token: str) -> bool:
        answer = self.world.program().post("/oauth/introspect", basic=self.basic, token=token)
        good: bool = answer.json()["active"]
        return good


def encoded(said: Any) -> str:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return said


def head_of(token: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))
    return said
