"""A sign-in on its way: what the browser holds of it, sealed, on the site's own origin, until it comes back with a code.

Nothing is kept for strangers, every process opens it, and nobody else's browser has it: a callback that somebody else began
signs nobody in (RFC 9700 §2.1, login CSRF and mix-up).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from passless.actions import store_secret
from passless.actions.parts import Parts
from passless.credentials import handed_out
from passless.credentials.cose_keys import BadResponse
from passless.credentials.passkeys import from_base64, to_base64
from passless.domain.relying_parties import Client

LIFE = timedelta(minutes=15)  # as long as a person may take for the sign-in page
USE = "site-sign-in"  # what the key that seals it is for
LONGEST_TO = 512  # characters of a page to go to; a longer one is the site's first
LONGEST = 2000  # characters of a cookie; ours are shorter


class Going(Struct, frozen=True, array_like=True):
    """What was begun: by which relying party, on which origin, for which page, and the secrets that bind it."""

    client_id: str
    origin: str
    to: str
    state: str
    verifier: str
    begun_at: datetime

    @property
    def challenge(self) -> str:
        """What the verifier hashes to (RFC 7636 §4.2)."""
        return _text(sha256(self.verifier.encode()).digest())


def begin(parts: Parts, client: Client, origin: str, to: str) -> Going:
    """Begin one, with a state and a verifier of 256 bits each."""
    return Going(
        client_id=client.id,
        origin=origin,
        to=to if len(to) <= LONGEST_TO else "/",
        state=_text(parts.entropy(32)),
        verifier=_text(parts.entropy(32)),
        begun_at=parts.now(),
    )


def sealed(parts: Parts, going: Going) -> str:
    """Return what the browser holds of it."""
    return to_base64(handed_out.seal(_key(parts), msgspec.msgpack.encode(going), parts.entropy))


def opened(parts: Parts, client: Client, held: Mapping[str, str], state: str) -> tuple[str, Going] | None:
    """Return the one of those that a browser holds that this is the answer to, and its cookie; None where there is none."""
    for name, text in held.items():
        going = _opened(parts, text)
        if going is None or going.client_id != client.id or not hmac.compare_digest(going.state.encode(), state.encode()):
            continue
        if going.begun_at <= parts.now() < going.begun_at + LIFE:
            return name, going
    return None


def _opened(parts: Parts, text: str) -> Going | None:
    try:
        content = handed_out.unseal(_key(parts), from_base64(text)) if len(text) <= LONGEST else None
    except BadResponse:
        return None
    return None if content is None else msgspec.msgpack.decode(content, type=Going)


def _key(parts: Parts) -> bytes:
    return store_secret.derived(store_secret.read(parts).key, USE)


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
