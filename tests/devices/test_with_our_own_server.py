"""A key's answers fit what passless itself asks for and checks."""

from __future__ import annotations

import os

import msgspec

from passless.credentials.passkey_registration import ResidentKey, begin_registration, finish_registration
from passless.credentials.passkey_sign_in import KnownCredential, begin_sign_in, finish_sign_in
from passless.credentials.passkeys import UserVerification, embedded_relying_party
from passless.devices.keys import SecurityKeys
from tests.devices.conftest import Plug
from tests.devices.someone import Someone
from tests.software_key import SoftwareKey


def test_an_embedded_store_enrols_a_key_and_signs_in_with_it(keys: SecurityKeys, plug: Plug) -> None:
    plug(SoftwareKey(pin="1234"))
    here, me = embedded_relying_party("s1a2b3"), Someone(pins=["1234"])
    origin, handle = here.terminal_origin, b"\x01" * 32

    asked = begin_registration(
        here, origin=origin, user_handle=handle, account="ada", resident_key=ResidentKey.REQUIRED, entropy=os.urandom
    )
    new = finish_registration(asked.expected, keys.register(msgspec.json.encode(asked.options), origin, me))
    assert (new.user_verified, new.credential.discoverable, new.credential.transports) == (True, True, ("usb",))
    assert new.credential.aaguid == "70617373-6c65-7373-0000-736f66746b79"

    known = KnownCredential(credential=new.credential, user_handle=handle, counter=new.counter)
    begun = begin_sign_in(
        here, origin=origin, allowed=[new.credential], user_verification=UserVerification.REQUIRED, entropy=os.urandom
    )
    signed = finish_sign_in(begun.expected, [known], keys.assertion(msgspec.json.encode(begun.options), origin, me))
    assert signed.user_verified
