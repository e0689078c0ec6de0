"""Uses, sessions and ceremonies, in every store."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from passless.domain.account import AccountId
from passless.domain.ceremonies import CEREMONY_LIFE, USED, CeremonyId
from passless.domain.methods import Kind
from passless.domain.sessions import SESSION_IDLE, SESSION_LIFE, Proof, SessionId, SessionKind
from passless.domain.use_state import UseState
from passless.ports import AlreadyUsed, NoSuchAccount, Store, VersionMoved
from tests.builders import NOW, OLD, an_account
from tests.stores.builders import a_ceremony, a_session, a_use, a_write, an_entry, kept, seconds

ADA = AccountId("ada")


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

    def test_of_two_writes_to_one_session_the_later_is_refused(self, store: Store) -> None:
        """Must hold 12: a proof that somebody else added meanwhile is not lost, and the token of before never comes back."""
        store.commit(a_write(opens=a_session()))
        proven = replace(a_session(), token_hash=b"renewed", proofs=(Proof(kind=Kind.TOTP, at=NOW),))
        store.commit(a_write(updates=proven))
        for late in (a_session(seen=NOW + seconds(60)), replace(proven, proofs=())):
            with pytest.raises(VersionMoved):
                store.commit(a_write(updates=late, events=(an_entry(),)))
        assert store.session(b"laptop") is None
        assert store.session(b"renewed") == replace(proven, version=1)
        assert list(store.events()) == []

    def test_who_only_saw_a_session_in_use_stands_in_nobodys_way(self, store: Store) -> None:
        store.commit(a_write(opens=a_session()))
        for moment in (60, 30):
            store.commit(a_write(updates=a_session(seen=NOW + seconds(moment))))
        assert store.session(b"laptop") == a_session(seen=NOW + seconds(60))

    def test_all_sessions_end_only_where_there_is_no_other(self, store: Store) -> None:
        """Must hold 7: one that was opened since the sessions were read is not missed."""
        kept(store, an_account())
        for name in ("laptop", "phone"):
            store.commit(a_write(opens=a_session(name)))
        store.commit(a_write(opens=a_session("not hers", of="bob")))
        known = (SessionId("laptop"),)
        with pytest.raises(VersionMoved):
            store.commit(a_write(account_id=ADA, among=known, ends=known, events=(an_entry(),)))
        assert len(store.sessions(ADA)) == 2
        known = (SessionId("laptop"), SessionId("phone"), SessionId("gone"))
        store.commit(a_write(account_id=ADA, among=known, ends=known))
        assert store.sessions(ADA) == ()
        assert len(store.sessions(AccountId("bob"))) == 1

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

    def test_a_ceremony_that_was_never_kept_is_used_once(self, store: Store) -> None:
        """Must hold 5: whoever began it holds it, and here stands that it is used until it would be over."""
        sealed = replace(a_ceremony(state=b"held by whoever began it"), sealed=True)
        store.commit(a_write(consumes=sealed))
        assert store.ceremony(sealed.id) == replace(a_ceremony(state=b""), purpose=USED)
        for again in (sealed, replace(sealed, state=b"or another")):
            with pytest.raises(AlreadyUsed):
                store.commit(a_write(an_account(), consumes=again))
        store.sweep(at=NOW + CEREMONY_LIFE)
        assert store.ceremony(sealed.id) is None
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(an_account(), at=NOW + CEREMONY_LIFE, consumes=sealed))
        with pytest.raises(NoSuchAccount):
            store.read(ADA)

    def test_a_refused_write_uses_up_no_ceremony_that_was_never_kept(self, store: Store) -> None:
        """Must hold 10: no half-made change."""
        kept(store, an_account())
        sealed = replace(a_ceremony(), sealed=True)
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 9, consumes=sealed))
        assert store.ceremony(sealed.id) is None
        store.commit(a_write(consumes=sealed))

    def test_two_ceremonies_never_share_an_id(self, store: Store) -> None:
        store.commit(a_write(begins=a_ceremony()))
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(begins=a_ceremony(state=b"other")))
        assert store.ceremony(CeremonyId("adding")) == a_ceremony()

    def test_all_ceremonies_of_a_purpose_end_at_once(self, store: Store) -> None:
        for one in (a_ceremony(), a_ceremony("bob's", of="bob"), a_ceremony("signing in", purpose="sign-in")):
            store.commit(a_write(begins=one))
        store.commit(a_write(ends_purpose="add-totp"))
        found = [store.ceremony(CeremonyId(name)) is None for name in ("adding", "bob's", "signing in")]
        assert found == [True, True, False]
        with pytest.raises(AlreadyUsed):
            store.commit(a_write(an_account(), consumes=CeremonyId("adding")))

    def test_a_refused_write_ends_no_ceremony(self, store: Store) -> None:
        kept(store, an_account())
        store.commit(a_write(begins=a_ceremony()))
        with pytest.raises(VersionMoved):
            store.commit(a_write(an_account(), 9, ends_purpose="add-totp"))
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
