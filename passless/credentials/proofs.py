"""What every wrong proof looks like from outside."""

from __future__ import annotations

from typing import ClassVar

from passless.domain.errors import ProofNeeded


class WrongProof(ProofNeeded):
    """What was shown does not prove who it is.

    The message never says what was wrong: that stands in `reason`, a few words for the audit log and for `--debug`.
    """

    code = "wrong-proof"
    hint = "try again, or sign in another way: passless sign-in --with KIND"
    default: ClassVar[str] = "that does not prove who you are"

    def __init__(self, reason: str = "", *, message: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason or type(self).code

    def outside(self) -> WrongProof:
        """Return what somebody who is not signed in may see: the same for every wrong proof and every unknown name."""
        return WrongProof()


class WrongCode(WrongProof):
    """A code that is not the right one."""

    code = "wrong-code"
    hint = "type it again; codes are good for a short time only"
    default: ClassVar[str] = "that is not the right code"
