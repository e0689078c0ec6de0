"""Reading a policy file: TOML to `Policy`, every fault named by its key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from passless.domain.names import printable
from passless.domain.policy import Policy
from passless.domain.policy_check import BadPolicy, checked

LARGEST_POLICY = 256 * 1024  # bytes; ours, some thousand lines
PLACE = re.compile(r" - at `\$\.?(?P<key>[^`]*)`$")  # where msgspec says that a fault is


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        BadPolicy: it cannot be read, is no TOML, or asks for something that cannot be; the message names the key.
    """
    shown = printable(str(path), at_most=200)
    try:
        if path.exists() and not path.is_file():
            raise BadPolicy(f'the policy file "{shown}" is not a file')
        with path.open("rb") as file:
            octets = file.read(LARGEST_POLICY + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BadPolicy(f'the policy file "{shown}" cannot be read: {reason.lower()}', hint="check its name") from error
    if len(octets) > LARGEST_POLICY:
        raise BadPolicy(f'the policy file "{shown}" is too large to be one')
    return parse_policy(octets, name=shown)


def parse_policy(octets: bytes, *, name: str) -> Policy:
    """Parse a policy; `name` is its file in messages. `BadPolicy` as `read_policy` raises it."""
    try:
        document = tomllib.loads(octets.decode())
    except (ValueError, RecursionError) as error:
        raise BadPolicy(f'the policy file "{name}" is no TOML: {_toml_fault(error)}') from error
    try:
        return checked(msgspec.convert(document, Policy))
    except msgspec.ValidationError as error:
        raise BadPolicy(f'the policy file "{name}": {_fault(str(error))}') from error


def _toml_fault(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return printable(str(error), at_most=160) or "it is nested too deeply"


def _fault(message: str) -> str:
    """Put msgspec's words the way ours are: the key first."""
    found = PLACE.search(message)
    key, said = (found["key"], message[: found.start()]) if found else ("", message)
    if unknown := re.fullmatch(r"Object contains unknown field `(?P<name>.*)`", said, flags=re.DOTALL):
        return f'there is no key "{".".join(filter(None, (key, printable(unknown["name"]))))}"'
    said = printable(said.replace("`", ""), at_most=160)
    return f'"{key}": {said[:1].lower()}{said[1:]}' if key else f"{said[:1].lower()}{said[1:]}"
