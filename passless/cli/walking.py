"""The walk-through: ask what is left to do, do the first of it, ask again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.cli import walk_account, walk_methods, walk_settings
from passless.cli.asking import NothingTyped
from passless.cli.failures import ConfirmationNeeded, Contradiction
from passless.cli.talk import Talk
from passless.cli.walk_ending import ending
from passless.cli.walk_printing import Printing
from passless.domain.account import State
from passless.domain.errors import CannotDoThat
from passless.domain.methods import Kind
from passless.domain.safety.next_steps import Action, AtHand, Goal, Step
from passless.domain.views import AccountView, StepView
from passless.output.machine_results import SetupDone, SetupPlan

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile

POSSIBLE = (Kind.SECURITY_KEY, Kind.TOTP)  # what can be added in a terminal, to an account of this machine
GOALS = {
    Goal.PASSWORDLESS: "no password at all, and no way to get locked out",
    Goal.TWO_STEP: "one stolen factor is not enough, and no way to get locked out",
}
AGAIN = "passless setup"


class Wish(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    goal: Goal
    kinds: tuple[Kind, ...] = ()
    display_name: str = ""
    email: str | None = None
    password: SecretFile | None = None
    no_password: bool = False
    pin: SecretFile | None = None
    invitation: SecretFile | None = None


class Walk:
    """One walk-through, as far as it got."""

    def __init__(self, run: Run, wish: Wish) -> None:
        self.run = run
        self.wish = wish
        self.talk = Talk(is_quiet=not run.can_ask and not run.given.verbose)
        self.done: list[str] = []
        self.left_out: set[str] = set()
        self.is_resumed = False  # with an account that was there before
        self.printing = Printing(run)
        self.began_at = run.now()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of method that may be added."""
        return self.wish.kinds or POSSIBLE

    def at_hand(self) -> AtHand:
        """Return what the person could use now."""
        return AtHand(security_key=bool(walk_methods.keys_at_hand()), kinds=self.kinds)

    def steps(self) -> tuple[Step, ...]:
        """Return what is left to do: the methods that were asked for by name first."""
        at_hand, goal = self.at_hand(), self.wish.goal
        steps = self.run.ask(lambda directory, actor, target: directory.next_steps(actor, target, goal, at_hand))
        held = {method.kind for method in self.run.view().methods}
        first = tuple(walk_methods.step_for(kind) for kind in self.wish.kinds if kind not in held)
        known = {step.kind for step in first}
        return tuple(step for step in (*first, *(one for one in steps if one.kind is None or one.kind not in known)))

    def left(self) -> tuple[Step, ...]:
        """Return the steps that the person did not leave out."""
        return tuple(step for step in self.steps() if step.code not in self.left_out and step.action is not Action.RECOVER)

    def count(self, left: Sequence[Step]) -> int:
        """Return how many steps are left, with the last one of a recovery, which follows once something signs in."""
        view = self.run.view()
        recovers = view.state == State.IN_RECOVERY and view.recovery_until is None
        return len(left) + (recovers and all(step.action is not Action.FINISH_RECOVERY for step in left))

    def begin(self, title: str, why: str, left: int | None) -> None:
        """Say which step begins, and of how many where that is known."""
        number = len(self.done) + len(self.left_out - set(self.done)) + 1
        self.talk.heading(number, None if left is None else number - 1 + left, title, why)

    def forget_own_news(self) -> None:
        """Note as seen what happened just now and here: the person did it."""
        news = [notice.id for notice in self.run.view().notices if notice.at >= self.began_at]
        self.run.ask(lambda directory, actor, target: directory.seen(actor, target, news))

    def finish(self, code: str) -> None:
        """Note that a step is done."""
        self.done.append(code)

    def break_off(self) -> None:
        """End what was printed so far."""
        self.printing.broken_off(self.wish.goal, tuple(self.done))


class Finished:
    """What the walk-through came to: the result to show, and what to say after it."""

    def __init__(
        self, printing: Printing, result: SetupDone | SetupPlan | AccountView, say: Callable[[], None] | None = None
    ) -> None:
        self._printing = printing
        self._result = result
        self._say = say

    def show(self) -> None:
        """Print the result; then say how to sign in and what is sensible next, where somebody listens."""
        self._printing.result(self._result)
        if self._say is not None:
            self._say()


def walk(run: Run, wish: Wish) -> Finished:
    """Do what is missing."""
    _check(run, wish)
    if run.given.dry_run:
        return Finished(Printing(run), _plan(run, wish))
    found = Walk(run, wish)
    try:
        _walk(found)
        return _finished(found)
    except (KeyboardInterrupt, NothingTyped):
        found.talk.say()
        found.talk.say(f"Left here. What is done is kept; go on with: {AGAIN}")
        found.break_off()
        raise
    except Exception:
        found.break_off()
        raise


def _walk(walk: Walk) -> None:
    if walk.run.can_ask:
        walk.talk.say(f"The goal: {GOALS[walk.wish.goal]}.")
        walk.talk.aside("Leave with Ctrl-C whenever you like; run it again and it goes on where you stopped.")
    walk_account.have_account(walk)
    while left := walk.left():
        step, version = left[0], walk.run.view().version
        _do(walk, step, walk.count(left))
        if walk.run.view().version == version and step.code not in walk.left_out:
            walk.left_out.add(step.code)  # it did not move: another round would ask the same for ever


def _finished(walk: Walk) -> Finished:
    walk.talk.say()
    walk.forget_own_news()
    view = walk.run.view()
    remaining = tuple(_view(step) for step in walk.steps() if not step.optional)
    say = (lambda: ending(walk, view, remaining)) if walk.run.can_ask else None
    if not (walk.done or remaining or walk.run.can_ask or walk.run.json):
        walk.run.note("everything was set up already")
    if not walk.run.json and not walk.printing.has_code:
        return Finished(walk.printing, view, say)
    done = SetupDone(goal=walk.wish.goal, reached=not remaining, done=tuple(walk.done), left=remaining, status=view)
    return Finished(walk.printing, done, say)


def _do(walk: Walk, step: Step, left: int) -> None:
    match step.action:
        case Action.ENROL:
            walk_methods.enrol(walk, step, left)
        case Action.RECOVERY_CODE:
            walk_settings.make_code(walk, step, left)
        case Action.CONFIRM_CODE:
            walk_settings.confirm_code(walk, step, left)
        case Action.TWO_STEP:
            walk_settings.two_step_on(walk, step, left)
        case Action.PASSWORDLESS:
            walk_settings.passwordless_on(walk, step, left)
        case Action.FINISH_RECOVERY:
            walk_settings.finish_recovery(walk, step, left)


def _check(run: Run, wish: Wish) -> None:
    """Refuse what cannot be done here before anything is changed."""
    if wish.no_password and wish.password is not None:
        raise Contradiction("--no-password", "--password-file")
    possible = (*POSSIBLE, Kind.PASSKEY) if run.is_remote and run.can_ask else POSSIBLE
    if foreign := [kind for kind in wish.kinds if kind not in possible]:
        raise CannotDoThat(
            f'"{foreign[0]}" cannot be added in the walk-through {"" if run.is_remote else "on this machine"}'.rstrip(),
            hint=f"choose from: {', '.join(possible)}; see: passless method add --help",
        )
    if run.can_ask or run.given.dry_run:
        return
    walk_account.check_script(run, wish)
    walk_methods.check_script(run, wish)
    if not run.given.yes and not _is_done(run, wish):
        raise ConfirmationNeeded("take the recovery code as saved once it was printed?")


def _is_done(run: Run, wish: Wish) -> bool:
    """Tell whether nothing is left to do, so that nothing needs a yes."""
    name = walk_account.existing(run)
    if name is None:
        return False
    run.on(name)
    return all(step.optional for step in Walk(run, wish).steps())


def _plan(run: Run, wish: Wish) -> SetupPlan:
    """Say what would be done; for an account that is not there yet, the first steps."""
    found = Walk(run, wish)
    name = walk_account.existing(run)
    if name is None:
        new = StepView(
            code="make-account",
            message="make an account",
            command=f"passless account create {quote(run.given.account or 'NAME')}",
        )
        kinds = wish.kinds or (Kind.SECURITY_KEY if found.at_hand().security_key else Kind.TOTP,)
        steps = (new, *(_view(walk_methods.step_for(kind)) for kind in kinds), _view(walk_settings.CODE_STEP))
        return SetupPlan(applied=False, goal=wish.goal, account=run.given.account or "", steps=steps)
    run.on(name)
    return SetupPlan(applied=False, goal=wish.goal, account=name, steps=tuple(_view(step) for step in found.steps()))


def _view(step: Step) -> StepView:
    return StepView(code=step.code, message=step.message, command=step.command, optional=step.optional)
