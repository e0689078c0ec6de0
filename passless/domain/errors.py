"""What can go wrong, each kind with a stable code and a hint that says what to do next.

Messages are lower-case sentences without a final period, carry no secret, and put names in quotes.
The classes below `PasslessError` are the kinds: they map to an exit status in `cli/main.py` and to an HTTP status in the
server. Modules derive their own errors from a kind.
"""

from __future__ import annotations

from typing import ClassVar


class PasslessError(Exception):
    """Anything that is told to the person as a message and a hint."""

    code: str = "fault"
    hint: str = "run it again with --debug and report what it prints"
    default: ClassVar[str] = "something went wrong"

    def __init__(self, message: str | None = None, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message or self.default)
        if hint is not None:
            self.hint = hint
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])


class WrongUse(PasslessError):
    """The input is missing, malformed or unreadable."""

    code = "wrong-use"
    hint = "see: passless --help"


class NotFound(PasslessError):
    """There is no such account, method, profile, …"""

    code = "not-found"
    hint = "list what there is and try again"


class ProofNeeded(PasslessError):
    """A proof is missing, wrong, too old or too weak."""

    code = "proof-needed"
    hint = "sign in and try again: passless sign-in"


class Unavailable(PasslessError):
    """Something is not reachable now: the vault, the store, a key, the network."""

    code = "unavailable"
    hint = "see what works on this machine: passless doctor"


class CannotDoThat(PasslessError):
    """This directory or this machine cannot do it; the message says why."""

    code = "cannot-do-that"
    hint = "see what this profile can do: passless profile show"
