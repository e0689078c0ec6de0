"""A person's whole way through the pages, told once: the tests look at every page of it, the pictures are taken along it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pyotp

from passless.domain.views import SignedIn
from tests.server.pages.chromium import Chromium
from tests.server.pages.world import World

Look = Callable[[str], None]  # called at every page, with a word for it


def nothing(page: str) -> None:
    """Look at nothing."""


class Person:
    """Somebody with a browser, an authenticator app and a piece of paper."""

    def __init__(self, world: World, browser: Chromium, look: Look = nothing) -> None:
        self.world = world
        self.browser = browser
        self.look = look
        self.app: pyotp.TOTP | None = None
        self.paper = ""

    def go(self, path: str) -> None:
        self.browser.open(self.world.url + path)

    def code(self) -> str:
        """Return a code that was not used: of the next half minute."""
        assert self.app is not None
        self.world.place.clock.move(seconds=30)
        return self.world.code(self.app)

    def accept_invitation(self, secret: str, name: str) -> None:
        self.go(f"/invitation#{secret}")
        self.browser.wait_for("You are invited")
        self.browser.wait(lambda: self.browser.path == "/invitation", "the secret out of the address")
        self.look("invitation")
        self.browser.type("name", name)
        self.browser.type("display_name", "Ada Lovelace")
        self.browser.press("Continue")
        self.browser.wait_for("Welcome")
        self.look("welcome")

    def add_passkey(self) -> None:
        self.browser.press("Passkey", "main")
        self.browser.wait_for("Add a passkey")
        self.look("enrol-passkey")
        self.browser.press("Make the passkey")
        self.browser.wait_words("The passkey is added")

    def add_key(self, name: str) -> None:
        self.go("/enrol/security-key")
        self.look("enrol-security-key")
        self.browser.type("name", name)
        self.browser.press("Touch the key")
        self.browser.wait_words("The security key is added")

    def add_app(self) -> None:
        self.go("/enrol/totp?next=/welcome")
        self.browser.wait_for("Add an authenticator app")
        self.look("enrol-totp")
        self.browser.press("I cannot scan it")
        self.app = pyotp.TOTP(self.browser.find("#secret").text.replace(" ", ""))
        self.browser.type("code", self.code())
        self.browser.press("Add the app")
        self.browser.wait_words("The authenticator app is added")

    def make_recovery_code(self) -> None:
        self.go("/change/new-recovery-code")
        self.look("plan-recovery-code")
        self.browser.press("Make a code and show it once")
        self.browser.wait_for("Recovery code")
        self.paper = self.browser.find("#secret").text
        self.look("recovery-code")
        self.browser.type("code", self.paper.lower().replace("-", " "))
        self.browser.press("It is on paper")
        self.browser.wait_words("The recovery code is saved")

    def turn_two_step_on(self) -> None:
        self.go("/change/two-step-on")
        self.look("plan-two-step-on")
        self.browser.press("Turn two-step on", "form")
        self.browser.wait_words("Two-step is on")

    def turn_passwordless_on(self) -> None:
        self.go("/change/passwordless-on")
        self.browser.wait_for("Go passwordless")
        self.look("plan-passwordless-on")
        self.browser.press("Delete the password")
        self.browser.wait_words("The account has no password any more")

    def make_app_password(self, name: str) -> str:
        self.go("/app-passwords/new")
        self.look("app-password-new")
        self.browser.type("name", name)
        self.browser.find("input[value=imap]").click()
        self.browser.press("Continue")
        self.browser.wait_for("New app password")
        self.look("app-password-plan")
        self.browser.press("Make it and show it once")
        self.browser.wait_for(name)
        self.look("app-password-made")
        return self.browser.find("#secret").text

    def lose(self, device: str) -> None:
        self.go("/lost")
        self.browser.wait_for("Which one did you lose?")
        self.look("lost")
        self.go("/change/report-lost-device?" + urlencode({"device": device}))
        self.browser.wait_for("Report a lost device")
        self.look("lost-plan")
        self.browser.press("Turn everything on it off")
        self.browser.wait_for("It is turned off")
        self.look("lost-reported")

    def sign_out(self) -> None:
        self.go("/")
        self.browser.press("Sign out", ".who")
        self.browser.wait_for("Sign in")

    def sign_in_with_app(self, name: str, *, second: bool = False) -> None:
        self.go("/sign-in?" + urlencode({"account": name, "with": "totp"}))
        self.browser.wait_for("Sign in")
        self.look("sign-in-totp")
        self.browser.type("secret-totp", self.code())
        self.browser.press("Sign in", "form")

    def recover(self, name: str) -> None:
        self.go("/recover")
        self.look("recover")
        self.browser.type("account", name)
        self.browser.type("code", self.paper)
        self.browser.press("Recover", "form")


def operator_of(world: World, name: str = "olga") -> SignedIn:
    """Return an operator over everybody, signed in."""
    made = world.account(name, display_name="Olga from the helpdesk")
    world.make_operator(made.account_id)
    return made
