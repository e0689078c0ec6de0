"""The second step on a host, without the host: who is asked for what, and what each answer costs."""

from __future__ import annotations

from collections import Counter

import pytest

from passless.actions import relying_parties, second_steps
from passless.actions.second_steps import OnHost
from passless.credentials.proofs import WrongProof
from passless.domain.relying_parties import Client, NewRelyingParty
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.actions.a_server import counted, serve
from tests.directories.person import App, Person
from tests.directories.place import Place
from tests.directories.sentences import refused

WRONG = Secret("123456")
EVERYBODY = ("ada", "bob", "nobody-at-all", "  ", "\ud800", "0" * 300, "'; --")


@pytest.fixture
def host(place: Place) -> Client:
    """A server with a host, somebody with an app and somebody without."""
    Person(place, "bob").create()
    made = relying_parties.add(place.parts, Actor(), NewRelyingParty(name="host", kind="pam"))
    assert made.secret is not None
    place.keep_secret(made.secret)
    serve(place)
    found = relying_parties.find_named(place.parts, "host")
    assert found is not None
    return found


@pytest.fixture
def app(place: Place, host: Client) -> App:
    place.change(access="owner", origin="")
    app = Person(place, "ada").create().add_app()
    serve(place)
    place.clock.move(minutes=1)
    return app


def asked(host: Client, user: str, caller: str = "") -> OnHost:
    return OnHost(party=host, user=user, service="sudo", caller=caller)


def told(place: Place, host: Client, user: str, code: Secret = WRONG) -> tuple[str, ...]:
    with pytest.raises(WrongProof) as caught:
        second_steps.check_code(place.parts, asked(host, user), code)
    outside = caught.value.outside()
    return (type(outside).__name__, outside.code, outside.message)


def test_a_code_lets_in_once(place: Place, host: Client, app: App) -> None:
    """Must hold 12."""
    code = app.code
    second_steps.check_code(place.parts, asked(host, "ada"), code)
    told(place, host, "ada", code)
    done, failed = [one for one in place.store.events() if one.event == second_steps.SECOND_STEP]
    assert (done.outcome, failed.outcome) == ("done", "failed")
    assert failed.details["reason"] == "code-reused"
    assert (done.place, done.details["service"], done.details["name"]) == ("host:ada", "sudo", "host")


def test_a_wrong_code_says_the_same_whoever_it_is_for(place: Place, host: Client, app: App) -> None:
    """Must hold 3."""
    assert len({told(place, host, user) for user in EVERYBODY}) == 1


def test_a_wrong_code_costs_the_same_whoever_it_is_for(
    place: Place, host: Client, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 3: the store is asked, seals are opened and codes are made as often."""
    told(place, host, "somebody")  # what the store keeps from its first stranger on
    done = counted(place, monkeypatch)
    costs: list[Counter[str]] = []
    for user in ("ada", "bob", "nobody-at-all"):
        done.clear()
        told(place, host, user)
        costs.append(Counter(done))
    assert costs[0] == costs[1] == costs[2]
    assert any("generate_otp" in one for one in costs[0])


def test_the_id_of_an_account_is_nobodys_name(place: Place, host: Client, app: App) -> None:
    account_id = second_steps.find(place.parts, "ada", place.clock.now).account.id
    told(place, host, account_id, app.code)


def test_where_they_come_from_is_an_address_or_the_user_of_the_host(host: Client) -> None:
    """A name is whatever the name server of whoever asks says, and would be another source each time."""
    assert asked(host, "ada", "2001:db8::7").place == "2001:db8::7"
    for caller in ("", "evil.example", "127.0.0.1.evil.example", "\x1b[2J"):
        assert asked(host, "ada", caller).place == "host:ada"


def test_a_host_that_was_removed_lets_nobody_in(place: Place, host: Client, app: App) -> None:
    """Must hold 7."""
    place.change(on_host=True)
    relying_parties.remove(place.parts, Actor(), "host")
    place.change(on_host=False)
    with refused("no-such-relying-party"):
        second_steps.check_code(place.parts, asked(host, "ada"), app.code)
    with refused("no-such-relying-party"):
        relying_parties.read_secret(place.parts, host)


def test_the_secret_comes_back_as_it_was_made(place: Place) -> None:
    made = relying_parties.add(place.parts, Actor(), NewRelyingParty(name="host", kind="pam"))
    found = relying_parties.find_named(place.parts, "host")
    assert found is not None
    assert made.secret is not None
    secret = place.keep_secret(relying_parties.read_secret(place.parts, found))
    assert secret == made.secret.reveal()
    assert secret.encode() not in b"".join(one.document for one in place.store.records(relying_parties.SECRETS))
