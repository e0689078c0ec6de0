"""The contract for every keeper, and when the key is read and kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from keyring.backends import SecretService

from passless.domain.sealed import KeyId, Sealed
from passless.vault import KeptVault, open_vault
from passless.vault.errors import VaultKeyForeign, VaultKeyMissing, VaultKeyUnreadable, VaultNotWritten
from passless.vault.key_ring import encode_ring, new_key_ring
from tests.vault.contract import OWNER, SEED, OpenVault, VaultContract
from tests.vault.fakes import ForgetfulKeyring, FullKeyring, MemoryKeyring, repeatable_entropy

STORE = "store-1"


def keyring_vault(folder: Path, keyring: MemoryKeyring, *, seed: int = 1) -> KeptVault:
    return open_vault(
        "keyring", store_id=STORE, key_file=folder / "vault.key", entropy=repeatable_entropy(seed), entries=lambda: keyring
    )


class TestFileVault(VaultContract):
    """With a key file."""

    @pytest.fixture
    def open_again(self, tmp_path: Path) -> OpenVault:
        seeds = iter(range(100))
        return lambda: open_vault(
            "file", store_id=STORE, key_file=tmp_path / "vault.key", entropy=repeatable_entropy(next(seeds))
        )


class TestKeyringVault(VaultContract):
    """With a keyring in memory."""

    @pytest.fixture
    def open_again(self, tmp_path: Path) -> OpenVault:
        seeds, keyring = iter(range(100)), MemoryKeyring()
        return lambda: keyring_vault(tmp_path, keyring, seed=next(seeds))


class TestSecretServiceVault(VaultContract):
    """With the real Secret Service."""

    @pytest.fixture
    def open_again(self, session_bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], KeptVault]:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session_bus)
        seeds = iter(range(100))
        store = partial(open_vault, "keyring", store_id=f"store-{tmp_path.name}", key_file=tmp_path / "vault.key")
        return lambda: store(entropy=repeatable_entropy(next(seeds)), entries=SecretService.Keyring)


def test_opening_a_vault_reads_nothing_and_makes_nothing(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring_vault(tmp_path / "not-there", keyring)
    open_vault("file", store_id=STORE, key_file=tmp_path / "not-there" / "vault.key", entropy=repeatable_entropy())
    assert keyring.reads == 0
    assert not (tmp_path / "not-there").exists()


def test_the_key_is_read_once(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring_vault(tmp_path, keyring).create()
    vault, before = keyring_vault(tmp_path, keyring), keyring.reads
    for _ in range(3):
        vault.open(vault.seal(SEED, bound_to=OWNER), bound_to=OWNER)
        vault.tags(SEED, purpose="token")
    assert keyring.reads == before + 1


def test_threads_that_start_together_read_the_key_once(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring_vault(tmp_path, keyring).create()
    vault, before = keyring_vault(tmp_path, keyring), keyring.reads
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: vault.key_id(), range(32)))) == 1
    assert keyring.reads == before + 1


def test_an_unknown_key_is_sought_once(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    vault = keyring_vault(tmp_path, keyring)
    vault.create()
    before = keyring.reads
    for _ in range(3):
        with pytest.raises(VaultKeyMissing):
            vault.open(Sealed(key=KeyId("0123456789ab"), box=bytes(64)), bound_to=OWNER)
    assert keyring.reads == before + 1


def test_the_keyring_holds_one_entry_per_store(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    vault = keyring_vault(tmp_path, keyring)
    vault.create()
    vault.rotate()
    assert list(keyring.entries) == [("passless", STORE)]


def test_an_entry_of_another_store_is_foreign(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.entries["passless", STORE] = encode_ring(new_key_ring("elsewhere", repeatable_entropy())).decode()
    vault = keyring_vault(tmp_path, keyring)
    for attempt in (vault.key_id, vault.create):
        with pytest.raises(VaultKeyForeign, match="elsewhere"):
            attempt()
    assert vault.describe().code == "vault-key-foreign"


@pytest.mark.parametrize("entry", ["", "{}", "somebody's password", "\udcff", '{"passless_vault_key":2}'])
def test_an_entry_that_is_no_key_is_an_error_and_stays(tmp_path: Path, entry: str) -> None:
    keyring = MemoryKeyring()
    keyring.entries["passless", STORE] = entry
    vault = keyring_vault(tmp_path, keyring)
    for attempt in (vault.key_id, vault.create, vault.rotate):
        with pytest.raises(VaultKeyUnreadable, match=f"passless/{STORE}"):
            attempt()
    assert keyring.entries == {("passless", STORE): entry}


@pytest.mark.parametrize("keyring", [FullKeyring(), ForgetfulKeyring()])
def test_a_key_that_was_not_kept_is_not_used(tmp_path: Path, keyring: MemoryKeyring) -> None:
    vault = keyring_vault(tmp_path, keyring)
    with pytest.raises(VaultNotWritten):
        vault.create()
    with pytest.raises(VaultKeyMissing):
        vault.seal(SEED, bound_to=OWNER)
