"""What strangers begin at a running server costs nothing that lasts, whether by the interface or by a page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.directories.security_key import SecurityKey
from tests.server.asking import Caller
from tests.server.serving import Served, a_server

MANY = 200
PICTURE = {"Accept": "image/*", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with a_server(tmp_path) as running:
        yield running


@pytest.fixture
def key() -> SecurityKey:
    return SecurityKey()


@pytest.fixture
def ada(served: Served, key: SecurityKey) -> Iterator[Caller]:
    """Somebody with a key who is not signed in; the store's secret for strangers is made."""
    with Caller(served) as caller:
        caller.create()
        caller.add_key(key)
        caller.token = ""
        caller.begin_key()
        yield caller


def commits(folder: Path) -> tuple[int, int]:
    """Return how many commits the store has seen, and how many ceremonies stand in it."""
    with closing(sqlite3.connect(f"file:{folder}/accounts.sqlite?mode=ro", uri=True)) as store:
        return tuple(store.execute("SELECT (SELECT sum(commits) FROM writers), (SELECT count(*) FROM ceremonies)").fetchone())


def test_nothing_is_written_for_those_who_begin(ada: Caller, key: SecurityKey, tmp_path: Path) -> None:
    """Two hundred from one source, by name and without one; then one of them still signs in."""
    before = commits(tmp_path)
    for number in range(MANY):
        ada.post(f"/accounts/name-{number}/ceremonies", {"type": "sign-in", "kind": "security-key"}, 201)
        ada.post("/ceremonies", {"type": "sign-in", "kind": "passkey"}, 201)
    begun = ada.begin_key()
    assert commits(tmp_path) == before
    assert ada.finish_key(key, begun)["account"] == "ada"
    assert commits(tmp_path)[0] > before[0]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in?account=ada&with=security-key", "/sign-in?account=ada&with=passkey"])
def test_a_picture_on_a_foreign_page_that_leads_here_costs_nothing(
    ada: Caller, served: Served, tmp_path: Path, path: str
) -> None:
    before = commits(tmp_path)
    with httpx.Client(base_url=served.url, headers=PICTURE, timeout=60) as browser:
        for _ in range(20):
            assert browser.get(path).status_code < 500
    assert commits(tmp_path) == before
