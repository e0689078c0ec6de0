"""Requests that two readers could read in two ways: none is answered but with a refusal, and the connection ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.raw import ask, connect, head, read_one, statuses
from tests.server.serving import Served, a_server

HIDDEN = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"  # what must never be answered: 200 is its only good answer
POST = "POST /api/v1/accounts/ada/sign-in HTTP/1.1"
BODY = '{"kind":"password","text":"x"}'
KILO = 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_server(tmp_path_factory.mktemp("lies")) as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5 5"],
        ["Content-Length: 99999999999999999999999"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: \x0bchunked"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length : 5"],
        ["Content-Length\x00: 5"],
        [" Transfer-Encoding: chunked"],
        ["X: a\x00b"],
        ["X: a\rTransfer-Encoding: chunked"],
        ["Authorization: Bearer a", "Authorization: Bearer b"],
    ],
)
def test_a_length_that_is_said_in_two_ways_is_refused(served: Served, headers: list[str]) -> None:
    sent = head(served, POST, ["Content-Type: application/json", *headers]) + b"0\r\n\r\n" + HIDDEN.encode()
    answers = statuses(ask(served, sent))
    assert answers, "it was left without an answer"
    assert answers[0] in {400, 501}
    assert 200 not in answers


@pytest.mark.parametrize(
    "chunk",
    [
        "-1\r\n",
        "0x5\r\nhello\r\n",
        "5 5\r\nhello\r\n",
        "fffffffffffffffff\r\n",
        "g\r\n",
        "\r\n",
        "5;\x00\r\nhello\r\n",
        "5\nhello\r\n",
    ],
)
def test_a_broken_chunk_ends_the_connection(served: Served, chunk: str) -> None:
    start = head(served, POST, ["Content-Type: application/json", "Transfer-Encoding: chunked"])
    answers = statuses(ask(served, start + chunk.encode("latin-1") + b"0\r\n\r\n" + HIDDEN.encode()))
    assert 200 not in answers


def test_what_follows_a_body_that_was_too_large_is_no_request(served: Served) -> None:
    hidden = HIDDEN.encode() * (300 * KILO // len(HIDDEN))
    sent = head(served, POST, ["Content-Type: application/json", f"Content-Length: {len(hidden)}"]) + hidden
    assert statuses(ask(served, sent)) == [413]


def test_what_follows_chunks_that_were_too_large_is_no_request(served: Served) -> None:
    chunk = b"%x\r\n" % (64 * KILO) + b"a" * 64 * KILO + b"\r\n"
    start = head(served, POST, ["Content-Type: application/json", "Transfer-Encoding: chunked"])
    assert 200 not in statuses(ask(served, start, *[chunk] * 6, b"0\r\n\r\n", HIDDEN.encode()))


def test_a_body_of_a_reading_request_is_its_body(served: Served) -> None:
    """A GET with a body does not make its body the next request."""
    hidden = HIDDEN.encode()
    sent = head(served, headers=[f"Content-Length: {len(hidden)}", "Connection: close"]) + hidden
    assert statuses(ask(served, sent)) == [200]


def test_requests_in_a_row_are_answered_in_their_order(served: Served) -> None:
    close = head(served, "GET /nothing HTTP/1.1", ["Connection: close"])
    assert statuses(ask(served, head(served) + head(served, "DELETE /api/v1/ HTTP/1.1") + close)) == [200, 405, 404]


def test_an_upgrade_is_not_taken(served: Served) -> None:
    upgrade = ["Connection: Upgrade, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
    assert 101 not in statuses(ask(served, head(served, headers=upgrade)))
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    assert 101 not in statuses(ask(served, head(served, headers=upgrade)))


@pytest.mark.parametrize("line", ["GET /api/v1/ HTTP/9.9", "GET /api/v1/", "\x16\x03\x01", "PRI * HTTP/2.0"])
def test_what_is_no_request_is_refused(served: Served, line: str) -> None:
    assert 200 not in statuses(ask(served, head(served, line)))


def test_a_head_without_end_is_cut(served: Served) -> None:
    """Neither one endless header nor endlessly many take memory."""
    endless = head(served)[:-2] + b"X: "
    assert statuses(ask(served, endless, *[b"a" * KILO] * 100)) in ([431], [])  # nothing where the rest came after the end
    many = [f"X-{number}: {'a' * 100}" for number in range(1000)]
    assert statuses(ask(served, head(served, headers=many))) in ([431], [])


def test_a_connection_serves_on_after_a_refusal_of_ours(served: Served) -> None:
    with connect(served) as connection:
        connection.sendall(head(served, "GET /api/v1/accounts HTTP/1.1"))
        assert statuses(read_one(connection)) == [401]
        connection.sendall(head(served, POST, ["Content-Type: text/plain", f"Content-Length: {len(BODY)}"]) + BODY.encode())
        assert statuses(read_one(connection)) == [415]
        connection.sendall(head(served))
        assert statuses(read_one(connection)) == [200]
