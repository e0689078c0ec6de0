"""Codes of authenticator apps (TOTP, RFC 6238)."""

from __future__ import annotations

import hmac
from base64 import b32encode
from datetime import datetime, timedelta
from typing import ClassVar

from passless.credentials.proofs import WrongCode, WrongProof
from passless.domain.secret import Secret
from passless.ports import Entropy

SEED_SIZE = 20  # bytes; RFC 4226 §4 R6 recommends 160 bits
DIGITS = 6  # digits of a code (RFC 4226 §5.3)
STEP = timedelta(seconds=30)  # RFC 6238 §5.2, the default
STEPS_BACK = 1  # steps before this one that are accepted too (RFC 6238 §5.2: at most one)

SIX_DIGITS = "type the six digits that the authenticator app shows now; if they never work, set the phone's clock to automatic"


class CodeReused(WrongProof):
    """The code was right, and has been used already (RFC 6238 §5.2)."""

    code = "code-reused"
    hint = "wait until the authenticator app shows the next code"
    default: ClassVar[str] = "this code has been used already"


def new_seed(entropy: Entropy) -> Secret:
    """Return a new seed in base 32, as apps take it."""
    return Secret(b32encode(entropy(SEED_SIZE)).decode())


def otpauth_uri(seed: Secret, *, account: str, issuer: str) -> Secret:
    """Return what the QR code says; as secret as the seed in it."""
    import pyotp

    return Secret(pyotp.TOTP(seed.reveal()).provisioning_uri(name=account, issuer_name=issuer))


def step_at(at: datetime) -> int:
    """Return the number of the time step (RFC 6238 §4.2)."""
    return int(at.timestamp()) // int(STEP.total_seconds())


def verify(seed: Secret, code: Secret, *, at: datetime, last_step: int | None) -> int:
    """Check a code and return the time step it belongs to.

    Args:
        seed: base 32.
        code: six digits; spaces are ignored.
        at: when the code arrived, UTC.
        last_step: the step of the last accepted code.
    Raises:
        WrongCode: neither this step nor the one before matches.
        CodeReused: the step is not newer than the last accepted one.
    """
    import pyotp

    typed = "".join(code.reveal().split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        raise WrongCode("not six digits", hint=SIX_DIGITS)
    app, now = pyotp.TOTP(seed.reveal(), digits=DIGITS), step_at(at)
    matched = [
        step
        for step in range(now, now - STEPS_BACK - 1, -1)
        if step >= 0 and hmac.compare_digest(app.generate_otp(step), typed)
    ]  # every step is computed, whichever matches
    if not matched:
        raise WrongCode("no step matches", hint=SIX_DIGITS)
    if last_step is not None and matched[0] <= last_step:
        raise CodeReused
    return matched[0]
