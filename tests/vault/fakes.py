"""Stand-ins at the vault's edges: random bytes that repeat from run to run, and keyrings of every temper."""

from __future__ import annotations

import random
from threading import Event

from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordSetError

from passless.ports import Entropy


def repeatable_entropy(seed: int = 1) -> Entropy:
    """Return random bytes that are the same in every run."""
    return random.Random(seed).randbytes


class MemoryKeyring:
    """A keyring that works, and counts how often it is read."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.reads = 0

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        self.reads += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """As keyring backends have it."""
        self.entries[service, username] = password


class LockedKeyring(MemoryKeyring):
    """Its prompt was dismissed."""

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        raise KeyringLocked("Failed to unlock the collection!")


class UnopenedKeyring(MemoryKeyring):
    """Has no collection yet, and nobody to ask for one."""

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        raise InitError("Failed to create the collection: Prompt dismissed..")


class AbsentKeyring(MemoryKeyring):
    """Says that there is no keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        raise NoKeyringError("No recommended backend was available.")


class BrokenKeyring(MemoryKeyring):
    """Fails in words of its own."""

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        raise ConnectionResetError("the bus went away")


class FullKeyring(MemoryKeyring):
    """Reads, and refuses to write."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """As keyring backends have it."""
        raise PasswordSetError("Failed to store password!")


class ForgetfulKeyring(MemoryKeyring):
    """Takes what it is given and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """As keyring backends have it."""


class SilentKeyring(MemoryKeyring):
    """Waits for a prompt that nobody answers, until the test ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = Event()

    def get_password(self, service: str, username: str) -> str | None:
        """As keyring backends have it."""
        self.answered.wait()
        return super().get_password(service, username)
