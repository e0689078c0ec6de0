"""Every page there is, in the order in which people meet them: what the pictures show and the judges look at."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx

from passless.domain.methods import Kind
from passless.domain.relying_parties import NewRelyingParty, PartyKind
from passless.domain.requests import Enrol
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD
from tests.server.pages.chromium import Chromium
from tests.server.pages.journey import Look, Person, operator_of
from tests.server.pages.world import World

CALLBACK = "http://127.0.0.1:49152/callback"


def tell(world: World, browser: Chromium, look: Look) -> None:
    """Go through all the pages and look at each."""
    operator = operator_of(world)
    computer = browser.key()
    person = Person(world, browser, look)
    _join(world, person, world.invitation(operator))
    _manage(person)
    _programs(world, person)
    browser.present(computer, yes=False)  # or it would answer at once for whoever comes to the sign-in page
    _sign_in(world, person)
    browser.present(computer, yes=True)
    _lose(person)
    browser.unplug(computer)
    person.sign_out()
    _come_back(person)
    _help(world, person)
    person.browser.key()
    _from_a_terminal(world, person)


def _join(world: World, person: Person, invitation: str) -> None:
    person.go("/sign-in")
    person.look("sign-in-first-time")
    person.accept_invitation(invitation, "ada")
    person.go("/")
    person.look("overview-unfinished")
    person.go("/welcome")
    person.add_passkey()
    person.look("welcome-next")
    person.add_app()
    person.make_recovery_code()
    person.go("/welcome")
    person.look("welcome-done")


def _from_a_terminal(world: World, person: Person) -> None:
    new = world.account("sonja", password=None)
    person.go("/enrol/here")
    person.look("link")
    made = world.directory.enrol_link(Actor(token=new.token), new.account_id, Enrol(kind=Kind.PASSKEY))
    person.go(made.link.reveal().removeprefix(world.url))
    person.browser.wait_words("For the account sonja")
    person.look("link-passkey")
    person.browser.press("Make the passkey")
    person.browser.wait_for("Done")
    person.look("link-done")


def _manage(person: Person) -> None:
    browser = person.browser
    person.go("/enrol")
    person.look("enrol-choose")
    usb = browser.usb_key()
    person.add_key("blue key")
    browser.unplug(usb)
    person.turn_two_step_on()
    person.make_app_password("Mail on phone")
    person.go("/")
    person.look("overview")
    person.go("/activity")
    person.look("activity")
    person.go("/programs")
    person.look("older-programs")
    for page, path in (
        ("plan-set-password", "/change/set-password"),
        ("plan-two-step-off", "/change/two-step-off"),
        ("plan-end-sessions", "/change/end-sessions?all=yes"),
        ("plan-revoke-all", "/change/revoke-app-passwords?all=yes"),
        ("prove-again", "/sign-in?fresh=600&why=weak-proof&strength=2"),
        ("prove-again-app", "/sign-in?fresh=600&with=totp"),
        ("not-found", "/nowhere"),
    ):
        person.go(path)
        person.look(page)
    person.go("/change/set-password")
    browser.type("password", PASSWORD)
    browser.type("again", "something else altogether")
    browser.press("Set this password")
    browser.wait_words("not the same")
    person.look("plan-with-an-error")


def _programs(world: World, person: Person) -> None:
    browser = person.browser
    asked = httpx.post(f"{world.url}/oauth/device_authorization", data={"client_id": "passless-cli"}, timeout=60).json()
    person.go("/device")
    person.look("device")
    browser.type("user_code", asked["user_code"])
    browser.press("Continue")
    browser.wait_for("Is this you?")
    person.look("device-asks")
    browser.press("Refuse")
    browser.wait_for("Refused")
    person.look("device-refused")
    query = {
        "response_type": "code",
        "client_id": "passless-cli",
        "redirect_uri": CALLBACK,
        "state": "opaque",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    person.go("/oauth/authorize?" + urlencode(query))
    browser.wait_words("asks to")
    person.look("consent")
    _calendar(world, person, query)
    wiki = NewRelyingParty(name="Wiki", kind=PartyKind.HTTP, redirect_uris=("https://wiki.example/.passless/callback",))
    world.host.add_relying_party(Actor(), wiki)
    person.go("/auth/Wiki/signed-out")
    person.look("site-signed-out")
    person.go("/auth/Wiki/failed?why=weak")
    person.look("site-failed")


def _calendar(world: World, person: Person, query: dict[str, str]) -> None:
    """A program that speaks OpenID Connect asks who it is, for a key, and whether to sign out."""
    uris = ("https://calendar.example/signed-in",)
    wish = NewRelyingParty(name="Calendar", kind=PartyKind.OIDC, redirect_uris=uris, after_sign_out=uris)
    party = world.host.add_relying_party(Actor(), wish)
    asked = query | {"client_id": party.id, "redirect_uri": uris[0], "scope": "openid profile email offline_access"}
    person.go("/oauth/authorize?" + urlencode(asked))
    person.browser.wait_words("asks to")
    person.look("consent-openid")
    person.go("/oauth/end_session?" + urlencode({"client_id": party.id, "post_logout_redirect_uri": uris[0]}))
    person.look("leaving")
    person.go("/oauth/end_session?" + urlencode({"client_id": party.id, "post_logout_redirect_uri": "https://evil.example/"}))
    person.look("leaving-wrong")
    person.go("/sign-in?fresh=600&strength=3&why=needs-key")
    person.look("prove-with-a-key")


def _sign_in(world: World, person: Person) -> None:
    browser = person.browser
    person.sign_out()
    person.go("/oauth/end_session")
    person.look("left")
    person.go("/sign-in")
    person.look("sign-in")
    for kind in ("passkey", "security-key", "totp", "password", "temporary-pass"):
        person.go("/sign-in?" + urlencode({"account": "ada", "with": kind}))
        person.look(f"sign-in-{kind}")
    browser.type("secret-temporary-pass", "ABCD-EFGH-JKMN")
    browser.press("Sign in", "form")
    browser.wait_words("That did not work")
    person.look("sign-in-wrong")
    world.account("grace")
    grace = Person(world, browser, person.look)
    _two_steps(world, grace)


def _two_steps(world: World, grace: Person) -> None:
    """Somebody with a password and an app signs in with both."""
    browser = grace.browser
    _with_password(grace, "grace")
    browser.wait_for("grace")
    grace.look("overview-with-password")
    grace.add_app()
    grace.make_recovery_code()
    grace.go("/change/passwordless-on")
    grace.look("plan-passwordless-on")
    grace.turn_two_step_on()
    grace.sign_out()
    _with_password(grace, "grace")
    browser.wait_for("One more proof")
    grace.look("second-proof")
    browser.type("second-totp", grace.code())
    browser.press("Sign in", "form")
    browser.wait_for("grace")
    grace.go("/enrol/totp")
    browser.type("device", "tablet")
    browser.type("code", "000000")
    browser.press("Add the app")
    browser.wait_words("not the code")
    grace.look("enrol-totp-again")
    grace.sign_out()


def _with_password(person: Person, name: str) -> None:
    person.go("/sign-in?" + urlencode({"account": name, "with": "password", "another": "yes"}))
    person.browser.type("secret-password", PASSWORD)
    person.browser.press("Sign in", "form")


def _lose(person: Person) -> None:
    browser = person.browser
    person.go("/sign-in?" + urlencode({"account": "ada"}))
    browser.press("Use a passkey")
    browser.wait_for("Ada Lovelace")
    person.lose("blue key")
    person.go("/")
    person.look("overview-lost")
    browser.press("It turned up")
    browser.wait_for("turned up")
    person.look("take-back")
    person.lose("phone")
    person.go("/change/remove-method?" + urlencode({"method": "passkey"}))
    person.look("plan-refused")


def _come_back(person: Person) -> None:
    browser = person.browser
    person.go("/recover")
    person.look("recover")
    browser.type("account", "ada")
    browser.type("code", person.paper)
    browser.press("Recover", "form")
    browser.wait_words("one more proof is needed")
    person.look("recover-second")


def _help(world: World, person: Person) -> None:
    browser = person.browser
    helper = Person(world, browser, person.look)
    _with_password(helper, "olga")
    browser.wait_for("Olga")
    helper.go("/people")
    helper.look("people")
    browser.press("Ada Lovelace", "main")
    browser.wait_for("Ada Lovelace")
    helper.look("person")
    browser.press("Start a recovery", "main")
    browser.wait_for("Start a recovery")
    helper.look("person-start-recovery")
    browser.type("reason", "Called from her desk, known by voice")
    browser.press("Start it and show the pass once")
    browser.wait_for("Temporary pass")
    helper.look("temporary-pass")
    issued = browser.find("#secret").text
    helper.go("/invitations/new")
    helper.look("invite")
    browser.type("reason", "Starts on Monday")
    browser.press("Make the link")
    browser.wait_for("The invitation is made")
    helper.look("invite-made")
    helper.go("/people")
    browser.press("Stop it", "main")
    browser.wait_for("Stop an invitation")
    helper.look("invitation-stop")
    browser.type("reason", "Made by mistake")
    browser.press("Stop it", "form.stack")
    browser.wait_for("People")
    helper.sign_out()
    _finish_recovery(person, issued)


def _finish_recovery(person: Person, issued: str) -> None:
    browser = person.browser
    person.go("/sign-in?" + urlencode({"account": "ada", "with": "temporary-pass"}))
    browser.type("secret-temporary-pass", issued)
    browser.press("Sign in", "form")
    browser.wait_for("Ada Lovelace")
    person.look("overview-in-recovery")
    person.go("/welcome")
    person.look("welcome-back")
    person.add_app()
    person.make_recovery_code()
    person.look("welcome-finish")
    person.go("/change/finish-recovery")
    person.look("plan-finish-recovery")
    browser.press("Finish it")
    browser.wait_words("The recovery is finished")
    person.look("overview-recovered")
    person.go("/recovery-code")
    browser.type("code", person.paper)
    browser.driver.execute_script("document.querySelector('[formaction]').formTarget = '_self'")
    browser.press("Open a page to print")
    browser.wait_for("Recovery kit")
    person.look("kit")
