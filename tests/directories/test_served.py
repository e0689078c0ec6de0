"""Stores that are a server's: their address, and what another one does to keys and passkeys."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.actions.parts import Access
from passless.directories.local.served import AnotherUrl, BadUrl, Served, origin_of, serve_as, served_as
from passless.domain.safety.context import Rules
from tests.directories.person import Person
from tests.directories.place import in_memory
from tests.directories.security_key import SecurityKey

URL = "https://accounts.example.org"
ANOTHER = "https://login.example.org"


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://Accounts.Example.ORG", URL),
        ("https://accounts.example.org/", URL),
        ("https://accounts.example.org:443", URL),
        ("https://accounts.example.org:8443", f"{URL}:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://accounts.localhost:1", "http://accounts.localhost:1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_form(written: str, origin: str) -> None:
    assert origin_of(written) == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        "accounts.example.org",
        "//accounts.example.org",
        "ftp://accounts.example.org",
        "http://accounts.example.org",
        "http://localhost.example.org",
        "https://",
        "https://:443",
        "https://a:0",
        "https://a:99999",
        "https://a:x",
        "https://a/b",
        "https://a?b",
        "https://a?",
        "https://a#",
        "https://me@a",
        "https://@a",
        "https://a b",
        "https://a\nb",
        "https://bücher.example",
        "https://192.0.2.7",
        "https://[2001:db8::1]",
        "https://[2001:db8::1",
        "https://a%2eb",
    ],
)
def test_what_no_server_can_be_reached_at_is_no_address(written: str) -> None:
    with pytest.raises(BadUrl):
        origin_of(written)


def test_the_relying_party_is_the_host_alone() -> None:
    assert Served(url=f"{URL}:8443").rp_id == "accounts.example.org"


def test_a_store_remembers_its_address_until_it_is_moved(tmp_path: Path) -> None:
    place = in_memory(tmp_path)
    assert served_as(place.store) is None
    serve_as(place.store, URL, at=place.clock.now, rules=Rules(), move=False)
    assert served_as(place.store) == Served(url=URL)
    assert serve_as(place.store, URL, at=place.clock.now, rules=Rules(), move=False) is None
    with pytest.raises(AnotherUrl, match="belongs to the server at"):
        serve_as(place.store, ANOTHER, at=place.clock.now, rules=Rules(), move=False)
    assert served_as(place.store) == Served(url=URL)
    serve_as(place.store, ANOTHER, at=place.clock.now, rules=Rules(), move=True)
    assert served_as(place.store) == Served(url=ANOTHER)


def test_moving_says_how_many_keys_work_no_more(tmp_path: Path) -> None:
    place = in_memory(tmp_path)
    rules = Rules(rp_id=Served(url=URL).rp_id)
    place.change(access=Access.NOBODY, origin=URL, rules=rules)
    serve_as(place.store, URL, at=place.clock.now, rules=rules, move=False)
    ada, ben = Person(place, "ada").create(), Person(place, "ben").create()
    ada.add_key(SecurityKey(1))
    ada.add_key(SecurityKey(2))
    ben.add_app()
    with pytest.raises(AnotherUrl) as refused:
        serve_as(place.store, ANOTHER, at=place.clock.now, rules=rules, move=False)
    assert "2 keys and passkeys of 1 accounts then work no more" in refused.value.hint
    moved = serve_as(place.store, ANOTHER, at=place.clock.now, rules=rules, move=True)
    assert moved is not None
    (told,) = [event for event in place.store.events() if event.event == "move-server"]
    assert dict(told.details) == {"url": ANOTHER, "url_before": URL}
    assert (moved.methods, moved.accounts) == (2, 1)
    place.change(origin=ANOTHER, rules=replace(rules, rp_id=Served(url=ANOTHER).rp_id))
    usable = {one.kind: one.usable for one in ada.view.methods}
    assert usable == {"password": True, "security-key": False}
