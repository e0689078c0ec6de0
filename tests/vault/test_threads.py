"""A vault that the threads of a server share, while another thread rotates its key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from passless.domain.sealed import KeyId, Sealed
from passless.vault import KeptVault, key_ring
from passless.vault.errors import VaultKeyMissing
from tests.vault.contract import OWNER, SEED
from tests.vault.fakes import MemoryKeyring
from tests.vault.test_kept_vault import keyring_vault

A_MOMENT = 0.3  # seconds; how long the slow one waits for whoever could overtake it


class SlowKeyring(MemoryKeyring):
    """Once, what was read arrives only after something else had time to happen."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None
        self.overtaking: Thread | None = None

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        found, meanwhile, self.meanwhile = super().get_password(service, username), self.meanwhile, None
        if meanwhile is not None:
            self.overtaking = Thread(target=meanwhile)
            self.overtaking.start()
            self.overtaking.join(A_MOMENT)
        return found


def test_a_slow_reader_does_not_bring_an_earlier_key_back(tmp_path: Path) -> None:
    """What is sealed afterwards is under the current key: the earlier one may be forgotten."""
    keyring = SlowKeyring()
    vault = keyring_vault(tmp_path, keyring)
    vault.create()
    keyring.meanwhile = vault.rotate
    with pytest.raises(VaultKeyMissing):
        vault.open(Sealed(key=KeyId("of-another-process"), box=bytes(40)), bound_to=OWNER)
    assert keyring.overtaking is not None
    keyring.overtaking.join()
    assert vault.key_id() == _current(tmp_path, keyring)


def test_many_rotations_leave_the_last_key_current(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    vault = keyring_vault(tmp_path, keyring)
    vault.create()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: vault.rotate(), range(12)))
    assert vault.key_id() == _current(tmp_path, keyring)
    assert len(vault.ring().keys) == 13


def test_nothing_is_lost_while_threads_seal_and_another_rotates(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    vault = keyring_vault(tmp_path, keyring)
    vault.create()

    def seal_and_open(number: int) -> bytes:
        return vault.open(vault.seal(SEED, bound_to=f"{OWNER}/{number}"), bound_to=f"{OWNER}/{number}")

    with ThreadPoolExecutor(4) as pool:
        opened = [pool.submit(seal_and_open, number) for number in range(200)]
        for _ in range(10):
            vault.rotate()
        assert {one.result() for one in opened} == {SEED}


def _current(folder: Path, keyring: MemoryKeyring) -> KeyId:
    """Return the current key as another process reads it."""
    other: KeptVault = keyring_vault(folder, keyring)
    ring: key_ring.KeyRing = other.ring()
    return ring.current
