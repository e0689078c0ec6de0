"""What a key remembers without power, and how it is kept in a file between processes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct, field

from .model import Model

MAX_PIN_RETRIES = 8  # CTAP 2.1 §6.5.2.2
MAX_UV_RETRIES = 3  # CTAP 2.1 §6.5.3 allows 1 to 25
NO_LARGE_BLOBS = bytes.fromhex("8076be8b528d0075f7aae98d6fa57a6d3c")  # CTAP 2.1 §6.10.1: an empty array and its checksum


class User(Struct):
    """The user entity that a relying party gave."""

    id: bytes
    name: str | None = None
    display_name: str | None = None


class Credential(Struct, kw_only=True):
    """One key pair and what the relying party asked to be kept with it."""

    id: bytes
    rp_id: str
    rp_name: str | None
    user: User
    algorithm: int
    private_key: bytes
    discoverable: bool
    protection: int = 1  # credProtect: 1 optional, 2 optional with a list, 3 required
    secret_with_uv: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    secret_without_uv: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    gives_secrets: bool = False  # hmac-secret was asked for
    blob: bytes = b""
    large_blob_key: bytes | None = None
    is_payment: bool = False


class Fingerprint(Struct):
    """One enrolled finger."""

    id: bytes
    name: str = ""


class Memory(Struct):
    """Everything that survives pulling the key out."""

    min_pin_length: int = 4
    pin_hash: bytes = b""  # the first half of SHA-256; empty while no PIN is set
    pin_length: int = 0
    pin_retries: int = MAX_PIN_RETRIES
    wrong_pins_in_a_row: int = 0  # set to zero by each power up, unless a process goes on with the one before
    uv_retries: int = MAX_UV_RETRIES
    must_change_pin: bool = False
    min_pin_rp_ids: list[str] = field(default_factory=list)
    always_uv: bool = False
    enterprise_attestation: bool = False
    counter: int = 0
    credentials: list[Credential] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)
    large_blobs: bytes = NO_LARGE_BLOBS

    @property
    def discoverable(self) -> list[Credential]:
        """The credentials that take up room on the key, the newest last."""
        return [credential for credential in self.credentials if credential.discoverable]


class Saved(Struct):
    """What stands in the file of a key."""

    model: Model
    memory: Memory


class KeyFile:
    """The file of one key; without a path everything stays in this process."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._written = b""

    def load(self) -> Saved | None:
        """Read the key, or None if there is no file yet."""
        if self.path is None or not self.path.exists():
            return None
        self._written = self.path.read_bytes()
        return msgspec.json.decode(self._written, type=Saved)

    def save(self, saved: Saved) -> None:
        """Write the key, if anything about it is new."""
        if self.path is None:
            return
        text = msgspec.json.format(msgspec.json.encode(saved))
        if text == self._written:
            return
        aside = self.path.with_name(f"{self.path.name}.new")
        with open(aside, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
        aside.replace(self.path)
        self._written = text
