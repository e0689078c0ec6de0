"""FreeRADIUS with rlm_rest and the snippets that `relying-party add` writes, judged by radclient."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.serving import leaked
from tests.strangers.registering import on_host
from tests.strangers.web.guarded import Guarded, Radius, freeradius


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("radius"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def radius(guarded: Guarded) -> Iterator[Radius]:
    with freeradius(guarded, guarded.register("wifi"), "wifi") as running:
        yield running


def test_a_right_app_password_is_accepted_and_a_wrong_one_is_not(guarded: Guarded, radius: Radius) -> None:
    ada = guarded.person("ada")
    right, revoked = ada.new_app_password("wifi", services=["wifi"]), ada.new_app_password("revoked")
    mail, short = ada.new_app_password("mail", services=["imap"]), ada.new_app_password("short", short=True)
    eve = guarded.person("eve").new_app_password()
    assert radius.ask("ada", right) == "accept"
    assert radius.ask("ada", short) == "accept"
    assert radius.ask("ada", revoked) == "accept"
    ada.revoke("revoked")
    for name, secret in (
        ("ada", "abcd efgh ijkl mnop qrst uvwx"),
        ("ada", revoked),
        ("ada", mail),
        ("ada", eve),
        ("eve", right),
        ("root", right),
        ("ADA", right),  # goes on with what was typed, so it is typed as it is
        ("ada ", right),
        (f"ada:{right}", "x"),
        ("ada", ""),
        ("ada", "%{User-Name}"),
        ("%{User-Name}", right),
        ("ada/../x?y=z", right),
        ("ada\\r\\nX-Forwarded-For: 1.2.3.4", right),
    ):
        assert radius.ask(name, secret) == "reject", (name, secret)


def test_who_guesses_waits(guarded: Guarded, radius: Radius) -> None:
    bob = guarded.person("bob")
    short, long = bob.new_app_password("short", short=True), bob.new_app_password("long")
    for _ in range(10):
        assert radius.ask("bob", "aaaa bbbb cccc dddd") == "reject"
    assert radius.ask("bob", short) == "reject"
    assert radius.ask("bob", long) == "accept"


def test_a_server_that_is_down_lets_nobody_in_and_is_there_again_by_itself(guarded: Guarded, radius: Radius) -> None:
    secret = guarded.person("carol").new_app_password()
    assert radius.ask("carol", secret) == "accept"
    guarded.stop_serving()
    assert radius.ask("carol", secret) != "accept"
    assert radius.ask("carol", "wrong") != "accept"
    guarded.served = guarded.serve()
    assert radius.ask("carol", secret) == "accept"
    assert radius.ask("carol", "wrong") == "reject"
    on_host(guarded.served, "relying-party", "remove", "wifi", "--yes")
    assert radius.ask("carol", secret) == "reject"
    assert not leaked((guarded.folder / "radius" / "log").read_bytes())
