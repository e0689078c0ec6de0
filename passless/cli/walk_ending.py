"""The end of the walk-through: how to sign in, and what is sensible next."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from passless.cli import on_path
from passless.domain.methods import Kind
from passless.domain.views import AccountView, StepView

if TYPE_CHECKING:
    from passless.cli.walking import Walk

ADD = "passless method add"
SIGN_IN = {
    Kind.SECURITY_KEY: "passless sign-in --with security-key   (touch the key)",
    Kind.PASSKEY: "passless sign-in --with passkey",
    Kind.TOTP: "passless sign-in --with totp           (the code the app shows)",
    Kind.PASSWORD: "passless sign-in --with password",
}


def ending(walk: Walk, view: AccountView, remaining: tuple[StepView, ...]) -> None:
    """Say that it is done, or what is left."""
    talk = walk.talk
    talk.say()
    if remaining:
        talk.say("Not all of it is done. What is left:")
        for step in remaining:
            talk.say(f"  {step.message}")
        talk.say("Go on any time: passless setup")
    else:
        talk.done(_reached(walk, view))
    talk.say()
    talk.say("Sign in with:")
    for kind in dict.fromkeys(method.kind for method in view.methods if method.usable):
        talk.say(f"  {SIGN_IN.get(Kind(kind), f'passless sign-in --with {kind}')}")
    shown = {step.command for step in view.next_steps}  # above, in the picture of the account
    suggestions = tuple((about, command) for about, command in _suggestions(walk, view) if command not in shown)
    if suggestions:
        talk.say()
        talk.say("When you have a minute:")
        for about, command in suggestions:
            talk.say(f"  {about}")
            talk.aside(f"    {command}")
    if line := on_path.line_to_add(sys.argv[0], os.environ):
        talk.say()
        talk.say("The shell does not find passless by its name yet; add this line to its profile, such as ~/.profile:")
        talk.aside(f"  {line}")
    talk.say()


def _reached(walk: Walk, view: AccountView) -> str:
    if not walk.done:
        return "Everything was set up already."
    what = "no password exists" if view.passwordless else "two-step is on"
    if not all(loss.survives for loss in view.losses):
        return f"Done: {what}."
    return f"Done: {what}, and losing any one thing does not lock you out."


def _suggestions(walk: Walk, view: AccountView) -> Iterator[tuple[str, str]]:
    kinds = {method.kind for method in view.methods if method.usable}
    devices = {method.device for method in view.methods if method.usable and method.device and method.kind != Kind.PASSWORD}
    if Kind.TOTP in kinds and not walk.run.is_remote:
        yield "copy the key that seals the app's secret, for the day this machine breaks", "passless vault export FILE"
    if Kind.SECURITY_KEY not in kinds:
        yield "add a security key: a second device, and the only method here that cannot be phished", f"{ADD} security-key"
    elif len(devices) < 2:
        yield "add a second method on another device, for the day the key is not with you", f"{ADD} totp"
    if "turn-passwordless-on" in walk.done:
        yield "see which older programs need something in place of the password", "passless legacy-apps"
