"""PINs and fingers, right and wrong."""

from __future__ import annotations

import pytest
from fido2.client import ClientError
from fido2.ctap import CtapError
from fido2.ctap2.bio import CaptureError, FPBioEnrollment
from fido2.ctap2.pin import ClientPin

from tests.software_key import FINGERPRINT_MODEL, AutomaticTouch, Finger, NoTouch, SoftwareKey, plugged_in
from tests.software_key_tests.ceremonies import PIN, Interaction, credential_of, register, sign_in, the_ctap, the_device


def a_fingerprint_key() -> SoftwareKey:
    return SoftwareKey(model=FINGERPRINT_MODEL, pin=PIN, fingerprints=["right thumb"])


def test_a_finger_verifies_without_a_pin() -> None:
    with plugged_in(a_fingerprint_key()):
        response, _ = register(the_device(), Interaction(pin="wrong"), verification="required")
    assert response.response.attestation_object.auth_data.is_user_verified()


def test_a_finger_on_the_sensor_is_a_touch_as_well() -> None:
    key = SoftwareKey(model=FINGERPRINT_MODEL, pin=PIN, fingerprints=["right thumb"], touch=NoTouch(), sensor=AutomaticTouch())
    with plugged_in(key):
        register(the_device(), verification="required")


def test_a_wrong_finger_may_be_tried_again() -> None:
    key = a_fingerprint_key()
    key.next_fingers(Finger.WRONG)
    with plugged_in(key):
        with pytest.raises(ClientError) as caught:
            register(the_device(), verification="required")
        assert caught.value.cause.code == CtapError.ERR.UV_INVALID
        register(the_device(), verification="required")


def test_after_three_wrong_fingers_the_pin_is_asked_for() -> None:
    key = a_fingerprint_key()
    key.usual_finger(Finger.WRONG)
    with plugged_in(key):
        for _ in range(2):
            with pytest.raises(ClientError):
                register(the_device(), verification="required")
        register(the_device(), verification="required")
        assert ClientPin(the_ctap()).get_uv_retries() == 3, "the right PIN opens the sensor again"


def test_a_poor_sample_is_taken_again_when_enrolling() -> None:
    key = SoftwareKey(model=FINGERPRINT_MODEL, pin=PIN)
    key.next_fingers(Finger.TOO_FAST, Finger.GOOD, Finger.POOR_QUALITY)
    with plugged_in(key):
        ctap = the_ctap()
        pin = ClientPin(ctap)
        token = pin.get_pin_token(PIN, ClientPin.PERMISSION.BIO_ENROLL)
        enrolment = FPBioEnrollment(ctap, pin.protocol, token).enroll()
        seen = []
        while enrolment.remaining != 0:
            try:
                enrolment.capture()
                seen.append("good")
            except CaptureError as error:
                seen.append(FPBioEnrollment.FEEDBACK(error.code).name)
    assert seen == ["FP_TOO_FAST", "good", "FP_POOR_QUALITY", "good", "good"]
    assert len(key.memory.fingerprints) == 1


def test_an_enrolment_without_a_finger_ends_in_time() -> None:
    key = SoftwareKey(model=FINGERPRINT_MODEL, pin=PIN)
    key.next_fingers(Finger.NONE)
    with plugged_in(key):
        ctap = the_ctap()
        pin = ClientPin(ctap)
        token = pin.get_pin_token(PIN, ClientPin.PERMISSION.BIO_ENROLL)
        with pytest.raises(CaptureError, match="NO_USER_ACTIVITY"):
            FPBioEnrollment(ctap, pin.protocol, token).enroll(timeout=30).capture()
    assert key.memory.fingerprints == []


def test_eight_wrong_pins_block_the_key_for_good() -> None:
    key = SoftwareKey(pin=PIN)
    errors = []
    with plugged_in(key):
        for attempt in range(9):
            if attempt and attempt % 2 == 0:  # pulled out before three in a row stop it
                key.unplug()
                key.plug()
            with pytest.raises(CtapError) as caught:
                ClientPin(the_ctap()).get_pin_token("4321", ClientPin.PERMISSION.CREDENTIAL_MGMT)
            errors.append(caught.value.code.name)
    assert errors == ["PIN_INVALID"] * 7 + ["PIN_BLOCKED"] * 2


def test_a_pin_token_does_not_outlive_its_ten_minutes() -> None:
    now = [0.0]
    key = SoftwareKey(pin=PIN, clock=lambda: now[0])
    with plugged_in(key):
        ctap = the_ctap()
        pin = ClientPin(ctap)
        token = pin.get_pin_token(PIN, ClientPin.PERMISSION.CREDENTIAL_MGMT)
        code = pin.protocol.authenticate(token, b"\x01")
        assert ctap.credential_mgmt(1, None, pin.protocol.VERSION, code)[1] == 0
        now[0] += 601
        with pytest.raises(CtapError, match="PIN_AUTH_INVALID"):
            ctap.credential_mgmt(1, None, pin.protocol.VERSION, code)


def test_a_protected_credential_is_hidden_until_the_owner_is_verified() -> None:
    protection = {"credentialProtectionPolicy": "userVerificationRequired"}
    with plugged_in(SoftwareKey(pin=PIN)):
        credential = credential_of(register(the_device(), extensions=protection)[0])
        with pytest.raises(ClientError) as caught:
            sign_in(the_device(), [credential], verification="discouraged")
        assert caught.value.code == ClientError.ERR.DEVICE_INELIGIBLE
        assert sign_in(the_device(), [credential], verification="required").response.authenticator_data.is_user_verified()
