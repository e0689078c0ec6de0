"""Attacks, each against a line of security.md's "Must hold"; races, crashes and old copies stand in `test_races`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from passless.credentials.passkeys import to_base64
from passless.domain.ceremonies import Ceremony, CeremonyId
from passless.domain.errors import PasslessError, Unavailable
from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    ConfirmCode,
    Delete,
    EndSessions,
    Enrol,
    IssuePass,
    MakeDefault,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    PasswordlessOn,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeToken,
    SetPassword,
    SignInWith,
    TakeBackReport,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, SecondProofNeeded, SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from tests.directories.person import Person, key_answer
from tests.directories.place import ANOTHER_PASSWORD, PASSWORD, Place, reopened
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.operators import AN_HOUR
from tests.directories.sentences.recovering import long_ago
from tests.directories.sentences.settings import in_two_steps
from tests.directories.sentences.tokens import A_DAY, a_token

CHANGES: tuple[Request, ...] = (
    SetPassword(password=Secret(ANOTHER_PASSWORD)),
    TwoStepOn(),
    NewAppPassword(name="Mail"),
    NewRecoveryCode(),
    RemoveMethodNamed(method="totp"),
    MakeDefault(method="totp"),
    ReportLostDevice(device="phone"),
    RenameAccountTo(name="eve"),
    Delete(),
    EndSessions(all=True),
    NewToken(name="more", rights=("status",), lifetime=A_DAY),
    RevokeToken(token="ci"),
)


class TestSecrets:
    kept_in = "disk"

    def test_no_secret_is_in_an_error_a_repr_or_a_view(self, place: Place) -> None:
        """Must hold 1: never in logs, tracebacks, `repr`; what is kept is searched when the test is over."""
        ada, app, key = in_two_steps(place)
        code = ada.new_code()
        ada.with_key(key)
        mail = ada.new_app_password()
        made = ada.ask(NewAppPassword(name="Calendar"))
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        new = ada.app_of(begun)
        said = [repr(made), repr(begun), repr(ada.actor), repr(ada.view), repr(place.parts)]
        said += [repr(place.directory.app_passwords(ada.actor, "ada")), repr(place.directory.devices(ada.actor, "ada"))]
        for answer in (Answer(kind=Kind.PASSWORD, text=Secret(mail)), Answer(kind=Kind.TOTP, text=app.wrong)):
            said.append(repr(answer))
            with pytest.raises(PasslessError) as caught:
                ada.prove(answer)
            said += [repr(caught.value), str(caught.value), caught.value.hint, repr(vars(caught.value))]
        with pytest.raises(PasslessError) as caught:
            ada.do(ConfirmCode(code=Secret(code)))
        said.append(repr(caught.value))
        assert isinstance(made, Applied)
        secrets = [mail, code, new._totp.secret, *(token for token in place.secrets if token.startswith("pls_"))]
        assert not [secret for secret in secrets for text in said if secret in text]

    def test_the_vault_key_may_be_lost_and_the_account_is_not(self, place: Place) -> None:
        """Must hold 14: keys, passkeys and the recovery code still work."""
        ada, key = Person(place).create(password=None), SecurityKey()
        app = ada.add_app()
        ada.add_key(key)
        code = ada.new_code()
        (place.folder / "vault.key").unlink()
        here = reopened(place.folder)
        there = Person(here, "ada")
        assert isinstance(there.with_key(key), SignedIn)
        there.do(ReportLostDevice(device="phone"))
        assert isinstance(Person(here, "ada").recover(code), SignedIn)
        again = Person(here, "ada")
        again.recover(code)
        again.add_key(SecurityKey(serial=2))
        with pytest.raises(Unavailable):
            again.add_app()
        here.close()
        assert app.method


class TestBinding:
    def test_a_session_of_one_account_is_none_on_another(self, place: Place) -> None:
        """Must hold 5 and 6: a session belongs to its account."""
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        ada.add_app()
        there = ada.elsewhere(token=eve.token)
        for request in CHANGES:
            with refused("sign-in-needed"):
                there.ask(request)
        assert there.view.session is None
        assert len(ada.view.methods) == 1

    def test_a_ceremony_of_another_account_proves_nothing(self, place: Place) -> None:
        """Must hold 5: every ceremony is bound to its account."""
        ada, key = Person(place).create(password=None), SecurityKey()
        eve, hers = Person(place, "eve").create(password=None), SecurityKey(serial=2)
        ada.add_key(key)
        eve.add_key(hers)
        begun = place.directory.begin(eve.actor, "eve", SignInWith(kind=Kind.SECURITY_KEY))
        assert begun.public_key is not None
        asked = json.loads(begun.public_key)
        signed = key.sign(_id_of(key), asked, begun.origin or "")
        with refused("wrong-proof"):
            eve.elsewhere().finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=signed))
        there = eve.elsewhere()
        there.name = "ada"
        there.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(hers, begun)))
        assert Person(place, "eve", token=there.token).view.session is not None  # it was hers all along
        assert there.view.session is None

    def test_a_ceremony_for_something_else_recovers_nothing(self, place: Place) -> None:
        """Must hold 5: bound to its purpose: an enrolment's challenge is no further proof, nor is somebody else's."""
        ada, _, key = in_two_steps(place)
        code = ada.new_code()
        eve = Person(place, "eve").create(password=None)
        eve.add_key(SecurityKey(serial=8))
        own = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        other = place.directory.begin(eve.actor, "eve", Enrol(kind=Kind.SECURITY_KEY))
        foreign = place.directory.begin(eve.actor, "eve", SignInWith(kind=Kind.SECURITY_KEY))
        for begun in (own, other, foreign):
            assert begun.public_key is not None
            asked = json.loads(begun.public_key)
            asked["rpId"] = place.parts.rules.rp_id
            signed = key.sign(_id_of(key), asked, begun.origin or "")
            answer = Answer(kind=Kind.SECURITY_KEY, text=signed, ceremony=begun.ceremony)
            with refused("no-such-ceremony"):
                ada.elsewhere().recover(code, answer)

    def test_an_enrolment_is_not_finished_as_a_sign_in_nor_the_other_way_round(self, place: Place) -> None:
        """Must hold 5: bound to its purpose."""
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        assert begun.public_key is not None
        asked = json.loads(begun.public_key) | {"rpId": place.parts.rules.rp_id}
        signed = key.sign(_id_of(key), asked, begun.origin or "")
        with refused("bad-response"):
            ada.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=signed))
        sign_in = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        with refused("bad-response"):
            registered = SecurityKey(serial=3).register(begun.public_key, begun.origin or "")
            ada.elsewhere().finish(sign_in.ceremony, Answer(kind=Kind.SECURITY_KEY, text=registered))

    def test_a_signature_without_its_challenge_is_refused(self, place: Place) -> None:
        """Must hold 5: the state stays with us."""
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        with refused("proves-nothing"):
            ada.elsewhere().prove(Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun)))

    def test_a_purpose_nobody_knows_is_no_ceremony(self, place: Place) -> None:
        """Must hold 5: what is not for this directory is not open here."""
        ada = Person(place).create(password=None)
        now = place.clock.now
        odd = Ceremony(
            id=CeremonyId("odd"),
            purpose="pair-phone",
            account_id=ada.view.id,
            created_at=now,
            expires_at=now + A_DAY,
            state=b"{}",
        )
        place.store.commit(Write(at=now, begins=odd))
        with refused("no-such-ceremony"):
            ada.finish("odd", Answer(kind=Kind.TOTP, text=Secret("123456")))


class TestStepUp:
    def test_a_stale_session_changes_nothing_that_needs_a_proof(self, place: Place) -> None:
        """Must hold 6: a proof from the last 10 minutes."""
        ada, app, _ = in_two_steps(place)
        place.clock.move(minutes=11)
        for request in (
            SetPassword(password=Secret(ANOTHER_PASSWORD)),
            NewAppPassword(name="Mail"),
            NewRecoveryCode(),
            RemoveMethodNamed(method=app.method),
            Delete(),
            NewToken(name="ci", rights=("status",), lifetime=A_DAY),
        ):
            with refused("weak-proof"):
                ada.ask(request)

    def test_a_token_changes_nothing(self, place: Place) -> None:
        """Must hold 6: a machine's token cannot change how anyone signs in."""
        ada = Person(place).create(password=None)
        ada.add_app()
        machine = a_token(ada, "status", "check", "audit", "what-if", "list")
        before = place.store.read(ada.view.id)
        for request in (*CHANGES, ReportNotMe(session="x"), PasswordlessOn(), IssuePass(lifetime=AN_HOUR)):
            with refused("token-may-not"):
                machine.ask(request)
        assert place.store.read(ada.view.id) == before

    def test_a_pass_or_recovery_session_is_left_behind_by_a_sign_in(self, place: Place) -> None:
        """Must hold 6: a session from a recovery code gives no proof, and gains none."""
        ada, app, code = long_ago(place)
        ada.recover(code)
        recovering = ada.token
        ada.with_code(app)
        assert ada.token != recovering

    def test_a_proof_of_the_future_is_none(self, place: Place) -> None:
        """Must hold 6: when the clock is put back, what was proven before counts no more."""
        ada = Person(place).create(password=None)
        place.clock.move(minutes=-5)
        with refused("weak-proof"):
            ada.do(NewRecoveryCode())


class TestTrail:
    @staticmethod
    def _last(place: Place) -> tuple[str, str, str, str, str]:
        entry = list(place.store.events())[-1]
        why = entry.details.get("reason") or entry.details.get("problems", "")
        return entry.event, str(entry.outcome), entry.account, entry.place, why

    def test_a_key_s_answer_that_cannot_be_read_is_recorded(self, place: Place) -> None:
        """Must hold 8: a sign-in that is no proof at all is a bad one."""
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        code = ada.new_code()
        there = ada.elsewhere("far away")
        begun = place.directory.begin(there.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        unreadable = Answer(kind=Kind.SECURITY_KEY, text=Secret("{"), ceremony=begun.ceremony)
        with refused("bad-response"):
            there.finish(begun.ceremony, unreadable)
        assert self._last(place) == ("sign-in", "failed", "ada", "far away", "bad-response")
        ada.do(ReportLostDevice(device="security key"))
        with refused("bad-response"):
            ada.do(TakeBackReport(device="security key", proofs=(unreadable,)))
        assert self._last(place) == ("take-back-loss", "failed", "ada", "laptop", "bad-response")
        assert isinstance(there.recover(code), SignedIn)

    def test_a_further_proof_of_a_recovery_that_cannot_be_read_is_recorded(self, place: Place) -> None:
        """Must hold 8: so is what stands beside a recovery code."""
        ada, _, key = in_two_steps(place)
        ada.with_key(key)
        code = ada.new_code()
        there = ada.elsewhere("far away")
        begun = place.directory.begin(there.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        with refused("bad-response"):
            there.recover(code, Answer(kind=Kind.SECURITY_KEY, text=Secret("{"), ceremony=begun.ceremony))
        assert self._last(place) == ("sign-in", "failed", "ada", "far away", "bad-response")

    def test_an_answer_to_no_open_ceremony_is_recorded_without_what_was_typed(self, place: Place) -> None:
        """Must hold 8: on the account the ceremony was of, on that of the session, or on none."""
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        code = Answer(kind=Kind.TOTP, text=ada.app_of(begun).code)
        place.clock.move(minutes=10)
        there = ada.elsewhere("far away")
        for who, ceremony in ((there, begun.ceremony), (ada, "guessed"), (there, "guessed")):
            with refused("no-such-ceremony"):
                who.finish(ceremony, code)
        told = [event for event in place.store.events() if event.event == "finish-ceremony"]
        assert sorted((one.account, one.actor, one.place) for one in told) == [
            ("", "nobody", "far away"),
            ("ada", "ada", "far away"),
            ("ada", "ada", "laptop"),
        ]
        assert {one.outcome for one in told} == {"failed"}
        assert "guessed" not in repr(told)

    def test_a_token_that_asks_for_a_change_is_recorded(self, place: Place) -> None:
        """Must hold 8: and which token it was."""
        ada = Person(place).create(password=None)
        ada.add_app()
        machine = a_token(ada, "status")
        for ask in (
            lambda: machine.ask(NewRecoveryCode()),
            lambda: machine.ask(EndSessions(all=True)),
            lambda: place.directory.begin(machine.actor, "ada", Enrol(kind=Kind.TOTP)),
            lambda: place.directory.sign_out(machine.actor),
        ):
            before = len(list(place.store.events()))
            with refused("token-may-not"):
                ask()
            assert len(list(place.store.events())) == before + 1
            assert self._last(place) == ("use-token", "refused", "ada", "ci", "token-may-not")
        assert list(place.store.events())[-1].details["name"] == "ci"

    def test_a_wrong_answer_at_an_enrolment_is_recorded(self, place: Place) -> None:
        """Must hold 8: a code that is not the new app's, and a key's answer that cannot be read."""
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        app = ada.app_of(begun)
        with refused("wrong-code"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.wrong))
        assert self._last(place) == ("add-method", "failed", "ada", "laptop", "no step matches")
        key = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        with refused("bad-response"):
            ada.finish(key.ceremony, Answer(kind=Kind.SECURITY_KEY, text=Secret("{")))
        assert self._last(place) == ("add-method", "failed", "ada", "laptop", "bad-response")
        ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code))

    def test_a_wrong_code_typed_back_is_recorded(self, place: Place) -> None:
        """Must hold 8: it is not in it itself."""
        ada = Person(place).create(password=None)
        ada.add_app()
        code = ada.new_code(saved=False)
        wrong = place.keep_secret("7K3QZ-9XW2M-4TVHB-8RNCD-5JPYF")
        with refused("code-differs"):
            ada.do(ConfirmCode(code=Secret(wrong)))
        assert self._last(place) == ("confirm-recovery-code", "failed", "ada", "laptop", "code-differs")
        ada.do(ConfirmCode(code=Secret(code)))


class TestOperators:
    def test_no_secret_of_anybody_reaches_an_operator(self, place: Place) -> None:
        """Must hold 9: they can neither learn nor choose anybody's secret but the pass."""
        ada, _, key = in_two_steps(place)
        ada.new_code()
        ada.with_key(key)
        mail = ada.new_app_password()
        there, directory = place.operator(), place.directory
        for request in (SetPassword(password=Secret(PASSWORD)), NewRecoveryCode(), NewAppPassword(name="x")):
            with refused("operator-may-not"):
                directory.apply(there, "ada", request)
        issued = directory.apply(there, "ada", IssuePass(lifetime=AN_HOUR))
        assert isinstance(issued, Applied)
        assert isinstance(issued.made, MadePass)
        shown = repr([directory.read(there, "ada"), directory.app_passwords(there, "ada"), directory.passes(there, "ada")])
        assert not [secret for secret in (mail, *place.secrets) if secret in shown]
        entry = list(place.store.events())[-1]
        assert (entry.event, entry.actor, entry.details["reason"]) == ("issue-temporary-pass", "owner", "lost everything")

    def test_a_claim_without_a_reason_reads_nothing(self, place: Place) -> None:
        """Must hold 9: whoever acts for others says why."""
        Person(place).create(password=None)
        with refused("reason-needed"):
            place.directory.read(place.operator(" "), "ada")


class TestAnswers:
    def test_wrong_proofs_look_alike_whatever_the_account_has(self, place: Place) -> None:
        """Must hold 3: same answer, same shape for a wrong password and none."""
        Person(place, "ada").create()
        Person(place, "bob").create(password=None)
        said = []
        for name in ("ada", "bob"):
            with pytest.raises(PasslessError) as caught:
                Person(place, name).prove(Answer(kind=Kind.PASSWORD, text=Secret("wrong")))
            said.append((type(caught.value), str(caught.value), caught.value.hint, caught.value.code))
        assert said[0] == said[1]

    def test_a_recovery_with_two_step_says_no_more_about_a_wrong_code(self, place: Place) -> None:
        """Must hold 3 and 4: without the right code nothing tells that two-step is on."""
        ada, _, _ = in_two_steps(place)
        bob, _, _ = long_ago(place, "bob")
        for who in (ada.elsewhere(), bob):
            with refused("wrong-proof"):
                who.recover("00000-00000-00000-00000-00000")

    def test_a_counter_that_goes_back_is_refused_told_and_kept(self, place: Place) -> None:
        """Must hold 12 and security.md on clones: the sign-in is refused, the method marked, the person told."""
        ada, key = Person(place).create(password=None), SecurityKey(counter=50)
        method = ada.add_key(key, name="blue")
        ada.with_key(key)
        copy = key
        copy.counter = 3
        with refused("possible-clone"):
            ada.elsewhere().with_key(copy)
        assert place.store.uses(ada.view.id)[method].cloned
        assert {"possible-clone"} <= {one.code for one in ada.view.notices} & {one.code for one in ada.view.problems}
        assert list(place.store.events())[-1].details["reason"] == "signature counter"
        key.counter = 60
        assert isinstance(ada.elsewhere().with_key(key), SignedIn)

    def test_a_possible_clone_beside_a_recovery_code_is_told_too(self, place: Place) -> None:
        """Must hold 4 and 8."""
        ada, _, key = in_two_steps(place)
        code = ada.new_code()
        key.counter = 0
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun), ceremony=begun.ceremony)
        with refused("possible-clone"):
            ada.elsewhere().recover(code, answer)
        assert "possible-clone" in {one.code for one in ada.view.problems}


class TestEndings:
    def test_what_was_ended_is_unusable_from_the_next_request_on(self, place: Place) -> None:
        """Must hold 7: a removed method, revoked app password, ended session or used code."""
        ada, app, key = in_two_steps(place)
        there = ada.elsewhere()
        there.with_key(key)
        half = ada.elsewhere().with_code(app)
        assert isinstance(half, SecondProofNeeded)
        ada.do(ReportLostDevice(device="blue"))
        assert there.view.session is None
        with refused("wrong-proof"):
            ada.elsewhere().finish(half.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, half)))

    def test_a_session_that_lost_a_method_to_time_is_over(self, place: Place) -> None:
        """Must hold 7: also where nobody wrote since."""
        ada = Person(place).create(password=None)
        app = ada.add_app()
        ada.token = None
        ada.with_code(app)
        stored = place.store.read(ada.view.id)
        place.store.commit(Write(at=place.clock.now, account=replace(stored.account, methods=()), expected=stored.version))
        with refused("sign-in-needed"):
            ada.do(NewRecoveryCode())
        assert ada.view.session is None

    def test_nobody_is_not_signed_in(self, place: Place) -> None:
        """Must hold 6 and 7: no session, no change, and signing out ends nothing."""
        Person(place).create(password=None)
        assert place.directory.sign_out(Actor()) == 0
        assert place.directory.sign_out(Actor(token=Secret("\udcff"))) == 0
        with refused("sign-in-needed"):
            place.directory.apply(Actor(token=Secret("pls_guess")), "ada", NewRecoveryCode())

    def test_a_pass_is_a_recovery_and_lasts_no_longer_than_it_may(self, place: Place) -> None:
        """Must hold 4: what a pass opens is bound by rule 10, also after its recovery was finished."""
        ada, old, _ = long_ago(place)
        outcome = place.directory.apply(place.operator(), "ada", IssuePass(lifetime=timedelta(days=2), once=False))
        assert isinstance(outcome, Applied)
        assert isinstance(outcome.made, MadePass)
        ada.with_pass(place.keep_secret(outcome.made.secret))
        with refused("weak-proof"):
            ada.do(NewToken(name="ci", rights=("status",), lifetime=A_DAY))
        place.clock.move(minutes=59)
        ada.add_key(SecurityKey())
        assert not isinstance(ada.ask(RemoveMethodNamed(method=old.method)), Applied)


def _id_of(key: SecurityKey) -> str:
    return to_base64(key.credentials()[0])
