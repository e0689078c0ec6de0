"""Accounts and what they are found by, in every store."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from passless.domain.account import Account, AccountId
from passless.domain.ceremonies import CeremonyId
from passless.domain.changes import AccountName
from passless.domain.sealed import KeyId, Tag
from passless.domain.use_state import Use
from passless.ports import CredentialTaken, NameTaken, NoSuchAccount, Store, VersionMoved
from tests.builders import NOW, a_code, a_recovery, a_security_key, a_temporary_pass, a_totp, an_account, an_app_password
from tests.stores.builders import a_ceremony, a_loss_of, a_notice, a_session, a_use, a_write, an_entry, kept, owner_of, seconds

ADA = AccountId("ada")
TAG = Tag(key=KeyId("key-1"), digest=b"Mail")


def changed(account: Account, **fields: object) -> Account:
    """Return an account with other fields."""
    return msgspec.structs.replace(account, **fields)


def changed_method_id(method: object, name: str) -> object:
    """Return a method under another id."""
    return msgspec.structs.replace(method, id=name)


def changed_tags(app_password: object, *tags: Tag) -> object:
    """Return an app password that is found by other tags."""
    return msgspec.structs.replace(app_password, tags=tags)


class AccountsContract:
    """Accounts: read, made, changed, found, deleted."""

    def test_those_in_groups_are_streamed_alone_each_once_in_the_order_of_their_names(self, store: Store) -> None:
        for name, *groups in (("Carl", "Sales"), ("ada", "sales", "oslo"), ("Bob",), ("dora", "OSLO"), ("eve", "bergen")):
            kept(store, an_account(name, groups=tuple(groups)))

        def found(*groups: str, **more: str) -> list[str]:
            return [stored.account.name for stored in store.accounts(groups=groups, **more)]

        assert found("SALES") == ["ada", "Carl"]
        assert found("sales", "Oslo", "nobody") == ["ada", "Carl", "dora"]
        assert found("sales", "oslo", after="ADA") == ["Carl", "dora"]
        assert found("sales", "oslo", matching="r") == ["Carl", "dora"]
        assert found() == []

    def test_who_is_in_a_group_follows_the_account(self, store: Store) -> None:
        ada, version = an_account("ada", groups=("sales",)), 1
        store.commit(a_write(ada))

        def found(group: str) -> list[str]:
            return [stored.account.name for stored in store.accounts(groups=(group,))]

        for fields, sales, oslo in (
            ({"name": "Zoe"}, ["Zoe"], []),
            ({"groups": ("oslo",)}, [], ["Zoe"]),
            ({"name": "ada", "groups": ("sales", "oslo")}, ["ada"], ["ada"]),
            ({"display_name": "Ada L."}, ["ada"], ["ada"]),
            ({"groups": ()}, [], []),
            ({"groups": ("oslo",)}, [], ["ada"]),
        ):
            ada = changed(ada, **fields)
            version = store.commit(a_write(ada, version)) or 0
            assert (found("sales"), found("oslo")) == (sales, oslo)
        store.commit(a_write(ada, version, delete=True))
        assert found("oslo") == []

    def test_many_in_a_group_come_page_by_page(self, store: Store) -> None:
        for number in range(450):
            kept(store, an_account(f"person {number:03}", groups=("sales",) if number % 2 else ()))
        names = [stored.account.name for stored in store.accounts(groups=("sales",))]
        assert names == [f"person {number:03}" for number in range(1, 450, 2)]

    def test_an_account_comes_back_as_it_was_kept(self, store: Store) -> None:
        account = an_account(
            methods=[a_security_key(), a_totp()],
            codes=[a_code()],
            app_passwords=(an_app_password(),),
            temporary_pass=a_temporary_pass(),
            addresses=("ada@example.org",),
            display_name="Ada Ærlig 🔑",
        )
        kept(store, account)
        assert store.read(ADA).account == account

    @pytest.mark.parametrize("finished_at", [None, NOW])
    def test_an_account_in_recovery_comes_back_as_it_was_kept(self, store: Store, finished_at: datetime | None) -> None:
        account = an_account(methods=[a_security_key()], recovery=a_recovery(finished_at=finished_at))
        kept(store, account)
        assert store.read(ADA).account == account

    def test_a_new_account_is_at_version_1_and_the_next_at_2(self, store: Store) -> None:
        first = store.commit(a_write(an_account()))
        second = store.commit(a_write(an_account(two_step=True), 1))
        assert (first, second, store.read(ADA).version) == (1, 2, 2)

    def test_an_unknown_account_is_not_found(self, store: Store) -> None:
        with pytest.raises(NoSuchAccount, match="nobody"):
            store.read(AccountId("nobody"))

    def test_an_unknown_name_is_not_found(self, store: Store) -> None:
        with pytest.raises(NoSuchAccount, match="nobody"):
            store.read_named(AccountName("nobody"))

    @pytest.mark.parametrize("name", ["\ud800", "a\0b", "x" * 100_000])
    def test_a_name_that_no_account_can_have_is_not_found(self, store: Store, name: str) -> None:
        with pytest.raises(NoSuchAccount):
            store.read_named(AccountName(name))

    def test_a_name_is_found_however_it_is_written(self, store: Store) -> None:
        kept(store, an_account("Straße"))
        assert store.read_named(AccountName(" STRASSE ")).account.name == "Straße"

    def test_accounts_come_in_the_order_of_their_names(self, store: Store) -> None:
        for name in ("Carl", "ada", "Bob"):
            kept(store, an_account(name))
        assert [stored.account.name for stored in store.accounts()] == ["ada", "Bob", "Carl"]

    def test_many_accounts_all_come(self, store: Store) -> None:
        for number in range(450):
            kept(store, an_account(f"person {number:03}"))
        assert [stored.account.name for stored in store.accounts()] == [f"person {number:03}" for number in range(450)]

    def test_accounts_are_found_by_a_part_of_their_name(self, store: Store) -> None:
        for name in ("ada", "Magda", "bob"):
            kept(store, an_account(name))
        assert [stored.account.name for stored in store.accounts(matching="DA")] == ["ada", "Magda"]

    @pytest.mark.parametrize("wildcard", ["%", "_", "!"])
    def test_what_is_searched_for_is_taken_literally(self, store: Store, wildcard: str) -> None:
        kept(store, an_account("ada"))
        kept(store, an_account(f"b{wildcard}b"))
        assert [stored.account.name for stored in store.accounts(matching=wildcard)] == [f"b{wildcard}b"]

    def test_a_change_of_an_old_version_is_refused(self, store: Store) -> None:
        """Must hold 12: two changes at once are checked one after the other."""
        kept(store, an_account())
        store.commit(a_write(an_account(two_step=True), 1))
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(display_name="late"), 1))
        assert store.read(ADA).account.two_step

    def test_an_account_is_made_once(self, store: Store) -> None:
        kept(store, an_account())
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(two_step=True)))
        assert not store.read(ADA).account.two_step

    def test_a_write_without_an_account_can_ask_for_its_version(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(expected=1, account_id=ADA, opens=a_session("in time")))
        store.commit(a_write(an_account(two_step=True), 1))
        with pytest.raises(VersionMoved):
            store.commit(a_write(expected=1, account_id=ADA, opens=a_session("late")))
        assert [session.id for session in store.sessions(ADA)] == ["in time"]

    def test_a_name_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account())
        with pytest.raises(NameTaken, match="ADA"):
            store.commit(a_write(changed(an_account("other"), name=AccountName("ADA"))))

    def test_a_name_of_another_cannot_be_taken_over(self, store: Store) -> None:
        kept(store, an_account())
        kept(store, an_account("bob"))
        with pytest.raises(NameTaken, match="Ada"):
            store.commit(a_write(changed(an_account("bob"), name=AccountName("Ada")), 1))
        assert store.read_named(AccountName("bob")).version == 1

    def test_an_account_can_change_how_its_own_name_is_written(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(changed(an_account(), name=AccountName("Ada")), 1))
        assert store.read_named(AccountName("ada")).account.name == "Ada"

    def test_a_name_that_was_given_up_is_free(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(changed(an_account(), name=AccountName("countess")), 1))
        kept(store, changed(an_account("new"), name=AccountName("ada")))
        assert store.read_named(AccountName("ada")).account.id == "new"

    def test_an_address_that_stands_for_a_name_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account(address_names=("Mail@example.org",)))
        with pytest.raises(NameTaken):
            store.commit(a_write(an_account("bob", address_names=("mail@example.org",))))
        with pytest.raises(NoSuchAccount):
            store.read(AccountId("bob"))

    def test_an_address_that_was_given_up_is_free(self, store: Store) -> None:
        kept(store, an_account(address_names=("mail@example.org",)))
        store.commit(a_write(an_account(), 1))
        assert store.commit(a_write(an_account("bob", address_names=("mail@example.org",)))) == 1

    def test_an_address_that_is_a_note_belongs_to_nobody(self, store: Store) -> None:
        """Must hold 3: anybody may write any address down, as many as like, and nothing finds an account by it."""
        kept(store, an_account(addresses=("mail@example.org",)))
        kept(store, an_account("bob", addresses=("mail@example.org",)))
        assert store.owner_of_address("mail@example.org") is None
        kept(store, an_account("eve", addresses=("mail@example.org",), address_names=("mail@example.org",)))
        assert store.owner_of_address("mail@example.org") == "eve"

    def test_a_deleted_account_is_gone_with_all_it_had(self, store: Store) -> None:
        """Must hold 7: what was removed is unusable from the next request on."""
        account = kept(store, an_account(methods=[a_security_key()], app_passwords=(an_app_password(),)))
        belongings = a_write(
            account_id=ADA, opens=a_session(), begins=a_ceremony(), uses=(a_use(),), notices=(a_notice("key"),)
        )
        store.commit(belongings)
        assert store.commit(a_write(account, 1, delete=True)) is None
        with pytest.raises(NoSuchAccount):
            store.read(ADA)
        found = (store.owner_of_credential(b"blue key"), owner_of(store, TAG), store.session(b"laptop"))
        assert found == (None, None, None)
        assert (store.ceremony(CeremonyId("adding")), store.uses(ADA), store.notices(ADA)) == (None, {}, ())

    def test_a_deleted_account_keeps_its_audit_trail(self, store: Store) -> None:
        """Must hold 8: every change is in the audit log."""
        account = kept(store, an_account())
        store.commit(a_write(account, 1, delete=True, events=(an_entry("delete-account"),)))
        assert [event.event for event in store.events(ADA)] == ["delete-account"]

    def test_a_changed_account_is_not_deleted(self, store: Store) -> None:
        account = kept(store, an_account())
        store.commit(a_write(an_account(two_step=True), 1))
        with pytest.raises(VersionMoved):
            store.commit(a_write(account, 1, delete=True))
        assert store.read(ADA).version == 2

    def test_every_seal_is_found(self, store: Store) -> None:
        lost = a_loss_of(a_totp("lost app"))
        kept(store, an_account(methods=[a_totp()], losses=(lost,)))
        kept(store, an_account("bob", methods=[a_security_key()]))
        assert [(owner, sealed.box) for owner, sealed in store.seals()] == [(ADA, b"sealed seed"), (ADA, b"sealed seed")]


class LookUpsContract:
    """What an account is found by."""

    def test_a_credential_finds_its_account(self, store: Store) -> None:
        kept(store, an_account(methods=[a_security_key()]))
        assert store.owner_of_credential(b"blue key") == ADA
        assert store.read_by_credential(b"blue key") == store.read(ADA)

    def test_a_removed_credential_finds_nobody(self, store: Store) -> None:
        """Must hold 7: a removed method is unusable from the next request on."""
        kept(store, an_account(methods=[a_security_key()]))
        store.commit(a_write(an_account(), 1))
        assert store.owner_of_credential(b"blue key") is None
        with pytest.raises(NoSuchAccount):
            store.read_by_credential(b"blue key")

    def test_an_address_finds_its_account_however_it_is_written(self, store: Store) -> None:
        kept(store, an_account(address_names=("Ada@example.org",)))
        assert store.owner_of_address("ADA@example.org") == ADA
        assert store.owner_of_address("bob@example.org") is None
        store.commit(a_write(an_account(), 1))
        assert store.owner_of_address("ada@example.org") is None

    def test_a_credential_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account(methods=[a_security_key()]))
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account("bob", methods=[a_security_key()])))
        with pytest.raises(NoSuchAccount):
            store.read(AccountId("bob"))

    def test_a_credential_stands_once_in_an_account(self, store: Store) -> None:
        twin = changed_method_id(a_security_key(), "twin")
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account(methods=[a_security_key(), twin])))
        assert store.owner_of_credential(b"blue key") is None

    def test_an_app_password_is_found_by_any_of_its_tags(self, store: Store) -> None:
        spaced = Tag(key=KeyId("key-1"), digest=b"M a i l")
        both = changed_tags(an_app_password(), TAG, spaced)
        kept(store, an_account(app_passwords=(both,)))
        unknown = Tag(key=KeyId("key-0"), digest=b"Mail")
        assert owner_of(store, unknown, spaced) == (ADA, "Mail")

    def test_no_tag_finds_no_app_password(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        assert owner_of(store) is None

    def test_what_finds_an_app_password_tells_when_it_was_used_last(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        store.commit(a_write(account_id=ADA, uses=(a_use(),)))
        for at in (None, NOW, NOW + seconds(60)):
            if at is not None:
                store.commit(a_write(at=at, account_id=ADA, uses=(Use(item="Mail", at=at),)))
            found = store.read_by_app_password([TAG])
            assert found is not None
            assert (found.stored, found.item, found.last_used_at) == (store.read(ADA), "Mail", at)

    def test_a_tag_under_another_key_finds_nothing(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        assert owner_of(store, Tag(key=KeyId("key-2"), digest=b"Mail")) is None

    def test_a_revoked_app_password_is_not_found(self, store: Store) -> None:
        """Must hold 7: a revoked app password is unusable from the next request on."""
        kept(store, an_account(app_passwords=(an_app_password(),)))
        store.commit(a_write(an_account(), 1))
        assert owner_of(store, TAG) is None

    def test_the_tags_of_an_app_password_can_change(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        other = Tag(key=KeyId("key-2"), digest=b"Mail")
        store.commit(a_write(an_account(app_passwords=(changed_tags(an_app_password(), other),)), 1))
        assert (owner_of(store, TAG), owner_of(store, other)) == (None, (ADA, "Mail"))

    def test_a_tag_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account("bob", app_passwords=(an_app_password(),))))
        assert owner_of(store, TAG) == (ADA, "Mail")

    def test_a_tag_belongs_to_one_app_password(self, store: Store) -> None:
        twin = msgspec.structs.replace(an_app_password(), id="twin")
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account(app_passwords=(an_app_password(), twin))))
