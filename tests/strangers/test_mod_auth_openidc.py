"""Apache's mod_auth_openidc signs people in: over TLS, in a real browser with a passkey, each page with a rule of its own."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from selenium.webdriver.common.by import By

from tests.free_ports import free_port
from tests.server.asking import Caller
from tests.server.oauth.world import Fields
from tests.server.pages.chromium import Chromium, chromium
from tests.server.serving import Served, a_server, keep_secret
from tests.server.test_serving import certificate_in
from tests.strangers.apache import Apache, apache_folder
from tests.strangers.registering import on_host, registered

SESSION = "__Host-passless-session"
APPROVE = "button[name=answer][value=approve]"
LATEST = 60  # seconds for the app to hear of an end, on a machine that is busy with other tests; it takes a fraction of one


class Scene:
    """A server, a web app that leaves signing in to it, and ada, who has a password and a passkey in her browser."""

    def __init__(self, served: Served, apache: Apache, browser: Chromium, cert: Path) -> None:
        self.served = served
        self.apache = apache
        self.cert = cert
        self.browser = browser
        self.trust = ssl.create_default_context(cafile=str(cert))

    def caller(self) -> Caller:
        """Return somebody who asks the server's own interface."""
        return Caller(self.served, verify=self.trust)

    def make_ada(self) -> None:
        """Make the account over HTTP, and its passkey in the browser."""
        with self.caller() as ada:
            ada.create()
            self.hold(ada.token)
        self.browser.key()
        self.browser.open(f"{self.served.url}/enrol/passkey")
        self.browser.press("Make the passkey")
        self.browser.wait_words("The passkey is added")

    def hold(self, token: str) -> None:
        """Sign the browser in at the server, with a session that began elsewhere."""
        self.browser.open(f"{self.served.url}/oauth/keys")  # on a page to sign in, the passkey would answer by itself
        self.browser.driver.add_cookie({"name": SESSION, "value": token, "secure": True, "path": "/", "httpOnly": True})

    def sign_in_with_password(self) -> None:
        """Sign the browser in with one factor."""
        with self.caller() as ada:
            ada.sign_in()
            self.hold(ada.token)

    def visit(self, path: str) -> None:
        """Open a page of the app."""
        self.browser.open(f"{self.apache.url}{path}")

    def use_passkey(self) -> None:
        """Sign in where the server asks; a passkey that is offered beside the field for the name is taken at once."""

        def once() -> bool:
            buttons = self.browser.driver.find_elements(By.CSS_SELECTOR, "form:not([data-conditional]) [data-start]")
            for button in buttons:
                button.click()
            return bool(buttons) or self.is_asked or self.is_in

        self.browser.wait(once, "something to sign in with")

    def agree(self) -> None:
        """Let the app know who it is, unless that was said before."""
        self.browser.wait(lambda: self.is_asked or self.is_in, "the question or the app")
        if self.is_asked:
            self.browser.driver.find_element(By.CSS_SELECTOR, APPROVE).click()

    @property
    def is_asked(self) -> bool:
        """Whether the server asks whether the app may know."""
        return bool(self.browser.driver.find_elements(By.CSS_SELECTOR, APPROVE))

    @property
    def is_in(self) -> bool:
        """Whether the app shows its page."""
        return self.browser.driver.current_url.startswith(self.apache.url) and self.browser.heading == "The app"

    def sign_in(self) -> None:
        """Open the app and sign in with one factor on the way."""
        self.sign_in_with_password()
        self.visit("/app/")
        self.agree()

    def shown(self, field: str) -> str:
        """Return what the app knows, once its page is there."""
        self.browser.wait_for("The app")
        return self.browser.find(f"#{field}").text

    def forget_app(self) -> None:
        """Take the app's own cookies away."""
        for one in self.browser.driver.get_cookies():
            if one["name"].startswith("mod_auth_openidc"):
                self.browser.driver.delete_cookie(one["name"])

    def program(self) -> httpx.Client:
        """Return something that holds the browser's cookies of the app, to ask without drawing a page."""
        cookies = {one["name"]: one["value"] for one in self.browser.driver.get_cookies()}
        return httpx.Client(base_url=self.apache.url, cookies=cookies, verify=self.trust, timeout=LATEST)


@contextmanager
def trusting(cert: Path) -> Iterator[None]:
    """Let servers that start meanwhile take a certificate for good, as those of a private authority are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(cert))
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("apache")
    cert = certificate_in(folder)
    with (
        trusting(cert[0]),
        apache_folder() as place,
        a_server(folder, "--tls-cert", str(cert[0]), "--tls-key", str(cert[1])) as served,
        chromium(folder / "profile", "--ignore-certificate-errors") as browser,
    ):
        apache = Apache(place, port=free_port(), cert=cert)
        addresses = ("--redirect-uri", apache.callback, "--after-sign-out", f"{apache.url}/bye/", "--told-at", apache.told_at)
        made = registered(served, "The app", *addresses)
        apache.write(issuer=served.url, client_id=made["id"], secret=made["secret"])
        with apache.running():
            found = Scene(served, apache, browser, cert[0])
            found.make_ada()
            yield found


@pytest.fixture(autouse=True)
def _fresh(scene: Scene) -> None:
    """Begin each test with nothing open, and without a cookie anywhere."""
    scene.browser.open("about:blank")
    scene.browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})


def test_a_person_signs_in_with_a_passkey_and_the_app_knows_who_they_are(scene: Scene) -> None:
    scene.visit("/app/")
    scene.use_passkey()
    scene.agree()
    assert (scene.shown("user"), scene.shown("name")) == ("ada", "ada")
    keep_secret(scene.shown("token"))
    scene.visit("/only-ada/")
    assert scene.shown("user") == "ada"
    scene.visit("/only-bob/")
    assert "Unauthorized" in scene.browser.words


def test_whoever_is_not_signed_in_stays_out_where_no_page_may_come(scene: Scene) -> None:
    """`prompt=none`: an error goes back, and no page of the server is shown.

    mod_auth_openidc 2.4.12 takes every answer with `iss` (RFC 9207) but without a code for a choice of provider, and shows
    a page of its own about that.
    """
    scene.visit("/silent/")
    assert scene.browser.driver.current_url.startswith(f"{scene.apache.callback}?error=login_required&")
    assert scene.browser.heading == "Invalid Request"
    scene.sign_in()
    scene.shown("user")
    scene.forget_app()
    scene.visit("/silent/")
    assert scene.shown("user") == "ada"


def test_a_page_that_asks_for_more_gets_a_stronger_proof(scene: Scene) -> None:
    scene.sign_in()
    assert scene.shown("acr") == "1"
    scene.visit("/strong/")
    scene.use_passkey()
    assert scene.shown("acr") == "2"


def test_who_signs_out_of_the_app_is_signed_out_of_the_server(scene: Scene) -> None:
    scene.sign_in()
    scene.shown("user")
    token = scene.browser.driver.get_cookie(SESSION)["value"]
    with scene.program() as program:
        scene.visit("/app/redirect_uri?" + urlencode({"logout": f"{scene.apache.url}/bye/"}))
        scene.browser.wait_for("Good bye")
        assert program.get("/app/").status_code == 302
    with scene.caller() as ada:
        ada.token = token
        ada.get("/accounts/me", 401)


def out_of(program: httpx.Client) -> None:
    """Ask until the app sends one away to sign in."""
    end = time.monotonic() + LATEST
    while program.get("/app/").status_code == 200:
        assert time.monotonic() < end, "still in"


def end_sessions(ada: Caller, _: object = None) -> None:
    """End all sessions but this one, one by one, each with what was given in it."""
    ada.sign_in()
    while others := [one["id"] for one in ada.get("/accounts/me/sessions")["items"] if not one["current"]]:
        ada.apply("end-sessions", session=others[0])


def take_consent_back(ada: Caller, trust: ssl.SSLContext) -> None:
    """Put every program out, on the page for that."""
    ada.sign_in()
    url = str(ada.http.base_url.copy_with(path="/"))
    with httpx.Client(base_url=url, cookies={SESSION: ada.token}, verify=trust, timeout=LATEST) as browser:
        page = browser.get("/oauth/agreed", headers={"Accept": "text/html"})
        form = Fields(page.text).hidden
        sent = browser.post("/oauth/agreed", data=form, headers={"Origin": url.rstrip("/"), "Accept": "text/html"})
        assert sent.status_code == 303, sent.text


@pytest.mark.parametrize("end", [end_sessions, take_consent_back])
def test_whoever_ends_it_elsewhere_is_out_of_the_app(scene: Scene, end: Callable[[Caller, ssl.SSLContext], None]) -> None:
    """must hold 7: the app is told at once; its own session ends too."""
    scene.sign_in()
    scene.shown("user")
    with scene.program() as program, scene.caller() as ada:
        assert program.get("/app/").status_code == 200
        end(ada, scene.trust)
        out_of(program)


def test_whoever_signed_in_twice_is_out_twice(scene: Scene) -> None:
    """A copied cookie of the app does not outlive the session because its owner signed in once more."""
    scene.sign_in()
    scene.shown("user")
    with scene.program() as first, scene.caller() as ada:
        scene.forget_app()
        scene.visit("/app/")
        scene.shown("user")
        with scene.program() as second:
            assert [one.get("/app/").status_code for one in (first, second)] == [200, 200]
            end_sessions(ada)
            out_of(second)
            out_of(first)


def test_keys_that_were_replaced_at_once_sign_people_in_and_out(scene: Scene) -> None:
    scene.sign_in()
    scene.shown("user")
    on_host(scene.served, "relying-party", "keys", "--rotate", "--at-once", "--yes")
    scene.forget_app()
    scene.sign_in()
    scene.shown("user")
    with scene.program() as program, scene.caller() as ada:
        assert program.get("/app/").status_code == 200
        end_sessions(ada)
        out_of(program)


def test_a_token_is_made_new_without_a_page(scene: Scene) -> None:
    scene.sign_in()
    before = keep_secret(scene.shown("token"))
    scene.visit("/app/redirect_uri?" + urlencode({"refresh": f"{scene.apache.url}/app/", "access_token": before}))
    after = keep_secret(scene.shown("token"))
    assert after != before
    assert scene.shown("user") == "ada"


def begun(scene: Scene, program: httpx.Client) -> dict[str, str]:
    """Let the app begin a sign-in; return what it sends the browser away with."""
    sent = program.get("/app/")
    return {name: value for name, (value,) in parse_qs(urlsplit(sent.headers["location"]).query).items()}


def test_a_code_that_somebody_else_was_given_is_of_no_use_in_ones_browser(scene: Scene) -> None:
    """Code injection (RFC 9700 §4.5): the proof key and the nonce are those of another sign-in."""
    with scene.program() as theirs, scene.program() as mine, scene.caller() as ada:
        ada.sign_in()
        browser = httpx.Client(base_url=scene.served.url, cookies={SESSION: ada.token}, verify=scene.trust, timeout=LATEST)
        answer = browser.get("/oauth/authorize", params=begun(scene, theirs), headers={"Accept": "text/html"})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        state = begun(scene, mine)["state"]
        injected = mine.get(f"/app/redirect_uri?{urlencode({'code': code, 'state': state, 'iss': scene.served.url})}")
        assert mine.get("/app/").status_code == 302, injected.text
        browser.close()
