"""Registering and signing in with the one key that is plugged in, as a program would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.hid import CtapHidDevice
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
)

RP_ID = "example.com"
PIN = "1234"

RP = PublicKeyCredentialRpEntity(id=RP_ID, name="Example")


@dataclass
class Interaction(UserInteraction):
    """Answers the client's questions; `prompted` is what to do when a touch is asked for."""

    prompted: Callable[[], None] = lambda: None
    pin: str = PIN

    def prompt_up(self) -> None:
        """Run what the test wants to happen now."""
        self.prompted()

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        """Type the PIN."""
        return self.pin

    def request_uv(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> bool:
        """Agree to a fingerprint."""
        return True


def the_device() -> CtapHidDevice:
    """The only key there is, opened."""
    (device,) = CtapHidDevice.list_devices()
    return device


def the_ctap() -> Ctap2:
    """The only key there is, for single commands."""
    return Ctap2(the_device())


def client(device: CtapHidDevice, interaction: Interaction | None = None) -> Fido2Client:
    """What a browser is for a real page."""
    return Fido2Client(
        device,
        client_data_collector=DefaultClientDataCollector(f"https://{RP_ID}"),
        user_interaction=interaction or Interaction(),
    )


def register(
    device: CtapHidDevice,
    interaction: Interaction | None = None,
    *,
    user: str = "alice",
    verification: Any = "discouraged",
    resident: Any = "required",
    event: Event | None = None,
    extensions: dict[str, Any] | None = None,
) -> tuple[RegistrationResponse, bytes]:
    """Make a credential; the response and the hash that its attestation signs."""
    server = Fido2Server(RP, attestation=AttestationConveyancePreference.DIRECT)
    options, state = server.register_begin(
        PublicKeyCredentialUserEntity(id=user.encode(), name=user),
        user_verification=verification,
        resident_key_requirement=resident,
    )
    response = client(device, interaction).make_credential(replace(options.public_key, extensions=extensions), event)
    server.register_complete(state, response)
    return response, response.response.client_data.hash


def credential_of(response: RegistrationResponse) -> AttestedCredentialData:
    """What a server would keep."""
    credential = response.response.attestation_object.auth_data.credential_data
    assert credential is not None
    return credential


def sign_in(
    device: CtapHidDevice,
    credentials: list[AttestedCredentialData],
    interaction: Interaction | None = None,
    *,
    verification: Any = "discouraged",
) -> AuthenticationResponse:
    """Use a credential and have a server check the signature."""
    server = Fido2Server(RP)
    options, state = server.authenticate_begin(credentials, user_verification=verification)
    response = client(device, interaction).get_assertion(options.public_key).get_response(0)
    server.authenticate_complete(state, credentials, response)
    return response
