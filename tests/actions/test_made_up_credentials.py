"""Must hold 3: lists of made-up credentials look like those with an account's own among them, over many names."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from msgspec.structs import replace

from passless.actions import id_lengths, made_up_credentials, store_secret
from passless.actions.made_up_credentials import LISTED, MOST_LISTED
from passless.credentials.passkeys import from_base64
from passless.domain.account import Account
from passless.domain.methods import Credential, Kind, Passkey, SecurityKey
from passless.domain.requests import SignInWith
from passless.ports import Record, Write
from passless.ports.directory import Actor
from tests.actions.a_server import serve
from tests.builders import NOW, a_passkey, a_security_key, an_account
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey as SomeKey

MANY = 600  # accounts, and as many names without one
ODD = 43  # bytes of an id that no maker is known to give


def lengths_of(names: Iterable[str], place: Place, kind: Kind) -> list[list[int]]:
    """Ask for each name as a stranger, and return how long the ids are that are listed."""
    return [[len(one) for one in asked(place, name, kind)] for name in names]


def asked(place: Place, name: str, kind: Kind = Kind.SECURITY_KEY) -> list[bytes]:
    """Return what a stranger is told for a name."""
    begun = place.directory.begin(Actor(place="192.0.2.1"), name, SignInWith(kind=kind))
    assert begun.public_key is not None
    listed = json.loads(begun.public_key)["allowCredentials"]
    assert {tuple(sorted(one)) for one in listed} == {("id", "type")}
    return [from_base64(one["id"]) for one in listed]


def with_credentials(place: Place, name: str, kind: Kind, sizes: Sequence[int]) -> Account:
    """An account with keys of ids that long, as if they had been enrolled one after the other."""
    chance = random.Random(f"{name}/{kind}")
    methods: list[SecurityKey | Passkey] = []
    for number, size in enumerate(sizes):
        method = (a_passkey if kind is Kind.PASSKEY else a_security_key)(f"{number}")
        credential = Credential(id=chance.randbytes(size), public_key=b"", rp_id=place.parts.rules.rp_id or "")  # type: ignore[arg-type]
        methods.append(replace(method, credential=credential))
    account = an_account(name, methods=methods)
    place.store.commit(Write(at=NOW, account=account))
    made_up_credentials.learn(place.parts, account, kind)
    return account


def a_company(place: Place, kind: Kind) -> list[str]:
    """Accounts as a company has them: most have the same make, a few have one nobody knows of, some have two."""
    chance, names = random.Random(kind), [f"person {number}" for number in range(MANY)]
    for name in names:
        sizes = chance.choices((64, 48, ODD, 20, 250), (60, 20, 10, 8, 2), k=chance.choice((1, 1, 1, 2)))
        with_credentials(place, name, kind, sizes)
    return names


@pytest.fixture
def city(place: Place) -> Place:
    return serve(place)


class TestManyNames:
    kept_in = "memory"

    @pytest.mark.parametrize("kind", [Kind.SECURITY_KEY, Kind.PASSKEY])
    def test_lists_of_real_and_made_up_ids_are_distributed_alike(self, city: Place, kind: Kind) -> None:
        """Must hold 3: how often each length stands in a list at all, which is what one question tells about one name."""
        real = lengths_of(a_company(city, kind), city, kind)
        made = lengths_of((f"stranger {number}" for number in range(MANY)), city, kind)
        for length in {length for one in real + made for length in one}:
            shares = [sum(length in one for one in lists) / MANY for lists in (real, made)]
            assert abs(shares[0] - shares[1]) < 0.12, (length, shares)  # three standard errors are 0.09 at a half
        assert _advantage(real, made) < 0.15

    def test_how_many_are_listed_is_distributed_alike(self, city: Place) -> None:
        """Must hold 3: with few keys each, nothing shows; one list in sixteen is longer for any name."""
        real = lengths_of(a_company(city, Kind.SECURITY_KEY), city, Kind.SECURITY_KEY)
        made = lengths_of((f"stranger {number}" for number in range(MANY)), city, Kind.SECURITY_KEY)
        for lists in (real, made):
            counted = Counter(map(len, lists))
            assert min(counted) == LISTED
            assert LISTED < max(counted) <= MOST_LISTED
            assert 0.03 < sum(count for number, count in counted.items() if number > LISTED) / MANY < 0.1

    def test_whoever_has_more_keys_than_most_is_not_the_only_one(self, city: Place) -> None:
        """Five and six are listed for some names that nobody has, too."""
        with_credentials(city, "ada", Kind.SECURITY_KEY, [64] * 6)
        assert len(asked(city, "ada")) >= 6
        made = Counter(map(len, lengths_of((f"stranger {number}" for number in range(MANY)), city, Kind.SECURITY_KEY)))
        assert made[5] > made[6] > 0

    def test_a_new_store_lists_what_makers_give(self, city: Place) -> None:
        made = lengths_of((f"stranger {number}" for number in range(MANY)), city, Kind.SECURITY_KEY)
        counted = Counter(length for one in made for length in one)
        assert set(counted) == set(id_lengths.KNOWN[Kind.SECURITY_KEY])
        assert {16, 20, 32, 48, 64, 250} <= set(counted)

    def test_what_is_made_up_stays_while_the_store_learns(self, city: Place) -> None:
        """Only as many names change as there are new lengths among all that are drawn from."""
        names = [f"stranger {number}" for number in range(MANY)]
        before, others = ([asked(city, name, kind) for name in names] for kind in (Kind.SECURITY_KEY, Kind.PASSKEY))
        with_credentials(city, "ada", Kind.SECURITY_KEY, [ODD])
        changed = sum(one != asked(city, name) for name, one in zip(names, before, strict=True))
        assert 0 < changed < MANY * LISTED * 2 / len(id_lengths.KNOWN[Kind.SECURITY_KEY])
        assert [asked(city, name, Kind.PASSKEY) for name in names] == others

    def test_nobody_who_floods_an_open_server_with_odd_keys_makes_the_others_stand_out(self, city: Place) -> None:
        for number in range(2 * id_lengths.MOST):
            with_credentials(city, f"mallory {number}", Kind.SECURITY_KEY, [777])
        made = lengths_of((f"stranger {number}" for number in range(MANY)), city, Kind.SECURITY_KEY)
        assert sum(64 in one for one in made) / MANY > 0.25


class TestLearning:
    kept_in = "disk"

    def test_it_learns_when_a_key_is_added_and_once_from_each_account(self, city: Place) -> None:
        ada = Person(city, "ada").create()
        for serial in (1, 2):
            ada.add_key(SomeKey(serial=serial), name=f"key {serial}")
        kept = store_secret.read(city.parts).lengths
        assert kept is not None
        assert (set(kept), kept["security-key"][:2]) == ({"security-key"}, (32).to_bytes(2))
        assert len(kept["security-key"]) == id_lengths.ENTRY

    def test_a_store_of_before_learns_from_what_it_holds(self, city: Place) -> None:
        """Old stores have a key for names and nothing else; the key stays, and so does every name that waits."""
        city.store.commit(Write(at=NOW, account=an_account("ada", methods=[_odd(ODD)])))
        before = Record(kind="secret", key="names", document=msgspec.json.encode({"key": bytes(32)}))
        city.store.commit(Write(at=NOW, puts=(before,)))
        listed = asked(city, "nobody")
        kept = store_secret.read(city.parts)
        assert (kept.key, dict(kept.lengths or {})["security-key"][:2]) == (bytes(32), ODD.to_bytes(2))
        assert asked(city, "nobody") == listed

    def test_an_embedded_store_keeps_no_secret_for_strangers(self, place: Place) -> None:
        Person(place, "ada").create().add_key(SomeKey())
        assert place.store.record("secret", "names") is None


def test_a_draw_moves_as_rarely_as_it_can() -> None:
    """Of n + 1 places one draw in n + 1 moves, and to the new one."""
    chance, kind = random.Random(1), Kind.SECURITY_KEY
    seeds = [chance.randbytes(8) for _ in range(3000)]
    kept: dict[str, bytes] = {kind: b"".join((1000 + number).to_bytes(2) + b"\0\0" for number in range(100))}
    more: dict[str, bytes] = {kind: kept[kind] + (2000).to_bytes(2) + b"\0\0"}
    draws = [(id_lengths.draw(kept, kind, seed), id_lengths.draw(more, kind, seed)) for seed in seeds]
    moved = [after for before, after in draws if before != after]
    assert set(moved) == {2000}
    assert 5 < len(moved) < 45  # 3000 / 165 are expected
    assert sum(before >= 1000 for before, _ in draws) / 3000 == pytest.approx(100 / 164, abs=0.05)


def _odd(size: int) -> SecurityKey:
    return replace(a_security_key(), credential=replace(a_security_key().credential, id=b"x" * size))


def _advantage(real: Sequence[Sequence[int]], made: Sequence[Sequence[int]]) -> float:
    """Return how much better than a coin somebody decides who knows both distributions and sees one list.

    They learn from every second list and decide on the others, by how often each of its lengths stands in either kind of list.
    """
    seen = [Counter(length for one in lists[::2] for length in set(one)) for lists in (real, made)]

    def is_real(listed: Sequence[int]) -> float:
        odds = 1.0
        for length in set(listed):
            odds *= (seen[0][length] + 1) / (seen[1][length] + 1)
        return odds

    scores = [[is_real(one) for one in lists[1::2]] for lists in (real, made)]
    wins = sum((one > other) + (one == other) / 2 for one in scores[0] for other in scores[1])
    return abs(2 * wins / (len(scores[0]) * len(scores[1])) - 1)
