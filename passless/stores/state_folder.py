"""What is known of a store outside of its database, so that an old copy put back is noticed.

A folder for each store holds: `commits`, the numbers of the last commits; `ended`, what must never come back; `checkpoint`, the
last signed one; `audit.key`, which signs them. The first is written without waiting for the disk: after a loss of power it may
be behind the database, which only means that less is noticed; it is brought up to date when the store is opened.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Self

import msgspec

from passless.ports import Entropy, StoreUnavailable
from passless.private_files import PRIVATE_FILE, sync_folder
from passless.stores.errors import StateMissing, StoreExists
from passless.stores.private_files import make_folder, write_file

MAGIC = b"passless commits"
WRITER_BYTES = 16  # random; one for each state folder, so servers on one database do not queue behind each other
HEADER = struct.Struct(f">{len(MAGIC)}s{WRITER_BYTES}s32x")
SLOT = struct.Struct(">QI4x")  # a commit's number and its checksum; never across a disk's sectors, so written whole
SLOTS = 64  # more than processes that commit at once: a late one never overwrites a later number
KEY_BYTES = 32  # Ed25519 (RFC 8032 §5.1.5)

_decode_ended = msgspec.json.Decoder(tuple[str, str]).decode


def ended_line(account_id: str, item: str) -> bytes:
    """Return the line of an ended item; the line break comes first, so that a torn line spoils only itself."""
    return b"\n" + msgspec.json.encode((account_id, item))


class StateFolder:
    """The state of one store, as one process sees it."""

    is_shared = False  # with other hosts, which keep their own

    def __init__(self, folder: Path) -> None:
        """Open the folder of a store.

        Raises:
            StateMissing: it is gone, or the file of commits is broken.
        """
        self._folder = folder
        self._turn = Lock()
        self._ended = folder / "ended"
        self._checkpoint = folder / "checkpoint"
        with ExitStack() as opened:
            try:
                self._commits = opened.enter_context((folder / "commits").open("r+b", buffering=0))
                header = self._commits.read(HEADER.size)
            except FileNotFoundError as error:
                raise StateMissing(f'there is no state of the store in "{folder}"') from error
            except OSError as error:
                raise StoreUnavailable(f'"{folder / "commits"}" cannot be read ({error.strerror})') from error
            if len(header) < HEADER.size or not header.startswith(MAGIC):
                raise StateMissing(f'"{folder / "commits"}" is not a file of commits')
            self.writer = HEADER.unpack(header)[1].hex()
            opened.pop_all()

    @classmethod
    def create(cls, folder: Path, entropy: Entropy, *, with_key: bool = True) -> Self:
        """Make the folder of a new store, with an audit key unless that is kept elsewhere.

        Raises:
            StoreExists: there is one already.
        """
        make_folder(folder.parent)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError as error:
            raise StoreExists(f'"{folder}" is already there') from error
        except OSError as error:
            raise StoreUnavailable(f'the folder "{folder}" cannot be made ({error.strerror})') from error
        if with_key:
            write_file(folder / "audit.key", entropy(KEY_BYTES))
        write_file(folder / "ended", b"")
        write_file(folder / "commits", HEADER.pack(MAGIC, entropy(WRITER_BYTES)) + bytes(SLOT.size * SLOTS))
        sync_folder(folder)
        sync_folder(folder.parent)
        return cls(folder)

    def last_commit(self) -> int:
        """Return the number of the last commit that is known of; 0 where there is none."""
        content = self._read(HEADER.size, SLOT.size * SLOTS)
        return max((_number(content[at : at + SLOT.size]) for at in range(0, len(content), SLOT.size)), default=0)

    def has_seen(self, number: int) -> bool:
        """Tell whether a commit of this number, or a later one in its slot, was made before."""
        return _number(self._read(_place(number), SLOT.size)) >= number

    def record(self, number: int) -> None:
        """Remember a commit that was made. A failure leaves the folder behind the database, which is harmless."""
        try:
            with self._turn:
                self._commits.seek(_place(number))
                self._commits.write(SLOT.pack(number, _sum(number)))
        except OSError:
            return  # the commit is made and must not be reported as failed

    def ended_bytes(self) -> int:
        """Return how long the file of ended items is."""
        try:
            return self._ended.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StoreUnavailable(f'"{self._ended}" cannot be read ({error.strerror})') from error

    def ended(self) -> tuple[tuple[str, str], ...]:
        """Return the items that must never come back: account id and item id."""
        return self.items_in(self._ended)

    def items_in(self, path: Path) -> tuple[tuple[str, str], ...]:
        """Return the items in a file of ended items."""
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreUnavailable(f'"{path}" cannot be read ({error.strerror})') from error
        found = []
        for line in lines:
            try:
                found.append(_decode_ended(line))
            except msgspec.DecodeError:
                continue  # torn by a crash before its commit was made
        return tuple(found)

    def add_ended(self, items: Iterable[tuple[str, str]]) -> None:
        """Remember items that must never come back, just before the commit that ends them."""
        content = b"".join(ended_line(*item) for item in items)
        try:
            with open(self._ended, "ab", buffering=0, opener=_private) as file:
                written = file.write(content)
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreUnavailable(f'"{self._ended}" cannot be written ({error.strerror})') from error
        if written != len(content):
            raise StoreUnavailable(f'"{self._ended}" cannot be written (the disk is full)')

    def replace_ended(self, items: Iterable[tuple[str, str]]) -> int:
        """Write the file of ended items anew and return its length."""
        content = b"".join(ended_line(*item) for item in items)
        write_file(self._ended, content)
        return len(content)

    def known(self) -> Mapping[str, int]:
        """Return the number of the last commit of every writer whose state is here."""
        return {self.writer: self.last_commit()}

    def audit_keys(self) -> tuple[bytes, ...]:
        """Return the private keys that the last checkpoint may be signed with; the first signs the next one."""
        return (self.audit_key(),)

    def audit_key(self) -> bytes:
        """Return the private key that signs checkpoints."""
        path = self._folder / "audit.key"
        try:
            key = path.read_bytes()
        except OSError as error:
            raise StateMissing(f'the audit key "{path}" cannot be read ({error.strerror})') from error
        if len(key) != KEY_BYTES:
            raise StateMissing(f'the audit key "{path}" is broken')
        return key

    def checkpoint(self) -> bytes | None:
        """Return the last checkpoint as it was kept here."""
        try:
            return self._checkpoint.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f'"{self._checkpoint}" cannot be read ({error.strerror})') from error

    def keep_checkpoint(self, content: bytes) -> None:
        """Keep a checkpoint as the last one."""
        write_file(self._checkpoint, content)

    def is_new_here(self) -> bool:
        """Tell whether others wrote to the store before it was first opened on this host, and nobody was told."""
        return False

    def settle(self) -> None:
        """Know the host from now on as one that has the store."""

    def close(self) -> None:
        """Let go of the folder."""
        self._commits.close()

    def _read(self, place: int, size: int) -> bytes:
        try:
            with self._turn:
                self._commits.seek(place)
                return self._commits.read(size) or b""
        except OSError as error:
            raise StoreUnavailable(f'"{self._folder / "commits"}" cannot be read ({error.strerror})') from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def _place(number: int) -> int:
    return HEADER.size + SLOT.size * (number % SLOTS)


def _sum(number: int) -> int:
    return zlib.crc32(number.to_bytes(8, "big"))


def _number(slot: bytes) -> int:
    """Return the number in a slot; 0 where it is empty or torn."""
    if len(slot) < SLOT.size:
        return 0
    number, kept_sum = SLOT.unpack(slot)
    return number if kept_sum == _sum(number) else 0
