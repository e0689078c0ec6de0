"""The interface over HTTP, as a program sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.asking import Caller
from tests.server.serving import Served, a_server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_server(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def ada(served: Served, request: pytest.FixtureRequest) -> Iterator[Caller]:
    with Caller(served, name=request.node.name[:60]) as caller:
        caller.create()
        yield caller


def test_anybody_learns_what_the_server_is(served: Served) -> None:
    with Caller(served) as caller:
        about = caller.get("/")
    assert about["url"] == served.url
    assert about["rp_id"] == "localhost"
    assert about["api"] == 1


def test_an_account_is_made_read_and_changed(ada: Caller) -> None:
    view = ada.get("/accounts/me")
    assert view["account"] == ada.name
    app = ada.add_app()
    assert len(ada.get("/accounts/me")["methods"]) == 2
    assert app.secret not in ada.ask("GET", "/accounts/me").text


def test_a_server_that_is_asked_to_stop_ends_well(tmp_path: Path) -> None:
    with a_server(tmp_path) as running:
        running.stop()
    assert running.line("stopped") is not None
