"""What strangers may take from an account at a server: a share of its guesses, and a few lines of its trail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from passless.actions import noting, signing_up, throttle
from passless.domain.audit import AuditEvent
from passless.domain.errors import PasslessError
from passless.domain.methods import Kind
from passless.domain.requests import Answer, NewAccount, SignInWith, StartRecoveryOf
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, SignedIn
from passless.ports.directory import Actor
from tests.actions.test_enumeration import WRONG_CODE
from tests.actions.test_races import in_processes
from tests.directories.person import App, Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.rights import the_first

GUESS = Answer(kind=Kind.PASSWORD, text=Secret("a wrong one, but long enough"))


def ada_with_an_app(place: Place) -> tuple[Person, App]:
    """Somebody as most are after an invitation: a password and an app, no key and no code."""
    ada = Person(place).create()
    return ada, ada.add_app()


def said(attempt: Callable[[], object]) -> str:
    """Return the code of what was refused."""
    with pytest.raises(PasslessError) as caught:
        attempt()
    return caught.value.code


def guesses(place: Place, *places: str, answer: Answer = GUESS, name: str = "ada", each: int = 10) -> list[str]:
    """Let strangers guess from some places; return what each was told."""
    return [said(lambda at=at: Person(place, name, at=at).prove(answer)) for at in places for _ in range(each)]  # type: ignore[misc]


def of_ada(place: Place) -> list[AuditEvent]:
    """Return the trail of the account."""
    return list(place.store.events(place.store.read_named("ada").account.id))  # type: ignore[arg-type]


class TestShares:
    kept_in = "server"

    def test_one_network_never_turns_guessing_off(self, place: Place) -> None:
        """A stranger with one rented server does not lock anybody out, not for an hour and not for good."""
        ada, app = ada_with_an_app(place)
        for network in ([f"2001:db8:0:{one:x}::1" for one in range(12)], [f"192.0.2.{one}" for one in range(12)]):
            heard = guesses(place, *network)
            assert heard == ["wrong-proof"] * throttle.NETWORK_SHARE + ["throttled"] * (120 - throttle.NETWORK_SHARE)
        assert isinstance(ada.elsewhere("198.51.100.7").with_password(), SignedIn)
        assert isinstance(ada.elsewhere("198.51.100.7").with_code(app), SignedIn)

    def test_who_signed_in_from_a_network_lately_is_kept_out_of_it_by_nobody_elsewhere_or_beside_them(
        self, place: Place
    ) -> None:
        """Guesses from other networks, from the same network, and at other names there: the owner goes on at home."""
        ada, app = ada_with_an_app(place)
        home = ada.elsewhere("192.0.2.7")
        assert isinstance(home.with_password(), SignedIn)
        guesses(place, *[f"10.{one}.0.1" for one in range(12)])
        for number in range(throttle.NETWORK_WRONG + 1):
            guesses(place, f"192.0.2.{100 + number % 100}", name=f"name {number}", each=1)
        assert guesses(place, "192.0.2.8", name="someone else", each=1) == ["throttled"]
        place.clock.move(days=29)
        guesses(place, *[f"10.{one}.0.1" for one in range(12)])
        with refused("guessing-switched-off"):
            ada.elsewhere("198.51.100.7").with_password()
        assert isinstance(home.with_password(), SignedIn)
        assert isinstance(home.with_code(app), SignedIn)

    def test_a_network_is_familiar_for_thirty_days(self, place: Place) -> None:
        ada, _ = ada_with_an_app(place)
        assert isinstance(ada.elsewhere("192.0.2.7").with_password(), SignedIn)
        guesses(place, *[f"10.{one}.0.1" for one in range(12)])
        place.clock.move(days=30, seconds=1)
        with refused("guessing-switched-off"):
            ada.elsewhere("192.0.2.7").with_password()

    def test_from_a_familiar_network_a_hundred_guesses_in_a_row_are_the_end_too(self, place: Place) -> None:
        """NIST SP 800-63B-4 §3.2.2, and who knows the password does not guess codes for ever beside its owner."""
        ada, app = ada_with_an_app(place)
        home = ada.elsewhere("192.0.2.7")
        home.with_password()
        guess = Answer(kind=Kind.TOTP, text=Secret("000000"))
        heard = [code for one in range(12) for code in guesses(place, f"192.0.2.{100 + one}", answer=guess)]
        assert heard == ["wrong-code"] * throttle.SWITCHED_OFF + ["guessing-switched-off"] * 20
        assert isinstance(home.with_password(), SignedIn)
        with refused("guessing-switched-off"):
            home.with_code(app)
        assert isinstance(ada.elsewhere("198.51.100.7").with_code(app), SignedIn)

    def test_beyond_its_share_a_network_tries_once_an_hour(self, place: Place) -> None:
        ada_with_an_app(place)
        guesses(place, "192.0.2.1", "192.0.2.2")
        for _ in range(3):
            place.clock.move(minutes=59, seconds=59)
            assert guesses(place, "192.0.2.3", each=1) == ["throttled"]
            place.clock.move(seconds=1)
            assert guesses(place, "192.0.2.3", each=2) == ["wrong-proof", "throttled"]

    def test_who_signs_in_gives_their_own_network_its_share_back(self, place: Place) -> None:
        ada, _ = ada_with_an_app(place)
        guesses(place, "192.0.2.1", each=10)
        guesses(place, "192.0.2.2", each=9)
        assert isinstance(ada.elsewhere("192.0.2.3").with_password(), SignedIn)
        assert guesses(place, "192.0.2.4", each=2) == ["wrong-proof"] * 2

    def test_never_more_than_a_hundred_are_checked_in_a_row(self, place: Place) -> None:
        """NIST SP 800-63B-4 §3.2.2. Whoever comes from everywhere still turns guessing off."""
        ada, app = ada_with_an_app(place)
        heard = guesses(place, *[f"10.{one}.0.1" for one in range(15)])
        assert heard == ["wrong-proof"] * throttle.SWITCHED_OFF + ["guessing-switched-off"] * 50
        for attempt in (ada.elsewhere("198.51.100.7").with_password, lambda: ada.elsewhere("198.51.100.7").with_code(app)):
            with refused("guessing-switched-off"):
                attempt()

    def test_the_same_is_said_to_names_that_are_not_there(self, place: Place) -> None:
        """Must hold 3."""
        ada_with_an_app(place)
        for networks in ([f"2001:db8:0:{one:x}::1" for one in range(12)], [f"10.{one}.0.1" for one in range(12)]):
            known, unknown = (guesses(place, *networks, name=name) for name in ("ada", "nobody"))
            assert known == unknown
            place.clock.move(hours=2)


class TestManyProcesses:
    kept_in = "disk"

    def test_processes_that_guess_at_the_same_moment_take_one_share_together(self, place: Place) -> None:
        """Must hold 12: each counts before it checks, and looks again at what the others counted."""
        ada_with_an_app(place)

        def guess(who: Person) -> None:
            guesses(who.place, *[f"192.0.2.{one}" for one in range(6)], each=5)

        assert in_processes(place, "ada", *[guess] * 3) == ["NoneType"] * 3
        wrong = [one.details["reason"] for one in place.store.events() if one.outcome == "failed"]
        assert (wrong.count("password"), len(wrong)) == (throttle.NETWORK_SHARE, 90)


class TestPasses:
    kept_in = "server"

    def issued(self, place: Place) -> str:
        """Let an operator issue a pass."""
        made = the_first(place).ask_for("ada", StartRecoveryOf())
        assert isinstance(made, Applied)
        assert isinstance(made.made, MadePass)
        return place.keep_secret(made.made.secret)

    def test_an_operators_pass_brings_back_who_was_locked_out(self, place: Place) -> None:
        """Whoever guesses from everywhere turns off what was there; the pass is another secret, and turns it on again."""
        ada, app = ada_with_an_app(place)
        guesses(place, *[f"10.{one}.0.1" for one in range(11)])
        place.clock.move(days=330)
        there = ada.elsewhere("198.51.100.7")
        with refused("guessing-switched-off"):
            there.with_password()
        assert isinstance(there.with_pass(self.issued(place)), SignedIn)
        assert isinstance(ada.elsewhere("203.0.113.9").with_password(), SignedIn)
        assert isinstance(ada.elsewhere("203.0.113.9").with_code(app), SignedIn)

    def test_strangers_keep_nobody_from_a_pass_and_see_none(self, place: Place) -> None:
        """Must hold 3: guesses make their own source wait, from before there was a pass and after; the pass goes on."""
        ada, _ = ada_with_an_app(place)
        guess = Answer(kind=Kind.TEMPORARY_PASS, text=Secret("ABCD-EFGH-JKMN"))
        networks = [f"10.{one}.0.1" for one in range(12)]
        before = [guesses(place, *networks, answer=guess, name=name, each=6) for name in ("ada", "nobody")]
        secret = self.issued(place)
        after = [guesses(place, *networks, answer=guess, name=name, each=6) for name in ("ada", "nobody")]
        assert before == [["wrong-proof"] * 72] * 2
        assert after == [(["wrong-proof"] * 4 + ["throttled"] * 2) * 12] * 2
        assert isinstance(ada.elsewhere("198.51.100.7").with_pass(secret), SignedIn)

    def test_neighbours_keep_nobody_from_a_pass(self, place: Place) -> None:
        ada, _ = ada_with_an_app(place)
        secret, guess = self.issued(place), Answer(kind=Kind.TEMPORARY_PASS, text=Secret("ABCD-EFGH-JKMN"))
        guesses(place, *[f"2001:db8:0:{one:x}::1" for one in range(12)], answer=guess)
        assert isinstance(ada.elsewhere("2001:db8:0:ff::1").with_pass(secret), SignedIn)


class TestWhatIsWrittenDown:
    kept_in = "server"

    def test_a_flood_of_wrong_recovery_codes_leaves_a_few_lines_and_says_how_many(self, place: Place) -> None:
        """The person sees that it happens, and how often; nobody is refused, and the trail does not grow with it."""
        ada, _ = ada_with_an_app(place)
        code = ada.new_code()
        before = len(of_ada(place))
        for _ in range(2000):
            said(lambda: Person(place, at="192.0.2.66").recover(WRONG_CODE))
        wrong = of_ada(place)[before:]
        assert len(wrong) == noting.FROM_SOURCE + 2
        assert [one.details.get("wrong_this_hour") for one in wrong[-3:]] == ["10", "100", "1000"]
        assert isinstance(ada.elsewhere("192.0.2.66").recover(code), SignedIn)
        place.clock.move(hours=1)
        said(lambda: Person(place, at="192.0.2.66").recover(WRONG_CODE))
        assert of_ada(place)[-1].outcome == "failed", "another hour begins anew"

    def test_many_sources_leave_some_dozens_of_lines_in_an_hour(self, place: Place) -> None:
        ada_with_an_app(place)
        before = len(of_ada(place))
        for number in range(1500):
            said(lambda number=number: Person(place, at=f"10.{number // 250}.{number % 250}.1").recover(WRONG_CODE))  # type: ignore[misc]
        assert len(of_ada(place)) - before == noting.OF_ACCOUNT + 2

    def test_refusals_answers_of_keys_and_of_no_ceremony_are_bounded_alike(self, place: Place) -> None:
        ada, _ = ada_with_an_app(place)
        before = len(of_ada(place))
        for _ in range(100):
            said(lambda: Person(place, at="192.0.2.66").prove(GUESS))
            begun = place.directory.begin(Actor(place="192.0.2.66"), "ada", SignInWith(kind=Kind.SECURITY_KEY))
            for ceremony in (begun.ceremony, "none"):
                answer = Answer(kind=Kind.SECURITY_KEY, text=Secret("{}"))
                said(lambda one=ceremony, answer=answer: Person(place, at="192.0.2.66").finish(one, answer))  # type: ignore[misc]
            said(lambda: Person(place, at="192.0.2.66").prove(Answer(kind=Kind.TOKEN, text=Secret("plt_" + "A" * 43))))
        assert len(of_ada(place)) - before <= 2 * (noting.FROM_SOURCE + 3)
        assert ada.view.account == "ada"

    def test_a_flood_of_what_nobody_waits_for_hides_no_guess_and_no_copied_key(self, place: Place) -> None:
        ada, key = Person(place).create(), SecurityKey(counter=50)
        ada.add_key(key)
        ada.with_key(key)
        for number in range(40):
            said(lambda number=number: Person(place, at=f"10.{number}.0.1").recover(WRONG_CODE))  # type: ignore[misc]
        before = len(of_ada(place))
        guesses(place, "192.0.2.66", each=3)
        key.counter = 3
        for _ in range(40):
            with refused("possible-clone"):
                ada.elsewhere("192.0.2.66").with_key(key)
        found = of_ada(place)[before:]
        assert sum(one.event == "mark-cloned" for one in found) == 1
        kinds = [one.details["kind"] for one in found if one.event != "mark-cloned"]
        assert kinds == ["password"] * 3 + ["security-key"] * 40

    def test_names_that_are_not_there_have_one_bound_together(self, place: Place) -> None:
        for number in range(noting.OF_NOBODY + 50):
            said(lambda number=number: Person(place, f"name {number}", at=f"10.7.{number % 250}.1").recover(WRONG_CODE))  # type: ignore[misc]
        assert len([one for one in place.store.events() if not one.account_id]) == noting.OF_NOBODY
        Person(place).create()
        said(lambda: Person(place, at="192.0.2.66").recover(WRONG_CODE))
        assert of_ada(place)[-1].outcome == "failed", "it hides nothing of who is there"

    def test_invitations_that_are_none_are_bounded_by_network_too(self, place: Place) -> None:
        def guess(at: str) -> str:
            new = NewAccount(name="eve", invitation=Secret("pli_" + "A" * 43))
            return said(lambda: place.directory.create(Actor(place=at), new))

        heard = [guess(f"2001:db8:0:{one:x}::1") for one in range(50)]
        assert heard == ["not-invited"] * signing_up.FROM_NETWORK + ["throttled"] * (50 - signing_up.FROM_NETWORK)

    def test_one_network_is_wrong_three_hundred_times_an_hour_over_all_names(self, place: Place) -> None:
        heard = [
            code
            for number in range(throttle.NETWORK_WRONG + 10)
            for code in guesses(place, f"2001:db8:0:{number:x}::1", name=f"name {number}", each=1)
        ]
        assert heard == ["wrong-proof"] * throttle.NETWORK_WRONG + ["throttled"] * 10


def test_an_embedded_store_writes_everything_down(place: Place) -> None:
    """There whoever asks owns the file."""
    ada = Person(place).create()
    ada.new_code()
    before = len(list(place.store.events()))
    for _ in range(40):
        said(lambda: ada.elsewhere().recover(WRONG_CODE))
    assert len(list(place.store.events())) == before + 40
