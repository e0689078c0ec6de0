"""A real browser with keys and passkeys of its own making, and a server for it to talk to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from passless.server.app import make_app
from tests.server.pages.world import World
from tests.strangers.needing import need

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)
GONE = ("does not belong to the document", "aborted by navigation")  # stale too, in Chromium's words
PATIENCE = 60  # seconds for a page to come on a busy machine


class Running(uvicorn.Server):
    """A server in a thread, which leaves signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serving(folder: Path) -> Iterator[World]:
    """Serve accounts at http://localhost and a free port."""
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        world = World(folder, url=f"http://localhost:{listening.getsockname()[1]}")
        config = uvicorn.Config(make_app(world.site), log_config=None, lifespan="off", ws="none")
        server = Running(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield world
        finally:
            server.should_exit = True
            thread.join(timeout=PATIENCE)
            world.close()


@contextmanager
def chromium(profile: Path, *more: str) -> Iterator[Chromium]:
    """Start Debian's Chromium with a fresh profile, and more flags where a test needs them."""
    need("chromium", install="apt-get install chromium")
    need("chromedriver", install="apt-get install chromium-driver")
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, *more, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield Chromium(driver)
    finally:
        driver.quit()


class Chromium:
    """A person in front of a browser: what they see, press and type."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.driver.execute_cdp_cmd("WebAuthn.enable", {})

    def key(self, **more: Any) -> str:
        """Plug an authenticator in; return its id."""
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **more,
        }
        made = self.driver.execute_cdp_cmd("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(made["authenticatorId"])

    def start_anew(self) -> None:
        """Take every key and cookie away."""
        self.driver.execute_cdp_cmd("WebAuthn.disable", {})
        self.driver.execute_cdp_cmd("WebAuthn.enable", {})
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get("about:blank")

    def usb_key(self, **more: Any) -> str:
        """Plug in a security key that knows a PIN."""
        return self.key(transport="usb", **more)

    def unplug(self, key: str) -> None:
        """Take an authenticator away."""
        self.driver.execute_cdp_cmd("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})

    def verifies(self, key: str, *, yes: bool) -> None:
        """Let the finger or PIN be right, or not."""
        self.driver.execute_cdp_cmd("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": yes})

    def present(self, key: str, *, yes: bool) -> None:
        """Touch the key whenever it asks, or leave it alone."""
        asked = {"authenticatorId": key, "enabled": yes}
        self.driver.execute_cdp_cmd("WebAuthn.setAutomaticPresenceSimulation", asked)

    def open(self, address: str) -> None:
        """Open an address."""
        self.driver.get(address)

    @property
    def path(self) -> str:
        """Where the browser is, on its server."""
        return str(self.driver.execute_script("return location.pathname + location.search + location.hash"))

    @property
    def heading(self) -> str:
        """What the page is called."""
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def words(self) -> str:
        """Everything that is to be read."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, css: str) -> WebElement:
        """Find something, once it is there."""
        return self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, css), css)

    def type(self, field: str, text: str) -> None:
        """Type into a field, by its id."""

        def once() -> bool:
            element = self.driver.find_element(By.CSS_SELECTOR, f"#{field}")
            element.clear()
            element.send_keys(text)
            return True

        self.wait(once, f"the field {field}")

    def press(self, words: str, inside: str = "body") -> None:
        """Press the button or link with these words; a page that goes away at that moment is waited for."""
        xpath = f'.//*[self::a or self::button or self::summary][contains(normalize-space(.), "{words}")]'

        def once() -> bool:
            element = self.driver.find_element(By.CSS_SELECTOR, inside).find_element(By.XPATH, xpath)
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
            element.click()
            return True

        self.wait(once, words)

    def wait_for(self, heading: str) -> None:
        """Wait for a page by what it is called."""
        self.wait(lambda: heading in self.heading, f'the page "{heading}"')

    def wait_words(self, words: str) -> None:
        """Wait for words to stand on the page."""
        self.wait(lambda: words in self.words, words)

    def wait(self, condition: Any, what: str) -> Any:
        """Wait until something holds; pages that are just going away do not count."""
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
            TimeoutException,
            WebDriverException,
        )

        def holds(_: object) -> Any:
            try:
                return condition()
            except WebDriverException as error:
                if any(words in str(error.msg) for words in GONE):
                    return False
                raise

        ignored = (NoSuchElementException, StaleElementReferenceException)
        try:
            return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05, ignored_exceptions=ignored).until(holds)
        except TimeoutException as error:
            raise TimeoutException(f'{what} instead of "{self.driver.title}"') from error
