"""Passkeys of this computer for an account at a server: the terminal asks, Chromium makes them and signs in with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.remote.terminal import Terminal
from tests.cli.test_at_a_terminal import at_terminal, ends
from tests.server.pages.chromium import Chromium, chromium

FILE = re.compile(r"file://\S+")


class Opened:
    """What the terminal started as the browser: every address it was started with, one a line."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said = folder / "started"
        program = folder / "browser"
        program.write_text(f'#!/bin/sh\necho "$@" >> {self.said}\n', encoding="utf-8")
        program.chmod(0o700)
        monkeypatch.setenv("BROWSER", f"{program} %s")

    def goes_to(self, browser: Chromium, number: int) -> None:
        """Let Chromium be the browser that was started for the so-manieth time."""
        browser.wait(lambda: len(self.all) >= number, "the browser that is started")
        browser.open(self.all[number - 1])

    @property
    def all(self) -> list[str]:
        return FILE.findall(self.said.read_text(encoding="utf-8")) if self.said.exists() else []


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "chromium") as found:
        yield found


def test_a_passkey_is_made_in_chromium_for_the_terminal_and_signs_it_in(
    ada: Terminal, browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 1: what the browser is started with is a file, and neither the link nor the state of the sign-in."""
    opened = Opened(tmp_path, monkeypatch)
    browser.key()
    with at_terminal("method", "add", "passkey", "--name", "laptop") as child:
        child.expect("waits until")
        opened.goes_to(browser, 1)
        browser.wait_words(f"For the account {ada.name}")
        browser.type("device", "work laptop")
        browser.press("Make the passkey")
        browser.wait_for("Done")
        assert ends(child) == 0, child.before
    assert added(ada) == [("laptop", "work laptop")]
    assert all(one.startswith("file:///") for one in opened.said.read_text().split())

    ada.json("sign-out")
    with at_terminal("sign-in", "--with", "passkey") as child:
        child.expect("this terminal waits")
        opened.goes_to(browser, 2)
        browser.wait_words("Approve only if you started this yourself just now")  # the browser offered the passkey by itself
        browser.press("Approve")
        browser.wait_for("Back to the terminal")
        assert ends(child) == 0, child.before
    status: Any = ada.json("status")
    assert (status["account"], status["session"]["strength"]) == (ada.name, 2)


def test_a_passkey_whose_person_is_not_verified_is_not_added(
    ada: Terminal, browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finger was wrong: the page says so, and the next try makes it."""
    opened = Opened(tmp_path, monkeypatch)
    key = browser.key()
    browser.verifies(key, yes=False)
    with at_terminal("method", "add", "passkey") as child:
        child.expect("waits until")
        opened.goes_to(browser, 1)
        browser.press("Make the passkey")
        browser.wait_words("did not")
        assert added(ada) == []
        browser.verifies(key, yes=True)
        browser.press("Make the passkey")
        browser.wait_for("Done")
        assert ends(child) == 0, child.before
    assert len(added(ada)) == 1


def added(ada: Terminal) -> list[tuple[str, str]]:
    """Return the passkeys that the account has: their names and where they live."""
    return [(one["name"], one["device"]) for one in ada.json("method", "list") if one["kind"] == "passkey"]
