"""Extensions: what a relying party may ask for beside a signature (CTAP 2.1 §12)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from fido2.ctap import CtapError

from .core import ERR, Core, optional, required
from .memory import Credential

MAX_BLOB = 32  # bytes; CTAP 2.1 §12.2, the least that is allowed

Inputs = Mapping[str, Any]


def at_creation(core: Core, credential: Credential, inputs: Inputs, *, verified: bool) -> dict[str, Any]:
    """Note what was asked for with a new credential and say what of it was done."""
    inputs = _known(core, inputs)
    outputs: dict[str, Any] = {}
    if (protection := optional(inputs, "credProtect", int)) is not None:
        if protection not in (1, 2, 3):
            raise CtapError(ERR.INVALID_OPTION)
        credential.protection = outputs["credProtect"] = protection
    if optional(inputs, "hmac-secret", bool):
        credential.gives_secrets = outputs["hmac-secret"] = True
    if credential.gives_secrets and (salts := optional(inputs, "hmac-secret-mc", dict)):
        outputs["hmac-secret-mc"] = _secrets(core, credential, salts, verified=verified)
    if (blob := optional(inputs, "credBlob", bytes)) is not None:
        outputs["credBlob"] = fits = credential.discoverable and len(blob) <= MAX_BLOB
        credential.blob = blob if fits else b""
    if optional(inputs, "largeBlobKey", bool):
        if not credential.discoverable:
            raise CtapError(ERR.INVALID_OPTION)
        credential.large_blob_key = secrets.token_bytes(32)
    if optional(inputs, "minPinLength", bool) and credential.rp_id in core.memory.min_pin_rp_ids:
        outputs["minPinLength"] = core.memory.min_pin_length
    credential.is_payment = bool(optional(inputs, "thirdPartyPayment", bool))
    return outputs


def at_use(core: Core, credential: Credential, inputs: Inputs, *, verified: bool, present: bool) -> dict[str, Any]:
    """Answer what was asked for with an assertion."""
    inputs = _known(core, inputs)
    outputs: dict[str, Any] = {}
    if salts := optional(inputs, "hmac-secret", dict):
        if not present:
            raise CtapError(ERR.UNSUPPORTED_OPTION)
        if credential.gives_secrets:
            outputs["hmac-secret"] = _secrets(core, credential, salts, verified=verified)
    if optional(inputs, "credBlob", bool):
        outputs["credBlob"] = credential.blob
    if optional(inputs, "thirdPartyPayment", bool):
        outputs["thirdPartyPayment"] = credential.is_payment
    return outputs


def _known(core: Core, inputs: Inputs) -> Inputs:
    """Leave out what this model does not know (CTAP 2.1 §12: unknown extensions are ignored)."""
    return {name: value for name, value in inputs.items() if name in core.model.extensions}


def _secrets(core: Core, credential: Credential, request: Mapping[int, Any], *, verified: bool) -> bytes:
    """One or two secrets that only this credential can compute, encrypted for the platform (CTAP 2.1 §12.5)."""
    protocol = core.protocol(optional(request, 4, int) or 1)
    try:
        shared = protocol.shared_secret(required(request, 1, dict))
    except (ValueError, KeyError, TypeError) as error:
        raise CtapError(ERR.INVALID_PARAMETER) from error
    encrypted = required(request, 2, bytes)
    if not protocol.verifies(shared, encrypted, required(request, 3, bytes)):
        raise CtapError(ERR.PIN_AUTH_INVALID)
    salts = protocol.decrypt(shared, encrypted)
    if len(salts) not in (32, 64):
        raise CtapError(ERR.INVALID_LENGTH)
    own = credential.secret_with_uv if verified else credential.secret_without_uv
    outputs = b"".join(hmac.digest(own, salts[start : start + 32], hashlib.sha256) for start in range(0, len(salts), 32))
    return protocol.encrypt(shared, outputs)
