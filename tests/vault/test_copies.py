"""Copies of the keys under a passphrase."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passless.domain.errors import ProofNeeded, Unavailable, WrongUse
from passless.domain.secret import Secret
from passless.vault import copies
from passless.vault.copies import export_keys, import_keys
from passless.vault.errors import CopyDamaged, VaultKeyForeign, WrongPassphrase
from passless.vault.key_ring import KeyRing, new_key_ring, rotate
from tests.vault.fakes import repeatable_entropy

PASSPHRASE = Secret("correct horse battery staple")
RING = rotate(new_key_ring("store-1", repeatable_entropy(1)), repeatable_entropy(2))
COPY = export_keys(RING, PASSPHRASE, repeatable_entropy(3))


def imported(blob: bytes, passphrase: Secret = PASSPHRASE) -> KeyRing:
    return import_keys(blob, passphrase, store_id="store-1")


def with_changes(**changes: object) -> bytes:
    """Return the copy with parts of its derivation changed and its checksum made to fit."""
    copy = msgspec.json.decode(COPY, type=copies._Copy)
    opening = msgspec.structs.replace(copy.opening, derivation=msgspec.structs.replace(copy.opening.derivation, **changes))
    checksum = hashlib.sha256(msgspec.json.encode(opening) + copy.box).digest()
    return msgspec.json.encode(copies._Copy(opening=opening, box=copy.box, checksum=checksum))


def test_a_copy_brings_back_every_key() -> None:
    assert imported(COPY) == RING


def test_a_copy_is_text_that_says_how_to_open_it() -> None:
    opening: dict[str, Any] = json.loads(COPY)["opening"]
    assert (opening["passless_vault_copy"], opening["store_id"], opening["cipher"]) == (1, "store-1", "aes-256-gcm")
    derivation = opening["derivation"]
    assert (derivation["name"], derivation["passes"], derivation["lanes"]) == ("argon2id", 3, 4)
    assert derivation["memory_kib"] == 65536
    assert COPY.isascii()
    assert COPY.endswith(b"}\n")


def test_a_copy_shows_no_key_and_no_passphrase() -> None:
    """Must hold 1: secrets are shown nowhere."""
    kept = [PASSPHRASE.encode(), *(key.reveal() for key in RING.keys.values())]
    for secret in kept:
        assert secret not in COPY
        assert msgspec.json.encode(secret).strip(b'"') not in COPY


def test_a_wrong_passphrase_asks_for_the_right_one() -> None:
    with pytest.raises(WrongPassphrase) as caught:
        imported(COPY, Secret("wrong"))
    assert isinstance(caught.value, ProofNeeded)
    assert caught.value.code == "wrong-passphrase"


def test_a_passphrase_may_be_typed_on_any_keyboard() -> None:
    ring = new_key_ring("store-1", repeatable_entropy())
    copy = export_keys(ring, Secret("blåbærsyltetøy"), repeatable_entropy())
    assert imported(copy, Secret("bla\u030abærsyltetøy")) == ring


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(WrongUse, match="empty"):
        export_keys(RING, Secret(""), repeatable_entropy())


def test_a_copy_of_another_store_is_foreign() -> None:
    with pytest.raises(VaultKeyForeign, match='"store-1", not of "store-2"'):
        import_keys(COPY, PASSPHRASE, store_id="store-2")


def test_a_copy_passed_off_as_another_stores_does_not_open() -> None:
    copy = msgspec.json.decode(COPY, type=copies._Copy)
    opening = msgspec.structs.replace(copy.opening, store_id="store-2")
    checksum = hashlib.sha256(msgspec.json.encode(opening) + copy.box).digest()
    forged = msgspec.json.encode(copies._Copy(opening=opening, box=copy.box, checksum=checksum))
    with pytest.raises(WrongPassphrase):
        import_keys(forged, PASSPHRASE, store_id="store-2")


@pytest.mark.parametrize(
    "changes",
    [
        {"passes": 0},
        {"passes": 17},
        {"lanes": 0},
        {"lanes": 17},
        {"memory_kib": 31},
        {"memory_kib": 1024 * 1024 + 1},
        {"memory_kib": -1},
        {"salt": b"short"},
    ],
)
def test_parameters_that_would_stop_the_machine_or_protect_nothing_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CopyDamaged, match="parameters"):
        imported(with_changes(**changes))


def test_weaker_parameters_than_were_used_do_not_open_it() -> None:
    with pytest.raises(WrongPassphrase):
        imported(with_changes(passes=1, memory_kib=64))


def test_a_machine_without_the_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_MEMORY", 2**40)
    with pytest.raises(Unavailable, match="not enough memory"):
        imported(with_changes(memory_kib=2**32 - 1))


def test_a_file_too_large_is_refused_unread() -> None:
    with pytest.raises(CopyDamaged, match="too large"):
        imported(COPY + b" " * copies.LARGEST_COPY)


def test_a_copy_that_holds_something_else_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "encode_ring", lambda ring: b"{}")
    with pytest.raises(CopyDamaged):
        imported(export_keys(RING, PASSPHRASE, repeatable_entropy()))


@settings(deadline=None)  # the machine may be busy
@given(length=st.integers(0, len(COPY) - 3))
def test_a_copy_cut_short_is_damaged(length: int) -> None:
    with pytest.raises(CopyDamaged) as caught:
        imported(COPY[:length])
    assert isinstance(caught.value, WrongUse)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, len(COPY) * 8 - 1))
def test_a_flipped_bit_is_damage_and_never_a_wrong_passphrase(bit: int) -> None:
    blob = bytearray(COPY)
    blob[bit // 8] ^= 1 << bit % 8
    try:
        found = imported(bytes(blob))
    except CopyDamaged:
        return
    assert found == RING  # a changed blank between two words


@settings(deadline=None)  # the machine may be busy
@given(st.binary())
def test_any_bytes_give_our_error(blob: bytes) -> None:
    with pytest.raises(CopyDamaged):
        imported(blob)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_gives_our_error(document: object) -> None:
    with pytest.raises(CopyDamaged):
        imported(json.dumps(document).encode())


def test_json_of_great_depth_gives_our_error() -> None:
    with pytest.raises(CopyDamaged):
        imported(b'{"opening":' + b"[" * 200_000)
