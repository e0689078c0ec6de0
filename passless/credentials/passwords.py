"""Passwords: what a new one must be, how it is stored and checked (NIST SP 800-63B-4 §3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from unicodedata import normalize

from passless.domain.errors import Unavailable, WrongUse
from passless.domain.secret import Secret
from passless.ports import Entropy

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST_ALONE = 15  # characters of a password that is the only factor (NIST SP 800-63B-4 §3.1.1.2)
SHORTEST = 8  # characters of a password beside another factor (NIST SP 800-63B-4 §3.1.1.2)
LONGEST = 256  # characters; NIST SP 800-63B-4 §3.1.1.2 asks for 64 at least
LOWEST_SCORE = 3  # of zxcvbn's 0 to 4: "safely unguessable", 10^8 guesses and more (OWASP ASVS 6.2.4)
SCORED = 72  # characters that zxcvbn takes; the rest of a longer password can only help
SHORTEST_CONTEXT_WORD = 3  # characters; shorter words stand in too many good passwords (OWASP ASVS 6.2.11)
NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "A" * 43  # of no password, in today's profile

AT_ONCE = 2  # hashes computed at the same time, 64 MiB each; more only make each other wait
LINE = 20  # threads of a process that may wait for one, so that sign-ins with keys never wait behind passwords

_at_once, _line = BoundedSemaphore(AT_ONCE), BoundedSemaphore(AT_ONCE + LINE)
_zxcvbn_is_single = BoundedSemaphore()  # zxcvbn keeps the context words of a call in a module-wide table


class WeakPassword(WrongUse):
    """The new password is refused; `reasons` says why, all of it at once."""

    code = "weak-password"
    hint = "use several unrelated words, or let a password manager make one"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"this password {' and '.join(reasons)}")
        self.reasons = tuple(reasons)


class BrokenHash(Unavailable):
    """What the store has as a password's hash is none."""

    code = "broken-hash"
    hint = "the store is damaged: restore it from a backup, or set a new password"
    default = "the stored password cannot be read"


class TooManyPasswords(Unavailable):
    """More passwords are being checked than can be at the same time."""

    code = "too-many-passwords"
    hint = "try again in a moment"
    default = "too many passwords are being checked at once"


def stands_alone(password: Secret) -> bool:
    """Tell whether it is long enough to be the only factor."""
    return len(_normal(password)) >= SHORTEST_ALONE


def hash_password(password: Secret, entropy: Entropy) -> str:
    """Return what is stored: Argon2id in the PHC string format, with the low-memory profile of RFC 9106 §4."""
    hasher = _hasher()
    with _turn(_at_once):
        return hasher.hash(_prepare(password), salt=entropy(hasher.salt_len))


def verify_password(stored: str, password: Secret) -> bool:
    """Check a password; `BrokenHash` when what is stored is not a hash."""
    from argon2 import exceptions

    try:
        with _turn(_at_once):
            return _hasher().verify(stored, _prepare(password))
    except exceptions.VerifyMismatchError:
        return False
    except (exceptions.InvalidHashError, exceptions.VerificationError) as error:
        raise BrokenHash from error


def verify_nothing(password: Secret) -> None:
    """Do the work of a check where there is no password, so that time does not tell who has an account."""
    verify_password(NOBODYS_HASH, password)


def needs_rehash(stored: str) -> bool:
    """Tell whether the hash was made with another profile than today's; `BrokenHash` when it is not a hash."""
    from argon2 import exceptions

    try:
        return _hasher().check_needs_rehash(stored)
    except exceptions.InvalidHashError as error:
        raise BrokenHash from error


def check_new_password(password: Secret, *, stands_alone: bool, context_words: Sequence[str]) -> None:
    """Refuse a password that is easily guessed; no composition rules.

    Args:
        password: as it was typed; compared and stored in Unicode's NFKC form.
        stands_alone: nothing else is asked at sign-in, so it must be longer.
        context_words: the person's name, address and the like, which do not make a password stronger.
    Raises:
        WeakPassword: with every reason.
    """
    text = _normal(password)
    reasons = [*_wrong_length(text, SHORTEST_ALONE if stands_alone else SHORTEST)]
    if text.casefold() in _common_passwords():
        reasons.append("is one of the most common ones")
    elif len(text) >= SHORTEST and _score(text, context_words) < LOWEST_SCORE:
        reasons.append("is easily guessed")
    if reasons:
        raise WeakPassword(reasons)


@contextmanager
def _turn(work: BoundedSemaphore) -> Iterator[None]:
    """Wait in line; `TooManyPasswords` where it is too long."""
    if not _line.acquire(blocking=False):
        raise TooManyPasswords
    try:
        with work:
            yield
    finally:
        _line.release()


def _wrong_length(text: str, shortest: int) -> Iterator[str]:
    if len(text) < shortest:
        yield f"is shorter than {shortest} characters"
    if len(text) > LONGEST:
        yield f"is longer than {LONGEST} characters"


def _score(text: str, context_words: Sequence[str]) -> int:
    from zxcvbn import zxcvbn

    words = list(_words(context_words))
    with _turn(_zxcvbn_is_single):
        return int(zxcvbn(text[:SCORED], user_inputs=words)["score"])


def _words(context_words: Sequence[str]) -> Iterator[str]:
    """Return every context word whole and in its parts, so that `ada@example.org` covers `example`."""
    yield "passless"
    for phrase in context_words:
        normal = normalize("NFKC", phrase)
        yield from (word for word in [normal, *re.split(r"[\W_]+", normal)] if len(word) >= SHORTEST_CONTEXT_WORD)


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _normal(password: Secret) -> str:
    """NFKC, so that the same password typed on another keyboard is the same (NIST SP 800-63B-4 §3.1.1.2)."""
    return normalize("NFKC", password.reveal())


def _prepare(password: Secret) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")  # input from a pipe may not be text at all


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
