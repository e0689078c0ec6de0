"""What an operator may ask, request by request; and the first one, who is made on the host."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.parts import Access, SignUp
from passless.directories.local import LocalDirectory
from passless.domain.errors import PasslessError
from passless.domain.methods import Kind
from passless.domain.operators import MAY_ASK, Asker
from passless.domain.requests import (
    ApproveRecovery,
    CancelWaiting,
    ConfirmCode,
    Delete,
    EndRecovery,
    EndSessions,
    Enrol,
    GrantOperator,
    IssuePass,
    MakeDefault,
    NewAccount,
    NewAppPassword,
    NewInvitation,
    NewRecoveryCode,
    NewToken,
    PasswordlessOn,
    RemoveMethodNamed,
    RenameAccountTo,
    RenameMethodTo,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeAppPasswordsNamed,
    RevokeOperator,
    RevokePass,
    RevokeToken,
    SetGroups,
    SetPassword,
    StartRecoveryOf,
    StopRecovery,
    TakeBackReport,
    TwoStepOff,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, Ended, MadeAppPassword, MadePass, MadeRecoveryCode, MadeToken
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor, Operator
from tests.directories.person import Person
from tests.directories.place import ANOTHER_PASSWORD, HELPER, Place
from tests.directories.sentences import refused
from tests.directories.sentences.rights import the_first
from tests.directories.sentences.settings import in_two_steps
from tests.directories.sentences.tokens import a_token

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
GUESS = Secret("00000-00000-00000-00000-00000")
ASKED: dict[type[Struct], Any] = {
    RenameMethodTo: lambda _: RenameMethodTo(method="blue", name="red"),
    MakeDefault: lambda _: MakeDefault(method="blue"),
    RemoveMethodNamed: lambda _: RemoveMethodNamed(method="blue"),
    SetPassword: lambda _: SetPassword(password=Secret(ANOTHER_PASSWORD)),
    PasswordlessOn: lambda _: PasswordlessOn(),
    TwoStepOn: lambda _: TwoStepOn(),
    TwoStepOff: lambda _: TwoStepOff(),
    NewAppPassword: lambda _: NewAppPassword(name="another"),
    RevokeAppPasswordsNamed: lambda _: RevokeAppPasswordsNamed(names=("Mail",)),
    NewRecoveryCode: lambda _: NewRecoveryCode(),
    ConfirmCode: lambda _: ConfirmCode(code=None),
    ReportLostDevice: lambda _: ReportLostDevice(device="phone"),
    ReportNotMe: lambda ada: ReportNotMe(session=ada.place.store.sessions(ada.view.id)[0].id),
    TakeBackReport: lambda _: TakeBackReport(device="tablet"),
    IssuePass: lambda _: IssuePass(lifetime=AN_HOUR),
    RevokePass: lambda _: RevokePass(),
    StartRecoveryOf: lambda _: StartRecoveryOf(),
    EndRecovery: lambda _: EndRecovery(),
    StopRecovery: lambda _: StopRecovery(),
    CancelWaiting: lambda _: CancelWaiting(),
    RenameAccountTo: lambda _: RenameAccountTo(name="lady"),
    Delete: lambda _: Delete(),
    EndSessions: lambda _: EndSessions(all=True),
    NewToken: lambda _: NewToken(name="another", rights=("status",), lifetime=A_DAY),
    RevokeToken: lambda _: RevokeToken(token="ci"),
    GrantOperator: lambda _: GrantOperator(over=("sales",)),
    RevokeOperator: lambda _: RevokeOperator(),
    SetGroups: lambda _: SetGroups(groups=("sales",)),
    ApproveRecovery: lambda _: ApproveRecovery(id="x"),
}
NOTHING_TO_DO = {RevokePass, CancelWaiting, RevokeOperator, ApproveRecovery}  # on the account that is asked about


class TestTheTable:
    kept_in = "server"

    def test_every_request_is_in_it(self) -> None:
        """Must hold 9: nobody forgets to say who may ask for something new."""
        assert set(MAY_ASK) == set(ASKED) == set(get_args(Request))

    def test_who_was_made_an_operator_is_told_where_to_see_who_did_it(self, place: Place) -> None:
        ada = self._somebody(place)
        first = the_first(place)
        first.ask_for("ada", ASKED[GrantOperator](ada))
        told = [one.message for one in ada.view.notices if one.code == "grant-operator"]
        assert len(told) == 1
        assert "passless operator list" in told[0]
        assert "device lost" not in told[0]

    @pytest.mark.parametrize("kind", list(MAY_ASK), ids=lambda kind: kind.__name__)
    def test_it_says_what_an_operator_is_let_do(self, place: Place, kind: type[Struct]) -> None:
        """Must hold 9: everything else is refused, recorded, and changes nothing."""
        ada = self._somebody(place)
        first = the_first(place)
        place.change(sign_up=SignUp.OPERATOR)  # else people rename themselves
        request, before = ASKED[kind](ada), place.store.read(ada.view.id)
        if MAY_ASK[kind] is Asker.PERSON:
            with refused("operator-may-not"):
                first.ask_for("ada", request)
            assert place.store.read(ada.view.id) == before
            last = place.trail[-1]
            assert (last.actor, last.outcome, last.details["reason"]) == (HELPER, "refused", "they called")
            with refused("operator-may-not"):
                place.directory.plan(Actor(token=first.fresh()), "ada", request)
        elif kind in NOTHING_TO_DO:
            with refused("nothing-there"):
                first.ask_for("ada", request)
        else:
            assert isinstance(first.ask_for("ada", request), Applied)
            assert place.trail[-1].actor == HELPER

    @pytest.mark.parametrize("kind", list(MAY_ASK), ids=lambda kind: kind.__name__)
    def test_it_says_what_the_person_is_let_do(self, place: Place, kind: type[Struct]) -> None:
        """Must hold 9: nobody gives themselves what only an operator gives."""
        ada = self._somebody(place)
        if MAY_ASK[kind] is Asker.OPERATOR:
            with refused("operator-only", "nothing-there"):
                ada.ask(ASKED[kind](ada))
        else:
            with pytest.raises(PasslessError) if kind in self._refused() else _accepted():
                ada.ask(ASKED[kind](ada))

    @staticmethod
    def _refused() -> set[type[Struct]]:
        """What the rules refuse on this account, whoever asks."""
        return {RemoveMethodNamed, PasswordlessOn, TwoStepOn, ConfirmCode, TakeBackReport, EndRecovery, StopRecovery} | (
            NOTHING_TO_DO
        )

    @pytest.mark.parametrize(
        "kind", [one for one, who in MAY_ASK.items() if who is not Asker.PERSON], ids=lambda kind: kind.__name__
    )
    def test_what_an_operator_is_shown_holds_no_secret_but_the_pass(self, place: Place, kind: type[Struct]) -> None:
        """Must hold 9: they learn none, and choose none."""
        ada = self._somebody(place)
        first, asked = the_first(place), ASKED[kind](ada)
        place.change(sign_up=SignUp.OPERATOR)  # else people rename themselves
        if kind in NOTHING_TO_DO:
            with pytest.raises(PasslessError) as caught:
                first.ask_for("ada", asked)
            assert not [one for one in place.secrets if one in repr(vars(caught.value)) + str(caught.value)]
            return
        outcome = first.ask_for("ada", asked)
        assert isinstance(outcome, Applied)
        assert not isinstance(outcome.made, MadeAppPassword | MadeRecoveryCode | MadeToken)
        if isinstance(outcome.made, MadePass):
            assert kind in (IssuePass, StartRecoveryOf)
            place.keep_secret(outcome.made.secret)
        assert not any(isinstance(getattr(asked, field), Secret) for field in kind.__struct_fields__)

    def test_an_operator_learns_not_even_whether_a_code_is_right(self, place: Place) -> None:
        """Must hold 9."""
        ada = self._somebody(place)
        code = ada.new_code()
        first = the_first(place)
        for typed in (Secret(code), GUESS):
            with refused("operator-may-not"):
                place.directory.is_recovery_code(first.helping(), "ada", typed)
            for ask in (place.directory.plan, place.directory.apply):
                with refused("operator-may-not"):
                    ask(first.helping(), "ada", ConfirmCode(code=typed))

    def test_an_operator_begins_no_method_for_somebody_else(self, place: Place) -> None:
        """Must hold 9: they choose nobody's way in."""
        self._somebody(place)
        first = the_first(place)
        for kind in (Kind.TOTP, Kind.SECURITY_KEY, Kind.PASSKEY):
            with refused("operator-may-not"):
                place.directory.begin(first.helping(), "ada", Enrol(kind=kind))

    @staticmethod
    def _somebody(place: Place) -> Person:
        ada, _, _ = in_two_steps(place)
        ada.new_app_password()
        a_token(ada, "status")
        return ada


class _accepted:  # noqa: N801 - reads as part of a sentence
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class TestTheHost:
    kept_in = "server"

    def test_the_first_two_operators_are_made_by_who_can_open_the_store_while_there_are_fewer(self, place: Place) -> None:
        """Must hold 8 and 9: without any session, two at most, and in the audit trail; two are what rule 12 may ask for."""
        for name in ("ada", "eve", "sue"):
            Person(place, name).create(password=None)
        host, here = self._host(place), Actor(place="server room")
        assert host.plan(here, "ada", GrantOperator(first=True)).accepted
        assert isinstance(host.apply(here, "ada", GrantOperator(first=True)), Applied)
        (last,) = (one for one in place.store.events() if one.event == "grant-operator")
        assert (last.event, last.actor, last.account, last.place) == ("grant-operator", "owner", "ada", "server room")
        assert (last.details["over"], last.details["first"]) == ("everybody", "yes")
        with refused("not-the-first"):
            host.apply(here, "ada", GrantOperator(over=("sales",), first=True))
        place.change(rules=replace(place.parts.rules, second_operator=True))
        assert isinstance(self._host(place).apply(here, "eve", GrantOperator(first=True)), Applied)
        ada = place.store.read_named("ada").account  # type: ignore[arg-type]
        assert "new-operator" in {one.code for one in place.store.notices(ada.id)}
        for name in ("ada", "eve", "sue"):
            with refused("not-the-first"):
                host.apply(here, name, GrantOperator(first=True))
        with refused("no-such-account", "not-the-first"):
            host.plan(here, "nobody", GrantOperator(first=True))

    def test_when_nobody_is_left_the_host_may_make_a_first_one_again(self, place: Place) -> None:
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        host, here = self._host(place), Actor(place="server room")
        host.apply(here, "ada", GrantOperator(first=True))
        ada.add_app()
        ada.do(Delete())
        assert eve.view.operator_over is None
        host.apply(here, "eve", GrantOperator(over=("sales",), first=True))
        assert eve.view.operator_over == ("sales",)

    def test_two_operators_over_groups_are_no_first_ones(self, place: Place) -> None:
        """Nobody else could make one over everybody any more."""
        people = [Person(place, name).create(password=None) for name in ("ada", "eve", "sue", "joe")]
        host, here = self._host(place), Actor(place="server room")
        for name in ("ada", "eve"):
            host.apply(here, name, GrantOperator(over=("sales",), first=True))
        host.apply(here, "sue", GrantOperator(first=True))
        assert people[2].view.operator_over == ()
        with refused("not-the-first"):
            host.apply(here, "joe", GrantOperator(first=True))

    def test_of_two_second_operators_made_at_once_there_is_one(self, place: Place) -> None:
        """Must hold 10 and 12: two changes at once are checked one after the other."""
        for name in ("sue", "ada", "eve"):
            Person(place, name).create(password=None)
        host, here, commit, raced = self._host(place), Actor(place="server room"), place.store.commit, []
        host.apply(here, "sue", GrantOperator(first=True))

        def racing(write: Write) -> Any:
            if write.puts and not raced:
                raced.append(True)
                host.apply(here, "eve", GrantOperator(first=True))
            return commit(write)

        place.store.commit = racing  # type: ignore[method-assign]
        with refused("not-the-first"):
            host.apply(here, "ada", GrantOperator(first=True))
        made = {place.store.read_named(name).account.id for name in ("sue", "eve")}  # type: ignore[arg-type]
        assert {one.key for one in place.store.records("operator")} == made

    def test_the_host_has_no_other_right_over_anybody(self, place: Place) -> None:
        """Must hold 9: no owner override exists on a server's store."""
        ada = Person(place).create(password=None)
        ada.add_app()
        host, claim = self._host(place), Actor(operator=Operator(reason="I own the file"), place="server room")
        for request in (
            IssuePass(lifetime=AN_HOUR),
            ReportLostDevice(device="phone"),
            SetGroups(groups=("a",)),
            GrantOperator(),
        ):
            with refused("not-an-operator"):
                host.apply(claim, "ada", request)
        for look in (lambda: host.read(claim, "ada"), lambda: host.read(Actor(), "ada"), lambda: list(host.find("", claim))):
            with refused("not-an-operator", "sign-in-needed"):
                look()

    def test_the_host_makes_accounts_whoever_else_may(self, place: Place) -> None:
        made = self._host(place).create(Actor(place="server room"), NewAccount(name="ada"))
        assert made.account == "ada"
        assert list(place.store.events())[-1].details["on_host"] == "yes"

    @staticmethod
    def _host(place: Place) -> LocalDirectory:
        return LocalDirectory(replace(place.parts, on_host=True, sign_up=SignUp.OPERATOR))


class TestRaces:
    kept_in = "server"

    def test_who_loses_their_rights_while_they_act_does_nothing(self, place: Place) -> None:
        """Must hold 7 and 10: the account moves or the session ends, and everything is checked again."""
        Person(place).create(password=None).add_app()
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        first.put("ada", "sales")
        acting, commit, raced = sue.helping(), place.store.commit, []

        def racing(write: Write) -> Any:
            if write.account is not None and write.account.name == "ada" and not raced:
                raced.append(True)
                first.ask_for("sue", RevokeOperator())
            return commit(write)

        place.store.commit = racing  # type: ignore[method-assign]
        with refused("not-an-operator"):
            place.directory.apply(acting, "ada", IssuePass(lifetime=AN_HOUR))
        assert place.store.read_named("ada").account.temporary_pass is None  # type: ignore[arg-type]

    def test_who_leaves_a_group_at_the_same_moment_is_left_alone(self, place: Place) -> None:
        """Must hold 9 and 10."""
        Person(place).create(password=None).add_app()
        first = the_first(place)
        sue = first.appoint("sue", "sales")
        first.put("ada", "sales")
        acting, commit, raced = sue.helping(), place.store.commit, []

        def racing(write: Write) -> Any:
            if write.account is not None and write.account.temporary_pass is not None and not raced:
                raced.append(True)
                first.put("ada")
            return commit(write)

        place.store.commit = racing  # type: ignore[method-assign]
        with refused("not-below"):
            place.directory.apply(acting, "ada", IssuePass(lifetime=AN_HOUR))

    def test_an_invitation_taken_twice_at_once_makes_one_account(self, place: Place) -> None:
        """Must hold 12."""
        first = the_first(place)
        made = place.directory.invite(first.helping(), NewInvitation())
        commit, raced = place.store.commit, []

        def racing(write: Write) -> Any:
            if write.drops and not raced:
                raced.append(True)
                Person(place, "eve", at="elsewhere").create(password=None, invitation=made.secret)
            return commit(write)

        place.store.commit = racing  # type: ignore[method-assign]
        with refused("not-invited"):
            Person(place).create(password=None, invitation=made.secret)
        assert place.found() == ["eve"]

    def test_a_session_whose_method_is_gone_sees_nothing(self, place: Place) -> None:
        """Must hold 7: not its own account either, where nobody wrote since."""
        ada = Person(place).create(password=None)
        ada.add_app()
        stored = place.store.read_named("ada")  # type: ignore[arg-type]
        place.store.commit(Write(at=place.clock.now, account=replace(stored.account, methods=()), expected=stored.version))
        directory = place.directory
        for look in (
            lambda: directory.read(ada.actor, "ada"),
            lambda: list(directory.find("", ada.actor)),
            lambda: list(directory.events(ada.actor, None)),
            lambda: list(directory.events(ada.actor, "ada")),
        ):
            with refused("sign-in-needed"):
                look()

    def test_with_a_version_nothing_is_tried_again(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        version, commit, tries = ada.view.version, place.store.commit, []

        def moving(write: Write) -> Any:
            tries.append(write)
            raise VersionMoved

        place.store.commit = moving  # type: ignore[method-assign]
        with refused("busy"):
            place.directory.apply(ada.actor, "ada", RenameAccountTo(display_name="A"), version=version)  # type: ignore[arg-type]
        place.store.commit = commit  # type: ignore[method-assign]
        assert len(tries) == 1


class TestEmbedded:
    kept_in = "memory"

    def test_an_embedded_store_has_no_operators_groups_or_invitations_and_says_why(self, place: Place) -> None:
        assert place.parts.access is Access.OWNER
        Person(place).create(password=None)
        claim, directory = place.operator(), place.directory
        for ask in (
            lambda: directory.apply(claim, "ada", GrantOperator()),
            lambda: directory.apply(claim, "ada", GrantOperator(first=True)),
            lambda: directory.apply(claim, "ada", RevokeOperator()),
            lambda: directory.apply(claim, "ada", SetGroups(groups=("a",))),
            lambda: directory.apply(claim, "ada", ApproveRecovery(id="x")),
            lambda: directory.plan(claim, "ada", GrantOperator()),
            lambda: directory.operators(claim),
            lambda: directory.invite(claim, NewInvitation()),
            lambda: directory.invitations(claim),
            lambda: directory.revoke_invitation(claim, "x"),
            lambda: directory.create(Actor(), NewAccount(name="eve", groups=("a",))),
            lambda: directory.create(Actor(), NewAccount(name="eve", invitation=GUESS)),
        ):
            with refused("needs-a-server"):
                ask()
        assert isinstance(directory.apply(claim, "ada", EndSessions(all=True)).made, Ended)  # type: ignore[union-attr]
