"""Files for age recipients (age-encryption.org/v1), with the library `pyrage` where it is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, BinaryIO, Protocol

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


class FileDamaged(WrongUse):
    """What stands in the file was changed, or cut off."""

    code = "account-copy-damaged"
    hint = "use another copy, or make one where the accounts are: passless account export --all FILE"
    default = "this file of age is damaged, or cut short"


class Taker(Protocol):
    """What takes the content of a file in pieces."""

    def write(self, piece: bytes) -> int:
        """Take the next piece."""
        ...

    def flush(self) -> None:
        """Keep nothing back."""
        ...


class _Pieces:
    """Content that is made while it is read."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content: Iterator[bytes] = iter(content)
        self._rest = b""
        self.error: BaseException | None = None  # the library would tell it as one of its own

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none at the end."""
        try:
            while not self._rest:
                self._rest = next(self._content)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def seal_stream_for(recipients: Sequence[str], content: Iterable[bytes], out: BinaryIO) -> None:
    """Write content, however long, that any one of the recipients opens."""
    age, pieces = _library(), _Pieces(content)
    try:
        age.encrypt_io(pieces, out, [_recipient(age, one) for one in recipients])
    except age.EncryptError:
        if pieces.error is not None:
            raise pieces.error from None
        raise


def unseal_stream_with(identity: Secret, file: BinaryIO, out: Taker) -> None:
    """Hand on what a file holds, piece by piece, each checked before."""
    age = _library()
    known = _identities(age, identity)
    try:
        age.decrypt_io(file, out, known)
    except age.DecryptError as error:
        raise WrongIdentity from error
    except OSError as error:
        raise FileDamaged from error


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
    known = _identities(age, identity)
    try:
        return bytes(age.decrypt(blob, known))
    except age.DecryptError as error:
        raise WrongIdentity from error


def _identities(age: Any, identity: Secret) -> list[Any]:
    lines = [line.strip() for line in identity.reveal().splitlines() if line.strip() and not line.startswith("#")]
    try:
        known = [age.x25519.Identity.from_str(line) for line in lines]
    except age.IdentityError:
        raise BadIdentity from None  # the cause may quote it
    if not known:
        raise BadIdentity
    return known


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
