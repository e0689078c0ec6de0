"""What every vault does, wherever its key is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from passless.domain.errors import NotFound, Unavailable, WrongUse
from passless.domain.sealed import KeyId, Sealed
from passless.vault import KeptVault
from passless.vault.errors import SealBroken, VaultKeyForeign, VaultKeyMissing
from passless.vault.key_ring import new_key_ring
from tests.vault.fakes import repeatable_entropy

SEED = b"a TOTP seed of 20 by"
OWNER = "alice/phone"

OpenVault = Callable[[], KeptVault]  # the vault as another process would open it: same store, same keeper


class VaultContract:
    """Run for each keeper; the class that derives from it gives `open_again`."""

    @pytest.fixture
    def vault(self, open_again: OpenVault) -> KeptVault:
        """Return the vault of a new store."""
        vault = open_again()
        vault.create()
        return vault

    def test_a_sealed_secret_comes_back(self, vault: KeptVault) -> None:
        assert vault.open(vault.seal(SEED, bound_to=OWNER), bound_to=OWNER) == SEED

    def test_a_sealed_secret_comes_back_in_another_process(self, vault: KeptVault, open_again: OpenVault) -> None:
        assert open_again().open(vault.seal(SEED, bound_to=OWNER), bound_to=OWNER) == SEED

    def test_an_empty_secret_can_be_sealed(self, vault: KeptVault) -> None:
        assert vault.open(vault.seal(b"", bound_to=OWNER), bound_to=OWNER) == b""

    def test_two_seals_of_one_secret_differ(self, vault: KeptVault) -> None:
        assert vault.seal(SEED, bound_to=OWNER).box != vault.seal(SEED, bound_to=OWNER).box

    def test_a_seal_does_not_contain_its_secret(self, vault: KeptVault) -> None:
        assert SEED not in vault.seal(SEED, bound_to=OWNER).box

    def test_a_seal_moved_to_another_account_is_broken(self, vault: KeptVault) -> None:
        with pytest.raises(SealBroken):
            vault.open(vault.seal(SEED, bound_to=OWNER), bound_to="mallory/phone")

    def test_a_seal_names_the_current_key(self, vault: KeptVault) -> None:
        assert vault.seal(SEED, bound_to=OWNER).key == vault.key_id()

    def test_a_tag_is_the_same_every_time(self, vault: KeptVault, open_again: OpenVault) -> None:
        assert vault.tag(b"app password", purpose="app-password") == open_again().tag(b"app password", purpose="app-password")

    def test_a_tag_differs_by_secret_and_by_purpose(self, vault: KeptVault) -> None:
        digests = {
            vault.tag(secret, purpose=purpose).digest for secret in (b"one", b"two") for purpose in ("app-password", "token")
        }
        assert len(digests) == 4

    def test_reading_without_a_key_says_so_and_makes_none(self, open_again: OpenVault) -> None:
        for attempt in (KeptVault.key_id, KeptVault.rotate, lambda vault: vault.seal(SEED, bound_to=OWNER)):
            with pytest.raises(VaultKeyMissing) as caught:
                attempt(open_again())
            assert "passless vault import" in caught.value.hint
            assert isinstance(caught.value, Unavailable)
        assert not open_again().describe().ok

    def test_whoever_creates_second_gets_the_first_ones_key(self, vault: KeptVault, open_again: OpenVault) -> None:
        assert open_again().create() == vault.ring()

    def test_a_seal_under_an_unknown_key_names_that_key(self, vault: KeptVault) -> None:
        with pytest.raises(VaultKeyMissing, match="0123456789ab"):
            vault.open(Sealed(key=KeyId("0123456789ab"), box=bytes(64)), bound_to=OWNER)

    def test_after_a_rotation_old_seals_open_and_new_ones_use_the_new_key(self, vault: KeptVault) -> None:
        old = vault.seal(SEED, bound_to=OWNER)
        vault.rotate()
        assert vault.open(old, bound_to=OWNER) == SEED
        assert vault.seal(SEED, bound_to=OWNER).key == vault.key_id() != old.key

    def test_after_a_rotation_old_tags_are_still_looked_up_after_the_current_one(self, vault: KeptVault) -> None:
        old = vault.tag(b"app password", purpose="app-password")
        vault.rotate()
        assert vault.tags(b"app password", purpose="app-password") == (vault.tag(b"app password", purpose="app-password"), old)

    def test_a_process_that_ran_before_the_rotation_opens_what_was_sealed_after(
        self, vault: KeptVault, open_again: OpenVault
    ) -> None:
        vault.key_id()
        other = open_again()
        other.rotate()
        assert vault.open(other.seal(SEED, bound_to=OWNER), bound_to=OWNER) == SEED
        assert vault.key_id() == other.key_id()

    def test_reloading_brings_the_tags_of_another_processs_key(self, vault: KeptVault, open_again: OpenVault) -> None:
        vault.key_id()
        other = open_again()
        other.rotate()
        vault.reload()
        assert vault.tag(b"token", purpose="token") == other.tag(b"token", purpose="token")

    def test_rotations_by_processes_that_read_the_key_before_lose_no_key(self, vault: KeptVault, open_again: OpenVault) -> None:
        """Must hold 10: two writers at once lose no accepted change."""
        first, second = open_again(), open_again()
        first.key_id(), second.key_id()
        made = {vault.key_id(), first.rotate().current, second.rotate().current}
        assert set(open_again().ring().keys) == made

    def test_resealing_moves_a_seal_to_the_current_key_and_leaves_a_current_one(self, vault: KeptVault) -> None:
        old = vault.seal(SEED, bound_to=OWNER)
        assert vault.reseal(old, bound_to=OWNER) is old
        vault.rotate()
        moved = vault.reseal(old, bound_to=OWNER)
        assert moved.key == vault.key_id()
        assert vault.open(moved, bound_to=OWNER) == SEED

    def test_a_forgotten_key_opens_nothing_any_more(self, vault: KeptVault) -> None:
        old = vault.seal(SEED, bound_to=OWNER)
        vault.rotate()
        vault.forget(old.key)
        with pytest.raises(VaultKeyMissing):
            vault.open(old, bound_to=OWNER)
        assert vault.describe().keys == (vault.key_id(),)

    def test_the_current_key_cannot_be_forgotten(self, vault: KeptVault) -> None:
        with pytest.raises(WrongUse, match="current"):
            vault.forget(vault.key_id())
        with pytest.raises(NotFound):
            vault.forget(KeyId("0123456789ab"))

    def test_a_copy_brings_a_lost_key_back(self, vault: KeptVault, open_again: OpenVault) -> None:
        ring = vault.ring()
        vault.rotate()
        vault.forget(ring.current)
        adopted = open_again().adopt(ring)
        assert adopted.current == vault.key_id()
        assert set(adopted.keys) == {ring.current, vault.key_id()}

    def test_a_copy_is_taken_as_it_is_where_there_was_no_key(self, open_again: OpenVault) -> None:
        vault = open_again()
        ring = new_key_ring(vault.store_id, repeatable_entropy(7))
        assert vault.adopt(ring) == open_again().ring() == ring

    def test_a_copy_for_another_store_is_refused(self, vault: KeptVault) -> None:
        with pytest.raises(VaultKeyForeign, match="elsewhere"):
            vault.adopt(new_key_ring("elsewhere", repeatable_entropy()))

    def test_describing_says_which_keys_and_where(self, vault: KeptVault) -> None:
        old = vault.key_id()
        vault.rotate()
        state = vault.describe()
        assert (state.ok, state.current, state.keys) == (True, vault.key_id(), (vault.key_id(), old))
        assert state.where

    def test_describing_a_missing_key_says_what_to_do(self, open_again: OpenVault) -> None:
        state = open_again().describe()
        assert (state.ok, state.code, state.current) == (False, "vault-key-missing", None)
        assert "passless vault import" in state.hint
