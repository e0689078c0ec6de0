"""The other steps of the walk-through: the recovery code, two-step, passwordless, the end of a recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.requests import ConfirmCode, EndRecovery, NewRecoveryCode, PasswordlessOn, Request, TwoStepOn
from passless.domain.safety.next_steps import Action, Step
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadeRecoveryCode, Waits

if TYPE_CHECKING:
    from passless.cli.walking import Walk

CODE_STEP = Step(
    action=Action.RECOVERY_CODE,
    code="make-recovery-code",
    message="make a recovery code and keep it on paper: it brings you back when everything else is lost",
    command="passless recovery-code new",
)
PAPER = "Write it on paper, all five groups, and keep that away from the phone and the key."
LINES_OF_PROMPT = 1
NEW = "new"


def make_code(walk: Walk, step: Step, left: int) -> None:
    """Make a recovery code, show it in fives, and have it typed back from paper."""
    walk.begin("Make a recovery code", "on paper, it brings you back when everything else is lost", left)
    while (code := _new_code(walk)) is not None and not _typed_back(walk, code):
        pass
    if code is not None:
        walk.finish(step.code)


def confirm_code(walk: Walk, step: Step, left: int) -> None:
    """Have a code typed back that was made before; where nobody can, nobody knows that it was seen, so make another."""
    if not walk.run.can_ask:
        make_code(walk, step, left)
        return
    walk.begin("Type the recovery code back", "so that it is known to be on paper", left)
    walk.talk.aside('No paper at hand? Type "new" for another code.')
    while True:
        above = walk.talk.lines
        typed = walk.talk.line("Recovery code")
        walk.talk.erase(walk.talk.lines - above)
        if typed.casefold() == NEW:
            walk.talk.say()
            make_code(walk, step, left)
            return
        if typed and _confirmed(walk, Secret(typed), is_at_hand=False):
            walk.finish(step.code)
            return


def two_step_on(walk: Walk, step: Step, left: int) -> None:
    """Turn two-step on, where the person wants it."""
    walk.begin("Turn two-step on", "one stolen factor is then not enough, and older programs can have app passwords", left)
    if walk.run.can_ask and not walk.talk.yes("Turn it on?", default=not step.optional):
        _leave_out(walk, step)
        return
    _apply(walk, step, TwoStepOn(), "Two-step is on.")


def passwordless_on(walk: Walk, step: Step, left: int) -> None:
    """Delete the password, after saying which programs will miss it."""
    walk.begin("Delete the password", "what does not exist cannot be stolen, guessed or phished", left)
    if walk.run.can_ask:
        walk.talk.aside("Some older programs need something in its place (old Office, Xbox 360, mail over IMAP …):")
        walk.talk.aside("see passless legacy-apps. A password can be set again: passless passwordless off")
        if not walk.talk.yes("Delete it?"):
            _leave_out(walk, step)
            return
    _apply(walk, step, PasswordlessOn(), "The password is gone.")


def finish_recovery(walk: Walk, step: Step, left: int) -> None:
    """End a recovery that has its way in and its code."""
    walk.begin("Finish the recovery", "for a day after it other changes wait", left)
    _apply(walk, step, EndRecovery(), "The recovery is finished.")


def _new_code(walk: Walk) -> Secret | None:
    outcome = walk.run.change(NewRecoveryCode())
    if not isinstance(outcome, Applied) or not isinstance(outcome.made, MadeRecoveryCode):
        walk.talk.say("That waits until its time comes; see: passless status")
        return None
    return outcome.made.code


def _typed_back(walk: Walk, code: Secret) -> bool:
    """Show a code until it was typed back; False asks for another one."""
    if not walk.run.can_ask:
        walk.printing.code(code)
        walk.run.change(ConfirmCode(code=None))
        return True
    _show(walk, code)
    while True:
        above = walk.talk.lines
        typed = walk.talk.line("Type it back from the paper")
        walk.talk.erase(walk.talk.lines - above)
        if not typed:
            _show(walk, code)
        elif typed.casefold() == NEW:
            return False
        elif _confirmed(walk, Secret(typed), is_at_hand=True):
            return True


def _show(walk: Walk, code: Secret) -> None:
    """Show the code, and take it off the screen once it is on paper."""
    walk.talk.say(PAPER)
    lines = walk.talk.show_big(code.reveal())
    try:
        walk.talk.line("Press Enter when it is on paper")
    finally:
        walk.talk.erase(lines + LINES_OF_PROMPT)


def _confirmed(walk: Walk, typed: Secret, *, is_at_hand: bool) -> bool:
    """Save the code by its being typed back; it can be shown again only where it was made just now."""
    try:
        walk.run.change(ConfirmCode(code=typed))
    except (WrongUse, ProofNeeded) as error:
        walk.talk.trouble(error)
        again = "Enter shows it again; " if is_at_hand else ""
        walk.talk.aside(f'  Spaces, dashes and case do not matter. {again}"new" makes another code.')
        return False
    walk.talk.done("The recovery code is saved.")
    return True


def _leave_out(walk: Walk, step: Step) -> None:
    walk.left_out.add(step.code)
    walk.talk.aside(f"Left as it is; later: {step.command}")


def _apply(walk: Walk, step: Step, request: Request, said: str) -> None:
    """Carry out a change; what refuses it is told, and the walk goes on without it."""
    try:
        outcome = walk.run.change(request)
    except PasslessError as error:
        if not walk.run.can_ask:
            raise
        walk.talk.trouble(error)
        _leave_out(walk, step)
        return
    if isinstance(outcome, Waits):
        walk.left_out.add(step.code)
        walk.talk.say(
            f"That happens by itself on {outcome.pending.due_at:%Y-%m-%d}, unless it is cancelled: passless recover cancel"
        )
        return
    walk.finish(step.code)
    walk.talk.done(said)
