"""What every store does."""

from __future__ import annotations

import msgspec
import pytest

from passless.domain.account import Account, AccountId
from passless.domain.ceremonies import CEREMONY_LIFE, CeremonyId
from passless.domain.changes import AccountName
from passless.domain.sealed import KeyId, Tag
from passless.domain.sessions import SESSION_IDLE, SESSION_LIFE, SessionId, SessionKind
from passless.domain.use_state import UseState
from passless.ports import AlreadyUsed, CredentialTaken, NameTaken, NoSuchAccount, Store, VersionMoved
from tests.builders import NOW, OLD, a_code, a_security_key, a_temporary_pass, a_totp, an_account, an_app_password
from tests.stores.builders import a_ceremony, a_loss_of, a_notice, a_session, a_use, a_write, an_entry, kept, seconds

ADA = AccountId("ada")
TAG = Tag(key=KeyId("key-1"), digest=b"Mail")


def changed(account: Account, **fields: object) -> Account:
    """Return an account with other fields."""
    return msgspec.structs.replace(account, **fields)


class AccountsContract:
    """Accounts: read, made, changed, found, deleted."""

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

    def test_an_address_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account(addresses=("Mail@example.org",)))
        with pytest.raises(NameTaken):
            store.commit(a_write(an_account("bob", addresses=("mail@example.org",))))
        with pytest.raises(NoSuchAccount):
            store.read(AccountId("bob"))

    def test_an_address_that_was_given_up_is_free(self, store: Store) -> None:
        kept(store, an_account(addresses=("mail@example.org",)))
        store.commit(a_write(an_account(), 1))
        assert store.commit(a_write(an_account("bob", addresses=("mail@example.org",)))) == 1

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
        found = (store.owner_of_credential(b"blue key"), store.owner_of_app_password([TAG]), store.session(b"laptop"))
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

    def test_a_removed_credential_finds_nobody(self, store: Store) -> None:
        """Must hold 7: a removed method is unusable from the next request on."""
        kept(store, an_account(methods=[a_security_key()]))
        store.commit(a_write(an_account(), 1))
        assert store.owner_of_credential(b"blue key") is None

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
        assert store.owner_of_app_password([unknown, spaced]) == (ADA, "Mail")

    def test_no_tag_finds_no_app_password(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        assert store.owner_of_app_password([]) is None

    def test_a_tag_under_another_key_finds_nothing(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        assert store.owner_of_app_password([Tag(key=KeyId("key-2"), digest=b"Mail")]) is None

    def test_a_revoked_app_password_is_not_found(self, store: Store) -> None:
        """Must hold 7: a revoked app password is unusable from the next request on."""
        kept(store, an_account(app_passwords=(an_app_password(),)))
        store.commit(a_write(an_account(), 1))
        assert store.owner_of_app_password([TAG]) is None

    def test_the_tags_of_an_app_password_can_change(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        other = Tag(key=KeyId("key-2"), digest=b"Mail")
        store.commit(a_write(an_account(app_passwords=(changed_tags(an_app_password(), other),)), 1))
        assert (store.owner_of_app_password([TAG]), store.owner_of_app_password([other])) == (None, (ADA, "Mail"))

    def test_a_tag_belongs_to_one_account(self, store: Store) -> None:
        kept(store, an_account(app_passwords=(an_app_password(),)))
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account("bob", app_passwords=(an_app_password(),))))
        assert store.owner_of_app_password([TAG]) == (ADA, "Mail")

    def test_a_tag_belongs_to_one_app_password(self, store: Store) -> None:
        twin = msgspec.structs.replace(an_app_password(), id="twin")
        with pytest.raises(CredentialTaken):
            store.commit(a_write(an_account(app_passwords=(an_app_password(), twin))))


class UsesContract:
    """Use-states: no proof is accepted twice."""

    def test_a_use_leaves_its_state(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=7, counter=3, backed_up=True),)))
        expected = UseState(item="app", last_used_at=NOW, totp_step=7, counter=3, backed_up=True)
        assert store.uses(ADA) == {"app": expected}

    def test_a_use_does_not_move_the_version(self, store: Store) -> None:
        kept(store, an_account())
        version = store.commit(a_write(account_id=ADA, uses=(a_use(),)))
        assert (version, store.read(ADA).version) == (None, 1)

    def test_what_a_use_does_not_say_stays(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=7, counter=3, backed_up=True, cloned=True),)))
        store.commit(a_write(account_id=ADA, uses=(a_use(),)))
        found = store.uses(ADA)["app"]
        assert (found.totp_step, found.counter, found.backed_up, found.cloned) == (7, 3, True, True)

    @pytest.mark.parametrize("step", [6, 7])
    def test_a_totp_step_is_accepted_once(self, store: Store, step: int) -> None:
        """Must hold 12: the same proof is accepted once."""
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=7),)))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=step),), opens=a_session()))
        assert store.session(b"laptop") is None

    def test_the_next_totp_step_is_accepted(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=7),)))
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=8),)))
        assert store.uses(ADA)["app"].totp_step == 8

    @pytest.mark.parametrize("counter", [2, 3])
    def test_a_counter_only_goes_up(self, store: Store, counter: int) -> None:
        """Must hold 12: the same proof is accepted once."""
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(counter=3),)))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(account_id=ADA, uses=(a_use(counter=counter),)))
        assert store.uses(ADA)["app"].counter == 3

    def test_a_key_without_a_counter_is_accepted_again(self, store: Store) -> None:
        kept(store, an_account())
        for _ in range(2):
            store.commit(a_write(account_id=ADA, uses=(a_use(counter=0),)))
        assert store.uses(ADA)["app"].counter == 0

    def test_a_method_can_be_marked_as_cloned(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(account_id=ADA, uses=(a_use(counter=3),)))
        store.commit(a_write(account_id=ADA, uses=(a_use(counter=2, cloned=True),)))
        assert store.uses(ADA)["app"] == UseState(item="app", last_used_at=NOW, counter=3, cloned=True)

    def test_uses_belong_to_their_account(self, store: Store) -> None:
        kept(store, an_account())
        kept(store, an_account("bob"))
        store.commit(a_write(account_id=ADA, uses=(a_use(totp_step=7),)))
        store.commit(a_write(account_id=AccountId("bob"), uses=(a_use(totp_step=7),)))
        assert store.uses(AccountId("bob"))["app"].totp_step == 7

    def test_the_session_that_opens_says_whose_uses_they_are(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(opens=a_session(), uses=(a_use(),)))
        assert list(store.uses(ADA)) == ["app"]

    def test_uses_of_nobody_are_a_fault(self, store: Store) -> None:
        with pytest.raises(ValueError, match="names its account"):
            store.commit(a_write(uses=(a_use(),)))

    def test_a_deleted_account_is_not_used(self, store: Store) -> None:
        with pytest.raises(VersionMoved):
            store.commit(a_write(account_id=ADA, uses=(a_use(),)))
        assert store.uses(ADA) == {}


class SessionsContract:
    """Sessions and ceremonies."""

    def test_a_session_is_found_by_the_hash_of_its_token(self, store: Store) -> None:
        store.commit(a_write(opens=a_session()))
        assert store.session(b"laptop") == a_session()

    def test_an_unknown_token_finds_no_session(self, store: Store) -> None:
        assert store.session(b"nothing") is None

    def test_the_newest_session_comes_first(self, store: Store) -> None:
        for name, created in (("b", NOW), ("a", NOW), ("old", OLD)):
            store.commit(a_write(opens=a_session(name, created=created)))
        store.commit(a_write(opens=a_session("not hers", of="bob")))
        assert [session.id for session in store.sessions(ADA)] == ["a", "b", "old"]

    def test_a_session_is_updated(self, store: Store) -> None:
        store.commit(a_write(opens=a_session()))
        later = a_session(seen=NOW + seconds(60))
        store.commit(a_write(updates=later))
        assert store.session(b"laptop") == later

    def test_an_ended_session_is_gone(self, store: Store) -> None:
        """Must hold 7: an ended session is unusable from the next request on."""
        store.commit(a_write(opens=a_session()))
        store.commit(a_write(ends=(SessionId("laptop"), SessionId("unknown"))))
        assert store.session(b"laptop") is None

    def test_an_ended_session_is_not_updated_back_to_life(self, store: Store) -> None:
        """Must hold 7: an ended session is unusable from the next request on."""
        store.commit(a_write(opens=a_session()))
        store.commit(a_write(ends=(SessionId("laptop"),)))
        with pytest.raises(VersionMoved):
            store.commit(a_write(updates=a_session(), events=(an_entry(),)))
        assert store.session(b"laptop") is None
        assert list(store.events()) == []

    @pytest.mark.parametrize("again", [a_session(), a_session("laptop", of="bob")])
    def test_two_sessions_never_share_a_token(self, store: Store, again: object) -> None:
        store.commit(a_write(opens=a_session()))
        with pytest.raises(VersionMoved):
            store.commit(a_write(opens=again))
        assert store.session(b"laptop") == a_session()

    def test_a_ceremony_comes_back(self, store: Store) -> None:
        store.commit(a_write(begins=a_ceremony(state=b"\x00\xff")))
        assert store.ceremony(CeremonyId("adding")) == a_ceremony(state=b"\x00\xff")

    def test_an_unknown_ceremony_is_none(self, store: Store) -> None:
        assert store.ceremony(CeremonyId("nothing")) is None

    def test_a_ceremony_is_used_once(self, store: Store) -> None:
        """Must hold 5: every ceremony is used once."""
        store.commit(a_write(begins=a_ceremony()))
        store.commit(a_write(consumes=CeremonyId("adding")))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(an_account(), consumes=CeremonyId("adding")))
        with pytest.raises(NoSuchAccount):
            store.read(ADA)

    def test_an_expired_ceremony_is_not_used(self, store: Store) -> None:
        """Must hold 5: every ceremony expires."""
        store.commit(a_write(begins=a_ceremony()))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(an_account(), at=NOW + CEREMONY_LIFE, consumes=CeremonyId("adding")))
        with pytest.raises(NoSuchAccount):
            store.read(ADA)

    def test_a_refused_write_leaves_its_ceremony_open(self, store: Store) -> None:
        """Must hold 10: no half-made change."""
        kept(store, an_account())
        store.commit(a_write(begins=a_ceremony()))
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 9, consumes=CeremonyId("adding")))
        assert store.ceremony(CeremonyId("adding")) == a_ceremony()

    def test_a_ceremony_goes_on_under_its_id(self, store: Store) -> None:
        store.commit(a_write(begins=a_ceremony()))
        store.commit(a_write(consumes=CeremonyId("adding"), begins=a_ceremony(state=b"one try")))
        assert store.ceremony(CeremonyId("adding")) == a_ceremony(state=b"one try")

    def test_two_ceremonies_never_share_an_id(self, store: Store) -> None:
        store.commit(a_write(begins=a_ceremony()))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(begins=a_ceremony(state=b"other")))
        assert store.ceremony(CeremonyId("adding")) == a_ceremony()

    def test_what_expired_is_swept_away(self, store: Store) -> None:
        token = a_session("token", kind=SessionKind.TOKEN)
        for session in (a_session(), token):
            store.commit(a_write(opens=session))
        store.commit(a_write(begins=a_ceremony()))
        store.sweep(at=NOW + SESSION_IDLE)
        found = (store.session(b"laptop"), store.session(b"token"), store.ceremony(CeremonyId("adding")))
        assert found == (None, token, None)

    def test_what_did_not_expire_is_left_by_a_sweep(self, store: Store) -> None:
        store.commit(a_write(opens=a_session(), begins=a_ceremony()))
        store.sweep(at=NOW + CEREMONY_LIFE - seconds(1))
        assert (store.session(b"laptop"), store.ceremony(CeremonyId("adding"))) == (a_session(), a_ceremony())

    def test_a_token_is_swept_when_it_expires(self, store: Store) -> None:
        store.commit(a_write(opens=a_session("token", kind=SessionKind.TOKEN)))
        store.sweep(at=NOW + SESSION_LIFE)
        assert store.session(b"token") is None


class RecordsContract:
    """Throttle counters, notices, events."""

    def test_a_counter_says_where_it_stood_before(self, store: Store) -> None:
        found = [store.count_attempt("ada", at=NOW + seconds(number)) for number in range(3)]
        assert [(one.count, one.last_at) for one in found[1:]] == [(1, NOW), (2, NOW + seconds(1))]
        assert found[0].count == 0

    def test_a_counter_can_be_looked_at(self, store: Store) -> None:
        assert store.attempts("ada") is None
        store.count_attempt("ada", at=NOW)
        found = store.attempts("ada")
        assert found is not None
        assert (found.count, found.last_at) == (1, NOW)

    def test_a_write_forgives(self, store: Store) -> None:
        store.count_attempt("ada", at=NOW)
        store.count_attempt("bob", at=NOW)
        store.commit(a_write(forgives=("ada",)))
        assert (store.attempts("ada"), store.attempts("bob") is None) == (None, False)

    def test_an_idle_counter_is_forgotten(self, store: Store) -> None:
        store.count_attempt("ada", at=OLD)
        store.count_attempt("bob", at=NOW)
        store.sweep(at=NOW)
        assert (store.attempts("ada"), store.attempts("bob") is None) == (None, False)

    def test_a_counter_that_turned_something_off_is_never_forgotten(self, store: Store) -> None:
        for _ in range(100):
            store.count_attempt("ada", at=OLD)
        store.sweep(at=NOW)
        assert store.attempts("ada") is not None

    def test_notices_come_in_their_order_until_they_are_shown(self, store: Store) -> None:
        notices = (a_notice("second"), a_notice("first", at=OLD), a_notice("third"), a_notice("not hers", of="bob"))
        store.commit(a_write(notices=notices))
        store.commit(a_write(shown=("third", "unknown")))
        assert store.notices(ADA) == (a_notice("first", at=OLD), a_notice("second"))

    def test_an_event_comes_back_as_it_was_recorded(self, store: Store) -> None:
        """Must hold 8: who, what, when, from where."""
        entry = an_entry(place="192.0.2.7", details={"method": "blue key", "device": "blå nøkkel"})
        store.commit(a_write(events=(entry,)))
        (event,) = store.events(ADA)
        found = {name: getattr(event, name) for name in entry.__struct_fields__}
        assert (event.seq, found) == (1, msgspec.structs.asdict(entry))

    def test_every_event_has_a_hash_of_its_own(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry(), an_entry(), an_entry(of="bob"), an_entry(of=""))))
        hashes = [event.hash for event in store.events()]
        assert len(set(hashes)) == 4
        assert {len(bytes.fromhex(one)) for one in hashes} == {32}

    def test_each_account_has_its_own_trail(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("one"), an_entry("two", of="bob"))))
        store.commit(a_write(events=(an_entry("three"), an_entry("failed-sign-in", of=""))))
        found = {owner: [(e.seq, e.event) for e in store.events(AccountId(owner))] for owner in ("ada", "bob", "")}
        assert found == {"ada": [(1, "one"), (2, "three")], "bob": [(1, "two")], "": [(1, "failed-sign-in")]}

    def test_all_events_come_the_oldest_first(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("new"), an_entry("old", of="bob", at=OLD))))
        assert [event.event for event in store.events()] == ["old", "new"]

    def test_events_can_be_asked_for_since_a_moment(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry("old", at=OLD), an_entry("new"), an_entry("old", of="bob", at=OLD))))
        assert [event.event for event in store.events(since=NOW)] == ["new"]
        assert [event.event for event in store.events(ADA, since=NOW)] == ["new"]

    def test_many_events_all_come(self, store: Store) -> None:
        entries = tuple(an_entry(str(number), of=f"account {number % 3}") for number in range(1700))
        store.commit(a_write(events=entries))
        assert len(list(store.events())) == 1700
        assert [event.seq for event in store.events(AccountId("account 0"))] == list(range(1, 568))

    def test_a_refused_write_records_nothing(self, store: Store) -> None:
        """Must hold 10: no half-made change."""
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 1, events=(an_entry(),), notices=(a_notice("key"),), begins=a_ceremony()))
        assert (list(store.events()), store.notices(ADA), store.ceremony(CeremonyId("adding"))) == ([], (), None)

    def test_a_trail_that_nobody_touched_is_intact(self, store: Store) -> None:
        store.commit(a_write(events=(an_entry(), an_entry(of="bob"))))
        found = store.verify()
        assert (found.events, found.intact, found.first_broken, found.truncated) == (2, True, None, False)

    def test_a_store_that_was_never_restored_says_so(self, store: Store) -> None:
        assert store.restored_at is None
        assert store.id.isalnum()


def changed_method_id(method: object, name: str) -> object:
    """Return a method under another id."""
    return msgspec.structs.replace(method, id=name)


def changed_tags(app_password: object, *tags: Tag) -> object:
    """Return an app password that is found by other tags."""
    return msgspec.structs.replace(app_password, tags=tags)


class StoreContract(AccountsContract, LookUpsContract, UsesContract, SessionsContract, RecordsContract):
    """Run for each store; the class that derives from it gives `store`."""
