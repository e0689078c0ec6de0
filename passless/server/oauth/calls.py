"""What a program asks, as authlib takes it, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from msgspec import Struct

from passless.server.oauth.forms import Credentials


class Answered(Struct, frozen=True, kw_only=True):
    """What a client gets."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class ClientRequest(OAuth2Request):  # type: ignore[misc] # authlib has no types
    """What a client asked: the parameters as `forms` read them, and how it said who it is."""

    def __init__(self, method: str, values: dict[str, str], *, said: Credentials | None = None, place: str = "") -> None:
        super().__init__(method, "https://localhost/")  # `serve` has seen to the transport
        self.payload = BasicOAuth2Payload(values)
        self.said = said
        self.place = place

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters."""
        values: dict[str, str] = self.payload.data
        return values

    @property
    def args(self) -> dict[str, str]:
        """Return the parameters."""
        return self.form
