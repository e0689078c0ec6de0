"""Adding a method in the walk-through: a key that is touched, or an app whose code is typed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless import wiring
from passless.cli import enrolling, walk_account
from passless.cli.failures import MissingInput
from passless.devices.errors import NoKey
from passless.devices.reader import KeyState
from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.methods import PHONE, Kind
from passless.domain.names import clean
from passless.domain.requests import Answer, Enrol
from passless.domain.safety.next_steps import Action, Step
from passless.domain.secret import Secret
from passless.domain.views import Applied, Begun, MadeMethod, MethodView, Outcome

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.walking import Walk, Wish

KEY_WHY = "one touch signs you in, and no fake page can use it"
APP_WHY = "it shows a new code every 30 seconds"
PASSKEY_WHY = "your finger, face or PIN signs you in, and no fake page can use it"
CHOICE_WHY = "a security key is the best: one touch, and no fake page can use it; an app that shows codes does too"
ANOTHER_WHY = "two-step without a password needs a key with a PIN, or apps on two devices"
DEAD = "The QR code and the secret from before are dead: delete in the app what came from them, and scan the new one."
LEFT_BEFORE = "A QR code that was scanned in an earlier run and not finished is dead: delete in the app what came from it."
LATER = "later"
AGAIN = "again"
OTHER = "other"
DEVICE = "device:"  # begins what a report of a lost device names
PATIENCE = 2  # wrong codes before the clock is suspected
STEPS = {
    Kind.SECURITY_KEY: Step(
        action=Action.ENROL,
        code="enrol-security-key",
        message=f"add a security key: {KEY_WHY}",
        command="passless method add security-key",
        kind=Kind.SECURITY_KEY,
    ),
    Kind.TOTP: Step(
        action=Action.ENROL,
        code="enrol-totp",
        message=f"add an authenticator app: {APP_WHY}",
        command="passless method add totp",
        kind=Kind.TOTP,
    ),
    Kind.PASSKEY: Step(
        action=Action.ENROL,
        code="enrol-passkey",
        message=f"add a passkey: {PASSKEY_WHY}",
        command="passless method add passkey",
        kind=Kind.PASSKEY,
    ),
}

ORDINARY = frozenset(step.message for step in STEPS.values())  # the first method, whichever it is


class NoAnswer(WrongUse):
    """An app's code has to be typed by somebody."""

    code = "missing-input"
    hint = "plug a security key in, or do it in two: passless account create NAME, then passless method add totp --begin"
    default = "an authenticator app needs somebody to type its code, and nobody can be asked here"


class Later(Exception):
    """The person would rather do it another day."""


class AnotherMethod(Exception):
    """The person would rather use another method."""


def step_for(kind: Kind) -> Step:
    """Return the step that adds a method of a kind."""
    return STEPS[kind]


def keys_at_hand() -> tuple[KeyState, ...]:
    """Return the keys that are plugged in and can be used."""
    try:
        return tuple(key for key in wiring.key_reader().list_keys() if key.problem is None)
    except PasslessError:
        return ()


def check_script(run: Run, wish: Wish) -> None:
    """Name the first thing that a new account's method would need and that nobody can be asked for."""
    if walk_account.existing(run) is not None:
        return
    keys = keys_at_hand()
    if Kind.TOTP in wish.kinds or not (keys or wish.kinds):
        raise NoAnswer
    if not keys:
        raise NoKey
    if keys[0].has_pin and wish.pin is None:
        raise MissingInput(f'the PIN of "{keys[0].name}"', "--pin-file FILE")


def enrol(walk: Walk, step: Step, left: int) -> None:
    """Add a method: the one of the step, or the one that the person chooses."""
    kind = step.kind or Kind.TOTP
    title, _, why = step.message.partition(": ")
    if walk.run.can_ask and not walk.wish.kinds and step.message in ORDINARY:
        title, why = _first_or_another(walk)
    walk.begin(f"{title[:1].upper()}{title[1:]}", why or step.message, left)
    if not walk.run.can_ask:
        _enrol_in_script(walk, kind)
        walk.finish(step.code)
        return
    try:
        _enrol_by_choice(walk, None if walk.wish.kinds else kind, kind)
    except Later:
        walk.left_out.add(step.code)
        walk.talk.aside(f"Left for later: {step.command}")
    else:
        walk.finish(step.code)


def _first_or_another(walk: Walk) -> tuple[str, str]:
    held = [method for method in walk.run.view().methods if method.usable and method.kind != Kind.PASSWORD]
    return ("add another way to sign in", ANOTHER_WHY) if held else ("add a way to sign in", CHOICE_WHY)


def _enrol_in_script(walk: Walk, kind: Kind) -> None:
    if kind is Kind.TOTP:
        raise NoAnswer
    _told(walk, enrolling.add(walk.run, _wish(walk, kind)))


def _enrol_by_choice(walk: Walk, suggested: Kind | None, kind: Kind) -> None:
    while True:
        chosen = kind if suggested is None else _choose(walk, suggested)
        try:
            if chosen is Kind.TOTP:
                _add_app(walk)
            else:
                _add_key(walk, chosen)
        except AnotherMethod:
            suggested = Kind.SECURITY_KEY if chosen is Kind.TOTP else Kind.TOTP
        else:
            return


def _choose(walk: Walk, suggested: Kind) -> Kind:
    """Ask which method, the suggested one first."""
    keys = keys_at_hand()
    about = {
        Kind.SECURITY_KEY: f'a security key: "{keys[0].name}" is plugged in' if keys else "a security key (plug it in first)",
        Kind.TOTP: "an authenticator app on a phone or another device",
    }
    if walk.run.is_remote:
        about[Kind.PASSKEY] = "a passkey of this computer or a phone, in the browser"
    options = [(str(kind), about[kind]) for kind in sorted(about, key=lambda one: one is not suggested)]
    chosen = walk.talk.choose("Which one?", [*options, (LATER, "none now; go on another day")])
    if chosen == LATER:
        raise Later
    return Kind(chosen)


def _add_key(walk: Walk, kind: Kind) -> None:
    """Enrol a key, or a passkey in the browser; whatever goes wrong, there is a way on."""
    while True:
        try:
            _told(walk, enrolling.add(walk.run, _wish(walk, kind)))
        except PasslessError as error:
            walk.talk.trouble(error)
            _what_now(walk, "try the browser again" if kind is Kind.PASSKEY else "try the key again")
        else:
            return


def _what_now(walk: Walk, again: str) -> None:
    """Ask how to go on: return to try again, or raise."""
    options = ((AGAIN, again), (OTHER, "use another method"), (LATER, "leave it for another day"))
    match walk.talk.choose("What now?", options):
        case "other":
            raise AnotherMethod
        case "later":
            raise Later
        case _:
            return


def _add_app(walk: Walk) -> None:
    """Enrol an app: the code is asked again until it is right, for the same QR code for as long as that is good."""
    device = _device(walk)
    if walk.is_resumed:
        walk.talk.aside(LEFT_BEFORE)
    while True:
        try:
            begun = _begin_app(walk, device)
            _told(walk, _scanned(walk, begun, device))
        except PasslessError as error:
            walk.talk.trouble(error)
            _what_now(walk, "begin again with a new QR code")
            walk.talk.say(DEAD)
        else:
            return


def _scanned(walk: Walk, begun: Begun, device: str) -> Outcome:
    """Show the QR code and the secret until their code is accepted, and take them off the screen then."""
    above = walk.talk.lines
    walk.talk.draw(begun, now=walk.run.now())
    walk.talk.say("Scan it with the app, or type the secret there. Then type the code the app shows.")
    outcome = _finish_app(walk, begun, device)
    walk.talk.erase(walk.talk.lines - above)
    return outcome


def _begin_app(walk: Walk, device: str) -> Begun:
    run = walk.run
    return run.attempt(lambda actor: run.directory.begin(actor, run.target, Enrol(kind=Kind.TOTP, device=device)))


def _finish_app(walk: Walk, begun: Begun, device: str) -> Outcome:
    wrong = 0
    while True:
        typed = walk.talk.line("Code")
        if not typed:
            _what_now(walk, "type the code")
            continue
        given = Answer(kind=Kind.TOTP, text=Secret(typed), device=device)
        try:
            return _sent(walk, begun, given)
        except ProofNeeded as error:
            if error.code not in ("wrong-code", "code-reused"):
                raise
            wrong += 1
            walk.talk.trouble(error)
            if wrong >= PATIENCE:
                walk.talk.aside(
                    f"  The clock here says {walk.run.now():%H:%M:%S} UTC; the phone's must agree to half a minute. "
                    "Enter alone shows other ways on."
                )


def _sent(walk: Walk, begun: Begun, given: Answer) -> Outcome:
    return walk.run.attempt(lambda actor: walk.run.directory.finish(actor, begun.ceremony, given))


def _device(walk: Walk) -> str:
    """Ask which device an app is on; once more for the name of one that is reported lost, which it hardly is."""
    while True:
        named = walk.talk.until_right(
            lambda: clean(walk.talk.line("The device the app is on", _free_device(walk)), what="device name")
        )
        if named.casefold() not in {one.casefold() for one in _lost_devices(walk)}:
            return named
        walk.talk.say(f'"{named}" is reported lost. A name of its own keeps a new device apart from it.')
        if walk.talk.yes("Is the app on the very device that was lost?", default=False):
            return named


def _free_device(walk: Walk) -> str:
    """Suggest the phone, or another word where the phone has an app already, which is lost with it, or is reported lost."""
    lost = {one.casefold() for one in _lost_devices(walk)}
    taken = lost | {
        method.device.casefold() for method in walk.run.view().methods if method.kind == Kind.TOTP and method.device
    }
    wanted = (PHONE, *(("new phone",) if lost else ()), "tablet")
    return next((one for one in wanted if one not in taken), "another device")


def _lost_devices(walk: Walk) -> list[str]:
    """Return the devices whose loss was reported and not taken back."""
    return [one.what.removeprefix(DEVICE) for one in walk.run.view().reports if one.what.startswith(DEVICE)]


def _wish(walk: Walk, kind: Kind) -> enrolling.Wish:
    files = enrolling.Files(pin=walk.wish.pin)
    return enrolling.Wish(kind=kind, name=None, device=None, begin=False, finish=None, files=files)


def _told(walk: Walk, outcome: object) -> None:
    """Say what the new method is worth."""
    if not isinstance(outcome, Applied) or not isinstance(outcome.made, MadeMethod):
        walk.talk.say("That waits until its time comes; see: passless status")
        return
    method: MethodView = outcome.made.method
    worth = "two factors in itself" if method.two_factor else "one factor"
    walk.talk.done(
        f'"{method.name}" signs you in now: {worth}{", and cannot be phished" if method.phishing_resistant else ""}.'
    )
    if method.kind == Kind.SECURITY_KEY and not method.two_factor:
        walk.talk.aside("  With a PIN it would be two factors: passless key pin set, then add it again.")
