"""authenticatorBioEnrollment: enrol, list, rename and remove fingers (CTAP 2.1 §6.7)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fido2 import cbor
from fido2.ctap import CtapError

from .core import ERR, Answer, Core, Enrolment, Request, optional, required
from .memory import Fingerprint
from .person import Finger
from .tokens import Permission, check_token

MODALITY, SUBCOMMAND, PARAMETERS, PROTOCOL, CODE, GET_MODALITY = 1, 2, 3, 4, 5, 6
TEMPLATE_ID, TEMPLATE_NAME, TIMEOUT = 1, 2, 3

FINGERPRINT = 1
TOUCHED = 1  # the finger lies on the sensor, it is not swiped
MAX_NAME = 15  # bytes; the limit that keys on the market have


def bio_enrollment(core: Core, request: Request) -> Answer:
    """Run one subcommand."""
    if not core.model.fingerprint_reader:
        raise CtapError(ERR.INVALID_COMMAND)
    if optional(request, GET_MODALITY, bool):
        return {1: FINGERPRINT}
    if required(request, MODALITY, int) != FINGERPRINT:
        raise CtapError(ERR.UNSUPPORTED_OPTION)
    number = required(request, SUBCOMMAND, int)
    parameters = optional(request, PARAMETERS, dict)
    if number in OPEN:
        return OPEN[number](core)
    if number not in SUBCOMMANDS:
        raise CtapError(ERR.INVALID_SUBCOMMAND)
    message = bytes([FINGERPRINT, number]) + (b"" if parameters is None else cbor.encode(parameters))
    code, version = optional(request, CODE, bytes), optional(request, PROTOCOL, int)
    check_token(core, code, version, message, permission=Permission.BIO_ENROLLMENT)
    return SUBCOMMANDS[number](core, parameters or {})


def _begin(core: Core, parameters: Request) -> Answer:
    if len(core.memory.fingerprints) >= core.model.max_fingerprints:
        raise CtapError(ERR.FP_DATABASE_FULL)
    enrolment = Enrolment(Fingerprint(secrets.token_bytes(4)), core.model.samples_per_fingerprint)
    core.power.enrolment = enrolment
    return {4: enrolment.fingerprint.id, **_sample(core, enrolment, parameters)}


def _next_sample(core: Core, parameters: Request) -> Answer:
    enrolment = core.power.enrolment
    if enrolment is None or required(parameters, TEMPLATE_ID, bytes) != enrolment.fingerprint.id:
        raise CtapError(ERR.NOT_ALLOWED)
    return _sample(core, enrolment, parameters)


def _sample(core: Core, enrolment: Enrolment, parameters: Request) -> Answer:
    milliseconds = optional(parameters, TIMEOUT, int)
    finger = core.wait_for_finger(None if milliseconds is None else milliseconds / 1000)
    if finger is Finger.WRONG:
        # Whose finger it is matters only when verifying.
        finger = Finger.GOOD
    if finger is Finger.GOOD:
        enrolment.remaining -= 1
    if enrolment.remaining == 0:
        core.memory.fingerprints.append(enrolment.fingerprint)
        core.power.enrolment = None
    return {5: int(finger), 6: enrolment.remaining}


def _list(core: Core, parameters: Request) -> Answer:
    if not core.memory.fingerprints:
        raise CtapError(ERR.INVALID_OPTION)
    return {7: [{1: finger.id, 2: finger.name} for finger in core.memory.fingerprints]}


def _rename(core: Core, parameters: Request) -> Answer:
    name = required(parameters, TEMPLATE_NAME, str)
    if len(name.encode()) > MAX_NAME:
        raise CtapError(ERR.INVALID_LENGTH)
    _named(core, parameters).name = name
    return {}


def _remove(core: Core, parameters: Request) -> Answer:
    core.memory.fingerprints.remove(_named(core, parameters))
    return {}


def _named(core: Core, parameters: Request) -> Fingerprint:
    wanted = required(parameters, TEMPLATE_ID, bytes)
    for finger in core.memory.fingerprints:
        if finger.id == wanted:
            return finger
    raise CtapError(ERR.INVALID_OPTION)


def _cancel(core: Core) -> Answer:
    core.power.enrolment = None
    return {}


def _sensor(core: Core) -> Answer:
    return {2: TOUCHED, 3: core.model.samples_per_fingerprint, 8: MAX_NAME}


SUBCOMMANDS: dict[int, Callable[[Core, Request], Answer]] = {
    0x01: _begin,
    0x02: _next_sample,
    0x04: _list,
    0x05: _rename,
    0x06: _remove,
}
OPEN: dict[int, Callable[[Core], Answer]] = {0x03: _cancel, 0x07: _sensor}  # these need no token
