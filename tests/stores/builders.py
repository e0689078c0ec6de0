"""Writes, sessions and ceremonies for tests of the store, short enough to read as part of a sentence."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, Notice, Outcome
from passless.domain.ceremonies import CEREMONY_LIFE, Ceremony, CeremonyId
from passless.domain.methods import SignInMethod, Strength
from passless.domain.recovery import Loss, Reporter
from passless.domain.sealed import Tag
from passless.domain.sessions import SESSION_LIFE, Session, SessionId, SessionKind
from passless.domain.use_state import Use
from passless.ports import Entropy, Store, Write
from passless.stores import create_store, open_store
from passless.stores.sql_store import SqlStore
from tests.builders import NOW


def repeatable_entropy(seed: int = 1) -> Entropy:
    """Return random bytes that are the same in every run."""
    return random.Random(seed).randbytes


def create(folder: Path, *, seed: int = 1) -> SqlStore:
    """Make a store in a folder, with its state beside it."""
    return create_store(file_in(folder), state=folder / "state", at=NOW, entropy=repeatable_entropy(seed))


def reopen(folder: Path, *, at: datetime = NOW) -> SqlStore:
    """Open the store in a folder, as the next process would."""
    return open_store(file_in(folder), state=folder / "state", at=at)


def file_in(folder: Path) -> Path:
    """Return where the store in a folder lies."""
    return folder / "accounts" / "store.db"


def a_write(account: Account | None = None, expected: int | None = None, *, at: datetime = NOW, **more: Any) -> Write:
    """A write of an account at a version."""
    return Write(at=at, account=account, expected=None if expected is None else Version(expected), **more)


def kept(store: Store, account: Account) -> Account:
    """Make an account in a store."""
    store.commit(a_write(account))
    return account


def a_session(name: str = "laptop", *, of: str = "ada", created: datetime = NOW, **more: Any) -> Session:
    """A session that was just opened; its id and its token are its name."""
    return Session(
        id=SessionId(name),
        account_id=of,
        token_hash=name.encode(),
        kind=more.pop("kind", SessionKind.DIRECT),
        created_at=created,
        seen_at=more.pop("seen", created),
        expires_at=created + SESSION_LIFE,
        **more,
    )


def a_ceremony(name: str = "adding", *, of: str = "ada", state: bytes = b"{}", purpose: str = "add-totp") -> Ceremony:
    """A ceremony that was just begun."""
    return Ceremony(
        id=CeremonyId(name), purpose=purpose, account_id=of, created_at=NOW, expires_at=NOW + CEREMONY_LIFE, state=state
    )


def a_loss_of(*methods: SignInMethod) -> Loss:
    """A report that took these methods."""
    until = NOW + timedelta(days=30)
    return Loss(
        id="loss", what="phone", methods=methods, reported_at=NOW, until=until, reported_with=Strength.NOTHING, by=Reporter.SELF
    )


def a_notice(name: str, *, of: str = "ada", at: datetime = NOW) -> Notice:
    """A message for the person."""
    return Notice(id=name, account_id=of, at=at, code="method-added", message=f"{name} was added")


def an_entry(event: str = "add-method", *, of: str = "ada", at: datetime = NOW, **more: Any) -> AuditEntry:
    """Something to record."""
    return AuditEntry(at=at, actor="ada", event=event, outcome=Outcome.DONE, account_id=of, account=of, **more)


def a_use(item: str = "app", **more: Any) -> Use:
    """An accepted use of a method."""
    return Use(item=item, at=NOW, **more)


def seconds(count: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=count)


def owner_of(store: Store, *tags: Tag) -> tuple[AccountId, str] | None:
    """Return whose app password has one of these tags, and its id."""
    found = store.read_by_app_password(tags)
    return None if found is None else (found.stored.account.id, found.item)
