"""`GET /relying-parties/keys`: which keys let a user of a host in, told to that host alone; and no accounts are told of."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from msgspec.structs import replace

from passless.credentials.ssh_keys import ssh_key
from passless.domain.account import Account, AccountId
from passless.domain.methods import Credential, DeviceName, MethodId, Passkey, RpId, SecurityKey
from passless.domain.recovery import Recovery, Reporter
from passless.domain.relying_parties import MadeRelyingParty
from passless.domain.use_state import Use
from passless.ports import Write
from tests.directories.place import HOST
from tests.server.oauth.world import World, world_in

KEYS = "/relying-parties/keys"
COSE = bytes.fromhex(  # the key of RFC 7517 §A.1, on P-256
    "a5010203262001215820"
    "30a0424cd21c2944838a2d75c92b37e76ea20d9f00893a3b4eee8a3c0aafec3e"
    "225820e04b65e92456d9888b52b379bdfbd51ee869ef1f0fc65b6659695b6cce081723"
)


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


def rp_id(world: World) -> RpId:
    found = world.place.parts.rules.rp_id
    assert found is not None
    return found


def a_key(world: World, name: str = "blue key", *, verified: bool = False, **more: object) -> SecurityKey:
    credential = Credential(id=name.encode(), public_key=COSE, rp_id=rp_id(world), transports=("usb",))
    fields = {"id": MethodId(name.replace(" ", "")), "device": DeviceName(name), "added_at": world.place.clock.now}
    return SecurityKey(**{"name": name, "credential": credential, "user_verified": verified, **fields, **more})  # type: ignore[arg-type]


def with_methods(world: World, *methods: object, name: str = "ada", **more: object) -> Account:
    """Make an account that has these beside its password."""
    made = world.account(name)
    return change(world, made.account_id, methods=methods, **more)


def change(world: World, account_id: str, *, methods: tuple[object, ...] = (), **more: object) -> Account:
    stored = world.place.store.read(AccountId(account_id))
    account = replace(stored.account, methods=(*stored.account.methods, *methods), **more)
    world.place.store.commit(Write(at=world.place.clock.now, account=account, expected=stored.version))
    return account


def ask(world: World, host: MadeRelyingParty, user: str | bytes = "ada", secret: str = "") -> httpx.Response:
    assert host.secret is not None
    auth = httpx.BasicAuth(host.id, secret or host.secret.reveal())
    return world.http().get(f"{KEYS}?user={quote(user)}", auth=auth)


def lines(world: World, host: MadeRelyingParty, user: str = "ada") -> list[str]:
    answer = ask(world, host, user)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    return answer.text.splitlines()


class TestWhich:
    def test_a_key_that_is_touched(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world))
        assert lines(world, host) == [f"{ssh_key(COSE, rp_id(world)).encoded} passless-bluekey"]

    def test_one_that_is_two_factors_has_to_be(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world, verified=True))
        assert lines(world, host)[0].startswith("verify-required sk-ecdsa-sha2-nistp256@openssh.com ")

    def test_with_two_step_on_no_key_that_is_one_factor(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world), a_key(world, "red key", verified=True), two_step=True)
        assert [line.split()[-1] for line in lines(world, host)] == ["passless-redkey"]

    @pytest.mark.parametrize("requires", ["two-factors", "phishing-resistant"])
    def test_where_the_host_asks_for_two_factors_no_other(self, world: World, requires: str) -> None:
        strict = world.register("vault", kind="ssh", redirect_uris=(), requires=requires)
        with_methods(world, a_key(world), a_key(world, "red key", verified=True))
        assert [line.split()[-1] for line in lines(world, strict)] == ["passless-redkey"]

    def test_a_passkey_on_a_key_and_none_that_lives_in_a_computer_or_travels(
        self, world: World, host: MadeRelyingParty
    ) -> None:
        kinds = (("usb",), False), (("internal", "hybrid"), False), (("usb",), True)
        made = []
        for number, (transports, backed_up) in enumerate(kinds):
            key = a_key(world, f"key {number}")
            credential = replace(key.credential, transports=transports, backup_eligible=backed_up)
            made.append(Passkey(id=key.id, name=key.name, device=key.device, added_at=key.added_at, credential=credential))
        with_methods(world, *made)
        (line,) = lines(world, host)
        assert line.startswith("verify-required ")
        assert line.endswith(" passless-key0")

    def test_none_that_cannot_sign_in(self, world: World, host: MadeRelyingParty) -> None:
        over = world.place.clock.now
        off = {"a": {"enabled": False}, "b": {"confirmed": False}, "c": {"expires_at": over}}
        with_methods(world, *(a_key(world, name, **more) for name, more in off.items()))
        assert lines(world, host) == []

    def test_none_of_another_server(self, world: World, host: MadeRelyingParty) -> None:
        key = a_key(world)
        with_methods(world, replace(key, credential=replace(key.credential, rp_id=RpId(f"other.{HOST}"))))
        assert lines(world, host) == []

    def test_none_that_may_have_been_copied(self, world: World, host: MadeRelyingParty) -> None:
        account = with_methods(world, a_key(world))
        use = Use(item="bluekey", at=world.place.clock.now, cloned=True)
        world.place.store.commit(Write(at=world.place.clock.now, account_id=account.id, uses=(use,)))
        assert lines(world, host) == []

    def test_none_while_the_account_is_being_recovered_and_none_of_the_recovery_for_a_day(
        self, world: World, host: MadeRelyingParty
    ) -> None:
        now = world.place.clock.now
        account = with_methods(world, a_key(world), a_key(world, "red key"))
        under_way = Recovery(started_at=now, by=Reporter.SELF, enrolled=(MethodId("redkey"),))
        change(world, account.id, recovery=under_way)
        assert lines(world, host) == []
        change(world, account.id, recovery=replace(under_way, finished_at=now))
        assert [line.split()[-1] for line in lines(world, host)] == ["passless-bluekey"]
        world.place.clock.move(hours=25)
        assert [line.split()[-1] for line in lines(world, host)] == ["passless-bluekey", "passless-redkey"]


class TestGroups:
    """Whose user is whose goes by the name; who may be one at all an operator says, of accounts and not of names."""

    def test_only_people_of_its_groups_are_told(self, world: World) -> None:
        strict = world.register("file server", kind="ssh", redirect_uris=(), groups=("Staff", "guests"))
        account = with_methods(world, a_key(world))
        assert lines(world, strict) == []
        change(world, account.id, groups=("students",))
        assert lines(world, strict) == []
        change(world, account.id, groups=("students", "staff"))
        assert len(lines(world, strict)) == 1

    def test_a_host_without_groups_is_everybodys(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world))
        with_methods(world, a_key(world, "red key"), name="bob", groups=("staff",))
        assert len(lines(world, host)) == len(lines(world, host, "bob")) == 1

    def test_who_takes_the_name_of_a_user_is_not_taken_for_them(self, world: World) -> None:
        """Groups are the account's: they go with it to its next name, and not to who has the name next."""
        strict = world.register("file server", kind="ssh", redirect_uris=(), groups=("staff",))
        ada = with_methods(world, a_key(world), groups=("staff",))
        change(world, ada.id, name="lovelace")
        with_methods(world, a_key(world, "red key"))
        assert lines(world, strict) == []
        assert len(lines(world, strict, "lovelace")) == 1


class TestInjection:
    def test_no_name_gets_into_a_line(self, world: World, host: MadeRelyingParty) -> None:
        names = ('x" ssh-rsa AAAA', "no-touch-required", "a\\nssh-ed25519 AAAA", "clé", "-" * 64)
        with_methods(world, *(replace(a_key(world, f"key {number}"), name=name) for number, name in enumerate(names)))
        written = lines(world, host)
        assert len(written) == len(names)
        for number, line in enumerate(written):
            assert line.isascii()
            assert line.split(" ") == [*ssh_key(COSE, rp_id(world)).encoded.split(" "), f"passless-key{number}"]

    def test_what_a_line_says_is_the_key_and_the_servers_name_alone(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world))
        blob = base64.b64decode(lines(world, host)[0].split(" ")[1])
        assert blob.endswith(len(rp_id(world)).to_bytes(4, "big") + rp_id(world).encode())


class TestNobody:
    """Must hold 3: who there is none of is answered like who has no keys."""

    def test_somebody_without_keys_and_nobody_are_answered_alike(self, world: World, host: MadeRelyingParty) -> None:
        world.account("bob")
        answers = [ask(world, host, user) for user in ("bob", "nobody here", "root", "")]
        assert {(one.status_code, one.content) for one in answers} == {(200, b"")}
        assert len({tuple(one.headers.keys()) for one in answers}) == 1

    def test_only_the_plain_form_of_a_name_is_answered(self, world: World, host: MadeRelyingParty) -> None:
        """Two users of a host are never one account."""
        with_methods(world, a_key(world))
        others = (
            "a" * 5000,
            "ada\n",
            "ada\r\nssh-rsa AAAA",
            "ADA",
            "Ada",
            "\uff41da",
            " ada",
            "ada ",
            "../ada",
            "%s%n",
            "ada#",
        )
        binary = (b"\xff\xfe", b"ada\x00", b"\x00", b"ada\xed\xa0\x80")
        for user in (*others, *binary):
            answer = ask(world, host, user)
            assert (answer.status_code, answer.content) == (200, b""), user
        assert len(lines(world, host)) == 1

    def test_an_id_is_no_name(self, world: World, host: MadeRelyingParty) -> None:
        account = with_methods(world, a_key(world))
        assert lines(world, host, account.id) == []

    def test_neither_is_an_address(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world), addresses=("ada@example.org",), address_names=("ada@example.org",))
        assert lines(world, host, "ada@example.org") == []

    def test_capitals_of_an_account_are_small_letters_on_a_host(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world), name="Ada")
        assert len(lines(world, host, "ada")) == 1
        assert lines(world, host, "Ada") == []


class TestWhoMayAsk:
    def test_a_wrong_secret_and_nobody_are_refused_alike(self, world: World, host: MadeRelyingParty) -> None:
        with_methods(world, a_key(world))
        wrong = ask(world, host, secret="plc_wrong")
        none = world.http().get(f"{KEYS}?user=ada")
        assert (wrong.status_code, none.status_code) == (401, 401)
        assert wrong.json() == none.json()
        assert "bluekey" not in wrong.text

    def test_another_kind_of_relying_party_is_refused(self, world: World) -> None:
        with_methods(world, a_key(world))
        for kind in ("oauth", "dovecot", "http", "pam"):
            uris = ("https://mail.example/signed-in",) if kind == "oauth" else ()
            assert ask(world, world.register(f"other {kind}", kind=kind, redirect_uris=uris)).status_code == 401

    def test_a_removed_host_is_refused(self, world: World, host: MadeRelyingParty) -> None:
        """Must hold 7."""
        from passless.directories.local import LocalDirectory
        from passless.ports.directory import Actor

        assert ask(world, host).status_code == 200
        world.place.change(on_host=True)
        LocalDirectory(world.place.parts).remove_relying_party(Actor(), host.id)
        assert ask(world, host).status_code == 401

    def test_what_is_asked_is_one_user(self, world: World, host: MadeRelyingParty) -> None:
        assert host.secret is not None
        for query in ("", "?user=ada&user=bob", "?name=ada", "?user=ada&x=1", f"?user={'a' * 20000}"):
            answer = world.http().get(KEYS + query, auth=httpx.BasicAuth(host.id, host.secret.reveal()))
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), query[:40]


def test_the_person_sees_public_halves_alone(world: World) -> None:
    signed_in = world.account()
    change(world, signed_in.account_id, methods=(a_key(world),))
    answer = world.http().get(
        "/api/v1/accounts/me/hardware-keys", headers={"Authorization": f"Bearer {signed_in.token.reveal()}"}
    )
    (one,) = answer.json()["items"]
    assert set(one) == {"id", "name", "kind", "rp_id", "credential_id", "public_key", "two_factor", "opens_hosts"}
    assert base64.b64decode(one["public_key"]) == COSE
    assert world.http().get("/api/v1/accounts/ada/hardware-keys").status_code == 401
    bob = world.account("bob")
    asked = world.http().get("/api/v1/accounts/ada/hardware-keys", headers={"Authorization": f"Bearer {bob.token.reveal()}"})
    assert asked.status_code in (401, 403, 404)
