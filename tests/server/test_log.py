"""What a server writes has no value in it, wherever a fault or a library's message comes from (must hold 1)."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from litestar import get
from litestar.testing import TestClient

from passless.server import app as app_module
from passless.server.app import make_app
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.site import Site
from passless.server.systemd import notify
from tests.builders import NOW
from tests.directories.place import in_memory

SECRET = "stately otter lantern mosaic"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """A log that takes what libraries say, until the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    found = Log(lambda: NOW)
    found.take_over()
    yield found
    root.handlers, root.level = handlers, level


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def fail(secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        raise KeyError(secret) from error


def test_a_fault_is_told_without_what_was_in_it(log: Log, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    try:
        fail(SECRET)
    except KeyError as error:
        log.fault(error, request_id="abc")
    written = capsysbinary.readouterr().err
    assert SECRET.encode() not in written
    (line,) = lines(written)
    assert [one["type"] for one in line["errors"]] == ["KeyError", "ValueError"]
    assert line["errors"][0]["lines"][-1].endswith(" fail")
    assert line["request"] == "abc"


def test_a_library_is_heard_without_what_it_filled_in(log: Log, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    logging.getLogger("some.library").warning("token %s was refused\nand more", SECRET)
    logging.getLogger("authlib.oauth2").warning("token %s", SECRET)
    logging.getLogger("authlib.oauth2").debug("token %s", SECRET)
    logging.getLogger("httpx").info("GET %s", SECRET)
    written = capsysbinary.readouterr().err
    assert SECRET.encode() not in written
    assert [line["logger"] for line in lines(written)] == ["some.library"]


def test_nobody_listening_stops_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = TextIOWrapper(BytesIO())
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    log.line("info", "anything")
    monkeypatch.setattr(sys, "stderr", None)
    log.line("info", "anything")


def test_a_fault_is_answered_with_nothing_of_it(
    tmp_path: Path, log: Log, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "PARTS", ())
    site = Site(directory=in_memory(tmp_path).directory, url="http://localhost:8080")

    @get("/fails", sync_to_thread=False)
    def fails() -> None:
        fail(SECRET)

    app = make_app(site, log)
    app.register(fails)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/fails")
    assert answer.status_code == 500
    assert answer.json()["kind"] == "fault"
    assert SECRET not in answer.text
    written = capsysbinary.readouterr().err
    assert SECRET.encode() not in written
    assert lines(written)[0]["event"] == "fault"


def test_figures_have_no_label_that_breaks_out_of_its_quotes() -> None:
    metrics = Metrics()
    metrics.answered("GET", 'a"b\\c\nd', 200, 0.002)
    metrics.answered("MADE-UP", "/", 200, 20)
    text = metrics.text()
    assert 'route="a\\"b\\\\c\\nd"' in text
    assert 'method="other"' in text
    assert 'passless_http_request_seconds_bucket{route="/",le="10.0"} 0' in text
    assert 'passless_http_request_seconds_bucket{route="/",le="+Inf"} 1' in text


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@" + "nobody" * 3])
def test_a_supervisor_that_is_not_there_is_none(address: str) -> None:
    notify("READY=1", {"NOTIFY_SOCKET": address})
    assert not Path("relative").exists()
