"""What an app password is found by: keyed hashes of the SHA-256 of each of its spellings.

A mail server need not send the secret to have it checked: Dovecot sends its SHA-256. So a tag is made over that hash, and
whoever has the secret makes the hash first. Earlier app passwords have tags over the secret itself: who sends the
secret still finds them, a mail server does not, and they are made anew for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from passless.domain.sealed import Tag
from passless.domain.secret import Secret

if TYPE_CHECKING:
    from passless.ports import Vault

HASHED = "app-password-sha-256"  # what tags are made for: over the SHA-256 of a spelling
PLAIN = "app-password"  # and earlier: over the spelling itself
LONGEST = 256  # characters that are looked at; a longer secret is none of ours


def made(vault: Vault, secret: Secret) -> tuple[Tag, ...]:
    """Return what a new app password is found by: a tag for each spelling, with the spaces and without."""
    from passless.credentials.random_codes import spellings

    return tuple(vault.tag(_hash(one.reveal().encode()), purpose=HASHED) for one in spellings(secret))


def of_secret(vault: Vault, secret: Secret) -> Iterator[Tag]:
    """Make what an app password has to be found by that came as it is, with the spaces or without; the earlier kind last."""
    text = secret.reveal()[:LONGEST].encode("utf-8", "surrogatepass")
    yield from vault.tags(_hash(text), purpose=HASHED)
    yield from vault.tags(text, purpose=PLAIN)


def of_hash(vault: Vault, digest: bytes) -> tuple[Tag, ...]:
    """Return what an app password has to be found by of which only the SHA-256 came."""
    return vault.tags(digest, purpose=HASHED)


def _hash(text: bytes) -> bytes:
    return sha256(text).digest()
