"""The ring of keys: kept and read back, or refused, and never shown."""

from __future__ import annotations

import pickle
import traceback

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passless.vault.key_ring import KeyRing, VaultKey, decode_ring, encode_ring, new_key_ring, rotate
from tests.vault.fakes import repeatable_entropy

OCTETS = bytes(range(32))


def a_ring() -> KeyRing:
    return rotate(new_key_ring("store-1", repeatable_entropy(1)), repeatable_entropy(2))


def test_a_ring_is_read_back_as_it_was_kept() -> None:
    assert decode_ring(encode_ring(a_ring())) == a_ring()


def test_a_key_is_nowhere_shown() -> None:
    """Must hold 1: secrets are never in `repr`, tracebacks or JSON."""
    key = VaultKey(OCTETS)
    ring = KeyRing(store_id="store-1", current=key.id(), keys={key.id(): key})
    try:
        raise RuntimeError(ring)
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "VaultKey(hidden)" in shown
    assert repr(OCTETS) not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(ring)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


def test_keys_are_compared_by_value_and_not_hashed() -> None:
    assert VaultKey(OCTETS) == VaultKey(bytes(range(32)))
    assert VaultKey(OCTETS) != VaultKey(bytes(32))
    assert VaultKey(OCTETS) != OCTETS
    with pytest.raises(TypeError, match="hashable"):
        hash(VaultKey(OCTETS))


def test_a_key_that_does_not_answer_to_its_name_is_damage() -> None:
    kept = encode_ring(a_ring())
    ring = a_ring()
    changed = kept.replace(ring.current.encode(), b"0123456789ab")
    with pytest.raises(ValueError, match="damaged"):
        decode_ring(changed)


def test_a_ring_without_its_current_key_is_damage() -> None:
    ring = a_ring()
    kept = encode_ring(KeyRing(store_id="store-1", current=ring.current, keys={}))
    with pytest.raises(ValueError, match="damaged"):
        decode_ring(kept)


def test_a_short_key_is_damage() -> None:
    key = VaultKey(OCTETS[:16])
    with pytest.raises(ValueError, match="damaged"):
        decode_ring(encode_ring(KeyRing(store_id="store-1", current=key.id(), keys={key.id(): key})))


@settings(deadline=None)  # the machine may be busy
@given(st.data())
def test_a_ring_cut_short_or_with_a_flipped_bit_never_gives_other_keys(data: st.DataObject) -> None:
    kept = encode_ring(a_ring())
    cut = kept[: data.draw(st.integers(0, len(kept) - 1))]
    with pytest.raises(ValueError, match="key ring"):
        decode_ring(cut)
    flipped = bytearray(kept)
    flipped[data.draw(st.integers(0, len(kept) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode_ring(bytes(flipped))
    except ValueError:
        return
    assert found.keys == a_ring().keys


@settings(deadline=None)  # the machine may be busy
@given(st.binary())
def test_any_bytes_are_a_ring_or_a_value_error(kept: bytes) -> None:
    with pytest.raises(ValueError, match="key ring"):
        decode_ring(kept)
