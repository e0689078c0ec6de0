"""The second step on a host, without the host: who is asked for what, and what each answer costs."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from msgspec.structs import replace

from passless.actions import relying_parties, second_steps, throttle
from passless.actions.second_steps import OnHost
from passless.credentials.proofs import WrongProof
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind, MethodId
from passless.domain.recovery import Recovery, Reporter
from passless.domain.relying_parties import Client, NewRelyingParty
from passless.domain.requests import Answer
from passless.domain.secret import Secret
from passless.ports import Write
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


def told(place: Place, host: Client, user: str, code: Secret = WRONG, caller: str = "") -> tuple[str, ...]:
    with pytest.raises(WrongProof) as caught:
        second_steps.check_code(place.parts, asked(host, user, caller), code)
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


def test_a_user_is_only_whose_name_is_written_like_that(place: Place, host: Client, app: App) -> None:
    """Two users of a host whose names differ in capitals or accents alone are never one account."""
    for user in ("ADA", "Ada", "ａda", " ada"):
        told(place, host, user, app.fresh)
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)


def test_where_a_host_has_groups_only_their_people_are_its_users(place: Place, host: Client, app: App) -> None:
    """As the host is registered now, and not when its socket was opened; whoever else is nobody, whatever they type."""
    found = relying_parties.find(place.parts, host.id)
    assert found is not None
    document = msgspec.json.encode(replace(found[0], groups=("staff",)))
    place.store.commit(Write(at=place.clock.now, puts=(replace(found[1], document=document),)))
    outsider = told(place, host, "ada", app.fresh)
    assert outsider == told(place, host, "nobody-at-all")
    stored = place.store.read(second_steps.find(place.parts, "ada", place.clock.now).account.id)
    after = replace(stored.account, groups=("Staff",))
    place.store.commit(Write(at=place.clock.now, account=after, expected=stored.version))
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)


def test_what_strangers_guess_on_the_web_turns_no_host_off(place: Place, host: Client, app: App) -> None:
    for network in range(12):
        for _ in range(9):
            with pytest.raises(ProofNeeded):
                place.directory.sign_in(Actor(place=f"198.51.{network}.7"), "ada", Answer(kind=Kind.TOTP, text=app.wrong))
    with refused("guessing-switched-off"):
        place.directory.sign_in(Actor(place="203.0.113.7"), "ada", Answer(kind=Kind.TOTP, text=app.fresh))
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)
    second_steps.check_code(place.parts, asked(host, "ada", "203.0.113.7"), app.fresh)


def test_who_guesses_on_the_web_from_the_same_address_keeps_nobody_from_a_host(place: Place, host: Client, app: App) -> None:
    for number in range(throttle.SOURCE_WRONG):
        with pytest.raises(ProofNeeded):
            place.directory.sign_in(Actor(place="203.0.113.7"), f"guess{number}", Answer(kind=Kind.TOTP, text=WRONG))
    with refused("throttled"):
        place.directory.sign_in(Actor(place="203.0.113.7"), "guess", Answer(kind=Kind.TOTP, text=WRONG))
    second_steps.check_code(place.parts, asked(host, "ada", "203.0.113.7"), app.fresh)


def test_guesses_on_a_host_are_bounded_there_and_forgiven_when_somebody_is_let_in(place: Place, host: Client, app: App) -> None:
    """What can be guessed is off after a hundred in a row, on that host and nowhere else."""
    for number in range(throttle.SWITCHED_OFF):
        told(place, host, "ada", app.wrong, f"198.{18 + number // 250}.{number % 250}.1")
    with refused("guessing-switched-off"):
        second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)
    second_steps.check_code(place.parts, asked(another(place), "ada"), app.fresh)
    found = second_steps.find(place.parts, "ada", place.clock.now)
    second_steps.keep(place.parts, asked(host, "ada"), found, "device", place.clock.now)
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)


def test_an_app_that_was_added_in_a_recovery_counts_a_day_after_its_end(place: Place, host: Client, app: App) -> None:
    """Rule 10: it may be a stranger's, as for keys by ssh."""
    found = second_steps.find(place.parts, "ada", place.clock.now)
    under_way = Recovery(started_at=place.clock.now, by=Reporter.SELF, enrolled=(MethodId(app.method),))
    recovers(place, under_way)
    told(place, host, "ada", app.fresh)
    recovers(place, replace(under_way, finished_at=place.clock.now))
    told(place, host, "ada", app.fresh)
    recovers(place, replace(under_way, enrolled=(), finished_at=place.clock.now))
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)  # another one was added in it
    recovers(place, replace(under_way, enrolled=()))
    told(place, host, "ada", app.fresh)  # it goes on: nothing counts
    recovers(place, replace(under_way, finished_at=place.clock.now))
    place.clock.move(hours=25)
    second_steps.check_code(place.parts, asked(host, "ada"), app.fresh)
    assert found.account.recovery is None


def recovers(place: Place, recovery: Recovery) -> None:
    """Keep that the account is being recovered, or was."""
    stored = place.store.read(second_steps.find(place.parts, "ada", place.clock.now).account.id)
    account = replace(stored.account, recovery=recovery)
    place.store.commit(Write(at=place.clock.now, account=account, expected=stored.version))


def another(place: Place) -> Client:
    """Return another host."""
    place.change(on_host=True)
    made = relying_parties.add(place.parts, Actor(), NewRelyingParty(name="another", kind="pam"))
    place.change(on_host=False)
    assert made.secret is not None
    place.keep_secret(made.secret)
    found = relying_parties.find_named(place.parts, "another")
    assert found is not None
    return found


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
