"""The key file: who may read it, what happens to a bad one, and several writers at once."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from passless.vault import KeptVault, open_vault
from passless.vault.errors import VaultKeyForeign, VaultKeyMissing, VaultKeyUnreadable, VaultNotWritten
from passless.vault.key_file import KeyFile
from tests.vault.fakes import repeatable_entropy

NOBODY = 65534  # user id
CREATE = """
import os, sys
from pathlib import Path
from passless.vault import open_vault
vault = open_vault("file", store_id="store-1", key_file=Path(sys.argv[1]), entropy=os.urandom)
print("ready", flush=True)
sys.stdin.readline()
print(vault.create().current)
vault.rotate()
"""
ROTATE_FOR_EVER = """
import os, sys
from pathlib import Path
from passless.vault import open_vault
vault = open_vault("file", store_id="store-1", key_file=Path(sys.argv[1]), entropy=os.urandom)
while True:
    print(vault.rotate().current, flush=True)
"""


def a_vault(path: Path, *, store_id: str = "store-1", seed: int = 1) -> KeptVault:
    return open_vault("file", store_id=store_id, key_file=path, entropy=repeatable_entropy(seed))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "made" / "here" / "vault.key"
    a_vault(path).create()
    return path


@contextmanager
def somebody_else() -> Iterator[None]:
    """Act as a user who may read nothing of root's, where the tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let every write to a file fail after its first byte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_file_and_the_folders_made_for_it_are_for_their_owner_only(key_file: Path) -> None:
    """Must hold 2: files are 0600, folders 0700, whatever the umask says."""
    a_vault(key_file, seed=2).rotate()
    assert {path.name: mode(path) for path in key_file.parent.iterdir()} == {"vault.key": 0o600, "vault.key.lock": 0o600}
    assert (mode(key_file.parent), mode(key_file.parent.parent)) == (0o700, 0o700)


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    a_vault(tmp_path / "vault.key").create()
    assert mode(tmp_path) == 0o755


def test_a_file_that_may_not_be_read_is_named(key_file: Path) -> None:
    """Must hold 2: a file it cannot read is an error that names it, never ignored."""
    key_file.chmod(0o000)
    vault = a_vault(key_file)
    with somebody_else(), pytest.raises(VaultKeyUnreadable, match=r"vault\.key.*permission denied") as caught:
        vault.key_id()
    assert "--vault file" in caught.value.hint


@pytest.mark.parametrize("open_to", [0o604, 0o602, 0o620, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(key_file: Path, open_to: int) -> None:
    key_file.chmod(open_to)
    with pytest.raises(VaultKeyUnreadable, match=f"vault.key.*{open_to:04o}") as caught:
        a_vault(key_file).key_id()
    assert "chmod 600" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="gives the file to another user, which only root can")
@pytest.mark.parametrize(("owner", "is_accepted"), [(0, True), (NOBODY, False)])
def test_only_a_file_of_root_may_be_read_by_its_group(key_file: Path, owner: int, is_accepted: bool) -> None:
    key_file.chmod(0o640)
    os.chown(key_file, owner, -1)
    assert a_vault(key_file).describe().ok == is_accepted


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultKeyUnreadable, match="is a directory"):
        a_vault(tmp_path).key_id()


def test_a_pipe_in_place_of_the_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "vault.key", 0o600)
    with pytest.raises(VaultKeyUnreadable, match="is not a file"):
        a_vault(tmp_path / "vault.key").key_id()


def test_a_path_that_cannot_be_is_named(tmp_path: Path) -> None:
    vault = a_vault(tmp_path / "vault\0key")
    with pytest.raises(VaultKeyUnreadable, match="null byte"):
        vault.key_id()
    with pytest.raises(VaultNotWritten, match="null byte"):
        vault.create()


@pytest.mark.parametrize("content", [b"", b"garbage", b"[]", b"\x00\xff\xfe" * 100, b"\x80" * 2_000_000])
def test_a_file_that_is_no_key_is_named_and_stays(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    for attempt in (KeptVault.key_id, KeptVault.create, KeptVault.rotate):
        with pytest.raises(VaultKeyUnreadable, match=r"vault\.key.*damaged"):
            attempt(a_vault(key_file))
    assert key_file.read_bytes() == content


def test_a_file_cut_short_anywhere_is_damaged_and_never_a_key(key_file: Path) -> None:
    whole = key_file.read_bytes()
    for length in range(len(whole)):
        key_file.write_bytes(whole[:length])
        assert a_vault(key_file).describe().code == "vault-key-unreadable"


def test_the_file_of_another_store_is_foreign_and_stays(key_file: Path) -> None:
    content = key_file.read_bytes()
    for attempt in (KeptVault.key_id, KeptVault.create, KeptVault.rotate):
        with pytest.raises(VaultKeyForeign, match=r'"store-1", not of "store-2"'):
            attempt(a_vault(key_file, store_id="store-2"))
    assert key_file.read_bytes() == content


def test_a_file_that_is_gone_is_missing_and_not_made_again(key_file: Path) -> None:
    key_file.unlink()
    with pytest.raises(VaultKeyMissing, match=r"vault\.key"):
        a_vault(key_file).seal(b"seed", bound_to="alice")
    assert not key_file.exists()


def test_a_full_disk_leaves_the_old_key_in_place(key_file: Path) -> None:
    """Must hold 10: a full disk loses no accepted change and leaves no half-made one."""
    before, vault = key_file.read_bytes(), a_vault(key_file, seed=2)
    with full_disk(), pytest.raises(VaultNotWritten, match=r"vault\.key.*too large"):
        vault.rotate()
    assert key_file.read_bytes() == before
    assert sorted(path.name for path in key_file.parent.iterdir()) == ["vault.key", "vault.key.lock"]
    assert vault.key_id() == a_vault(key_file).key_id()


def test_what_a_killed_process_left_aside_is_never_read_and_goes_with_the_next_change(key_file: Path) -> None:
    """Must hold 10: a killed process leaves no half-made change."""
    aside = key_file.with_name(".vault.key.4321")
    aside.write_bytes(key_file.read_bytes()[:50])
    aside.chmod(0o644)
    a_vault(key_file, seed=2).rotate()
    assert not aside.exists()
    assert mode(key_file) == 0o600
    assert len(a_vault(key_file).ring().keys) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(VaultNotWritten, match=r"taken/vault\.key\.lock"):
        a_vault(tmp_path / "taken" / "vault.key").create()


def test_processes_that_create_and_rotate_at_once_lose_no_key(tmp_path: Path, private_home: dict[str, str]) -> None:
    """Must hold 10: two writers at once lose no accepted change."""
    path = tmp_path / "vault.key"
    command = [sys.executable, "-c", CREATE, str(path)]
    writers = [
        subprocess.Popen(command, env=private_home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("\n")
        writer.stdin.flush()
    created = [writer.communicate(timeout=60)[0].strip() for writer in writers]
    keys = list(json.loads(path.read_bytes())["keys"])
    assert len(keys) == 1 + len(writers)
    assert set(created) <= set(keys)
    assert a_vault(path).describe().ok


def test_a_process_killed_at_any_moment_leaves_a_whole_key_file(key_file: Path, private_home: dict[str, str]) -> None:
    """Must hold 10: a killed process loses no accepted change and leaves no half-made one."""
    for rotations in range(1, 8):
        command = [sys.executable, "-c", ROTATE_FOR_EVER, str(key_file)]
        with subprocess.Popen(command, env=private_home, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            accepted = {writer.stdout.readline().strip() for _ in range(rotations)}
            writer.kill()
        assert accepted <= set(a_vault(key_file).describe().keys)


def test_a_key_file_can_be_kept_without_a_vault(tmp_path: Path) -> None:
    KeyFile(tmp_path / "vault.key").write(b"kept")
    assert KeyFile(tmp_path / "vault.key").read() == b"kept"
