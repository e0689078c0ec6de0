"""What the core says, in the words of a page: sentences with a capital and a period, and links in the place of commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from passless.actions.describing import TITLES

KINDS: Mapping[str, str] = {
    "password": "password",
    "security-key": "security key",
    "passkey": "passkey",
    "authenticator": "authenticator",
    "totp": "authenticator app",
    "phone": "code by SMS",
    "email": "code by e-mail",
    "recovery-code": "recovery code",
    "temporary-pass": "temporary pass",
    "other": "other method",
}


class Link(Struct, frozen=True):
    """A page that does what a command does."""

    label: str
    path: str


PAGES: Mapping[str, Link] = {
    "passless sign-in": Link("Prove again that it is you", "/sign-in?fresh=600"),
    "passless method add security-key": Link("Add a security key", "/enrol/security-key"),
    "passless method add passkey": Link("Add a passkey", "/enrol/passkey"),
    "passless method add totp": Link("Add an authenticator app", "/enrol/totp"),
    "passless method add": Link("Add a method", "/enrol"),
    "passless method": Link("See the methods", "/#methods"),
    "passless recovery-code new": Link("Make a recovery code", "/change/new-recovery-code"),
    "passless recovery-code confirm": Link("Type the recovery code back", "/recovery-code"),
    "passless recovery-code": Link("See the recovery code", "/#recovery-code"),
    "passless recover start": Link("Start a recovery", "/recover"),
    "passless recover finish": Link("Finish the recovery", "/change/finish-recovery"),
    "passless recover cancel": Link("See what waits", "/#waiting"),
    "passless recover": Link("See what waits", "/#waiting"),
    "passless two-step on": Link("Turn two-step on", "/change/two-step-on"),
    "passless two-step off": Link("Turn two-step off", "/change/two-step-off"),
    "passless passwordless on": Link("Go passwordless", "/change/passwordless-on"),
    "passless passwordless off": Link("Set a password", "/change/set-password"),
    "passless app-password": Link("See the app passwords", "/#app-passwords"),
    "passless session": Link("See the sessions", "/#sessions"),
    "passless device": Link("See the devices", "/#methods"),
    "passless what-if": Link("See what a loss would do", "/lost"),
    "passless legacy-apps": Link("See which programs need something", "/programs"),
    "passless status": Link("See the account at a glance", "/"),
    "passless setup": Link("Go on setting up", "/welcome"),
    "passless setup --goal two-step": Link("Turn two-step on", "/welcome?goal=two-step"),
    "passless temporary-pass": Link("", ""),
    "passless profile": Link("", ""),
    "passless account list": Link("", ""),
    "passless doctor": Link("", ""),
}  # the longest that fits is meant; without a path the words go and nothing takes their place

_BEFORE = r"(?:[:,;]|,? or|,? then|,? and)?\s*"
_WORD = r"(?:[a-z][a-z-]+|[A-Z]+|--[a-z-]+|\"[^\"]*\"|[a-z0-9]{6,})"
COMMAND = re.compile(rf"{_BEFORE}passless [a-z-]+(?: {_WORD}(?![\w:]))*")
FLAGS = re.compile(r"\s*(?:--[a-z-]+(?: [A-Z]+)?)")
EMPTY = re.compile(r"\s*\(\s*\)")  # where a command stood in brackets
SPECIAL: Mapping[str, str] = {
    "something went wrong": "Something went wrong on our side.",
}
HINTS: Mapping[str, str] = {
    "sign-in-needed": "Sign in and try again.",
    "wrong-proof": "Check what you typed and try again, or use another method.",
    "second-proof": "Give one more proof with another method.",
    "reason-needed": "Say why you do this; it is written in the audit log.",
    "not-found": "",
    "no-such-account": "",
    "busy": "Somebody changed the account at the same moment. Look at it again and try once more.",
    "weak-password": "",
    "bad-service": "Go back and choose from the list; a service that is not listed goes into the field below it.",
    "fault": "Try again in a while, and tell whoever runs this server if it stays.",
}  # by code, where the hint is about the command line
EVENTS: Mapping[str, str] = {
    **TITLES,
    "sign-in": "sign-in",
    "sign-in-by-ssh": "sign-in by ssh",
    "sign-in-first-proof": "first of two proofs",
    "sign-out": "sign-out",
    "approve-device": "a device asked to be let in",
    "approve-client": "a program was let in",
    "renew-client": "a program that was let in asked again",
    "reuse-code": "the code of a program's sign-in was used twice, and what it was given ended",
    "reuse-refresh-token": "a program's token was used twice, and what it was given ended",
    "create-account": "the account was made",
    "end-session": "a session was ended",
    "expire-app-passwords": "the time of an app password was over",
    "expire-method": "the time of a sign-in method was over",
    "mark-cloned": "a key may have been copied, and lets nobody in to hosts",
    "create-token": "a machine's token was made",
    "revoke-token": "a machine's token was revoked",
    "finish-ceremony": "an answer came to something that was not open any more",
    "use-token": "a machine's token asked for what it may not",
}


def sentence(text: str) -> str:
    """Return a message of the core as a sentence."""
    words = _without_commands(SPECIAL.get(text, text)).strip()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")


def hint(text: str, code: str = "") -> str:
    """Return a hint without commands, as a sentence; empty where nothing is left that a browser could do."""
    if code in HINTS:
        return HINTS[code]
    words = _without_commands(text).strip(" ,;:")
    return "" if len(words) < 12 else sentence(words)


def link(text: str) -> Link | None:
    """Return the page that does what a hint's command does."""
    found = [command for command in PAGES if command in text]
    page = PAGES[max(found, key=len)] if found else None
    return page if page is not None and page.path else None


def message(text: str) -> str:
    """Return a notice: what happened, without the commands that it would take."""
    return sentence(text.partition("; if this was not you")[0].partition("; if it was not you")[0].partition("; to stop it")[0])


def event(code: str) -> str:
    """Return what happened, for people."""
    words = EVENTS.get(code, code.replace("-", " "))
    return words[0].upper() + words[1:]


def _without_commands(text: str) -> str:
    return EMPTY.sub("", FLAGS.sub("", COMMAND.sub("", text))) if "passless " in text or "--" in text else text
