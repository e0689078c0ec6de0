"""Who is above whom, what one may give, and how two operators agree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.changes import (
    AskApproval,
    CancelPending,
    Change,
    GiveApproval,
    GrantRights,
    IssueTemporaryPass,
    PutIntoGroups,
    RevokeRights,
    Settle,
    StartRecovery,
)
from passless.domain.methods import SignInMethod
from passless.domain.names import BadName
from passless.domain.operators import MAXIMUM_GROUPS, OperatorRights, clean_groups, difference
from passless.domain.recovery import Approval, Reporter
from passless.domain.safety.context import Context
from passless.domain.safety.next_steps import AtHand, next_steps
from passless.domain.safety.operator_rules import may_act_on, proof_for_others
from passless.domain.safety.planning import plan
from passless.domain.sessions import SessionKind
from passless.domain.showing import standing_problems
from tests.builders import (
    NOW,
    RULES,
    a_password,
    a_recovery,
    a_saved_code,
    a_security_key,
    a_temporary_pass,
    a_totp,
    accepted,
    an_account,
    an_operator,
    proven_with,
    refusals_of,
)

GROUPS = st.lists(st.sampled_from(["sales", "Oslo", "bergen"]), unique=True, max_size=3).map(tuple)
RIGHTS = GROUPS.map(lambda over: OperatorRights(since=NOW, over=over))
MAYBE = st.none() | RIGHTS
LONG_AGO = NOW - timedelta(hours=24)


def over(*groups: str) -> OperatorRights:
    """Rights over some groups; over all where none is named."""
    return OperatorRights(since=NOW, over=groups)


def somebody(name: str, rights: OperatorRights | None = None, *groups: str) -> Account:
    """An account in groups, with rights."""
    return an_account(name, operator=rights, groups=groups)


class TestRanks:
    """Must hold 9: nobody acts on an account that may do as much."""

    @given(MAYBE, MAYBE, GROUPS, GROUPS)
    def test_of_two_accounts_at_most_one_is_above_the_other(
        self, one: OperatorRights | None, other: OperatorRights | None, mine: tuple[str, ...], theirs: tuple[str, ...]
    ) -> None:
        a, b = somebody("a", one, *mine), somebody("b", other, *theirs)
        assert not (may_act_on(a, b) and may_act_on(b, a))

    @given(MAYBE, GROUPS)
    def test_nobody_is_above_themselves(self, rights: OperatorRights | None, groups: tuple[str, ...]) -> None:
        account = somebody("a", rights, *groups)
        assert not may_act_on(account, account)
        assert not may_act_on(account, account, equals=True)

    @given(RIGHTS, MAYBE, GROUPS)
    def test_who_may_be_helped_may_do_less(
        self, rights: OperatorRights, theirs: OperatorRights | None, groups: tuple[str, ...]
    ) -> None:
        if may_act_on(somebody("a", rights), somebody("b", theirs, *groups)) and theirs is not None:
            assert rights.covers(theirs.over)
            assert not theirs.covers(rights.over)

    @given(RIGHTS, MAYBE, GROUPS)
    def test_rights_are_taken_from_equals_too_and_never_from_who_has_more(
        self, rights: OperatorRights, theirs: OperatorRights | None, groups: tuple[str, ...]
    ) -> None:
        if may_act_on(somebody("a", rights), somebody("b", theirs, *groups), equals=True) and theirs is not None:
            assert rights.covers(theirs.over)

    @given(RIGHTS, RIGHTS, GROUPS)
    def test_nobody_over_groups_takes_rights_from_an_equal(
        self, rights: OperatorRights, theirs: OperatorRights, groups: tuple[str, ...]
    ) -> None:
        me, other = somebody("a", rights), somebody("b", theirs, *groups)
        if rights.over:
            assert may_act_on(me, other, equals=True) == may_act_on(me, other)

    def test_one_over_all_is_above_everybody_who_is_not(self) -> None:
        boss = somebody("boss", over())
        assert may_act_on(boss, somebody("ada"))
        assert may_act_on(boss, somebody("sue", over("sales")))
        assert not may_act_on(boss, somebody("other", over()))

    def test_groups_are_compared_as_names_are(self) -> None:
        assert over("SALES").reaches(["sales"])
        assert over("Sales").covers(["sales"])
        assert not over("sales").covers([])  # over all is more
        assert difference(["Sales"], ["sales", "oslo"]) == {"oslo"}


class TestGroupNames:
    def test_each_stands_once_in_its_normal_form(self) -> None:
        assert clean_groups([" Sales ", "sales", "\uff2fslo"]) == ("Sales", "Oslo")

    @pytest.mark.parametrize(
        "groups",
        [[""], ["a,b"], ["a b"], ["bad group!"], ["a\nb"], ["a" * 65], [str(one) for one in range(MAXIMUM_GROUPS + 1)]],
    )
    def test_what_cannot_be_a_group_is_refused(self, groups: list[str]) -> None:
        with pytest.raises(BadName):
            clean_groups(groups)


class TestGiving:
    """Nobody gives or takes away more than they have."""

    @staticmethod
    def _by(rights: OperatorRights | None, actor: Reporter = Reporter.OPERATOR) -> Context:
        return Context(now=NOW, actor=actor, rights=rights)

    @pytest.mark.parametrize(
        ("change", "is_within"),
        [
            (GrantRights(over=("sales",)), True),
            (GrantRights(over=("sales", "oslo")), True),
            (GrantRights(over=("bergen",)), False),
            (GrantRights(), False),
            (RevokeRights(), True),
            (PutIntoGroups(groups=("sales", "it")), True),
            (PutIntoGroups(groups=("it",)), True),
            (PutIntoGroups(groups=("sales",)), False),  # takes them out of a group of others
            (PutIntoGroups(groups=("sales", "it", "bergen")), False),
        ],
    )
    def test_an_operator_over_two_groups(self, change: Change, is_within: bool) -> None:
        ada = somebody("ada", over("oslo"), "sales", "it")
        assert refusals_of(ada, change, self._by(over("sales", "oslo"))) == (set() if is_within else {"beyond-rights"})
        assert refusals_of(ada, change, self._by(over())) == set()
        assert refusals_of(ada, change, self._by(None)) == {"beyond-rights"}
        assert refusals_of(ada, change, proven_with()) == {"operator-only"}

    def test_what_is_given_stands_on_the_account_and_goes_again(self) -> None:
        ada = accepted(somebody("ada"), GrantRights(over=("sales",)), self._by(over()))
        assert ada.operator == over("sales")
        ada = accepted(ada, PutIntoGroups(groups=("it",)), self._by(over()))
        assert ada.groups == ("it",)
        assert accepted(ada, RevokeRights(), self._by(over())).operator is None

    def test_how_one_signs_in_is_left_alone(self) -> None:
        """An account without a way in is put into a group like any other."""
        found = plan(somebody("ada"), PutIntoGroups(groups=("it",)), self._by(over()), RULES)
        assert found.problems == ()


class TestTwoAgree:
    ASKED = Approval(id="wish", asked="a pass", asked_by="first", asked_name="first", asked_at=NOW)

    def test_another_one_approves_and_who_asked_does_not(self) -> None:
        ada = accepted(somebody("ada"), AskApproval(approval=self.ASKED), an_operator())
        assert refusals_of(ada, GiveApproval(id="wish", by="first", name="first", since=LONG_AGO), an_operator()) == {
            "second-operator"
        }
        assert refusals_of(ada, GiveApproval(id="wish", by="ada", name="ada", since=LONG_AGO), an_operator()) == {
            "second-operator"
        }
        given_by = accepted(ada, GiveApproval(id="wish", by="second", name="second", since=LONG_AGO), an_operator()).approval
        assert given_by is not None
        assert (given_by.approved_by, given_by.approved_at) == ("second", NOW)

    def test_without_a_wish_there_is_nothing_to_approve(self) -> None:
        late = replace(an_operator(), now=NOW + timedelta(hours=24))
        for account, context in ((somebody("ada"), an_operator()), (replace(somebody("ada"), approval=self.ASKED), late)):
            assert refusals_of(account, GiveApproval(id="wish", by="second", name="second", since=LONG_AGO), context) == {
                "nothing-asked"
            }

    @pytest.mark.parametrize(
        "change",
        [
            IssueTemporaryPass(temporary_pass=a_temporary_pass()),
            StartRecovery(by=Reporter.OPERATOR),
            CancelPending(id="wish"),
            Settle(at=NOW + timedelta(hours=24)),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_it_goes_when_it_is_used_stopped_or_old(self, change: Change) -> None:
        """Must hold 12."""
        assert apply(replace(somebody("ada"), approval=self.ASKED), change, now=NOW).approval is None

    def test_it_lasts_a_day_from_the_approval(self) -> None:
        agreed = replace(self.ASKED, approved_by="second", approved_at=NOW + timedelta(hours=20))
        assert agreed.holds(NOW + timedelta(hours=43))
        assert not agreed.holds(NOW + timedelta(hours=44))


class TestProofs:
    """Must hold 6: acting for others asks what a change to two-step on one's own account would."""

    KEY, APP = a_security_key(), a_totp()

    def test_as_strong_as_the_strongest_way_in(self) -> None:
        strong, weak = an_account(methods=[self.KEY, self.APP]), an_account(methods=[self.APP])
        for account, proof, is_enough in ((strong, self.KEY, True), (strong, self.APP, False), (weak, self.APP, True)):
            need, have = proof_for_others(account, proven_with(proof), RULES)
            assert (have >= need) is is_enough

    def test_an_account_without_a_way_in_still_has_to_prove_something(self) -> None:
        need, have = proof_for_others(an_account(), proven_with(), RULES)
        assert have < need

    @pytest.mark.parametrize(
        "session", [SessionKind.DEVICE_CODE, SessionKind.TEMPORARY_PASS, SessionKind.RECOVERY_CODE, SessionKind.TOKEN]
    )
    def test_sessions_that_give_no_proof_give_none_here(self, session: SessionKind) -> None:
        need, have = proof_for_others(an_account(methods=[self.KEY]), proven_with(self.KEY, session=session), RULES)
        assert have < need

    def test_what_came_in_through_a_recovery_proves_nothing_for_a_day(self) -> None:
        account = an_account(methods=[self.KEY], recovery=a_recovery(enrolled=[self.KEY.id]))
        need, have = proof_for_others(account, proven_with(self.KEY), RULES)
        assert have < need


@pytest.mark.parametrize(
    ("held", "two_step", "warned"),
    [
        ([a_password()], False, True),
        ([a_password(), a_totp()], False, True),
        ([a_password(), a_totp()], True, False),
        ([a_password(), a_security_key()], False, False),  # who acts for others then proves two factors
    ],
)
def test_an_operator_whom_one_stolen_factor_replaces_is_told_so(held: list[SignInMethod], two_step: bool, warned: bool) -> None:
    account = an_account("ada", methods=held, two_step=two_step, operator=over())
    assert ("operator-one-factor" in {one.code for one in standing_problems(account, {}, RULES, NOW)}) == warned
    plain = replace(account, operator=None)
    assert "operator-one-factor" not in {one.code for one in standing_problems(plain, {}, RULES, NOW)}
    planned = plan(plain, GrantRights(over=()), replace(an_operator(), rights=over()), RULES)
    assert planned.is_accepted
    assert ("operator-one-factor" in {one.code for one in planned.problems}) == warned


def test_their_next_step_is_two_step() -> None:
    account = an_account("ada", methods=[a_password(), a_totp()], codes=[a_saved_code()], operator=over("sales"))
    assert next_steps(account, None, AtHand(), RULES, NOW)[0].command == "passless two-step on"
    (problem,) = standing_problems(account, {}, RULES, NOW)
    assert "anybody in sales" in problem.message
