"""The system keyring: which one counts, and what each way of failing is called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import keyring.backend
import keyring.core
import pytest
from keyring.backends import SecretService, chainer, fail, null

from passless.domain.errors import Unavailable
from passless.vault import find_keeper, open_vault, probe_keyring
from passless.vault.errors import NoKeyring, VaultKeyMissing, VaultLocked
from passless.vault.system_keyring import KEYRING_LIMIT, real_keyring, within
from tests.vault.fakes import (
    AbsentKeyring,
    BrokenKeyring,
    LockedKeyring,
    MemoryKeyring,
    SilentKeyring,
    UnopenedKeyring,
    repeatable_entropy,
)

AT_ONCE = timedelta(milliseconds=50)


class PlaintextKeyring(MemoryKeyring):
    """Looks like the plain files of `keyrings.alt`."""

    __module__ = "keyrings.alt.file"
    priority = 0.5


@pytest.fixture
def silent() -> Iterator[SilentKeyring]:
    silent = SilentKeyring()
    yield silent
    silent.answered.set()


def choose(monkeypatch: pytest.MonkeyPatch, chosen: object) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", chosen)


def test_the_limit_is_three_seconds() -> None:
    assert timedelta(seconds=3) == KEYRING_LIMIT


def test_a_keyring_that_works_is_chosen() -> None:
    found = find_keeper(entries=MemoryKeyring)
    assert (found.kind, found.probe.condition) == ("keyring", "works")


def test_probing_leaves_nothing_behind() -> None:
    memory = MemoryKeyring()
    probe_keyring(entries=lambda: memory)
    assert memory.entries == {}


def test_a_keyring_with_an_odd_entry_still_works() -> None:
    memory = MemoryKeyring()
    memory.entries["passless", "probe"] = "\udcff"
    assert probe_keyring(entries=lambda: memory).condition == "works"


@pytest.mark.parametrize(
    ("entries", "condition", "message"),
    [
        (LockedKeyring, "locked", "the system keyring is locked"),
        (UnopenedKeyring, "locked", "the system keyring could not be unlocked"),
        (BrokenKeyring, "locked", "the system keyring failed (ConnectionResetError)"),
        (AbsentKeyring, "absent", "there is no system keyring here"),
    ],
)
def test_a_keyring_that_does_not_work_says_why_and_the_file_is_chosen(
    entries: type[MemoryKeyring], condition: str, message: str
) -> None:
    found = find_keeper(entries=entries)
    assert (found.kind, found.probe.condition, found.probe.message) == ("file", condition, message)


def test_a_keyring_that_stays_silent_is_left_behind(silent: SilentKeyring) -> None:
    found = find_keeper(entries=lambda: silent, limit=AT_ONCE)
    assert (found.kind, found.probe.condition) == ("file", "silent")
    assert found.probe.message == "the system keyring did not answer in 0.05 seconds"


def test_a_silent_keyring_locks_the_vault_and_says_what_to_do(silent: SilentKeyring, tmp_path: Path) -> None:
    vault = open_vault(
        "keyring",
        store_id="store-1",
        key_file=tmp_path / "vault.key",
        entropy=repeatable_entropy(),
        entries=lambda: silent,
        limit=AT_ONCE,
    )
    for attempt in (vault.key_id, vault.create, vault.rotate):
        with pytest.raises(VaultLocked, match="did not answer") as caught:
            attempt()
        assert isinstance(caught.value, Unavailable)
        assert caught.value.hint == (
            "unlock your keyring and try again, or choose the key file: passless profile set local --vault file"
        )
    silent.answered.set()
    assert silent.entries == {}
    with pytest.raises(VaultKeyMissing):
        vault.key_id()


def test_a_call_that_ends_the_program_ends_it_here_too() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        within(KEYRING_LIMIT, leave)


@pytest.mark.parametrize("entries", [fail.Keyring, null.Keyring, PlaintextKeyring])
def test_keyrings_that_keep_nothing_or_plain_text_do_not_count(monkeypatch: pytest.MonkeyPatch, entries: type) -> None:
    choose(monkeypatch, entries())
    with pytest.raises(NoKeyring) as caught:
        real_keyring()
    assert ("there is no system keyring" in caught.value.message) == (entries is fail.Keyring)
    assert find_keeper().kind == "file"


def test_a_real_keyring_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = SecretService.Keyring()
    choose(monkeypatch, chosen)
    assert real_keyring() is chosen


def test_of_several_keyrings_the_real_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    real_type = type("Keyring", (SimpleNamespace,), {"__module__": "keyring.backends.libsecret"})
    real = real_type(priority=0.1)
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [PlaintextKeyring(), real])
    choose(monkeypatch, chainer.ChainerBackend())
    assert real_keyring() is real


def test_several_plain_keyrings_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [PlaintextKeyring(), PlaintextKeyring()])
    choose(monkeypatch, chainer.ChainerBackend())
    with pytest.raises(NoKeyring, match="not one that encrypts"):
        real_keyring()


def test_a_keyring_that_cannot_be_loaded_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.Keyring")
    found = find_keeper()
    assert (found.kind, found.probe.condition) == ("file", "absent")
    assert found.probe.message == "the keyring that is configured cannot be loaded"
