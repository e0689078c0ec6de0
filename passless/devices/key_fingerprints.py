"""The fingers that a key knows: list, enrol, rename, forget (CTAP 2.1 §6.7)."""

from __future__ import annotations

from contextlib import suppress
from threading import Event

from fido2.ctap import CtapError
from fido2.ctap2.bio import BioEnrollment, CaptureError, FPBioEnrollment
from fido2.ctap2.pin import ClientPin

from passless.devices.errors import KeyCannot, NoSuchFingerprint, NoTouch
from passless.devices.lines import Line
from passless.devices.options import encoded
from passless.devices.pins import open_with_pin
from passless.devices.reader import KeyFingerprint, KeyPrompts, Sample
from passless.domain.names import BadName, are_same, clean, printable

SAMPLE_LIMIT = 20_000  # milliseconds to put the finger on the sensor
MISSED_SAMPLES = 3  # in a row, then nobody is there
FEEDBACK = FPBioEnrollment.FEEDBACK
SAMPLES = {
    FEEDBACK.FP_TOO_HIGH: Sample.TOO_HIGH,
    FEEDBACK.FP_TOO_LOW: Sample.TOO_LOW,
    FEEDBACK.FP_TOO_LEFT: Sample.TOO_LEFT,
    FEEDBACK.FP_TOO_RIGHT: Sample.TOO_RIGHT,
    FEEDBACK.FP_TOO_FAST: Sample.TOO_FAST,
    FEEDBACK.FP_TOO_SLOW: Sample.TOO_SLOW,
    FEEDBACK.FP_TOO_SKEWED: Sample.TOO_SKEWED,
    FEEDBACK.FP_TOO_SHORT: Sample.TOO_SHORT,
    FEEDBACK.FP_EXISTS: Sample.ALREADY_KNOWN,
    FEEDBACK.NO_USER_ACTIVITY: Sample.NO_FINGER,
    FEEDBACK.NO_UP_TRANSITION: Sample.NOT_LIFTED,
}


def list_fingerprints(line: Line, prompts: KeyPrompts) -> tuple[KeyFingerprint, ...]:
    """See `KeyReader.list_fingerprints`."""
    return _listed(_open(line, prompts))


def add_fingerprint(line: Line, name: str | None, prompts: KeyPrompts) -> KeyFingerprint:
    """See `KeyReader.add_fingerprint`."""
    wanted = None if name is None else clean(name, what="fingerprint's name")
    bio = _open(line, prompts)
    if wanted is not None:
        _check_name(bio, wanted)
    template = _enrol(line, bio, prompts)
    if wanted is not None:
        _name(bio, template, wanted)
    return KeyFingerprint(id=encoded(template), name=wanted)


def rename_fingerprint(line: Line, fingerprint: str, name: str, prompts: KeyPrompts) -> KeyFingerprint:
    """See `KeyReader.rename_fingerprint`."""
    wanted = clean(name, what="fingerprint's name")
    bio = _open(line, prompts)
    _check_name(bio, wanted)
    template = _find(bio, fingerprint, line.name)
    _name(bio, template, wanted)
    return KeyFingerprint(id=encoded(template), name=wanted)


def remove_fingerprint(line: Line, fingerprint: str, prompts: KeyPrompts) -> KeyFingerprint:
    """See `KeyReader.remove_fingerprint`."""
    bio = _open(line, prompts)
    template = _find(bio, fingerprint, line.name)
    name = bio.enumerate_enrollments().get(template)
    bio.remove_enrollment(template)
    return _fingerprint(template, name)


def _open(line: Line, prompts: KeyPrompts) -> FPBioEnrollment:
    ctap = line.ctap2()
    if not BioEnrollment.is_supported(ctap.info):
        raise KeyCannot(f'"{line.name}" has no fingerprint reader')
    pin, token = open_with_pin(line, ctap, prompts, ClientPin.PERMISSION.BIO_ENROLL)
    return FPBioEnrollment(ctap, pin.protocol, token)


def _enrol(line: Line, bio: FPBioEnrollment, prompts: KeyPrompts) -> bytes:
    """Take samples until the key has enough; what was taken is dropped when it does not come to that."""
    enrolment, last, missed = bio.enroll(SAMPLE_LIMIT), Sample.FIRST, 0
    try:
        while missed < MISSED_SAMPLES:
            prompts.finger_sample(line.name, last, enrolment.remaining)
            try:
                if template := enrolment.capture(Event()):
                    return template
                last, missed = Sample.GOOD, 0
            except CaptureError as error:
                last = SAMPLES.get(FEEDBACK(error.code), Sample.UNCLEAR)
                missed = missed + 1 if last is Sample.NO_FINGER else 0
    except Exception:
        if enrolment.template_id:
            _drop(bio)
        raise
    _drop(bio)
    raise NoTouch(f'nobody put a finger on "{line.name}"')


def _drop(bio: FPBioEnrollment) -> None:
    with suppress(CtapError):  # it was dropped already; what led here is told
        bio.enroll_cancel()


def _listed(bio: FPBioEnrollment) -> tuple[KeyFingerprint, ...]:
    return tuple(_fingerprint(template, name) for template, name in bio.enumerate_enrollments().items())


def _fingerprint(template: bytes, name: str | None) -> KeyFingerprint:
    return KeyFingerprint(id=encoded(template), name=printable(name) if name else None)


def _find(bio: FPBioEnrollment, wanted: str, key_name: str) -> bytes:
    known = bio.enumerate_enrollments()
    found = [template for template in known if encoded(template) == wanted]
    found = found or [template for template, name in known.items() if name and are_same(name, wanted)]
    match found:
        case [template]:
            return template
        case []:
            raise NoSuchFingerprint(f'"{key_name}" knows no finger "{printable(wanted)}"')
        case _:
            raise NoSuchFingerprint(f'"{key_name}" knows several fingers "{printable(wanted)}": use the id')


def _check_name(bio: FPBioEnrollment, name: str) -> None:
    """Refuse a name that is too long for the key before the person has given ten samples for it."""
    limit = bio.get_fingerprint_sensor_info().get(BioEnrollment.RESULT.MAX_TEMPLATE_FRIENDLY_NAME)
    if limit is not None and len(name.encode()) > limit:
        raise BadName(f"the fingerprint's name is too long for the key: at most {limit} bytes", hint="use a shorter name")


def _name(bio: FPBioEnrollment, template: bytes, name: str) -> None:
    try:
        bio.set_name(template, name)
    except CtapError as error:
        if error.code in (CtapError.ERR.INVALID_LENGTH, CtapError.ERR.INVALID_PARAMETER):
            raise BadName("the key does not take this name for a fingerprint", hint="use a shorter name") from error
        raise
