"""Arguments and options that more than one command has, each parsed once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from typer import Argument, Option

from passless.cli.secret_files import SecretFile, secret_file
from passless.domain.errors import CannotDoThat, WrongUse
from passless.domain.methods import Kind
from passless.domain.names import printable

ADDED = (Kind.SECURITY_KEY, Kind.PASSKEY, Kind.TOTP, Kind.PASSWORD)  # what can be added to an account
PROVEN = (*ADDED, Kind.TEMPORARY_PASS, Kind.TOKEN)  # what signs in
LATER = {
    Kind.PHONE: "codes by SMS are not built yet",
    Kind.EMAIL: "codes by e-mail are not built yet",
    Kind.AUTHENTICATOR: "approvals on another device are not built yet",
}
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_DURATION = timedelta(days=36500)  # further is a mistake of typing


class BadDuration(WrongUse):
    """A duration that cannot be read."""

    code = "bad-duration"
    hint = "write it as a number and m, h or d: 10m, 8h, 30d"


class UnknownKind(WrongUse):
    """There is no kind of sign-in method of that name."""

    code = "unknown-kind"


class NotForSignIn(WrongUse):
    """A kind of proof that is for something else."""

    code = "not-for-sign-in"


class NotBuiltYet(CannotDoThat):
    """A kind of method that a later version has."""

    code = "kind-not-here"


def duration(text: str) -> timedelta:
    """Read a duration such as `10m`, `8h` or `30d`."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    length = int(found[1]) * UNITS[found[2]] if found else timedelta(0)
    if found and not length:
        raise BadDuration(f'"{printable(text)}" is no time at all')
    if not found or length > LONGEST_DURATION:
        raise BadDuration(f'"{printable(text)}" is not a duration')
    return length


def words(text: str | None) -> tuple[str, ...]:
    """Return words separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip()) if text else ()


def kind(text: str) -> Kind:
    """Return the kind of method a word means, to be added."""
    return _kind(text, ADDED)


def proven_kind(text: str) -> Kind:
    """Return the kind of method a word means, to sign in with."""
    found = _proven(text)
    if found is Kind.RECOVERY_CODE:
        raise NotForSignIn("a recovery code does not sign in: it begins a recovery", hint="passless recover start")
    return found


def further_kind(text: str) -> Kind:
    """Return the kind of method a word means, beside a recovery code."""
    found = _proven(text)
    if found in (Kind.RECOVERY_CODE, Kind.TOKEN):
        raise NotForSignIn(f"the further proof is none by {found}", hint=f"one of: {', '.join(PROVEN[:-1])}")
    return found


def _proven(text: str) -> Kind:
    found = _kind(text, PROVEN)
    if found in LATER:
        raise NotBuiltYet(LATER[found], hint=f"use one of: {', '.join(PROVEN)}")
    return found


def _kind(text: str, known: tuple[Kind, ...]) -> Kind:
    if text not in tuple(Kind) or text == Kind.OTHER:
        raise UnknownKind(f'there is no kind of method "{printable(text)}"', hint=f"one of: {', '.join(known)}")
    return Kind(text)


PasswordFile = Annotated[SecretFile | None, secret_file("--password-file", "A file with the password, or -.")]
CodeFile = Annotated[SecretFile | None, secret_file("--code-file", "A file with the code, or -.")]
PinFile = Annotated[SecretFile | None, secret_file("--pin-file", "A file with the key's PIN, or -.")]
TokenFile = Annotated[SecretFile | None, secret_file("--token-file", "A file with the token, or -.")]
ResponseFile = Annotated[SecretFile | None, secret_file("--response-file", "A file with the WebAuthn response as JSON, or -.")]
InvitationFile = Annotated[SecretFile | None, secret_file("--invitation-file", "A file with the link of an invitation, or -.")]
Expires = Annotated[timedelta | None, Option("--expires", parser=duration, metavar="TIME", help="Such as 10m, 8h or 30d.")]
MethodName = Annotated[str, Argument(metavar="METHOD", help="Its id or name.")]
Name = Annotated[str, Argument(metavar="NAME", help="Its name.")]
