"""authlib's authorization server over our clients, codes and devices.

Who a client is, what is kept and what is given is ours; authlib judges the order of things: client, address, response type,
scope, PKCE, grant.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from authlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from passless.server.oauth import clients, codes, devices, giving, refreshing
from passless.server.oauth.calls import Answered, ClientRequest
from passless.server.oauth.clients import SECRET_METHODS, KnownClient
from passless.server.site import Site

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url (RFC 7636 §4.2)

logging.getLogger("authlib").setLevel(logging.WARNING)  # below that it writes tokens into the log


class Authorization(AuthorizationServer):  # type: ignore[misc] # authlib has no types
    """The authorization server of one site."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.register_grant(CodeGrant, [ProofKey()])
        self.register_grant(DeviceGrant)
        self.register_grant(RefreshGrant)

    def query_client(self, client_id: str) -> KnownClient | None:
        """Return a client by its id."""
        return clients.query(self.site.parts, client_id)

    def authenticate_client(self, request: ClientRequest, methods: list[str], endpoint: str = "token") -> KnownClient:
        """Return the client that asks, if it is who it says."""
        client = clients.prove(self.site.parts, request.said, request.place, public="none" in methods)
        request.auth_method = "none" if request.said is None else request.said.method
        return client

    def create_oauth2_request(self, request: ClientRequest) -> ClientRequest:
        """Requests are ours already."""
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Answered:
        """Return what a client gets."""
        return Answered(status=status, body=body or {}, headers=dict(headers))


class ProofKey(CodeChallenge):  # type: ignore[misc] # authlib has no types
    """PKCE for every client, with S256 alone (RFC 9700 §2.1.1); authlib would take none and `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge that can be one."""
        values = grant.request.form
        if values.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256")
        if not _CHALLENGE.fullmatch(values.get("code_challenge", "")):
            raise InvalidRequestError("code_challenge must be 43 characters of base64url")


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # authlib has no types
    """A code for a token."""

    TOKEN_ENDPOINT_AUTH_METHODS = (*SECRET_METHODS, "none")

    def query_authorization_code(self, code: str, client: KnownClient) -> codes.Code | None:
        """Return a code of this client that was not used yet."""
        self.held = codes.find(self.server.site.parts, code, client.get_client_id(), self.request.place)
        return None if self.held is None else self.held.code

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """Use the code, and give what it stands for, in one transaction."""
        assert self.held is not None  # authlib asked for it before
        token = giving.for_code(self.server.site, self.request.client, self.held, self.request.place)
        if token is None:
            raise InvalidGrantError("Invalid 'code' in request.")
        return 200, token, self.TOKEN_RESPONSE_HEADER


class DeviceGrant(DeviceCodeGrant):  # type: ignore[misc] # authlib has no types
    """A device code for a token, once somebody approved it."""

    def query_device_credential(self, device_code: str) -> devices.Waiting:
        """Note that a device looked, and return it; one that looks too soon may look less often from now on."""
        looked = devices.look(self.server.site.parts, device_code)
        if looked is None:
            raise InvalidGrantError("Invalid 'device_code' in payload")
        waiting, self.too_soon = looked
        return waiting

    def validate_device_credential(self, credential: devices.Waiting) -> devices.Waiting:
        """Return a device that was approved; the errors say what it waits for."""
        device = credential.device
        if self.server.site.parts.now() >= device.ends_at:
            raise ExpiredTokenError
        if device.answer == "refused":
            raise AccessDeniedError
        if device.answer == "approved":
            return credential
        raise SlowDownError if self.too_soon else AuthorizationPendingError

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """Use the device code, and give what it stands for, in one transaction."""
        request = self.request
        token = giving.for_device(self.server.site, request.client, request.credential, request.place)
        if token is None:
            raise InvalidGrantError("Invalid 'device_code' in payload")
        return 200, token, self.TOKEN_RESPONSE_HEADER


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc] # authlib has no types
    """A refresh token for the next ones."""

    TOKEN_ENDPOINT_AUTH_METHODS = (*SECRET_METHODS, "none")

    def authenticate_refresh_token(self, refresh_token: str) -> refreshing.HeldFamily | None:
        """Return what a refresh token of whoever asks stands for."""
        request = self.request
        client_id = "" if request.said is None else request.said.client_id  # who asks has shown it by now
        return refreshing.find(self.server.site.parts, refresh_token, client_id, request.place)

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """Use the refresh token, and give what it stands for, in one transaction."""
        request = self.request
        scope = request.form.get("scope")
        token = giving.for_refresh(self.server.site, request.client, request.refresh_token, request.place, scope)
        if token is None:
            raise InvalidGrantError("Invalid 'refresh_token' in request.")
        return 200, token, self.TOKEN_RESPONSE_HEADER
