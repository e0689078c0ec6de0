"""Two at once, a crash between, an old copy: must hold 7, 10, 12 and 13."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from passless.domain.errors import PasslessError
from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    ConfirmCode,
    EndSessions,
    Enrol,
    IssuePass,
    NewRecoveryCode,
    NewToken,
    RemoveMethodNamed,
    RenameAccountTo,
    ReportLostDevice,
    Request,
    SignInWith,
)
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, SignedIn
from passless.ports import VersionMoved
from tests.actions.breaking_store import BreakingStore, Crash, crash, disk_full
from tests.directories.person import Person, key_answer
from tests.directories.place import Place, reopened
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.directories.sentences.operators import AN_HOUR
from tests.directories.sentences.tokens import A_DAY
from tests.stores.children import Child


def in_processes(place: Place, name: str, *tasks: Callable[[Person], object], token: Secret | None = None) -> list[str]:
    """Let several processes do something with one account at the same moment; return what came of each."""

    def work(seed: int, task: Callable[[Person], object]) -> str:
        here = reopened(place.folder, at=place.clock.now, seed=seed)
        try:
            return type(task(Person(here, name, at=f"process {seed}", token=token))).__name__
        except PasslessError as error:
            return error.code
        finally:
            here.close()

    children = [
        Child(lambda report, seed=seed, task=task: report(work(seed, task).encode()))  # type: ignore[misc]
        for seed, task in enumerate(tasks, start=10)
    ]
    return sorted(child.finish().decode() for child in children)


def breaking(place: Place) -> BreakingStore:
    """Put a store that can break before the real one."""
    store = BreakingStore(place.store)
    place.change(store=store)
    return store


class TestTwoAtOnce:
    """Must hold 12: the same proof is accepted once; two changes at once are checked one after the other."""

    kept_in = "disk"

    def test_a_code_typed_in_four_processes_signs_in_once(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        code = app.fresh
        outcomes = in_processes(place, "ada", *[lambda who: who.prove(Answer(kind=Kind.TOTP, text=code))] * 4)
        assert outcomes.count("SignedIn") == 1
        assert set(outcomes) <= {"SignedIn", "already-used", "code-reused"}

    def test_a_one_time_pass_used_in_three_processes_signs_in_once(self, place: Place) -> None:
        Person(place).create(password=None)
        outcome = place.directory.apply(place.operator(), "ada", IssuePass(lifetime=AN_HOUR))
        assert isinstance(outcome, Applied)
        assert isinstance(outcome.made, MadePass)
        secret = place.keep_secret(outcome.made.secret)
        assert in_processes(place, "ada", *[lambda who: who.with_pass(secret)] * 3) == ["SignedIn", *["wrong-proof"] * 2]

    def test_an_answer_of_a_key_handed_in_three_times_signs_in_once(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        begun = place.directory.begin(ada.actor, "ada", SignInWith(kind=Kind.SECURITY_KEY))
        answer = Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun))
        outcomes = in_processes(place, "ada", *[lambda who: who.finish(begun.ceremony, answer)] * 3)
        assert outcomes.count("SignedIn") == 1
        assert set(outcomes) <= {"SignedIn", "already-used", "no-such-ceremony", "possible-clone"}

    def test_removing_the_last_two_methods_at_once_leaves_one(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for serial in (1, 2):
            ada.add_key(SecurityKey(serial), name=f"key {serial}")
        ada.new_code()
        outcomes = in_processes(
            place,
            "ada",
            lambda who: who.ask(RemoveMethodNamed(method="key 1")),
            lambda who: who.ask(RemoveMethodNamed(method="key 2")),
            token=ada.token,
        )
        assert outcomes == ["Applied", "no-way-in"]
        assert len(ada.view.methods) == 1

    def test_every_change_of_many_threads_is_kept(self, place: Place) -> None:
        ada = Person(place).create()
        there = [ada.elsewhere() for _ in range(6)]  # each with a session of their own: a method that is added renews its token
        for one in there:
            one.with_password()
        start, failed = Barrier(6), []

        def make(number: int) -> None:
            start.wait()
            try:
                there[number].add_app(name=f"app {number}") if number < 5 else there[number].do(NewRecoveryCode())
            except PasslessError as error:
                failed.append(error.code)

        threads = [Thread(target=make, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(ada.view.methods) == 6
        assert ada.view.recovery_code.exists
        assert place.store.verify().intact

    def test_a_sign_in_overtaken_by_the_loss_of_its_method_is_refused(self, place: Place) -> None:
        """Must hold 7: a method removed between the look and the write opens nothing."""
        ada = Person(place).create(password=None)
        app = ada.add_app()
        there = ada.elsewhere()
        store = breaking(place)
        store.only = lambda write: write.opens is not None
        store.before = lambda: _ignored(ada.do(ReportLostDevice(device="phone")))
        with refused("wrong-code"):
            there.with_code(app)
        assert there.token is None

    def test_a_first_proof_overtaken_by_the_loss_of_its_method_is_refused(self, place: Place) -> None:
        ada = Person(place).create()
        app = ada.add_app()
        ada.new_code()
        ada.turn_on_two_step()
        store = breaking(place)
        store.only = lambda write: write.begins is not None
        store.before = lambda: _ignored(ada.do(ReportLostDevice(device="phone")))
        with refused("wrong-code"):
            ada.elsewhere().with_code(app)

    @pytest.mark.parametrize("request_", [RenameAccountTo(name="eve"), NewToken(name="ci", rights=("status",), lifetime=A_DAY)])
    def test_a_change_overtaken_by_the_end_of_its_session_is_refused(self, place: Place, request_: Request) -> None:
        ada = Person(place).create(password=None)
        store = breaking(place)
        store.only = lambda write: write.updates is not None
        store.before = lambda: _ignored(place.directory.apply(place.operator(), "ada", EndSessions(all=True)))
        with refused("sign-in-needed", "busy"):
            ada.ask(request_)
        assert place.directory.tokens(place.operator(), "ada") == ()
        assert ada.view.account == "ada"

    def test_a_recovery_overtaken_by_a_new_code_is_refused(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        first = ada.new_code()
        second = ada.new_code(saved=False)
        store = breaking(place)
        store.only = lambda write: write.opens is not None
        store.before = lambda: _ignored(ada.do(ConfirmCode(code=Secret(second))))
        with refused("wrong-proof"):
            ada.elsewhere().recover(first)

    def test_whoever_is_always_overtaken_is_told_to_try_again(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        ada = Person(place).create(password=None)
        app, code = ada.add_app(), ada.new_code()
        commit = place.store.commit

        def overtaken(write: object) -> object:
            if write.account is not None or write.opens is not None:  # type: ignore[attr-defined]
                raise VersionMoved
            return commit(write)  # type: ignore[arg-type]

        store = breaking(place)
        monkeypatch.setattr(store, "commit", overtaken)
        for attempt in (
            lambda: ada.do(RenameAccountTo(display_name="Ada")),
            lambda: ada.elsewhere().with_code(app),
            lambda: ada.elsewhere().recover(code),
        ):
            with refused("busy"):
                attempt()


class TestCrashes:
    """Must hold 10: a crash loses no accepted change and leaves no half-made one."""

    kept_in = "disk"

    @pytest.mark.parametrize("end", [crash, disk_full])
    def test_before_the_commit_nothing_is_changed(self, place: Place, end: Callable[[], None]) -> None:
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        app = ada.app_of(begun)
        before = place.store.read(ada.view.id), list(place.store.events())
        breaking(place).before = end
        with pytest.raises((Crash, PasslessError)):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code))
        assert (place.store.read(ada.view.id), list(place.store.events())) == before
        ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code))  # the ceremony is still open
        assert len(ada.view.methods) == 1

    def test_after_the_commit_everything_is_changed(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        app = ada.app_of(begun)
        code = app.code
        breaking(place).after = crash
        with pytest.raises(Crash):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=code))
        assert len(ada.view.methods) == 1
        assert [event.event for event in place.store.events()][-1] == "add-method"
        with refused("no-such-ceremony"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=code))
        with refused("code-reused"):
            ada.prove(Answer(kind=Kind.TOTP, text=code))
        assert isinstance(ada.elsewhere().with_code(app), SignedIn)


class TestAnOldCopy:
    """Must hold 13: restoring an old copy of a store revives no session, pass, used code or open ceremony."""

    kept_in = "disk"

    def test_nothing_that_was_over_comes_back(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app()
        first = ada.new_code()
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        new = ada.app_of(begun)
        issued = place.directory.apply(place.operator(), "ada", IssuePass(lifetime=AN_HOUR))
        assert isinstance(issued, Applied)
        assert isinstance(issued.made, MadePass)
        secret = place.keep_secret(issued.made.secret)
        place.store.close()
        shutil.copy(place.folder / "store.db", place.folder / "copy.db")
        again = reopened(place.folder, at=place.clock.now)
        there = Person(again, "ada")
        there.with_pass(secret)
        there.new_code()
        code = app.fresh
        again.clock.now = place.clock.now
        Person(again, "ada").prove(Answer(kind=Kind.TOTP, text=code))
        again.close()
        shutil.copy(place.folder / "copy.db", place.folder / "store.db")
        restored = reopened(place.folder, at=place.clock.now, seed=3)
        who = Person(restored, "ada", token=ada.token)
        assert restored.store.restored_at is not None
        assert who.view.session is None
        for attempt in (
            lambda: who.with_pass(secret),
            lambda: who.prove(Answer(kind=Kind.TOTP, text=code)),
            lambda: who.recover(first),
            lambda: who.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=new.code)),
        ):
            with refused("wrong-proof", "wrong-code", "code-reused", "already-used", "no-such-ceremony"):
                attempt()
        restored.close()


def _ignored(_outcome: object) -> None:
    """Throw an outcome away."""
