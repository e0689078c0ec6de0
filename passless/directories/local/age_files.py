"""Files for age recipients (age-encryption.org/v1), with the library `pyrage` where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from passless.domain.errors import CannotDoThat, ProofNeeded, WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret

BEGINNINGS = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")  # C2SP age, "File format" and "ASCII armor"
SHOWN = 40  # characters of a recipient in a message


class AgeMissing(CannotDoThat):
    """The library is not installed."""

    code = "age-missing"
    hint = "install passless with its extra: pip install 'passless[age]', or use a passphrase"
    default = "this installation of passless does not know age"


class BadRecipient(WrongUse):
    """Not an age recipient."""

    code = "bad-recipient"
    hint = "give the public key that age-keygen printed: age1…"


class BadIdentity(WrongUse):
    """Not an age identity."""

    code = "bad-identity"
    hint = "give the file that age-keygen wrote: --identity-file FILE"
    default = "the identity file holds no age identity"


class WrongIdentity(ProofNeeded):
    """The identity does not open the file."""

    code = "wrong-identity"
    hint = "give the identity that one of its recipients belongs to"
    default = "the identity does not open this copy"


def is_age_file(blob: bytes) -> bool:
    """Tell whether a file is one of age."""
    return blob.startswith(BEGINNINGS)


def seal_for(recipients: Sequence[str], content: bytes) -> bytes:
    """Return content that any one of the recipients opens, as text."""
    age = _library()
    return bytes(age.encrypt(content, [_recipient(age, one) for one in recipients], armored=True))


def check_recipients(recipients: Sequence[str]) -> None:
    """Refuse what is no recipient before anything else is asked."""
    age = _library()
    for one in recipients:
        _recipient(age, one)


def unseal_with(identity: Secret, blob: bytes) -> bytes:
    """Return what a file holds; the identity is the content of the file that age-keygen wrote."""
    age = _library()
    lines = [line.strip() for line in identity.reveal().splitlines() if line.strip() and not line.startswith("#")]
    try:
        known = [age.x25519.Identity.from_str(line) for line in lines]
    except age.IdentityError:
        raise BadIdentity from None  # the cause may quote it
    if not known:
        raise BadIdentity
    try:
        return bytes(age.decrypt(blob, known))
    except age.DecryptError as error:
        raise WrongIdentity from error


def _recipient(age: Any, text: str) -> Any:
    try:
        return age.x25519.Recipient.from_str(text)
    except age.RecipientError as error:
        raise BadRecipient(f'"{printable(text, at_most=SHOWN)}" is no age recipient') from error


def _library() -> Any:
    try:
        return import_module("pyrage")
    except ImportError as error:
        raise AgeMissing from error
