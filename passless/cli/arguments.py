"""Arguments and options that more than one command has, each parsed once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from typer import Argument, Option

from passless.cli.secret_files import SecretFile, secret_file
from passless.domain.errors import WrongUse
from passless.domain.methods import Kind
from passless.domain.names import printable

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_DURATION = timedelta(days=36500)  # further is a mistake of typing


class BadDuration(WrongUse):
    """A duration that cannot be read."""

    code = "bad-duration"
    hint = "write it as 10m, 8h or 30d"


class UnknownKind(WrongUse):
    """There is no kind of sign-in method of that name."""

    code = "unknown-kind"


def duration(text: str) -> timedelta:
    """Read a duration such as `10m`, `8h` or `30d`."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    length = int(found[1]) * UNITS[found[2]] if found else timedelta(0)
    if not timedelta(0) < length <= LONGEST_DURATION:
        raise BadDuration(f'"{printable(text)}" is not a duration')
    return length


def words(text: str | None) -> tuple[str, ...]:
    """Return words separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip()) if text else ()


def kind(text: str) -> Kind:
    """Return the kind of method a word means."""
    if text not in tuple(Kind):
        known = ", ".join(one for one in Kind if one is not Kind.OTHER)
        raise UnknownKind(f'there is no kind of method "{printable(text)}"', hint=f"one of: {known}")
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
