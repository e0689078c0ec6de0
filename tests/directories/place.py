"""A place where accounts live, for tests: its directory, a clock that one moves, and every secret that was ever seen there."""

from __future__ import annotations

import random
from base64 import b32decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from passless.actions import app_password_tags
from passless.actions.parts import Access, Parts, SignUp
from passless.credentials.passkeys import embedded_relying_party
from passless.credentials.random_codes import spellings
from passless.directories.local import LocalDirectory
from passless.domain.audit import AuditEvent
from passless.domain.methods import RpId
from passless.domain.safety.context import Rules
from passless.domain.secret import Secret
from passless.ports import Entropy, Store
from passless.ports.directory import Actor, Directory, Operator
from passless.stores import create_store, open_store
from passless.vault import KeptVault, open_vault
from tests.builders import NOW
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from tests.directories.helper import Helper

HOST = "passless.example.org"  # where a place that serves is reached
HELPER = "helpdesk"  # the operator over all of a place that serves
PASSWORD = "stately otter lantern mosaic"
ANOTHER_PASSWORD = "velvet anchor thimble quarry"


class MovableClock:
    """What time it is, until somebody moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


class Place:
    """One directory over one store, with the vault and the clock that belong to it."""

    def __init__(
        self, store: Store, vault: KeptVault, clock: MovableClock, entropy: Entropy, folder: Path, *, serves: bool = False
    ) -> None:
        self.store = store
        self.vault = vault
        self.clock = clock
        self.folder = folder
        self.secrets: list[str] = []
        rules = Rules(rp_id=RpId(HOST) if serves else embedded_relying_party(store.id).id)
        self.parts = Parts(store=store, open_vault=lambda: vault, clock=clock, entropy=entropy, rules=rules)
        if serves:
            self.parts = replace(self.parts, access=Access.NOBODY, sign_up=SignUp.OPEN, origin=f"https://{HOST}")
        self._helper: Helper | None = None
        self.directory: Directory = LocalDirectory(self.parts)

    def change(self, **parts: Any) -> None:
        """Change what the directory is made of, such as its rules."""
        self.parts = replace(self.parts, **parts)
        self.directory = LocalDirectory(self.parts)

    def keep_secret(self, secret: Secret | str) -> str:
        """Remember a secret, so that it is searched for wherever it must not be; return its text."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        self.secrets.append(text)
        return text

    def owner_of(self, app_password: str) -> tuple[str, str] | None:
        """Find an app password as a mail server would."""
        found = self.store.read_by_app_password(app_password_tags.of_secret(self.vault, Secret(app_password)))
        return None if found is None else (found.stored.account.id, found.item)

    @property
    def serves(self) -> bool:
        """Whether it is a server's, where nobody acts for others but operators."""
        return self.parts.access is Access.NOBODY

    @property
    def helper(self) -> str:
        """Whose name stands in the audit trail where somebody helps."""
        return HELPER if self.serves else "owner"

    @property
    def onlooker(self) -> Actor:
        """Somebody who may look at every account: who owns the file, or an operator over all."""
        return Actor(token=self._helping(), place="desk") if self.serves else Actor()

    @property
    def trail(self) -> list[AuditEvent]:
        """What happened here; what the operator over all did to sign in is left out."""
        return [event for event in self.store.events() if event.account != HELPER]

    def found(self, matching: str = "") -> list[str]:
        """Return the names of the accounts there are, that of the operator over all left out."""
        return [one.account for one in self.directory.find(matching, self.onlooker) if one.account != HELPER]

    def operator(self, reason: str = "lost everything", ticket: str = "") -> Actor:
        """Somebody who helps: who owns the file, or an operator over all who has just proven who they are."""
        token = self._helping() if self.serves else None
        return Actor(token=token, operator=Operator(reason=reason, ticket=ticket), place="desk")

    def _helping(self) -> Secret:
        """Return a fresh session of the operator, made an operator on the host at the first time."""
        from tests.directories.helper import Helper

        if self._helper is None:
            self._helper = Helper(self, HELPER)
            self._helper.become_the_first()
        return self._helper.fresh()

    def forms_of_secrets(self) -> Iterator[bytes]:
        """Return every secret in each form it could be written down in."""
        for secret in self.secrets:
            plain = secret.replace("-", "").replace(" ", "")
            for text in {secret, plain, *(one.reveal() for one in spellings(Secret(plain)))}:
                yield text.encode()
            if len(plain) == 32 and plain.isupper():
                yield b32decode(plain)

    def everything_kept(self) -> bytes:
        """Return every byte that is kept: files, or what the memory holds."""
        if isinstance(self.store, MemoryStore):
            return repr(msgspec.to_builtins(list(self.store._events))).encode() + repr(vars(self.store)).encode()
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())

    def close(self) -> None:
        """Let go of the store."""
        self.directory.close()


def entropy_of(seed: int) -> Entropy:
    """Return random bytes that are the same in every run."""
    return random.Random(seed).randbytes


def vault_in(folder: Path, store_id: str, entropy: Entropy) -> KeptVault:
    """Return the vault of a store, with its key in a file."""
    return open_vault("file", store_id=store_id, key_file=folder / "vault.key", entropy=entropy)


def in_memory(folder: Path) -> Place:
    """Make a place that is gone with the process."""
    return _place(MemoryStore(), folder)


def served(folder: Path) -> Place:
    """Make the place of a server, in memory."""
    return _place(MemoryStore(), folder, serves=True)


def on_disk(folder: Path) -> Place:
    """Make a place in a file."""
    store = create_store(folder / "store.db", state=folder / "state", at=NOW, entropy=entropy_of(7))
    return _place(store, folder)


def reopened(folder: Path, *, at: datetime = NOW, seed: int = 2) -> Place:
    """Open the place in a folder once more, as another process does."""
    store = open_store(folder / "store.db", state=folder / "state", at=at)
    entropy, clock = entropy_of(seed), MovableClock()
    clock.now = at
    return Place(store, vault_in(folder, store.id, entropy), clock, entropy, folder)


def _place(store: Store, folder: Path, *, serves: bool = False) -> Place:
    entropy = entropy_of(1)
    vault = vault_in(folder, store.id, entropy)
    vault.create()
    return Place(store, vault, MovableClock(), entropy, folder, serves=serves)
