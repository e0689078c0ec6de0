"""A program that signs people in by OpenID Connect, and that believes nothing it did not check."""

from __future__ import annotations

from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from passless.domain.methods import Kind
from passless.domain.views import SignedIn
from tests.directories.person import Person
from tests.directories.security_key import SecurityKey
from tests.server.oauth.world import URL, WEB_CALLBACK, Browser, World, carried

SIGNED_OUT = "https://mail.example/signed-out"
TOLD_AT = "https://mail.example/told"
NONCE = "n-0S6_WzA2Mj"


class Relying:
    """A registered program."""

    def __init__(self, world: World, name: str = "wiki", **more: Any) -> None:
        self.world = world
        usual: dict[str, Any] = {"kind": "oidc", "after_sign_out": (SIGNED_OUT,), "told_of_endings_at": TOLD_AT}
        self.made = world.register(name, **{**usual, **more})
        self.id = self.made.id

    @property
    def basic(self) -> tuple[str, str]:
        """How it says who it is."""
        assert self.made.secret is not None
        return self.id, self.made.secret.reveal()

    def wish(self, **more: str | None) -> dict[str, str | None]:
        """Return what it asks for."""
        return {"client_id": self.id, "redirect_uri": WEB_CALLBACK, "scope": "openid", "nonce": NONCE, **more}

    def code(self, browser: Browser, **more: str | None) -> str:
        """Let somebody agree; they are asked once."""
        page = browser.ask(**self.wish(**more))
        return carried(page if page.status_code == 303 else browser.answer(page), WEB_CALLBACK)["code"]

    def exchange(self, code: str, **more: Any) -> httpx.Response:
        """Exchange a code."""
        return self.world.program().exchange(
            code, **{"client_id": None, "redirect_uri": WEB_CALLBACK, "basic": self.basic, **more}
        )

    def tokens(self, browser: Browser, **more: str | None) -> dict[str, Any]:
        """Sign somebody in."""
        answer = self.exchange(self.code(browser, **more))
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json()
        for name in ("access_token", "refresh_token"):
            if name in given:
                self.world.place.keep_secret(given[name])
        return given

    def refresh(self, token: str, **more: str) -> httpx.Response:
        """Ask for the next tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        answer = self.world.program().post("/oauth/token", basic=self.basic, **form)
        if answer.status_code == 200:
            self.world.place.keep_secret(answer.json()["refresh_token"])
            self.world.place.keep_secret(answer.json()["access_token"])
        return answer

    def userinfo(self, token: str) -> httpx.Response:
        """Ask who it is about."""
        return self.world.http().get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    def is_active(self, token: str) -> bool:
        """Ask whether a token is good."""
        return bool(self.world.program().post("/oauth/introspect", basic=self.basic, token=token).json()["active"])


def keys(world: World) -> KeySet:
    """Fetch the keys."""
    return KeySet.import_key_set(world.http().get("/oauth/keys").json())


def read(world: World, token: str, *, algorithm: str = "RS256") -> dict[str, Any]:
    """Read what was signed, as a program does: with the published keys, and the one algorithm that it registered."""
    return dict(jwt.decode(token, keys(world), algorithms=[algorithm]).claims)


def with_key(world: World, signed_in: SignedIn, *, verifies: bool = True) -> tuple[Person, SecurityKey]:
    """Give somebody a security key, which they have just used; return them in the session they had."""
    ada = Person(world.place, signed_in.account, token=signed_in.token)
    key = SecurityKey(verifies=verifies)
    ada.add_key(key, Kind.SECURITY_KEY)
    return ada, key


def as_signed_in(ada: Person, browser: Browser) -> Browser:
    """Give a browser the session that somebody has by now."""
    assert ada.token is not None
    browser.http.cookies.set("__Host-passless-session", ada.token.reveal())
    return browser


__all__ = ["NONCE", "SIGNED_OUT", "TOLD_AT", "URL", "Relying", "as_signed_in", "keys", "read", "with_key"]
