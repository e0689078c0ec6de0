"""Secrets that come from files and standard input, never from an argument or the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from msgspec import Struct
from typer import Context, Option

from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret
from passless.private_files import reason

STDIN = "-"
LARGEST_SECRET = 64 * 1024  # bytes; a WebAuthn response is a few thousand
TAKEN = "passless.stdin"


class BadSecretFile(WrongUse):
    """What should hold a secret cannot be read, or cannot be one."""

    code = "bad-secret-file"
    hint = "give a readable file with the secret on one line, or - for standard input"


class StdinTwice(WrongUse):
    """Standard input holds one thing only."""

    code = "stdin-twice"
    hint = "read one of them from a file"


class SecretFile:
    """A file that holds a secret: which flag named it, and where it is."""

    def __init__(self, flag: str, path: str) -> None:
        self.flag = flag
        self.path = path

    def read(self) -> Secret:
        """Return the secret, without the line break at its end.

        Raises:
            BadSecretFile: unreadable, empty, too large or binary; the message names the flag.
        """
        content = self._content()
        if len(content) > LARGEST_SECRET:
            raise BadSecretFile(f"what {self.flag} names is too large: more than {LARGEST_SECRET // 1024} kB")
        try:
            text = content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
        except UnicodeError as error:
            raise BadSecretFile(f"what {self.flag} names is not text") from error
        if not text.strip():
            raise BadSecretFile(f"what {self.flag} names is empty")
        if "\0" in text:
            raise BadSecretFile(f"what {self.flag} names is not text")
        return Secret(text)

    def _content(self) -> bytes:
        try:
            if self.path == STDIN:
                return sys.stdin.buffer.read(LARGEST_SECRET + 1)
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            with os.fdopen(descriptor, "rb") as file:
                return file.read(LARGEST_SECRET + 1)
        except (OSError, ValueError) as error:
            where = "standard input" if self.path == STDIN else f'"{printable(self.path)}"'
            raise BadSecretFile(f"{self.flag}: {where} cannot be read: {reason(error)}") from error


class Openers(Struct, frozen=True, kw_only=True):
    """What may open a copy."""

    passphrase: SecretFile | None = None
    identity: SecretFile | None = None


def secret_file(flag: str, help: str) -> Callable[..., object]:  # noqa: A002 - as Typer calls it
    """Return the option that names a file with a secret, such as `--password-file`."""

    def parse(path: str) -> SecretFile:
        return SecretFile(flag, path)

    option: Callable[..., object] = Option(flag, metavar="FILE", help=help, parser=parse, callback=_one_stdin)
    return option


def _one_stdin(ctx: Context, value: SecretFile | None) -> SecretFile | None:
    if value is not None and value.path == STDIN:
        first = ctx.meta.setdefault(TAKEN, value.flag)
        if first != value.flag:
            raise StdinTwice(f"both {first} and {value.flag} want standard input")
    return value


def read_if_given(file: SecretFile | None) -> Secret | None:
    """Return the secret of a file that was named."""
    return None if file is None else file.read()
