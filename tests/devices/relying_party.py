"""A relying party by strangers (fido2's own server), so that nobody here judges their own answers."""

from __future__ import annotations

import json
from typing import Any

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
)

RP_ID = "s1a2b3.passless.localhost"
ORIGIN = f"https://{RP_ID}"


class Site:
    """Begins and completes ceremonies, with options and answers as JSON text."""

    def __init__(self, rp_id: str = RP_ID) -> None:
        self._server = Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name="A site"))
        self.credentials: list[AttestedCredentialData] = []
        self._state: Any = None

    def creation(
        self, *, user: str = "ada", verification: str = "preferred", resident: str = "discouraged", **more: Any
    ) -> str:
        """Return creation options that exclude what is enrolled."""
        options, self._state = self._server.register_begin(
            PublicKeyCredentialUserEntity(id=user.encode(), name=user, display_name=user.title()),
            self.credentials,
            resident_key_requirement=resident,  # type: ignore[arg-type]
            user_verification=verification,  # type: ignore[arg-type]
        )
        return json.dumps({**_plain(options.public_key), **more})

    def register(self, answer: str) -> AttestedCredentialData:
        """Check the answer and keep the credential."""
        data = self._server.register_complete(self._state, RegistrationResponse.from_dict(_without_extras(answer)))
        assert data.credential_data is not None
        self.credentials.append(data.credential_data)
        return data.credential_data

    def request(self, *, verification: str = "preferred", usernameless: bool = False, **more: Any) -> str:
        """Return request options for what is enrolled."""
        credentials = None if usernameless else self.credentials
        options, self._state = self._server.authenticate_begin(credentials, user_verification=verification)  # type: ignore[arg-type]
        return json.dumps({**_plain(options.public_key), **more})

    def sign_in(self, answer: str) -> AttestedCredentialData:
        """Check the answer and return the credential that was used."""
        return self._server.authenticate_complete(
            self._state, self.credentials, AuthenticationResponse.from_dict(json.loads(answer))
        )


def _plain(options: Any) -> dict[str, Any]:
    return json.loads(json.dumps(dict(options)))


def _without_extras(answer: str) -> dict[str, Any]:
    return json.loads(answer)
