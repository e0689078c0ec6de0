"""Secrets that machines make and people type or paste: recovery codes, app passwords, temporary passes, tokens, ids."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar

from passless.credentials.passwords import hash_password, verify_password
from passless.domain.errors import WrongUse
from passless.domain.secret import Secret
from passless.ports import Entropy

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Douglas Crockford's base 32: no I, L, O, U
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ID_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # without 0, 1, i, l, o, u: nothing looks like another

RECOVERY_CODE_LENGTH = 25  # characters of base 32, 125 bits; NIST SP 800-63B-4 §4.2.1.1 asks for 64
APP_PASSWORD_LENGTH = 24  # letters, 112.8 bits: enough for a fast hash (OWASP ASVS 6.5.2)
SHORT_APP_PASSWORD_LENGTH = 16  # letters, 75 bits, for devices that take no more (Google's and Microsoft's length)
PASS_LENGTH = 12  # characters of base 32, 60 bits
PASS_LENGTHS = range(8, 49)  # characters (Entra ID's limits for a Temporary Access Pass)
TOKEN_SIZE = 32  # bytes, 256 bits (security.md, "token for a machine" and "session")
SALT_SIZE = 16  # bytes (NIST SP 800-63B-4 §3.1.1.2 asks for 4)
ID_LENGTH = 8  # characters, 39 bits; 6 are enough within one account

SESSION_PREFIX = "pls_"  # a session's secret: recognisable in a leak
TOKEN_PREFIX = "plt_"  # a machine's token: recognisable in a leak

SCHEME = "sha256"
NOBODYS_RECOVERY_CODE = f"{SCHEME}${'0' * 2 * SALT_SIZE}${'0' * 64}"  # of no code, for equal work where there is none

_READ_AS = str.maketrans("OIL", "011", " -\t\n\r\u00a0\u2010\u2011\u2012\u2013")  # what people type instead, and between


class WrongLength(WrongUse):
    """A secret was asked for in a length that it cannot have."""

    code = "wrong-length"
    hint = f"choose {PASS_LENGTHS.start} to {PASS_LENGTHS.stop - 1} characters"
    default: ClassVar[str] = "that is not a length for a temporary pass"


def choose(alphabet: str, length: int, entropy: Entropy) -> str:
    """Return characters of an alphabet (at most 256), each as likely as any other.

    Bytes beyond the last whole multiple of the alphabet are thrown away; a remainder would favour the first characters.
    """
    characters, unfair = _characters(alphabet)
    chosen = ""
    while len(chosen) < length:
        chosen += entropy(length - len(chosen)).translate(None, unfair).decode("latin-1").translate(characters)
    return chosen


@lru_cache(maxsize=16)
def _characters(alphabet: str) -> tuple[Mapping[int, str], bytes]:
    """Return which character each byte stands for, and the bytes that stand for none."""
    fair = 256 - 256 % len(alphabet)
    return {byte: alphabet[byte % len(alphabet)] for byte in range(fair)}, bytes(range(fair, 256))


def in_groups(secret: Secret, size: int, *, between: str = "-") -> Secret:
    """Return it as it is shown, in groups of `size`."""
    text = secret.reveal()
    return Secret(between.join(text[start : start + size] for start in range(0, len(text), size)))


def as_typed(typed: Secret) -> Secret:
    """Read back base 32 as people type it: in any case, with spaces and dashes, O for 0, I and L for 1."""
    return Secret(typed.reveal().upper().translate(_READ_AS))


def new_recovery_code(entropy: Entropy) -> Secret:
    """Return a new recovery code; show it with `in_groups(code, 5)`."""
    return Secret(choose(CROCKFORD, RECOVERY_CODE_LENGTH, entropy))


def hash_recovery_code(code: Secret, entropy: Entropy) -> str:
    """Return what is stored: salted SHA-256, which needs no vault."""
    salt = entropy(SALT_SIZE)
    return f"{SCHEME}${salt.hex()}${_digest(salt, code)}"


def check_recovery_code(stored: str, typed: Secret) -> bool:
    """Check a recovery code as it was typed, in constant time; use `NOBODYS_RECOVERY_CODE` where there is none."""
    scheme, _, rest = stored.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        found = _digest(bytes.fromhex(salt), typed)
    except ValueError:
        return False
    return scheme == SCHEME and hmac.compare_digest(found.encode(), digest.encode())


def new_app_password(entropy: Entropy, *, short: bool = False) -> Secret:
    """Return a new app password without spaces; show it with `in_groups(secret, 4, between=" ")`."""
    return Secret(choose(LETTERS, SHORT_APP_PASSWORD_LENGTH if short else APP_PASSWORD_LENGTH, entropy))


def spellings(app_password: Secret) -> tuple[Secret, Secret]:
    """Return it without and with spaces: what programs send, and what to keep a tag of each."""
    return app_password, in_groups(app_password, 4, between=" ")


def new_temporary_pass(entropy: Entropy, *, length: int = PASS_LENGTH) -> Secret:
    """Return a new temporary pass; show it with `in_groups(secret, 4)`. `WrongLength` outside `PASS_LENGTHS`."""
    if length not in PASS_LENGTHS:
        raise WrongLength
    return Secret(choose(CROCKFORD, length, entropy))


def hash_temporary_pass(temporary_pass: Secret, entropy: Entropy) -> str:
    """Return what is stored: Argon2id, for 60 bits are too few for a fast hash."""
    return hash_password(as_typed(temporary_pass), entropy)


def verify_temporary_pass(stored: str, typed: Secret) -> bool:
    """Check a pass as it was typed; `passwords.verify_nothing` does the same work where there is none."""
    return verify_password(stored, as_typed(typed))


def new_token(entropy: Entropy, *, prefix: str = SESSION_PREFIX) -> Secret:
    """Return a new secret of a session or a machine: the prefix and 256 bits, safe in URLs and headers."""
    return Secret(prefix + urlsafe_b64encode(entropy(TOKEN_SIZE)).rstrip(b"=").decode())


def new_id(entropy: Entropy, *, length: int = ID_LENGTH) -> str:
    """Return a new name for a method, a device, a ceremony: lower-case, typable, not secret."""
    return choose(ID_ALPHABET, length, entropy)


def _digest(salt: bytes, code: Secret) -> str:
    return sha256(salt + as_typed(code).reveal().encode("utf-8", "surrogatepass")).hexdigest()
