"""What strangers begin at a server costs no commit, is handed out sealed, and is finished once and in time (must hold 5)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from passless.actions import sign_in_states
from passless.actions.ceremonies import CEREMONY_ID_LENGTH
from passless.credentials import handed_out
from passless.credentials.passkeys import from_base64, to_base64
from passless.domain.ceremonies import CEREMONY_LIFE, CeremonyId
from passless.domain.errors import PasslessError
from passless.domain.methods import Kind
from passless.domain.requests import Answer, SignInWith
from passless.domain.views import Begun, SignedIn
from passless.ports.directory import Actor
from tests.actions.a_server import NETWORKS, counted, serve
from tests.actions.test_enumeration import EVERYBODY
from tests.directories.person import Person, key_answer
from tests.directories.place import Place, reopened
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.fakes.memory_store import MemoryStore

MANY = 1000  # of one source, one after the other
STRANGER = Actor(place=NETWORKS[0])
KEY, PASSKEY = Kind.SECURITY_KEY, Kind.PASSKEY
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def city(place: Place) -> Iterator[Place]:
    """A server whose one account has a key."""
    ada = Person(place, "ada").create()
    ada.add_key(SecurityKey())
    place.clock.move(microseconds=1)
    yield serve(place)
    place.secrets.clear()


def begin(place: Place, name: str = "ada", kind: Kind = KEY, actor: Actor = STRANGER) -> Begun:
    return place.directory.begin(actor, name, SignInWith(kind=kind))


def answer(begun: Begun, *, counter: int = 50) -> Answer:
    """Answer with ada's key."""
    key = SecurityKey(counter=counter)
    key.register(b'{"rp": {"id": ""}, "challenge": ""}', "")
    return Answer(kind=KEY, text=key_answer(key, begun))


def finish(place: Place, ceremony: str, given: Answer, actor: Actor = STRANGER) -> object:
    return place.directory.finish(actor, ceremony, given)


def spelled_otherwise(ceremony: str) -> str:
    """Return base64 of the same bytes with other bits behind the last one."""
    assert len(ceremony.removeprefix(sign_in_states.PREFIX)) % 4
    return ceremony[:-1] + ALPHABET[ALPHABET.index(ceremony[-1]) ^ 1]


class TestCost:
    kept_in = "disk"

    def test_a_stranger_who_begins_a_thousand_commits_nothing(self, city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        begin(city)  # the store's secret is made
        done = counted(city, monkeypatch)
        kept = city.everything_kept()
        for number in range(MANY):
            begin(city, f"name {number}", kind=(KEY, PASSKEY)[number % 2])
            begin(city, "", PASSKEY)
        assert (done["store.commit"], done["store.count_attempt"]) == (0, 0)
        assert city.everything_kept() == kept

    def test_what_is_used_is_swept_when_it_would_be_over(self, city: Place) -> None:
        begun = begin(city)
        assert isinstance(finish(city, begun.ceremony, answer(begun)), SignedIn)
        opened = sign_in_states.opened(city.parts, begun.ceremony)
        assert opened is not None
        assert city.store.ceremony(opened.id) is not None
        city.store.sweep(at=city.clock.now + CEREMONY_LIFE)
        assert city.store.ceremony(opened.id) is None


class TestWhatIsHandedOut:
    kept_in = "disk"

    def test_it_is_as_long_for_every_name_and_says_nothing(self, city: Place) -> None:
        """Must hold 3: nobody's looks like an account's."""
        begun = [begin(city, name).ceremony for name in EVERYBODY] + [begin(city, "", PASSKEY).ceremony]
        assert len({len(one) for one in begun}) == 1
        assert len(set(begun)) == len(begun)
        ada = city.directory.read(city.onlooker, "ada").id
        assert all(ada.encode() not in from_base64(one.removeprefix("plc_")) for one in begun)

    def test_nothing_of_it_can_be_changed(self, city: Place) -> None:
        """Must hold 5: bound to its account, its time and its browser, whoever holds it meanwhile."""
        begun = begin(city)
        sealed = from_base64(begun.ceremony.removeprefix("plc_"))
        for place in range(len(sealed)):
            changed = bytearray(sealed)
            changed[place] ^= 1
            with refused("no-such-ceremony"):
                finish(city, "plc_" + to_base64(bytes(changed)), answer(begun))
        assert isinstance(finish(city, begun.ceremony, answer(begun)), SignedIn)

    @pytest.mark.parametrize("wrong", ["plc_", "plc_A", "plc_" + "A" * 64, "plc_" + "A" * 100_000, "plc_§", "plc_\ud800", "~"])
    def test_anything_else_is_no_ceremony(self, city: Place, wrong: str) -> None:
        with refused("no-such-ceremony"):
            finish(city, wrong, answer(begin(city)))

    def test_what_another_store_made_is_none(self, city: Place) -> None:
        """Must hold 5."""
        forged = handed_out.seal(bytes(32), b"x" * 100, bytes)
        assert sign_in_states.opened(city.parts, "plc_" + to_base64(forged)) is None


class TestOnce:
    kept_in = "disk"

    def test_it_is_used_once_however_it_is_written(self, city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Must hold 5 and 12."""
        monkeypatch.setattr(sign_in_states, "WHO", 65)  # characters: a length at which base64 leaves bits over
        begun = begin(city)
        given = answer(begun)
        assert isinstance(finish(city, begun.ceremony, given), SignedIn)
        for again in (begun.ceremony, spelled_otherwise(begun.ceremony)):
            for other in (given, answer(begun, counter=60)):
                with refused("no-such-ceremony"):
                    finish(city, again, other)

    def test_a_second_spelling_is_the_same_ceremony(self, city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sign_in_states, "WHO", 65)
        begun = begin(city)
        assert isinstance(finish(city, spelled_otherwise(begun.ceremony), answer(begun)), SignedIn)
        with refused("no-such-ceremony"):
            finish(city, begun.ceremony, answer(begun, counter=60))

    def test_of_two_answers_at_once_one_signs_in(self, city: Place) -> None:
        """Must hold 12: in two processes, which both found it open."""
        begun, other = begin(city), reopened(city.folder, at=city.clock.now)
        serve(other)

        def one(place: Place, counter: int) -> str:
            try:
                return type(finish(place, begun.ceremony, answer(begun, counter=counter))).__name__
            except PasslessError as error:
                return error.code

        with ThreadPoolExecutor(8) as crowd:
            heard = list(crowd.map(one, [city, other] * 4, range(50, 130, 10)))
        other.close()
        assert heard.count("SignedIn") == 1
        assert set(heard) <= {"SignedIn", "already-used", "no-such-ceremony", "possible-clone"}

    def test_it_is_over_after_five_minutes(self, city: Place) -> None:
        """Must hold 5."""
        begun = begin(city)
        city.clock.now += CEREMONY_LIFE - timedelta(microseconds=1)
        late = begin(city)
        city.clock.move(seconds=1)
        with refused("no-such-ceremony"):
            finish(city, begun.ceremony, answer(begun))
        assert isinstance(finish(city, late.ceremony, answer(late)), SignedIn)

    def test_the_mark_of_a_used_one_is_no_ceremony(self, city: Place) -> None:
        """Must hold 5."""
        begun = begin(city)
        finish(city, begun.ceremony, answer(begun))
        mark = sign_in_states.opened(city.parts, begun.ceremony)
        assert mark is not None
        assert city.store.ceremony(CeremonyId(mark.id)) is not None
        with refused("no-such-ceremony"):
            finish(city, mark.id, answer(begun, counter=60))

    def test_a_wrong_answer_does_not_use_it_up(self, city: Place) -> None:
        begun = begin(city)
        with refused("wrong-proof"):
            finish(city, begun.ceremony, answer(begin(city)))
        assert isinstance(finish(city, begun.ceremony, answer(begun)), SignedIn)


def test_on_an_embedded_store_none_is_handed_out(place: Place) -> None:
    """There a ceremony stands in the store, and no secret is made for strangers."""
    ada = Person(place).create()
    ada.add_key(SecurityKey())
    begun = begin(place)
    assert len(begun.ceremony) == CEREMONY_ID_LENGTH
    with refused("no-such-ceremony"):
        finish(place, "plc_" + "A" * 150, answer(begun))
    assert place.store.record("secret", "names") is None
    assert isinstance(finish(place, begun.ceremony, answer(begun)), SignedIn)


class TestOldCopies:
    kept_in = "memory"

    def test_what_was_begun_before_an_old_copy_was_put_back_is_void(self, city: Place) -> None:
        """Must hold 13: what stood in the store about its use went with it."""
        begun = begin(city)
        assert isinstance(city.store, MemoryStore)
        city.clock.move(seconds=1)
        city.store.restored_at = city.clock.now
        with refused("no-such-ceremony"):
            finish(city, begun.ceremony, answer(begun))
        city.clock.move(seconds=1)
        begun = begin(city)
        assert isinstance(finish(city, begun.ceremony, answer(begun)), SignedIn)
