"""`method add passkey` on an account of this machine: the terminal opens a page, and Chromium makes the passkey there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Passless
from tests.cli.test_at_a_terminal import at_terminal, ends
from tests.server.pages.chromium import Chromium, chromium


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "chromium") as found:
        yield found


def test_a_passkey_is_made_and_used_on_a_page_that_the_terminal_opens(
    anna: Passless, browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 1: the address holds a secret, and the browser is started with a file that leads there instead."""
    started = tmp_path / "started"
    recorder = tmp_path / "browser"
    recorder.write_text(f'#!/bin/sh\necho "$@" >> {started}\n', encoding="utf-8")
    recorder.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{recorder} %s")
    browser.key()
    with at_terminal("method", "add", "passkey", "--device", "laptop") as child:
        child.expect(r"(http://[a-z0-9]+\.passless\.localhost:\d+/[\w-]+)")
        address = child.match[1]
        browser.open(address)
        browser.wait_for("Add a passkey")
        browser.press("Make the passkey")
        browser.wait_for("Done")
        assert ends(child) == 0
    browser.wait(started.exists, "the browser that is started")
    arguments = started.read_text(encoding="utf-8")
    assert arguments.startswith("file:///")
    assert address.rpartition("/")[2] not in arguments
    added = [one for one in anna.json("method", "list") if one["kind"] == "passkey"]
    assert [one["device"] for one in added] == ["laptop"]
    with at_terminal("sign-in", "--with", "passkey") as child:
        child.expect(r"(http://[a-z0-9]+\.passless\.localhost:\d+/[\w-]+)")
        browser.open(child.match[1])
        browser.press("Use a passkey")
        browser.wait_for("Done")
        assert ends(child) == 0
