"""What was taken back stays so when an old copy of the store is put back: consents, relying parties, rights, invitations."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.actions import consents, kept_names, operators, relying_parties
from passless.actions.invitations import NotInvited
from passless.actions.parts import Access
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.operator_views import MadeInvitation
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import NewRelyingParty
from passless.domain.requests import Delete, GrantOperator, NewAccount, NewInvitation, RevokeOperator
from passless.domain.secret import Secret
from passless.ports import GRANTS, Record, Write
from passless.ports.directory import Actor
from passless.server.api.repeating import KIND as REPEATED
from passless.stores import take_over_store
from passless.stores.sql_store import SqlStore
from tests.builders import NOW
from tests.directories.helper import Helper
from tests.directories.place import PASSWORD, MovableClock, Place, entropy_of, vault_in
from tests.stores.builders import create, file_in, reopen, repeatable_entropy
from tests.stores.copies import copy_of, put_back
from tests.stores.postgres import Cluster, create_at, open_at

LATER = NOW + timedelta(hours=2)


class Stored:
    """A store in a file, of which a copy is put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> SqlStore:
        return create(self.folder)

    def open(self, *, at: datetime = NOW, host: str = "state") -> SqlStore:
        return reopen(self.folder, at=at)

    def copy(self) -> None:
        self._copy = copy_of(self.folder)

    def put_back(self) -> None:
        put_back(self._copy, self.folder)


class Shared(Stored):
    """The same of a database that several hosts share."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder)
        self._cluster, self._url = cluster, cluster.new_database()

    def create(self) -> SqlStore:
        return create_at(self._url, self.folder / "state")

    def open(self, *, at: datetime = NOW, host: str = "state") -> SqlStore:
        return open_at(self._url, self.folder / host, at=at)

    def copy(self) -> None:
        self._of = self._cluster.copy(self._url)

    def put_back(self) -> None:
        self._cluster.put_back(self._of, self._url)


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Stored:
    if request.param == "sqlite":
        return Stored(tmp_path)
    return Shared(tmp_path, request.getfixturevalue("postgres"))


@pytest.fixture
def shared(tmp_path: Path, postgres: Cluster) -> Shared:
    return Shared(tmp_path, postgres)


class Team:
    """A server's store: a helper over all who made another one, a person, two relying parties and two invitations."""

    def __init__(self, store: SqlStore, folder: Path) -> None:
        vault = vault_in(folder, "team", entropy_of(1))
        vault.create()
        self.place = Place(store, vault, MovableClock(), entropy_of(1), folder, serves=True)
        self.use(store)
        self.first = Helper(self.place, "first")
        self.first.become_the_first()
        self.second = self.first.appoint("second", "sales")
        self.keeps = self.first.appoint("keeps", "sales")
        self.ada = self.host.create(Actor(), NewAccount(name="ada", password=Secret(PASSWORD)))
        self.mail, self.chat = (self._register(name) for name in ("mail", "chat"))
        self._agree(self.mail)
        self._agree(self.chat)
        self.taken, self.withdrawn = self._invite("taken"), self._invite("withdrawn")
        answered = Record(kind=REPEATED, key="key", document=b"{}", ends_at=NOW + timedelta(days=1))
        left = kept_names.left(self.place.parts, self.ada.account_id, "ada before", NOW)
        store.commit(Write(at=NOW, puts=(answered, *left)))

    def use(self, store: SqlStore) -> None:
        """Go on with the store as it was opened anew."""
        self.place.change(store=store)
        self.place.store = store
        self.host = LocalDirectory(replace(self.place.parts, on_host=True))

    def _register(self, name: str) -> str:
        return self.host.add_relying_party(Actor(), NewRelyingParty(name=name, redirect_uris=("https://x.example/",))).id

    def _agree(self, client: str) -> None:
        put = consents.with_more(self.place.parts, self.ada.account_id, client, "")
        self.place.store.commit(Write(at=NOW, puts=(put,)))

    def _invite(self, name: str) -> MadeInvitation:
        return self.place.directory.invite(self.first.helping(), NewInvitation(name=name))

    def go_on(self) -> None:
        """Take back what was given."""
        store = self.place.store
        consents.take_back(self.place.parts, store.read(AccountId(self.ada.account_id)).account, self.chat, "")
        self.host.remove_relying_party(Actor(), "mail")
        self.first.ask_for("second", RevokeOperator())
        wanted = NewAccount(name="taken", password=Secret(PASSWORD), invitation=self.taken.secret)
        self.place.directory.create(Actor(), wanted)
        self.place.directory.revoke_invitation(self.first.helping(), self.withdrawn.id)

    def look(self, store: SqlStore) -> Look:
        return Look(self, store)


class Look:
    """What is there now, through a store that was opened anew."""

    def __init__(self, team: Team, store: SqlStore) -> None:
        clock = MovableClock()
        clock.now = LATER
        self.parts = replace(team.place.parts, store=store, clock=clock, access=Access.NOBODY)
        self.team = team

    @property
    def relying_parties(self) -> list[str]:
        return sorted(one.name for one in relying_parties.clients(self.parts))

    @property
    def agreed_to(self) -> list[str]:
        return [one.name for one in consents.of(self.parts, self.team.ada.account_id)]

    @property
    def operators(self) -> list[str]:
        by_account: list[str] = sorted(
            one.account.name for one in self.parts.store.accounts() if one.account.operator is not None
        )
        by_record = [self.parts.store.read(AccountId(one.key)).account.name for one in self.parts.store.records(operators.KIND)]
        assert sorted(by_record) == by_account
        return by_account

    @property
    def invitations(self) -> list[str]:
        good = []
        for made in (self.team.taken, self.team.withdrawn):
            with suppress(NotInvited):
                good.append(LocalDirectory(self.parts).invited(made.secret).name)
        return good


def begun(stored: Stored) -> Team:
    """Return a team of whose store a copy was made, and which goes on."""
    team = Team(stored.create(), stored.folder)
    team.place.close()
    stored.copy()
    team.use(stored.open())
    return team


def put_back_under(team: Team, stored: Stored) -> None:
    """Put the copy back while nobody has the store open."""
    team.place.close()
    stored.put_back()


def test_what_was_taken_back_stays_so(stored: Stored) -> None:
    """Must hold 13: a consent, a relying party with its secret, rights of an operator, invitations, an answer kept."""
    team = begun(stored)
    team.go_on()
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        look = team.look(store)
        assert (store.tell_restored(), store.took_grants) == (LATER, False)
        assert (look.relying_parties, look.agreed_to) == (["chat"], [])
        assert look.operators == ["first", "keeps"]
        assert look.invitations == []
        assert list(store.records(REPEATED)) == []
        assert kept_names.holder(look.parts, "ada before", LATER) == team.ada.account_id, "nobody takes an old name now"
        assert store.verify().intact


def test_a_secret_before_the_new_one_does_not_come_back(stored: Stored) -> None:
    """Must hold 13: its relying party is gone with it; one that has the new secret stays."""
    team = begun(stored)
    team.host.new_relying_party_secret(Actor(), "mail")
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        assert team.look(store).relying_parties == ["chat"]
    team.use(stored.open(at=LATER))
    team.host.new_relying_party_secret(Actor(), "chat")
    team.place.close()
    stored.copy()
    with closing(stored.open(at=LATER)) as store:
        store.count_attempt("ada", at=LATER)
    stored.put_back()
    with closing(stored.open(at=LATER)) as store:
        assert (store.tell_restored(), team.look(store).relying_parties) == (LATER, ["chat"])


def test_rules_before_tighter_ones_do_not_come_back(stored: Stored) -> None:
    """Must hold 13: its relying party is gone with them; one that only got another name is there under that of before."""
    team = begun(stored)
    team.host.change_relying_party(Actor(), "mail", RelyingPartyChange(requires="two-factors"))
    team.host.change_relying_party(Actor(), "chat", RelyingPartyChange(name="talk"))
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        assert team.look(store).relying_parties == ["chat"]


def test_what_was_not_taken_back_is_still_there(stored: Stored) -> None:
    team = begun(stored)
    team.host.create(Actor(), NewAccount(name="bob", password=Secret(PASSWORD)))
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        look = team.look(store)
        assert (look.relying_parties, look.agreed_to) == (["chat", "mail"], ["chat", "mail"])
        assert (look.operators, look.invitations) == (["first", "keeps", "second"], [])


def test_less_rights_do_not_become_more_again(stored: Stored) -> None:
    """Must hold 13: who was over a group more does not come back over it."""
    team = begun(stored)
    team.first.ask_for("second", GrantOperator(over=("bergen",)))
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        assert team.look(store).operators == ["first", "keeps"]


def test_rights_of_a_deleted_account_do_not_come_back(stored: Stored) -> None:
    """Must hold 13."""
    team = begun(stored)
    team.second.fresh()
    team.place.directory.apply(team.second.actor, "second", Delete())
    put_back_under(team, stored)
    with closing(stored.open(at=LATER)) as store:
        assert team.look(store).operators == ["first", "keeps"]


def check_everything_went(team: Team, store: SqlStore) -> None:
    """Nobody has what somebody may have taken back, it is in the trail, and a first operator can be made."""
    look = team.look(store)
    assert (store.tell_restored(), store.took_grants) == (LATER, True)
    assert (look.relying_parties, look.agreed_to, look.operators, look.invitations) == ([], [], [], [])
    (event,) = (one for one in store.events(AccountId("")) if one.event == "store-restored")
    assert event.details["ended"] == ",".join(GRANTS)
    LocalDirectory(replace(look.parts, on_host=True)).apply(Actor(), "first", GrantOperator(first=True))
    assert look.operators == ["first"]


def test_where_another_host_wrote_everything_goes_that_somebody_may_have_taken_back(shared: Shared) -> None:
    """Must hold 13: what another host ended is not known here."""
    shared.create().close()
    with closing(shared.open(host="another host")) as elsewhere:
        elsewhere.count_attempt("ada", at=NOW)
    team = Team(shared.open(), shared.folder)
    team.place.close()
    shared.copy()
    with closing(shared.open()) as store:
        store.count_attempt("ada", at=NOW)
    shared.put_back()
    with closing(shared.open(at=LATER)) as store:
        check_everything_went(team, store)


def test_a_host_that_never_had_the_store_says_so(shared: Shared) -> None:
    """Must hold 13: it cannot tell an old copy from a store that it joins; whoever put one back says so."""
    team = begun(shared)
    team.go_on()
    put_back_under(team, shared)
    with closing(shared.open(at=LATER, host="new host")) as store:
        assert (store.restored_at, store.tell_new_here(), store.tell_new_here()) == (None, True, False)
        store.take_for_old_copy(at=LATER)
        check_everything_went(team, store)
    with closing(shared.open(at=LATER, host="new host")) as store:
        assert not store.tell_new_here()


def test_a_store_that_is_made_here_is_not_new_to_its_host(stored: Stored) -> None:
    with closing(stored.create()) as store, closing(stored.open()) as other:
        assert (store.tell_new_here(), other.tell_new_here()) == (False, False)


def test_a_store_whose_state_is_lost_keeps_nothing_that_somebody_may_have_taken_back(tmp_path: Path) -> None:
    """Must hold 13: what ended stood in the folder that is lost. The next old copy is one of a known past again."""
    stored = Stored(tmp_path)
    team = Team(stored.create(), stored.folder)
    team.place.close()
    shutil.rmtree(tmp_path / "state")
    entropy = repeatable_entropy(3)
    with closing(take_over_store(file_in(tmp_path), state=tmp_path / "state", at=LATER, entropy=entropy)) as store:
        check_everything_went(team, store)
    stored.copy()
    with closing(stored.open()) as store:
        store.count_attempt("ada", at=NOW)
    stored.put_back()
    with closing(stored.open(at=LATER)) as store:
        assert (store.tell_restored(), store.took_grants) == (LATER, False)
        assert team.look(store).operators == ["first"]
