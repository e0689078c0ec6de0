"""Is somebody there, and is it the owner? The steps that making and using a credential share."""

from __future__ import annotations

from dataclasses import dataclass

from fido2.ctap import CtapError

from .core import ERR, Core
from .tokens import Permission, Token, check_token


@dataclass
class Evidence:
    """What is known about the person."""

    verified: bool = False
    present: bool = False
    token: Token | None = None

    def collect_touch(self, core: Core) -> None:
        """Wait for a touch, unless the finger that verified was one; then spend the token."""
        if not self.present:
            core.wait_for_touch()
        self.present = True
        if self.token:
            self.token.spend()


def answer_probe(core: Core, code: bytes | None) -> None:
    """Answer a request with an empty signature, by which old platforms pick a key (CTAP 2.1 §6.1.2 step 1)."""
    if code == b"":
        core.wait_for_touch()
        raise CtapError(ERR.PIN_INVALID if core.memory.pin_hash else ERR.PIN_NOT_SET)


def verify_user(
    core: Core,
    code: bytes | None,
    version: int | None,
    client_data_hash: bytes,
    *,
    permission: Permission,
    rp_id: str,
    wants_finger: bool,
    always: bool,
    may_skip: bool,
) -> Evidence:
    """Verify the owner by token or finger.

    Args:
        core: the key.
        code: the signature with a token, if one was sent.
        version: the PIN protocol of that token.
        client_data_hash: what the token signs.
        permission: what the token must allow.
        rp_id: the relying party.
        wants_finger: the request itself asks for verification (option `uv`).
        always: this key never works without (option `alwaysUv`).
        may_skip: an unverified person may go on.
    Raises:
        CtapError: the owner could not be verified though it is necessary.
    """
    if code is not None:
        token = check_token(core, code, version, client_data_hash, permission=permission, rp_id=rp_id)
        return Evidence(verified=True, present=token.user_present, token=token)
    if wants_finger and not core.memory.fingerprints:
        raise CtapError(ERR.INVALID_OPTION)
    if wants_finger or (always and core.memory.fingerprints):
        core.verify_finger()
        return Evidence(verified=True, present=True)
    if always or (core.is_protected and not may_skip):
        raise CtapError(ERR.PUAT_REQUIRED)
    return Evidence()
