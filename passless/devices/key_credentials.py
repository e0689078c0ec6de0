"""The credentials that a key keeps itself: list them, delete one (CTAP 2.1 §6.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialType

from passless.devices.errors import KeyCannot, NoSuchCredential
from passless.devices.lines import Line
from passless.devices.options import decoded, encoded
from passless.devices.pins import open_with_pin
from passless.devices.reader import KeyCredential, KeyPrompts
from passless.domain.names import printable

RESULT = CredentialManagement.RESULT
PROTECTIONS = {1: "optional", 2: "optional-with-list", 3: "required"}  # credProtect, CTAP 2.1 §12.1
SHORTEST_BEGINNING = 4  # characters of an id that name a credential


def list_credentials(line: Line, prompts: KeyPrompts) -> tuple[KeyCredential, ...]:
    """See `KeyReader.list_credentials`."""
    return _listed(_open(line, prompts))


def delete_credential(line: Line, credential: str, prompts: KeyPrompts) -> KeyCredential:
    """See `KeyReader.delete_credential`."""
    management = _open(line, prompts)
    found = _find(_listed(management), credential, line.name)
    management.delete_cred(PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=decoded(found.id)))
    return found


def _open(line: Line, prompts: KeyPrompts) -> CredentialManagement:
    ctap = line.ctap2()
    if not CredentialManagement.is_supported(ctap.info):
        raise KeyCannot(f'"{line.name}" does not say which credentials it keeps')
    pin, token = open_with_pin(line, ctap, prompts, ClientPin.PERMISSION.CREDENTIAL_MGMT)
    return CredentialManagement(ctap, pin.protocol, token)


def _listed(management: CredentialManagement) -> tuple[KeyCredential, ...]:
    if management.get_metadata()[RESULT.EXISTING_CRED_COUNT] == 0:
        return ()
    return tuple(sorted(_all(management), key=lambda one: (one.rp_id, one.user_name or "", one.id)))


def _all(management: CredentialManagement) -> Iterator[KeyCredential]:
    for party in management.enumerate_rps():
        rp = party[RESULT.RP]
        rp_id_hash = party.get(RESULT.RP_ID_HASH) or sha256(rp["id"].encode()).digest()
        for credential in management.enumerate_creds(rp_id_hash):
            yield _credential(rp, credential)


def _credential(rp: Mapping[str, Any], credential: Mapping[int, Any]) -> KeyCredential:
    user = credential[RESULT.USER]
    return KeyCredential(
        id=encoded(credential[RESULT.CREDENTIAL_ID]["id"]),
        rp_id=printable(rp["id"], at_most=255),
        rp_name=_shown(rp.get("name")),
        user_id=encoded(user["id"]),
        user_name=_shown(user.get("name")),
        display_name=_shown(user.get("displayName")),
        protection=PROTECTIONS.get(credential.get(RESULT.CRED_PROTECT, 0)),
    )


def _shown(text: str | None) -> str | None:
    return printable(text) if text else None


def _find(credentials: tuple[KeyCredential, ...], wanted: str, name: str) -> KeyCredential:
    exact = [one for one in credentials if one.id == wanted]
    alike = [one for one in credentials if len(wanted) >= SHORTEST_BEGINNING and one.id.startswith(wanted)]
    match exact or alike:
        case [found]:
            return found
        case []:
            raise NoSuchCredential(f'"{name}" holds no credential "{printable(wanted)}"')
        case _:
            raise NoSuchCredential(f'"{name}" holds several credentials that begin with "{printable(wanted)}"')
