"""What holds for every account and every sequence of changes, tried on many at random."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from passless.domain.account import Account
from passless.domain.applying import apply
from passless.domain.changes import (
    AccountName,
    AddMethod,
    AddRecoveryCode,
    CancelRecovery,
    Change,
    ConfirmRecoveryCode,
    FinishRecovery,
    LoseDevice,
    LoseMethods,
    RemoveMethod,
    RenameAccount,
    ReplacePassword,
    Settle,
    StartRecovery,
    TakeBackLoss,
    TurnPasswordlessOff,
    TurnPasswordlessOn,
    TurnTwoStepOff,
    TurnTwoStepOn,
)
from passless.domain.methods import DeviceName, Password, SignInMethod, Strength
from passless.domain.recovery import Reporter
from passless.domain.safety.context import READS_ONLY, Context
from passless.domain.safety.planning import plan
from passless.domain.safety.proofs import counted_proofs, covered, strongest_way_in
from passless.domain.safety.ways_in import can_recover, can_sign_in, fatal_devices, recovery_methods, ways_in
from passless.domain.safety.what_if import Lost, after_losing, lose
from passless.domain.sessions import SessionKind
from tests.builders import (
    LATER,
    NOW,
    OLD,
    RULES,
    YOUNG,
    a_code,
    a_lost_device,
    a_passkey,
    a_password,
    a_phone,
    a_proof,
    a_security_key,
    a_temporary_pass,
    a_totp,
    an_account,
    an_app_password,
    an_authenticator,
    an_email,
    an_other,
    proven_with,
    the_making,
)

DEVICES = ("phone", "laptop", "blue key", "tablet")
WHEN = st.sampled_from((OLD, YOUNG))


@st.composite
def some_methods(draw: st.DrawFn) -> list[SignInMethod]:
    """Up to five methods of any kind on any device, at most one of them a password."""
    found: list[SignInMethod] = []
    for number in range(draw(st.integers(0, 5))):
        make = draw(st.sampled_from((a_totp, a_phone, a_security_key, a_passkey, an_authenticator, an_email, an_other)))
        more = {"added": draw(WHEN), "added_with": draw(st.sampled_from(Strength)), "device": draw(st.sampled_from(DEVICES))}
        if make is a_security_key:
            more["verified"] = draw(st.booleans())
        if make is an_email:
            more["device"] = "mailbox"
        found.append(make(f"method {number}", **more))
    if draw(st.booleans()):
        found.append(a_password(added=draw(WHEN)))
    return found


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Any account, sound or not."""
    codes = [a_code(f"code {number}", saved=draw(st.booleans()), added=draw(WHEN)) for number in range(draw(st.integers(0, 2)))]
    two_step = draw(st.booleans())
    programs = (an_app_password(device=draw(st.sampled_from(DEVICES))),) if two_step and draw(st.booleans()) else ()
    return an_account(
        methods=draw(some_methods()),
        codes=codes,
        two_step=two_step,
        made=draw(WHEN),
        app_passwords=programs,
        temporary_pass=draw(st.sampled_from((None, a_temporary_pass()))),
    )


@st.composite
def changes(draw: st.DrawFn, account: Account) -> Change:
    """Any change to an account."""
    some = st.sampled_from([one.id for one in account.methods] or ["none"])
    device = st.sampled_from(account.devices or (DeviceName("none"),))
    new = a_passkey("new", device="new laptop", added=NOW)
    password = a_password("new password", added=NOW)
    return draw(
        st.one_of(
            st.sampled_from(
                (
                    AddMethod(method=new),
                    ReplacePassword(password=password),
                    TurnPasswordlessOn(),
                    TurnPasswordlessOff(password=password),
                    TurnTwoStepOn(),
                    TurnTwoStepOff(),
                    AddRecoveryCode(code=a_code("new code", saved=False, added=NOW)),
                    StartRecovery(by=Reporter.SELF),
                    FinishRecovery(),
                    CancelRecovery(),
                    RenameAccount(name=AccountName("lovelace")),
                    RenameAccount(name=account.name, display_name="Ada Lovelace"),
                    Settle(at=NOW + timedelta(days=60)),
                )
            ),
            st.builds(ConfirmRecoveryCode, id=st.sampled_from([code.id for code in account.recovery_codes] or ["none"])),
            st.builds(RemoveMethod, id=some),
            st.builds(LoseDevice, id=st.just("loss"), device=device, until=st.just(LATER)),
            st.builds(LoseMethods, id=st.just("loss"), ids=st.tuples(some), until=st.just(LATER)),
            st.builds(TakeBackLoss, id=st.just("loss")),
        )
    )


@given(st.data())
def test_a_change_never_alters_the_value_it_starts_from(data: st.DataObject) -> None:
    account = data.draw(accounts())
    before = msgspec.json.encode(account)
    change = data.draw(changes(account))
    written = msgspec.json.encode(change)
    plan(account, change, proven_with(*account.methods), RULES)
    apply(account, change, now=NOW)
    assert (msgspec.json.encode(account), msgspec.json.encode(change)) == (before, written)


@given(st.data())
def test_a_plan_s_change_does_what_the_plan_shows(data: st.DataObject) -> None:
    """The planned change alone is enough to do it: nothing in `apply` asks who wanted it."""
    account = data.draw(accounts())
    found = plan(account, data.draw(changes(account)), proven_with(*account.methods), RULES)
    assert apply(account, found.change, now=NOW).methods == found.after.methods


@given(st.data())
def test_stored_documents_read_back_equal(data: st.DataObject) -> None:
    account = data.draw(accounts())
    change = data.draw(changes(account))
    after = apply(account, change, now=NOW)
    for encode, decode in ((msgspec.json.encode, msgspec.json.decode), (msgspec.msgpack.encode, msgspec.msgpack.decode)):
        assert decode(encode(after), type=Account) == after
        assert decode(encode(change), type=Change) == change


@given(accounts())
def test_a_way_in_is_smallest_and_opens(account: Account) -> None:
    ways = [frozenset(way) for way in ways_in(account, RULES, NOW)]
    assert bool(ways) == can_sign_in(account, RULES, NOW)
    assert not any(one < other for one in ways for other in ways)


@given(accounts(), st.sampled_from(DEVICES))
def test_what_if_equals_really_losing_the_device(account: Account, device: str) -> None:
    really = plan(account, a_lost_device(device), proven_with(), RULES).after
    imagined = after_losing(account, [Lost(device=DeviceName(device))], NOW)
    assert (imagined.methods, imagined.app_passwords) == (really.methods, really.app_passwords)
    found = lose(account, [Lost(device=DeviceName(device))], RULES, NOW)
    assert found.ways_in == ways_in(really, RULES, NOW)
    assert found.survives == (can_sign_in(really, RULES, NOW) or can_recover(really, RULES, NOW))


@given(accounts())
def test_adding_and_removing_round_trips(account: Account) -> None:
    new = a_passkey("new", added=NOW)
    assert apply(apply(account, AddMethod(method=new), now=NOW), RemoveMethod(id=new.id), now=NOW) == account


@given(accounts())
def test_passwordless_off_and_on_round_trips(account: Account) -> None:
    assume(account.passwordless)
    there = apply(account, TurnPasswordlessOff(password=a_password(added=NOW)), now=NOW)
    assert apply(there, TurnPasswordlessOn(), now=NOW) == account


@given(accounts())
def test_two_step_on_and_off_round_trips(account: Account) -> None:
    assume(not account.two_step)
    there = apply(account, TurnTwoStepOn(old_code_alone_until=LATER), now=NOW)
    assert apply(there, TurnTwoStepOff(), now=NOW) == account


@given(accounts(), st.sampled_from(DEVICES))
def test_losing_and_taking_back_round_trips(account: Account, device: str) -> None:
    lost = apply(account, a_lost_device(device), now=NOW)
    back = apply(lost, TakeBackLoss(id="loss"), now=NOW)
    assert set(back.methods) == set(account.methods)
    assert (back.losses, back.recovery_codes, back.two_step) == ((), account.recovery_codes, account.two_step)


@given(st.data())
def test_a_report_is_never_refused_and_never_waits(data: st.DataObject) -> None:
    account = data.draw(accounts())
    proven = data.draw(st.sets(st.sampled_from(account.methods))) if account.methods else ()
    found = plan(account, a_lost_device(data.draw(st.sampled_from(DEVICES))), proven_with(*proven), RULES)
    assert (found.is_accepted, found.due_at) == (True, None)
    state = found.after.state(NOW)
    assert can_sign_in(found.after, RULES, NOW) or state == "in-recovery"


@given(st.data(), st.sampled_from(sorted(READS_ONLY)))
def test_a_session_that_looks_changes_nothing_whatever_was_proven(data: st.DataObject, session: SessionKind) -> None:
    """Decision 0016; reports of a loss, which are never refused to a person, among it."""
    account = data.draw(accounts())
    change = data.draw(changes(account))
    found = plan(account, change, proven_with(*account.methods, session=session), RULES)
    assert found.is_accepted == isinstance(change, Settle)


@given(st.data())
def test_another_name_takes_a_proof_as_strong_as_the_strongest_way_in(data: st.DataObject) -> None:
    account = data.draw(accounts())
    proven = data.draw(st.sets(st.sampled_from(account.methods))) if account.methods else ()
    context = proven_with(*proven, session=data.draw(st.sampled_from(SessionKind)))
    found = plan(account, RenameAccount(name=AccountName("lovelace")), context, RULES)
    have = covered(account, counted_proofs(context), RULES, NOW)
    if found.is_accepted:
        assert have >= max(strongest_way_in(account, RULES, NOW), Strength.ONE_FACTOR)
    assert found.due_at is None


class ASequenceOfAcceptedChanges(RuleBasedStateMachine):
    """No sequence of accepted changes leaves no way in; only a reported loss can, and then the account is in recovery."""

    @initialize(password=st.booleans(), methods=some_methods(), made=WHEN, things_get_lost=st.booleans())
    def begin(self, password: bool, methods: list[SignInMethod], made: object, things_get_lost: bool) -> None:
        """Start from a sound account with a password, or from an unfinished one without."""
        self.now = NOW
        kept = [one for one in methods if not isinstance(one, Password)] if password else []
        start = [*kept, a_password(added=made)] if password else []
        self.account = an_account(methods=start, made=made, finished=password)
        self.number = 0
        self.lost = False
        self.things_get_lost = things_get_lost
        self.waiting: list[Change] = []

    def context(self, chosen: set[str]) -> Context:
        """Say who asks: with the methods chosen; the maker of an unfinished account too."""
        making = () if self.account.finished else (the_making(self.now),)
        proofs = tuple(a_proof(one, at=self.now) for one in self.account.methods if one.id in chosen or "all" in chosen)
        return Context(now=self.now, proofs=making + proofs)

    def ask(self, change: Change, context: Context) -> None:
        """Do what is accepted, keep what waits."""
        found = plan(self.account, change, context, RULES)
        if not found.is_accepted:
            return
        if found.due_at is not None:
            self.waiting.append(change)
            return
        self.lost |= isinstance(change, LoseDevice | LoseMethods)
        self.account = found.after

    @rule(data=st.data(), everything=st.booleans())
    def change_something(self, data: st.DataObject, everything: bool) -> None:
        """Ask for anything with any proofs."""
        ids = [one.id for one in self.account.methods]
        chosen = {"all"} if everything or not ids else data.draw(st.sets(st.sampled_from(ids)))
        change = data.draw(changes(self.account))
        is_lost = isinstance(change, LoseDevice | LoseMethods)
        if not isinstance(change, Settle) and (self.things_get_lost or not is_lost):
            self.ask(self._unique(change), self.context(chosen))

    @rule(data=st.data(), session=st.sampled_from(sorted(READS_ONLY)))
    def a_phished_session_asks(self, data: st.DataObject, session: SessionKind) -> None:
        """Ask for anything from a session that only looks: nothing comes of it, at once or later."""
        change = data.draw(changes(self.account))
        if not isinstance(change, Settle):
            asked = msgspec.structs.replace(self.context({"all"}), session=session)
            assert not plan(self.account, self._unique(change), asked, RULES).is_accepted

    def _unique(self, change: Change) -> Change:
        """Ids are never used twice."""
        self.number += 1
        mark = f" {self.number}"
        match change:
            case AddMethod(method=method):
                return AddMethod(method=msgspec.structs.replace(method, id=method.id + mark, added_at=self.now))
            case ReplacePassword(password=password) | TurnPasswordlessOff(password=password):
                fresh = msgspec.structs.replace(password, id=password.id + mark, added_at=self.now)
                return type(change)(password=fresh)
            case AddRecoveryCode(code=code):
                return AddRecoveryCode(code=msgspec.structs.replace(code, id=code.id + mark, created_at=self.now))
            case _:
                return change

    @rule(kind=st.sampled_from((a_totp, a_phone, an_email, a_passkey)), device=st.sampled_from(DEVICES))
    def add_something(self, kind: object, device: str) -> None:
        """Add another method."""
        self.number += 1
        self.ask(AddMethod(method=kind(f"added {self.number}", device=device, added=self.now)), self.context({"all"}))

    @precondition(lambda self: can_recover(self.account, RULES, self.now))
    @rule()
    def recover(self) -> None:
        """Come back with the code."""
        code = Context(now=self.now, session=SessionKind.RECOVERY_CODE)
        for change in (StartRecovery(by=Reporter.SELF), self._unique(AddMethod(method=a_passkey("new", added=self.now)))):
            self.ask(change, code)

    @rule(days=st.sampled_from((1, 29, 31)))
    def let_time_pass(self, days: int) -> None:
        """Time passes; what waited is checked again when the wait is over."""
        self.now += timedelta(days=days)
        if days > RULES.wait.days:
            due, self.waiting = self.waiting, []
            for change in due:
                self.ask(change, Context(now=self.now, waited=True))
        self.account = plan(self.account, Settle(at=self.now), Context(now=self.now), RULES).after

    @invariant()
    def a_way_in_remains(self) -> None:
        """Rule 1, the unfinished and reported losses aside."""
        if self.lost or not self.account.finished:
            return
        assert can_sign_in(self.account, RULES, self.now)

    @invariant()
    def no_loss_alone_shuts_anybody_out(self) -> None:
        """Rules 2 and 4, the unfinished and reported losses aside."""
        if self.lost or not self.account.finished or self.account.recovery is not None:
            return
        if self.account.passwordless:
            assert fatal_devices(self.account, RULES, self.now) == ()
        if self.account.two_step:
            assert recovery_methods(self.account, RULES, self.now) >= 2

    @invariant()
    def without_a_way_in_it_is_in_recovery(self) -> None:
        """A loss of the last way in is a recovery until there is one again."""
        if self.account.finished and not can_sign_in(self.account, RULES, self.now):
            assert self.account.state(self.now) == "in-recovery"


TestASequenceOfAcceptedChanges = ASequenceOfAcceptedChanges.TestCase
TestASequenceOfAcceptedChanges.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
