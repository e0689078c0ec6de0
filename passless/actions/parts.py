"""What every action holds: its ports, and what it may count on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.domain.safety.context import Rules

if TYPE_CHECKING:
    from passless.ports import Clock, Entropy, Store, Vault


class Access(StrEnum):
    """Who may act on accounts without being signed in to them."""

    OWNER = "owner"  # an embedded store: whoever owns the file may look, and help with a reason
    NOBODY = "nobody"  # a server's store: people act for themselves, operators by the rights of their own account


class SignUp(StrEnum):
    """Who may make an account on a server."""

    OPERATOR = "operator"
    INVITATION = "invitation"  # operators, and whoever they invited
    OPEN = "open"


class Parts(Struct, frozen=True, kw_only=True):
    """The ports of one store. The vault is opened only when something in it is needed.

    `ticket_pattern` is the policy's for operators; empty asks none. `origin` is the one that answers of keys and passkeys must
    carry, a server's public address; empty on an embedded store, whose origin follows from its RP ID. `on_host` is set where
    somebody opened a server's store itself, and never behind HTTP: only then can the first operator be made.
    """

    store: Store
    open_vault: Callable[[], Vault]
    clock: Clock
    entropy: Entropy
    rules: Rules
    profile: str = "local"
    issuer: str = "passless"
    ticket_pattern: str = ""
    access: Access = Access.OWNER
    sign_up: SignUp = SignUp.OPEN
    origin: str = ""
    on_host: bool = False

    @property
    def looks_in(self) -> bool:
        """Whether whoever asks opened the store itself, and may know what is in it."""
        return self.access is Access.OWNER or self.on_host

    def now(self) -> datetime:
        """What time it is."""
        return self.clock()

    @property
    def vault(self) -> Vault:
        """The store's vault."""
        return self.open_vault()

    def new_id(self) -> str:
        """Return a new short id."""
        from passless.credentials.random_codes import new_id

        return new_id(self.entropy)
