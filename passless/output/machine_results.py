"""Results about this machine rather than an account: the vault, profiles, what works here, the key itself."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.safety.next_steps import Goal
from passless.domain.views import AccountView, StepView


class VaultStatus(Struct, frozen=True, kw_only=True):
    """Where the vault key is kept, and what depends on it."""

    profile: str
    store: str
    keeper: str
    where: str
    ok: bool
    message: str
    hint: str
    current: str | None
    keys: tuple[str, ...]
    seals: int
    app_passwords: int


class VaultExported(Struct, frozen=True, kw_only=True):
    """A copy of the vault keys was written."""

    store: str
    keys: tuple[str, ...]
    file: str


class VaultImported(Struct, frozen=True, kw_only=True):
    """Vault keys came back from a copy. `added` are those that were missing; `unreadable` seals still lack theirs."""

    store: str
    current: str
    added: tuple[str, ...]
    unreadable: int
    applied: bool = True


class VaultRotated(Struct, frozen=True, kw_only=True):
    """The vault key was replaced. `kept` are earlier keys that app passwords still need."""

    applied: bool
    current: str
    seals: int
    accounts: int
    forgotten: tuple[str, ...]
    kept: tuple[str, ...]
    app_passwords: int


class ServerSeen(Struct, frozen=True, kw_only=True):
    """The server that answered: its name, its version, and who may make an account there."""

    name: str
    version: str
    sign_up: str

    @property
    def spoken(self) -> str:
        """The server's name and version for people, without saying twice that it is passless."""
        return f"passless {self.version}" if self.name.casefold() == "passless" else f"{self.name} (passless {self.version})"


class ProfileView(Struct, frozen=True, kw_only=True):
    """A place where accounts live; `server` is what answered there when it was asked just now."""

    name: str
    place: str
    address: str
    vault: str
    policy: str | None
    chosen: bool
    applied: bool | None = None
    ca: str | None = None
    server: ServerSeen | None = None
    password_file: str | None = None


class ChosenProfile(ProfileView, frozen=True, kw_only=True):
    """The profile that commands use from now on, which was shown before."""


class Verdict(Struct, frozen=True, kw_only=True):
    """One thing that `doctor` or `relying-party test` looked at; what could not be `tested` is `ok` all the same."""

    check: str
    ok: bool
    message: str
    hint: str = ""
    tested: bool = True


class AccountExported(Struct, frozen=True, kw_only=True):
    """An account was written to an encrypted file."""

    account: str
    file: str
    methods: int


class AccountImported(Struct, frozen=True, kw_only=True):
    """An account came from an encrypted file. `left_out` says what could not come along, and why."""

    applied: bool
    account: str
    account_id: str
    methods: int
    left_out: tuple[str, ...]
    exported_at: datetime


class AccountsExported(Struct, frozen=True, kw_only=True):
    """Every account of a store was written to an encrypted file. `left_out` counts methods without their secret."""

    applied: bool
    accounts: int
    left_out: int
    file: str


class AccountsImported(Struct, frozen=True, kw_only=True):
    """What came of the accounts of a copy: how many came in, were here already, or could not come."""

    applied: bool
    continued_after: int
    imported: int
    unchanged: int
    changed_here: int
    taken: int
    damaged: int


class HeadKept(Struct, frozen=True, kw_only=True):
    """A signed checkpoint of the audit trail was written, to check the trail against later."""

    file: str
    head: str


class SetupDone(Struct, frozen=True, kw_only=True):
    """What the walk-through did; a recovery code that nobody typed back was printed before."""

    goal: Goal
    reached: bool
    done: tuple[str, ...]
    left: tuple[StepView, ...]
    status: AccountView


class SetupPlan(Struct, frozen=True, kw_only=True):
    """What the walk-through would do."""

    applied: bool
    goal: Goal
    account: str
    steps: tuple[StepView, ...]


class KeyPlan(Struct, frozen=True, kw_only=True):
    """What would be done to a key."""

    applied: bool
    key: str
    change: str
