"""What every action holds: its ports, and what it may count on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.domain.safety.context import Rules

if TYPE_CHECKING:
    from passless.ports import Clock, Entropy, Store, Vault


class Parts(Struct, frozen=True, kw_only=True):
    """The ports of one store. The vault is opened only when something in it is needed.

    `ticket_pattern` is the policy's for operators; empty asks none.
    """

    store: Store
    open_vault: Callable[[], Vault]
    clock: Clock
    entropy: Entropy
    rules: Rules
    profile: str = "local"
    issuer: str = "passless"
    ticket_pattern: str = ""

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
