"""A process that is killed while it writes."""

from __future__ import annotations

import random
import struct
import time
from contextlib import closing
from pathlib import Path

from passless.domain.account import Account, AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.sealed import KeyId, Tag
from passless.ports import Store, Write
from passless.stores.sql_store import SqlStore
from tests.builders import NOW, a_security_key, an_account, an_app_password
from tests.stores.builders import a_ceremony, a_notice, a_session, a_use, a_write, an_entry, create, reopen
from tests.stores.children import Child, Report

ADA = AccountId("ada")
KILLS = 200
VERSION = struct.Struct(">Q")
LONGEST_SPIN = 0.002  # seconds; a few commits long


def account_at(version: int) -> Account:
    """Return the account as its version is to be: every row beside it changes with each."""
    key, password = a_security_key(f"key {version}"), an_app_password(f"mail {version}")
    return an_account(methods=[key], app_passwords=(password,), addresses=(f"{version}@example.org",))


def change_for_ever(store: SqlStore, report: Report) -> None:
    """Change the account again and again, and report each version that was accepted."""
    version = store.read(ADA).version
    report(VERSION.pack(version))
    while True:
        following = version + 1
        write = a_write(
            account_at(following),
            version,
            consumes=CeremonyId(str(version)),
            begins=a_ceremony(str(following)),
            uses=(a_use(totp_step=following),),
            ends=(a_session(str(version)).id,),
            opens=a_session(str(following)),
            shown=(f"notice {version}",),
            notices=(a_notice(f"notice {following}"),),
            ended=(f"mail {version}",),
            events=(an_entry("first", details={"to": str(following)}), an_entry("second", of="")),
        )
        assert store.commit(write) == following
        report(VERSION.pack(following))
        version = following
        if version % 5 == 0:
            store.checkpoint(at=NOW)


def first_write() -> Write:
    """Return the write that the others follow."""
    return a_write(
        account_at(1),
        begins=a_ceremony("1"),
        opens=a_session("1"),
        notices=(a_notice("notice 1"),),
        uses=(a_use(totp_step=1),),
        events=(an_entry("first", details={"to": "1"}), an_entry("second", of="")),
    )


def rows_of(store: Store, version: int) -> list[bool]:
    """Tell of each row that comes and goes with a version whether it is there."""
    return [
        store.owner_of_credential(f"key {version}".encode()) == ADA,
        store.read_by_app_password([Tag(key=KeyId("key-1"), digest=f"mail {version}".encode())]) is not None,
        store.session(str(version).encode()) is not None,
        store.ceremony(CeremonyId(str(version))) is not None,
        f"notice {version}" in [notice.id for notice in store.notices(ADA)],
    ]


def check(store: Store, accepted: int) -> None:
    """Check that exactly the accepted changes are there, or one more that could not be reported any more."""
    found = store.read(ADA)
    assert found.version in (accepted, accepted + 1)
    assert found.account == account_at(found.version)
    assert rows_of(store, found.version) == [True] * 5
    assert rows_of(store, found.version - 1) == [False] * 5
    assert rows_of(store, found.version + 1) == [False] * 5
    assert store.uses(ADA)["app"].totp_step == found.version
    assert [event.details["to"] for event in store.events(ADA)][-1] == str(found.version)
    report = store.verify()
    assert (report.events, report.intact, report.truncated) == (2 * found.version, True, False)


def test_a_killed_process_loses_no_accepted_change_and_leaves_no_half_made_one(folder: Path) -> None:
    """Must hold 10: a killed process loses no accepted change and leaves no half-made one.

    Nor is what it leaves taken for an old copy that was put back.
    """
    chance = random.Random(10)
    with closing(create(folder)) as store:
        store.commit(first_write())
    accepted = 1
    for _ in range(KILLS):
        child = Child(lambda report: change_for_ever(reopen(folder), report))
        reported = b"".join(child.next_report(VERSION.size) for _ in range(chance.randrange(1, 8)))
        until = time.perf_counter() + chance.uniform(0, LONGEST_SPIN)
        while time.perf_counter() < until:
            pass
        reported += child.kill()
        (accepted,) = VERSION.unpack(reported[-VERSION.size :])
        with closing(reopen(folder)) as store:
            check(store, accepted)
            assert store.restored_at is None
    assert accepted > KILLS
