"""Copies of a store that are put back later, as people do with backups."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from passless.domain.account import AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.sealed import KeyId, Tag
from passless.ports import AlreadyUsed, Store
from passless.stores.restoring import TOTP_STEP
from tests.builders import NOW, a_code, a_security_key, a_temporary_pass, a_totp, an_account, an_app_password
from tests.stores.builders import (
    a_ceremony,
    a_session,
    a_use,
    a_write,
    an_entry,
    file_in,
    kept,
    owner_of,
)

ADA = AccountId("ada")
LATER = NOW + timedelta(hours=2)
STEP_NOW = int(LATER.timestamp()) // int(TOTP_STEP.total_seconds())
BEFORE = an_account(
    methods=[a_security_key(), a_totp()],
    codes=[a_code("used"), a_code("unused")],
    app_passwords=(an_app_password("revoked"), an_app_password("kept")),
    temporary_pass=a_temporary_pass(),
)
AFTER = an_account(methods=BEFORE.methods, codes=[a_code("unused")], app_passwords=(an_app_password("kept"),))
PARTS = ("store.db", "store.db-wal", "store.db-shm")


def copy_of(folder: Path) -> Path:
    """Copy the files of a store, open or not, and return where they lie."""
    copies = folder / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    for part in PARTS:
        if (file_in(folder).parent / part).exists():
            shutil.copy2(file_in(folder).parent / part, copies / part)
    return copies


def put_back(copies: Path, folder: Path) -> None:
    """Move the copied files into the place of those of the store."""
    for part in PARTS:
        place = file_in(folder).parent / part
        place.unlink(missing_ok=True)
        if (copies / part).exists():
            aside = place.with_name(f"{part}.aside")
            shutil.copy2(copies / part, aside)
            aside.replace(place)


def begin(store: Store) -> None:
    """Make everything that a copy could revive."""
    kept(store, BEFORE)
    store.commit(a_write(opens=a_session(), begins=a_ceremony(), events=(an_entry("begin"),)))
    kept(store, an_account("bob", temporary_pass=a_temporary_pass("second pass")))


def go_on(store: Store) -> None:
    """Use and revoke things after the copy was made."""
    store.commit(a_write(AFTER, 1, ended=("used", "revoked"), events=(an_entry("go on"),)))
    store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=STEP_NOW - 1),)))


def check_nothing_is_revived(store: Store) -> None:
    """Check all that must not come back."""
    assert store.sessions(ADA) == ()
    assert store.ceremony(CeremonyId("adding")) is None
    assert store.read(ADA).account == AFTER
    assert store.read(AccountId("bob")).account.temporary_pass is None
    assert owner_of(store, Tag(key=KeyId("key-1"), digest=b"revoked")) is None
    with pytest.raises(AlreadyUsed):
        store.commit(a_write(at=LATER, account_id=ADA, uses=(a_use(totp_step=STEP_NOW),)))
