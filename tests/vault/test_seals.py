"""Seals and tags: what comes back, what does not, and the form they will always have."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from passless.domain.sealed import Sealed
from passless.vault import sealing
from passless.vault.errors import SealBroken
from passless.vault.key_ring import VaultKey
from tests.vault.fakes import repeatable_entropy

KEY = VaultKey(bytes(range(32)))


def a_seal(secret: bytes = b"a seed", *, store_id: str = "store-1", bound_to: str = "alice/phone") -> Sealed:
    return sealing.seal(secret, KEY, store_id=store_id, bound_to=bound_to, entropy=repeatable_entropy())


def unsealed(sealed: Sealed, *, store_id: str = "store-1", bound_to: str = "alice/phone") -> bytes:
    return sealing.unseal(sealed, KEY, store_id=store_id, bound_to=bound_to)


def derived(use: bytes) -> bytes:
    """RFC 5869 by hand, for one block of output."""
    return hmac.digest(hmac.digest(b"store-1", KEY.reveal(), hashlib.sha256), use + b"\x01", hashlib.sha256)


@settings(deadline=None)  # the machine may be busy
@given(secret=st.binary(max_size=200), store_id=st.text(max_size=20), bound_to=st.text(max_size=40))
def test_every_secret_comes_back(secret: bytes, store_id: str, bound_to: str) -> None:
    assert unsealed(a_seal(secret, store_id=store_id, bound_to=bound_to), store_id=store_id, bound_to=bound_to) == secret


@settings(deadline=None)  # the machine may be busy
@given(secret=st.binary(max_size=40), bit=st.integers(min_value=0))
def test_every_flipped_bit_breaks_the_seal(secret: bytes, bit: int) -> None:
    sealed = a_seal(secret)
    box = bytearray(sealed.box)
    box[bit // 8 % len(box)] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        unsealed(Sealed(key=sealed.key, box=bytes(box)))


@settings(deadline=None)  # the machine may be busy
@given(length=st.integers(0, 33))
def test_every_seal_cut_short_is_broken(length: int) -> None:
    sealed = a_seal()
    assert len(sealed.box) == 34
    with pytest.raises(SealBroken):
        unsealed(Sealed(key=sealed.key, box=sealed.box[:length]))


@settings(deadline=None)  # the machine may be busy
@given(other=st.text(max_size=40).filter(lambda text: text != "alice/phone"))
def test_every_other_owner_and_every_other_store_breaks_the_seal(other: str) -> None:
    with pytest.raises(SealBroken):
        unsealed(a_seal(), bound_to=other)
    with pytest.raises(SealBroken):
        unsealed(a_seal(), store_id=other)


def test_parts_of_the_binding_cannot_be_shifted() -> None:
    with pytest.raises(SealBroken):
        unsealed(a_seal(store_id="store-1", bound_to="2/alice"), store_id="store-12", bound_to="/alice")


def test_what_was_sealed_and_tagged_once_can_be_opened_and_found_by_every_later_version() -> None:
    sealed = a_seal()
    binding = b"".join(
        len(part).to_bytes(4, "big") + part for part in (b"passless/1/seal", b"store-1", sealed.key.encode(), b"alice/phone")
    )
    opened = AESGCM(derived(b"passless/1/seal")).decrypt(sealed.box[:12], sealed.box[12:], binding)
    assert opened == b"a seed"
    made = sealing.tag(b"a token", KEY, store_id="store-1", purpose="token")
    assert made.digest == hmac.digest(derived(b"passless/1/tag/token"), b"a token", hashlib.sha256)


def test_a_purpose_cannot_imitate_the_sealing_key() -> None:
    purposes = ("", "seal", "/seal", "../seal", "token", "Token")
    digests = {sealing.tag(b"x", KEY, store_id="store-1", purpose=purpose).digest for purpose in purposes}
    sealing_key = sealing._subkey(KEY, "store-1", "seal")
    assert len(digests) == len(purposes)
    assert hmac.digest(sealing_key, b"x", hashlib.sha256) not in digests


def test_the_same_key_tags_differently_for_another_store() -> None:
    tags = [sealing.tag(b"x", KEY, store_id=store_id, purpose="token") for store_id in ("store-1", "store-2")]
    assert tags[0].digest != tags[1].digest
