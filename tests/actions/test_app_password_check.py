"""App passwords as a mail server asks about them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace

from passless.actions import app_password_check, app_password_tags
from passless.actions.app_password_check import Checked
from passless.domain.methods import Kind
from passless.domain.requests import Answer, ReportLostDevice, RevokeAppPasswordsNamed
from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports import Write
from tests.actions.a_server import NETWORKS, counted, serve
from tests.directories.person import Person
from tests.directories.place import PASSWORD, Place, reopened
from tests.directories.sentences import refused

SHORT_GUESS = "aaaa bbbb cccc dddd"
LONG_GUESS = "abcdefghijklmnopqrstuvwx"


def ada_with_mail(place: Place, **more: object) -> tuple[Person, str]:
    """Somebody with two-step on and an app password, on a server."""
    ada = Person(place).create(email="ada@example.org")
    ada.add_app()
    ada.new_code()
    ada.turn_on_two_step()
    ada.with_password()
    secret = ada.new_app_password(**more)  # type: ignore[arg-type]
    serve(place)
    return ada, secret


def check(
    place: Place, secret: str, *, name: str = "ada", service: str = "imap", at: str = NETWORKS[0], hashed: bool = False
) -> Checked:
    """Ask as a mail server does; `hashed` as one that sends the SHA-256."""
    if hashed:
        digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        return app_password_check.check_hash(place.parts, name, digest, service=service, place=at, now=place.clock.now)
    return app_password_check.check(place.parts, name, Secret(secret), service=service, place=at, now=place.clock.now)


class TestChecking:
    kept_in = "disk"

    @pytest.mark.parametrize("name", ["ada", " ADA ", "ada@example.org", "Ada@Example.org"])
    def test_it_is_taken_with_the_spaces_and_without_by_name_and_by_address(self, place: Place, name: str) -> None:
        _, secret = ada_with_mail(place)
        for spelled in (secret, secret.replace(" ", "")):
            found = check(place, spelled, name=name)
            assert (found.account.name, found.app_password.name) == ("ada", "Mail")

    def test_no_session_comes_of_it_and_it_signs_nobody_in(self, place: Place) -> None:
        ada, secret = ada_with_mail(place)
        before = len(place.store.sessions(ada.view.id))
        check(place, secret)
        assert len(place.store.sessions(ada.view.id)) == before
        with refused("wrong-proof"):
            ada.elsewhere(NETWORKS[1]).prove(Answer(kind=Kind.PASSWORD, text=Secret(secret)))

    def test_it_is_only_for_its_services_its_account_and_its_time(self, place: Place) -> None:
        ada, secret = ada_with_mail(place, services=("imap", "smtp"), lifetime=timedelta(days=30))
        Person(place, "eve").create(password=None)
        check(place, secret, service="smtp")
        for wrong in ({"service": "caldav"}, {"service": ""}, {"name": "eve"}, {"name": "nobody"}, {"name": ""}):
            with refused("wrong-proof"):
                check(place, secret, **wrong)
        place.clock.move(days=30)
        with refused("wrong-proof"):
            check(place, secret)
        assert ada.token

    def test_what_was_revoked_is_refused_from_the_next_request_on(self, place: Place) -> None:
        """Must hold 7."""
        ada, secret = ada_with_mail(place)
        check(place, secret)
        ada.do(RevokeAppPasswordsNamed(names=("Mail",)))
        with refused("wrong-proof"):
            check(place, secret)

    def test_what_ended_with_a_lost_device_is_refused_from_the_next_request_on(self, place: Place) -> None:
        """Must hold 7."""
        ada, secret = ada_with_mail(place)
        ada.do(ReportLostDevice(device="phone"))
        with refused("wrong-proof"):
            check(place, secret)

    def test_its_last_use_is_kept_at_most_once_a_minute(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        ada, secret = ada_with_mail(place)
        done = counted(place, monkeypatch)
        start = place.clock.now
        for seconds, commits in ((0, 1), (30, 0), (29, 0), (1, 1), (10, 0)):
            place.clock.move(seconds=seconds)
            done.clear()
            check(place, secret)
            assert done["store.commit"] == commits
            assert (done["store.read_by_app_password"], done["store.read"]) == (1, 0)
        assert place.directory.app_passwords(ada.actor, "ada")[0].last_used_at == start + timedelta(minutes=1)

    def test_one_made_after_another_process_rotated_the_vault_key_is_found(self, place: Place) -> None:
        ada, secret = ada_with_mail(place)
        check(place, secret)
        other = reopened(place.folder, at=place.clock.now)
        other.vault.rotate()
        calendar = Person(other, "ada", token=ada.token).new_app_password("Calendar")
        place.keep_secret(calendar)
        assert check(place, calendar).app_password.name == "Calendar"
        assert check(place, secret).app_password.name == "Mail"
        other.close()


class TestGuessing:
    kept_in = "disk"

    @pytest.mark.parametrize(
        "guess", [SHORT_GUESS, LONG_GUESS, "", "\ud800", "x" * 100_000], ids=["short", "long", "", "no text", "vast"]
    )
    def test_a_wrong_one_is_the_same_answer_for_the_same_work_whoever_it_is_for(
        self, place: Place, guess: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Must hold 3."""
        ada_with_mail(place)
        with refused("wrong-proof"):
            check(place, "", name="warm up")  # the store's key for names is made
        done, heard = counted(place, monkeypatch), []
        for number, name in enumerate(("ada", "ada@example.org", "nobody", "")):
            for _ in range(12):
                done.clear()
                with pytest.raises(Exception, match=r"^(that is no app password|too many wrong)") as caught:
                    check(place, guess, name=name, at=NETWORKS[0] + str(number))
                heard.append((name, caught.value.code, caught.value.args, caught.value.hint, Counter(done)))  # type: ignore[attr-defined]
        heard_of = [[one[1:] for one in heard if one[0] == name] for name in ("ada", "ada@example.org", "nobody", "")]
        assert heard_of[1:] == heard_of[:-1]

    def test_short_ones_wait_by_source_and_are_never_off_for_good(self, place: Place) -> None:
        _, secret = ada_with_mail(place, short=True)
        for number in range(30):
            for _ in range(4):
                with refused("wrong-proof"):
                    check(place, SHORT_GUESS, at=f"10.0.0.{number}")
        for _ in range(10):
            with refused("wrong-proof"):
                check(place, SHORT_GUESS)
        with refused("throttled"):
            check(place, secret)
        assert check(place, secret, at=NETWORKS[1]).app_password.short
        place.clock.move(minutes=1)
        check(place, secret)
        with refused("wrong-proof"):
            check(place, SHORT_GUESS)  # and the count began anew

    def test_long_ones_and_sign_ins_are_never_turned_off_by_strangers(self, place: Place) -> None:
        ada, secret = ada_with_mail(place)
        for guess in (SHORT_GUESS, LONG_GUESS) * 60:
            with refused("wrong-proof", "throttled"):
                check(place, guess)
        check(place, secret)
        half = ada.elsewhere(NETWORKS[0]).with_password(PASSWORD)
        assert not isinstance(half, SignedIn)

    def test_a_program_with_an_old_one_does_not_fill_the_trail(self, place: Place) -> None:
        """Must hold 8: the first and the tenth of an hour, with who, what, from where and why."""
        ada_with_mail(place)
        for name, hours in (("ada", 2), ("ada@example.org", 1), ("nobody", 1)):
            for _ in range(hours):
                for _ in range(40):
                    with refused("wrong-proof"):
                        check(place, LONG_GUESS, name=name)
                place.clock.move(hours=1)
        told = [one for one in place.store.events() if one.event == "check-app-password"]
        assert [(one.account, one.details["wrong_this_hour"]) for one in told if one.account] == [
            ("ada", "1"),
            ("ada", "10"),
        ] * 3
        assert [(one.actor, one.details["wrong_this_hour"]) for one in told if not one.account] == [
            ("nobody", "1"),
            ("nobody", "10"),
        ]
        assert {one.place for one in told} == {NETWORKS[0]}
        assert {one.details["reason"] for one in told} == {"no such app password"}


class TestHashes:
    """The same rules hold where only the SHA-256 of a secret comes."""

    kept_in = "disk"

    def test_both_spellings_are_taken_by_name_and_by_address(self, place: Place) -> None:
        _, secret = ada_with_mail(place)
        for spelled in (secret, secret.replace(" ", "")):
            for name in ("ada", "Ada@example.org"):
                assert check(place, spelled, name=name, hashed=True).name == "ada"

    def test_it_is_only_for_its_services_its_account_and_its_time(self, place: Place) -> None:
        ada, secret = ada_with_mail(place, services=("imap", "smtp"), lifetime=timedelta(days=30))
        Person(place, "eve").create(password=None)
        for service in ("imap", "smtp", "submission"):
            check(place, secret, service=service, hashed=True)
        for wrong in ({"service": "pop3"}, {"service": ""}, {"name": "eve"}, {"name": "nobody"}, {"name": ""}):
            with refused("wrong-proof"):
                check(place, secret, hashed=True, **wrong)
        place.clock.move(days=30)
        with refused("wrong-proof"):
            check(place, secret, hashed=True)
        assert ada.token

    def test_what_was_revoked_is_refused_from_the_next_request_on(self, place: Place) -> None:
        """Must hold 7."""
        ada, secret = ada_with_mail(place)
        check(place, secret, hashed=True)
        ada.do(RevokeAppPasswordsNamed(names=("Mail",)))
        with refused("wrong-proof"):
            check(place, secret, hashed=True)

    def test_a_hash_typed_as_a_password_and_a_hash_of_a_hash_are_wrong(self, place: Place) -> None:
        _, secret = ada_with_mail(place)
        digest = sha256(secret.encode()).hexdigest()
        for hashed in (False, True):
            with refused("wrong-proof"):
                check(place, digest, hashed=hashed)

    def test_one_of_before_goes_on_where_the_secret_itself_comes(self, place: Place) -> None:
        ada, secret = ada_with_mail(place)
        tags = tuple(
            place.vault.tag(one.encode(), purpose=app_password_tags.PLAIN) for one in (secret, secret.replace(" ", ""))
        )
        stored = place.store.read(ada.view.id)
        (old,) = stored.account.app_passwords
        account = replace(stored.account, app_passwords=(replace(old, tags=tags),))
        place.store.commit(Write(at=place.clock.now, account=account, expected=stored.version))
        for spelled in (secret, secret.replace(" ", "")):
            assert check(place, spelled).name == "ada"
            with refused("wrong-proof"):
                check(place, spelled, hashed=True)

    def test_its_last_use_is_kept_at_most_once_a_minute(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        _, secret = ada_with_mail(place)
        done = counted(place, monkeypatch)
        for seconds, commits in ((0, 1), (30, 0), (29, 0), (1, 1), (10, 0)):
            place.clock.move(seconds=seconds)
            done.clear()
            check(place, secret, hashed=True)
            assert (done["store.commit"], done["store.read_by_app_password"]) == (commits, 1)

    def test_short_ones_wait_by_source_and_long_ones_never(self, place: Place) -> None:
        ada, short = ada_with_mail(place, short=True)
        long = ada.new_app_password("Calendar")
        for number in range(10):
            with refused("wrong-proof"):
                check(place, f"{SHORT_GUESS}{number}", hashed=True)
        with refused("throttled"):
            check(place, SHORT_GUESS, hashed=True)
        with refused("throttled"):
            check(place, short, hashed=True)
        check(place, long, hashed=True)
        check(place, short, hashed=True, at=NETWORKS[1])
        place.clock.move(hours=1)
        check(place, short, hashed=True)
        with refused("wrong-proof"):
            check(place, SHORT_GUESS, hashed=True)  # and the count began anew

    def test_a_program_with_an_old_one_keeps_no_short_one_waiting_and_does_not_fill_the_trail(self, place: Place) -> None:
        """Must hold 8."""
        _, short = ada_with_mail(place, short=True)
        for _ in range(60):
            with refused("wrong-proof"):
                check(place, LONG_GUESS, hashed=True)
        check(place, short, hashed=True)
        told = [one for one in place.store.events() if one.event == "check-app-password"]
        assert [one.details["wrong_this_hour"] for one in told] == ["1", "10"]

    def test_a_wrong_one_is_the_same_answer_for_the_same_work_whoever_it_is_for(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Must hold 3."""
        ada_with_mail(place)
        with refused("wrong-proof"):
            check(place, "", name="warm up", hashed=True)
        done, heard = counted(place, monkeypatch), []
        for number, name in enumerate(("ada", "ada@example.org", "nobody", "")):
            for guess in range(12):
                done.clear()
                with refused("wrong-proof", "throttled"):
                    check(place, f"{SHORT_GUESS}{guess}", name=name, at=NETWORKS[0] + str(number), hashed=True)
                heard.append((name, Counter(done)))
        heard_of = [[one[1:] for one in heard if one[0] == name] for name in ("ada", "ada@example.org", "nobody", "")]
        assert heard_of[1:] == heard_of[:-1]
