"""Whom a server answers for, and whom it believes about where a request comes from."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from passless.server.addresses import place_of
from passless.server.site import Site
from tests.directories.place import in_memory
from tests.server.asking import Caller
from tests.server.raw import ask, head, statuses
from tests.server.serving import Served, a_server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_server(tmp_path_factory.mktemp("hosts")) as running:
        yield running


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:1", "localhost@evil.example", "127.0.0.1", "[::1]", ""]
)
def test_another_host_is_not_answered_for(served: Served, host: str) -> None:
    port = served.address[1]
    named = host.replace("127.0.0.1", f"127.0.0.1:{port}").replace("[::1]", f"[::1]:{port}")
    answer = ask(served, head(served, host=named))
    assert statuses(answer) == [421]
    assert b"evil" not in answer


def test_our_host_is_answered_for_in_any_case_of_letters(served: Served) -> None:
    assert statuses(ask(served, head(served, host=served.url.partition("//")[2].upper(), headers=["Connection: close"]))) == [
        200
    ]


def test_two_hosts_or_none_are_refused(served: Served) -> None:
    assert statuses(ask(served, head(served, headers=["Host: evil.example"]))) == [400]
    assert statuses(ask(served, b"GET /api/v1/ HTTP/1.1\r\n\r\n")) == [400]


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_no_other_header_names_the_host_or_address(served: Served, header: str) -> None:
    answer = ask(served, head(served, headers=[f"{header}: host=evil.example", "Connection: close"]))
    assert statuses(answer) == [200]
    assert b"evil.example" not in answer
    assert served.url.encode() in answer


def test_an_absolute_address_changes_nothing(served: Served) -> None:
    answer = ask(served, head(served, "GET http://evil.example/api/v1/ HTTP/1.1", headers=["Connection: close"]))
    assert b"evil.example" not in answer


def test_whoever_is_no_proxy_has_no_say_in_where_they_are(served: Served) -> None:
    with Caller(served, headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}) as caller:
        asked = caller.ask("GET", "/").headers["x-request-id"]
    assert served.await_request(request=asked)["source"] == "127.0.0.1"


def test_a_trusted_proxy_says_where_its_client_is(tmp_path: Path) -> None:
    """The place in the trail is the client's (must hold 8)."""
    with a_server(tmp_path, "--trusted-proxy", "127.0.0.0/8", "--url", "https://accounts.example.org") as served:
        headers = {"Host": "accounts.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "evil, 203.0.113.9"}
        with Caller(url=f"http://127.0.0.1:{served.address[1]}", headers=headers) as caller:
            caller.create()
            assert caller.get("/events?account=me")["items"][0]["place"] == "203.0.113.9"
            answer = caller.ask("GET", "/")
            assert answer.headers["strict-transport-security"]
            headers["X-Forwarded-Proto"] = "http"
        with Caller(url=f"http://127.0.0.1:{served.address[1]}", headers=headers) as caller:
            assert caller.get("/", 421)["code"] == "wrong-host"


def test_a_trusted_proxy_may_name_the_server_as_it_reaches_it_in_its_questions_and_nowhere_else(tmp_path: Path) -> None:
    """Traefik can name it in no other way; who is no proxy of ours has no say in it (must hold 8)."""
    with a_server(tmp_path, "--trusted-proxy", "127.0.0.2/32", "--url", "https://accounts.example.org") as served:
        closing = ["Connection: close"]
        for path, trusted in (
            ("/auth/web", True),
            ("/auth/web?sign-in=yes&shown=yes", True),
            ("/auth/web/sign-in", False),
            ("/auth/", False),
            ("/auth/../api/v1/", False),
            ("/api/v1/", False),
            ("//auth/web", False),
        ):
            for address in ("127.0.0.1", "127.0.0.2"):
                sent = head(
                    served, f"GET {path} HTTP/1.1", host="passless:8080", headers=[*closing, "X-Forwarded-Proto: https"]
                )
                is_answered = trusted and address == "127.0.0.2"
                assert statuses(ask(served, sent, at=address)) == [401 if is_answered else 421], (path, address)
        plain = head(served, "GET /auth/web HTTP/1.1", host="passless:8080", headers=[*closing, "X-Forwarded-Proto: http"])
        assert statuses(ask(served, plain, at="127.0.0.2")) == [421]


TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "place"),
    [
        ("203.0.113.1", ["198.51.100.7"], "203.0.113.1"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.1.1", ["198.51.100.7, 203.0.113.5"], "203.0.113.5"),
        ("10.1.1.1", ["198.51.100.7", "203.0.113.5"], "203.0.113.5"),
        ("10.1.1.1", ["198.51.100.7, 10.2.2.2"], "198.51.100.7"),
        ("10.1.1.1", ["198.51.100.7, nonsense"], "10.1.1.1"),
        ("10.1.1.1", ["nonsense, 198.51.100.7"], "198.51.100.7"),
        ("10.1.1.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.1.1.1", ["[2001:4860::8888]:4711"], "2001:4860::8888"),
        ("::ffff:10.1.1.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("2001:db8::1", ["2001:4860::8888"], "2001:4860::8888"),
        ("10.1.1.1", [""], "10.1.1.1"),
        ("10.1.1.1", [", , ,"], "10.1.1.1"),
        ("10.1.1.1", [", ".join(["10.0.0.1"] * 1000)], "10.0.0.1"),
        ("10.1.1.1", ["198.51.100.7\x00"], "10.1.1.1"),
        (None, ["198.51.100.7"], "198.51.100.7"),
        (None, [], "socket"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(
    tmp_path: Path, peer: str | None, forwarded: list[str], place: str
) -> None:
    site = Site(directory=in_memory(tmp_path).directory, url="https://accounts.example.org", trusted=TRUSTED)  # type: ignore[arg-type]
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    scope: dict[str, Any] = {"client": None if peer is None else (peer, 4711), "headers": headers}
    assert place_of(scope, site) == place
