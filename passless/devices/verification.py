"""Whether a key is to check a PIN or finger in a ceremony, given what it can do and what it has."""

from __future__ import annotations

from fido2.ctap2.base import Ctap2, Info

from passless.devices.errors import NoUserVerification, PinNeeded
from passless.devices.lines import Line
from passless.devices.options import Verification
from passless.devices.pins import offer_pin
from passless.devices.reader import KeyPrompts


def settle_verification(line: Line, wanted: Verification, prompts: KeyPrompts, *, enrolling: bool) -> Verification:
    """Return what to ask of this key so that fido2 accepts it.

    fido2 refuses a key that has no PIN yet even where verification is only preferred; the standard does not. While enrolling a
    PIN is offered; when signing in only where there is no way without.

    Raises:
        NoUserVerification: it is required and the key cannot.
        PinNeeded: it is required and the person wants to set no PIN.
    """
    if not line.speaks_ctap2:
        if wanted == "required":
            raise NoUserVerification(f'"{line.name}" is an older U2F key and checks neither PIN nor finger')
        return wanted
    ctap = line.ctap2()
    if is_ready(ctap.info):
        return wanted
    required = wanted == "required" or bool(ctap.info.options.get("alwaysUv"))
    if not required and (wanted == "discouraged" or not enrolling):
        return "discouraged"
    return _without_pin(line, ctap, prompts, required=required)


def is_ready(info: Info) -> bool:
    """Tell whether the key has a PIN or knows a finger."""
    return any(info.options.get(option) for option in ("uv", "clientPin", "bioEnroll"))


def gives_tokens(info: Info) -> bool:
    """Tell whether a PIN or finger opens the key for several commands (CTAP 2.1); only then does it count finger tries."""
    return info.options.get("pinUvAuthToken") is True


def _without_pin(line: Line, ctap: Ctap2, prompts: KeyPrompts, *, required: bool) -> Verification:
    if "clientPin" not in ctap.info.options:
        if required:
            raise NoUserVerification(f'"{line.name}" checks neither PIN nor finger')
        return "discouraged"
    if offer_pin(line, ctap, prompts, required=required):
        return "required" if required else "preferred"
    if required:
        raise PinNeeded(f'"{line.name}" has no PIN yet')
    return "discouraged"
