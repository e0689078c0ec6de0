"""The PIN/UV auth token: what a PIN or a finger has opened, for how long (CTAP 2.1 §6.5.2.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING

from fido2.ctap import CtapError

if TYPE_CHECKING:
    from .core import Core

UNUSED_FOR = 30.0  # seconds; CTAP 2.1 §6.5.2.1, initial usage time limit over USB
LIVES_FOR = 600.0  # seconds; CTAP 2.1 §6.5.2.1, maximum usage time period


class Permission(IntFlag):
    """What a token may be used for."""

    MAKE_CREDENTIAL = 0x01
    GET_ASSERTION = 0x02
    CREDENTIAL_MANAGEMENT = 0x04
    BIO_ENROLLMENT = 0x08
    LARGE_BLOB_WRITE = 0x10
    AUTHENTICATOR_CONFIG = 0x20


@dataclass
class Token:
    """The one token of this moment: making a new one ends it."""

    protocol: int
    permissions: Permission
    rp_id: str | None
    made_at: float
    user_present: bool  # a finger on the sensor was also a touch
    used: bool = False
    value: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def is_expired(self, now: float) -> bool:
        """Tell whether it was kept too long."""
        age = now - self.made_at
        return age > LIVES_FOR or (not self.used and age > UNUSED_FOR)

    def spend(self) -> None:
        """Take everything away that one touch has confirmed (CTAP 2.1 §6.1.2 step 14)."""
        self.user_present = False
        self.permissions &= Permission.LARGE_BLOB_WRITE


def check_token(
    core: Core,
    code: bytes | None,
    version: int | None,
    message: bytes,
    *,
    permission: Permission,
    rp_id: str | None = None,
) -> Token:
    """The token behind a signed request.

    Args:
        core: the key.
        code: the signature over the message with the token.
        version: the PIN protocol.
        message: what the command has to sign.
        permission: what the token must allow.
        rp_id: the relying party that the command is about, if it is about one.
    Raises:
        CtapError: no such token, or it does not allow this.
    """
    if code is None:
        raise CtapError(CtapError.ERR.PUAT_REQUIRED)
    if version is None:
        raise CtapError(CtapError.ERR.MISSING_PARAMETER)
    protocol, token = core.protocol(version), core.power.token
    if token is None or token.protocol != version or token.is_expired(core.clock()):
        raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
    if not protocol.verifies(token.value, message, code):
        raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
    token.used = True
    if not token.permissions & permission:
        raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
    if rp_id is not None and token.rp_id not in (None, rp_id):
        raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
    if rp_id is not None and permission & (Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION):
        token.rp_id = rp_id
    return token
