"""Who guesses waits, and then guesses no more (security.md, "failed proofs")."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passless.actions import throttle
from passless.domain.methods import Kind
from passless.domain.requests import Answer, ReportLostDevice, SignInWith, TakeBackReport
from passless.domain.secret import Secret
from passless.domain.views import SecondProofNeeded, SignedIn
from passless.ports import Attempts
from tests.directories.person import App, Person, key_answer
from tests.directories.place import PASSWORD, Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


def guess(who: Person, app: App, times: int = 1) -> None:
    """Type wrong codes."""
    for _ in range(times):
        with refused("wrong-code"):
            who.prove(Answer(kind=Kind.TOTP, text=app.wrong))


def ada_with_an_app(place: Place) -> tuple[Person, App]:
    """Somebody with an app and nothing else, signed out."""
    ada = Person(place).create(password=None)
    app = ada.add_app()
    return ada.elsewhere("laptop"), app


def counters(place: Place, *, of: str, guesses: int) -> None:
    """Let strangers have guessed so often."""
    account = place.directory.read(Person(place, of).actor, of).id
    for key in (f"proof/{account}", f"proof/{account}#totp"):
        for _ in range(guesses):
            place.store.count_attempt(key, at=place.clock.now)


class TestThrottling:
    kept_in = "disk"

    def test_ten_guesses_are_free_and_then_it_waits_a_minute_doubling_to_an_hour(self, place: Place) -> None:
        ada, app = ada_with_an_app(place)
        guess(ada, app, 10)
        for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
            place.clock.move(minutes=minutes, seconds=-1)
            with refused("throttled"):
                ada.with_code(app)
            place.clock.move(seconds=1)
            guess(ada, app)
        assert throttle.wait_after(9) == timedelta(0)
        assert throttle.wait_after(5000) == timedelta(hours=1)

    def test_a_right_code_resets_it_and_a_new_code_does_not(self, place: Place) -> None:
        ada, app = ada_with_an_app(place)
        guess(ada, app, 9)
        place.clock.move(minutes=5)
        guess(ada, app, 1)
        with refused("throttled"):
            ada.with_code(app)
        place.clock.move(minutes=1)
        ada.with_code(app)
        guess(ada.elsewhere("laptop"), app, 10)

    def test_another_place_does_not_wait(self, place: Place) -> None:
        ada, app = ada_with_an_app(place)
        guess(ada, app, 10)
        with refused("throttled"):
            ada.with_code(app)
        assert isinstance(ada.elsewhere("phone").with_code(app), SignedIn)

    def test_who_waits_is_in_the_trail(self, place: Place) -> None:
        ada, app = ada_with_an_app(place)
        guess(ada, app, 10)
        with refused("throttled"):
            ada.with_code(app)
        assert list(place.store.events())[-1].details["reason"] == "throttled"

    def test_a_hundred_in_a_row_turn_guessing_off_and_keys_and_recovery_codes_still_work(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app, code = ada.add_app(), ada.new_code()
        counters(place, of="ada", guesses=99)
        guess(ada.elsewhere("somewhere"), app)
        for where in ("laptop", "phone", "anywhere"):
            with refused("guessing-switched-off"):
                ada.elsewhere(where).with_code(app)
        assert isinstance(ada.recover(code), SignedIn)
        assert isinstance(ada.elsewhere("phone").with_code(app), SignedIn)

    def test_a_key_turns_guessing_on_again(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        app = ada.add_app()
        ada.add_key(key)
        counters(place, of="ada", guesses=100)
        there = ada.elsewhere()
        with refused("guessing-switched-off"):
            there.with_code(app)
        assert isinstance(there.with_key(key), SignedIn)
        assert isinstance(ada.elsewhere().with_code(app), SignedIn)

    def test_who_knows_the_password_cannot_guess_codes_for_ever(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        eve = ada.elsewhere("far away")
        for guesses in (*[9] * 11, 1):
            guess(eve, app, guesses)
            assert isinstance(eve.elsewhere("far away").prove(Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD))), SignedIn)
        with refused("guessing-switched-off"):
            eve.with_code(app)
        assert isinstance(eve.with_password(), SignedIn)

    def test_a_right_first_proof_resets_nothing(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        ada.new_code()
        ada.turn_on_two_step()
        eve = ada.elsewhere("far away")
        guess(eve, app, 9)
        half = eve.with_password()
        assert isinstance(half, SecondProofNeeded)
        with refused("throttled"):
            eve.finish(half.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))

    def test_strangers_never_turn_the_recovery_code_off(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        code = ada.new_code()
        ada.turn_on_two_step()
        counters(place, of="ada", guesses=100)
        there = ada.elsewhere()
        with refused("guessing-switched-off"):
            there.with_code(app)
        assert isinstance(there.recover(code, Answer(kind=Kind.TOTP, text=app.fresh)), SignedIn)

    def test_beside_a_right_recovery_code_guesses_are_counted_and_without_it_nothing_is_checked(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        code = ada.new_code()
        ada.turn_on_two_step()
        there = ada.elsewhere()
        for _ in range(12):
            with refused("wrong-proof"):
                there.recover("00000-00000-00000-00000-00000", Answer(kind=Kind.TOTP, text=app.wrong))
        for _ in range(10):
            with refused("wrong-code"):
                there.recover(code, Answer(kind=Kind.TOTP, text=app.wrong))
        with refused("throttled"):
            there.recover(code, Answer(kind=Kind.TOTP, text=app.fresh))

    def test_taking_a_report_back_is_no_way_to_guess(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        ada.do(ReportLostDevice(device="phone"))
        for _ in range(10):
            with refused("wrong-code"):
                ada.do(TakeBackReport(device="phone", proofs=(Answer(kind=Kind.TOTP, text=app.wrong),)))
        with refused("throttled"):
            ada.do(TakeBackReport(device="phone", proofs=(Answer(kind=Kind.TOTP, text=app.fresh),)))

    def test_wrong_answers_of_keys_are_not_counted(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        for _ in range(12):
            with refused("bad-response"):
                ada.elsewhere().finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=Secret("{}")))
        there = ada.elsewhere()
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun))
        assert isinstance(there.finish(begun.ceremony, answer), SignedIn)

    def test_guesses_at_the_same_moment_are_not_free(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each of many processes reads that nothing was counted yet; each counts before it checks."""
        ada, app = ada_with_an_app(place)
        monkeypatch.setattr(type(place.store), "attempts", lambda self, key: None)
        guess(ada, app, 10)
        with refused("throttled"):
            ada.with_code(app)

    def test_everybody_in_one_ipv6_network_is_one_source(self) -> None:
        assert throttle.source_of("2001:db8::1") == throttle.source_of("2001:db8::ffff:2") == "2001:db8::/64"
        assert throttle.source_of("2001:db8:0:1::1") != throttle.source_of("2001:db8::1")
        assert throttle.source_of("::ffff:192.0.2.1") == throttle.source_of("192.0.2.1") == "192.0.2.1"
        assert throttle.source_of("lap\ntop") == "lap\ufffdtop"

    def test_counting_again_what_others_counted_meanwhile(self, place: Place) -> None:
        now = place.clock.now
        throttle._refuse_early(Attempts(10, now - timedelta(minutes=1)), now)
        with refused("throttled"):
            throttle._refuse_early(Attempts(11, now), now)

    def test_who_looked_at_the_clock_before_another_was_counted_does_not_wait(self, place: Place) -> None:
        """Two at the same moment are free, in whichever order they are counted."""
        now = place.clock.now
        throttle._refuse_early(Attempts(9, now + timedelta(milliseconds=3)), now)
