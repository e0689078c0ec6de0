"""`POST /relying-parties/sign-ins`: a host tells that a key let somebody in, and is believed about that and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from fido2 import cbor, cose
from msgspec.structs import replace

from passless.actions import relying_parties, ssh_sign_ins
from passless.actions.ssh_sign_ins import OF_ACCOUNT
from passless.actions.throttle import is_familiar
from passless.credentials.ssh_keys import ssh_key
from passless.domain.account import AccountId
from passless.domain.audit import AuditEvent
from passless.domain.methods import SecurityKey
from passless.domain.relying_parties import Client, MadeRelyingParty
from passless.ports import Write
from passless.server.oauth.forms import FORM
from tests.server.oauth.world import World, world_in
from tests.server.test_keys_for_hosts import COSE, a_key, rp_id, with_methods

SIGN_INS = "/relying-parties/sign-ins"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def host(world: World) -> MadeRelyingParty:
    return world.register("file server", kind="ssh", redirect_uris=())


def key_of(world: World, public: bytes = COSE) -> str:
    return ssh_key(public, rp_id(world)).encoded


def another_key(world: World, name: str) -> tuple[SecurityKey, str]:
    """Make a key that is no other's; return it, and what ssh calls it."""
    public = cbor.encode(dict(cose.ES256.from_cryptography_key(generate_private_key(SECP256R1()).public_key())))
    key = a_key(world, name)
    return replace(key, credential=replace(key.credential, public_key=public)), key_of(world, public)


def party_of(world: World, host: MadeRelyingParty) -> Client:
    found = relying_parties.find(world.place.parts, host.id)
    assert found is not None
    return found[0]


def tell(world: World, host: MadeRelyingParty, secret: str = "", **said: str) -> httpx.Response:
    assert host.secret is not None
    auth = httpx.BasicAuth(host.id, secret or host.secret.reveal())
    form = {"user": "ada", "key": key_of(world), "from": "198.51.100.4", **said}
    return world.http().post(SIGN_INS, data=form, auth=auth)


def told(world: World, account: str) -> list[AuditEvent]:
    """Return what the trail says of sign-ins by ssh, the oldest first."""
    events = world.place.store.latest_events(AccountId(account))
    return [one for one in events if one.event == ssh_sign_ins.EVENT][::-1]


def last_use(world: World, account: str, item: str = "bluekey") -> object:
    used = world.place.store.uses(AccountId(account)).get(item)
    return None if used is None else used.last_used_at


def test_the_sign_in_is_in_the_trail_and_the_key_was_used(world: World, host: MadeRelyingParty) -> None:
    account = with_methods(world, a_key(world))
    answer = tell(world, host)
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (204, b"", "no-store")
    (event,) = told(world, account.id)
    assert (event.actor, event.account, event.outcome, event.place) == ("ada", "ada", "done", "198.51.100.4")
    assert event.details == {
        "name": "file server",
        "key": "blue key",
        "kind": "security-key",
        "method": "bluekey",
        "relying-party": host.id,
    }
    assert last_use(world, account.id) == world.place.clock.now


def test_it_opens_nothing_and_forgives_nothing(world: World, host: MadeRelyingParty) -> None:
    account = with_methods(world, a_key(world))
    sessions = world.place.store.sessions(account.id)
    tell(world, host)
    assert world.place.store.sessions(account.id) == sessions
    assert not is_familiar(world.place.parts, account.id, "198.51.100.4", now=world.place.clock.now)


def test_each_sign_in_is_told_and_the_last_use_once_a_minute(world: World, host: MadeRelyingParty) -> None:
    account = with_methods(world, a_key(world))
    first = world.place.clock.now
    for _ in range(3):
        tell(world, host)
        world.place.clock.move(seconds=25)
    assert len(told(world, account.id)) == 3
    assert last_use(world, account.id) == first
    tell(world, host)
    assert last_use(world, account.id) == first + timedelta(seconds=75)


class TestBounds:
    def test_of_an_hours_sign_ins_the_first_are_written_down_and_then_the_round_ones(
        self, world: World, host: MadeRelyingParty
    ) -> None:
        account = with_methods(world, a_key(world))
        other = world.register("other host", kind="ssh", redirect_uris=())
        parts, party, key = world.place.parts, party_of(world, host), key_of(world)
        for _ in range(205):
            ssh_sign_ins.note(parts, party, user="ada", key=key)
        written = told(world, account.id)
        assert len(written) == OF_ACCOUNT + 1
        assert written[-1].details["this_hour"] == "100"
        tell(world, other)  # another host has its own
        assert len(told(world, account.id)) == OF_ACCOUNT + 2
        world.place.clock.move(hours=1)
        tell(world, host)
        assert len(told(world, account.id)) == OF_ACCOUNT + 3

    def test_a_host_that_tells_of_too_many_people_is_not_written_down(
        self, world: World, host: MadeRelyingParty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ssh_sign_ins, "OF_HOST", 2)
        accounts = [with_methods(world, a_key(world, f"{name} key"), name=name) for name in ("ada", "bob", "eve")]
        for account in accounts:
            assert tell(world, host, user=account.name).status_code == 204
        assert [len(told(world, account.id)) for account in accounts] == [1, 1, 0]
        assert all(last_use(world, account.id, f"{account.name}key") is not None for account in accounts)


class TestWhatIsNotBelieved:
    def test_a_key_that_the_host_would_not_be_told(self, world: World, host: MadeRelyingParty) -> None:
        """Neither nobody's, nor another person's, nor one that lets nobody in by itself."""
        ada = with_methods(world, a_key(world), two_step=True)
        red, red_key = another_key(world, "red key")
        bob = with_methods(world, red, name="bob")
        keys = ("", "none none", key_of(world)[:-4], f"{key_of(world)} passless-bluekey", "x" * 9000, "\u00e9")
        for user, key in (("ada", key_of(world)), ("ada", red_key), ("bob", key_of(world)), *(("bob", one) for one in keys)):
            answer = tell(world, host, user=user, key=key)
            assert (answer.status_code, answer.content) == (204, b""), key
        assert told(world, ada.id) == told(world, bob.id) == []
        assert last_use(world, ada.id) is None

    def test_a_key_of_somebody_who_is_no_user_there(self, world: World) -> None:
        strict = world.register("vault", kind="ssh", redirect_uris=(), groups=("staff",))
        account = with_methods(world, a_key(world))
        assert tell(world, strict).status_code == 204
        assert told(world, account.id) == []

    def test_nobody_and_names_that_are_no_users(self, world: World, host: MadeRelyingParty) -> None:
        """Must hold 3: they are answered as somebody is."""
        ada = with_methods(world, a_key(world), name="Ada")
        answers = [
            tell(world, host, user=user) for user in ("ada", "Ada", "ADA", ada.id, "ada ", "nobody here", "root", "ada\0")
        ]
        assert {(one.status_code, one.content) for one in answers} == {(204, b"")}
        assert len({tuple(one.headers.keys()) for one in answers}) == 1
        assert len(told(world, ada.id)) == 1

    def test_a_place_is_an_address_or_the_host(self, world: World, host: MadeRelyingParty) -> None:
        account = with_methods(world, a_key(world))
        for caller in ("2001:DB8::1", "evil.example", "", "9" * 5000, "1.2.3.4\nx"):
            assert tell(world, host, **{"from": caller}).status_code == 204
        assert [one.place for one in told(world, account.id)] == ["2001:db8::1", *["file server"] * 4]

    def test_a_removed_key(self, world: World, host: MadeRelyingParty) -> None:
        """Must hold 7."""
        account = with_methods(world, a_key(world))
        stored = world.place.store.read(account.id)
        after = replace(stored.account, methods=stored.account.methods[:-1])
        world.place.store.commit(Write(at=world.place.clock.now, account=after, expected=stored.version))
        assert tell(world, host).status_code == 204
        assert told(world, account.id) == []


class TestWhoMayTell:
    def test_without_the_secret_nobody(self, world: World, host: MadeRelyingParty) -> None:
        account = with_methods(world, a_key(world))
        wrong = tell(world, host, secret="plc_wrong")
        none = world.http().post(SIGN_INS, data={"user": "ada", "key": key_of(world)})
        in_form = world.http().post(SIGN_INS, data={"user": "ada", "key": key_of(world), "client_id": host.id})
        assert [one.status_code for one in (wrong, none, in_form)] == [401] * 3
        assert wrong.json() == none.json()
        assert told(world, account.id) == []

    def test_no_relying_party_of_another_kind(self, world: World) -> None:
        account = with_methods(world, a_key(world))
        for kind in ("oauth", "dovecot", "http", "pam"):
            uris = ("https://mail.example/signed-in",) if kind == "oauth" else ()
            assert tell(world, world.register(f"other {kind}", kind=kind, redirect_uris=uris)).status_code == 401
        assert told(world, account.id) == []

    def test_what_is_told_is_a_form_of_three_words(self, world: World, host: MadeRelyingParty) -> None:
        account = with_methods(world, a_key(world))
        assert host.secret is not None
        auth, good = httpx.BasicAuth(host.id, host.secret.reveal()), f"user=ada&key={'a' * 10}"
        for content, kind, query in (
            (f"{good}&x=1", FORM, ""),
            (f"{good}&user=bob", FORM, ""),
            (f"user=%ff&key={'a' * 10}", FORM, ""),
            (f"{good}&from={'a' * 16_384}", FORM, ""),
            (good, "application/json", ""),
            (good, FORM, "?user=ada"),
        ):
            answer = world.http().post(SIGN_INS + query, content=content, headers={"content-type": kind}, auth=auth)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), content[:40]
        assert told(world, account.id) == []
