"""Passwords: what a new one must be, how it is stored and checked (NIST SP 800-63B-4 §3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from passless.domain.errors import Unavailable, WrongUse
from passless.domain.secret import Secret
from passless.ports import Entropy

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST_ALONE = 15  # characters of a password that is the only factor (NIST SP 800-63B-4 §3.1.1.2)
SHORTEST = 8  # characters of a password beside another factor (NIST SP 800-63B-4 §3.1.1.2)
LONGEST = 256  # characters; NIST SP 800-63B-4 §3.1.1.2 asks for 64 at least
LONGEST_TYPED = 4 * LONGEST  # characters; NFKC makes one of four at most (U+1F82), so what is longer is longer than 256 still
LOWEST_SCORE = 3  # of zxcvbn's 0 to 4: "safely unguessable", 10^8 guesses and more (OWASP ASVS 6.2.4)
SCORED = 72  # characters that zxcvbn takes; the rest of a longer password can only help
SHORTEST_CONTEXT_WORD = 3  # characters; shorter words stand in too many good passwords (OWASP ASVS 6.2.11)
NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "A" * 43  # of no password, in today's profile

AT_ONCE = 2  # hashes computed at the same time, 64 MiB each; more only make each other wait
LINE = 20  # threads of a process that may wait for one, so that sign-ins with keys never wait behind passwords
SCORE_LINE = 2  # threads that may wait for a score, in a line of its own, so that no sign-in waits behind new passwords


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


class Line:
    """What takes long: few are worked on, few wait, and whoever comes then is asked to come again."""

    def __init__(self, at_once: int, *, waiting: int) -> None:
        self._work, self._places = BoundedSemaphore(at_once), BoundedSemaphore(at_once + waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place in line; `TooManyPasswords` where there is none."""
        if not self._places.acquire(blocking=False):
            raise TooManyPasswords
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have a place in line, and wait for one's turn."""
        with self.place(), self._work:
            yield


_hashing = Line(AT_ONCE, waiting=LINE)
_scoring = Line(1, waiting=SCORE_LINE)  # one: zxcvbn keeps the context words of a call in a module-wide table
_busy: set[str] = set()  # those of whom a new password is being worked on
_busy_changes = Lock()


@contextmanager
def one_at_a_time(whose: str) -> Iterator[None]:
    """Work on one new password of an account or a source; `TooManyPasswords` while there is another.

    This is for new passwords, whose owner is known; it holds up no sign-in, for then a stranger could hold up the owner's.
    """
    with _busy_changes:
        if whose in _busy:
            raise TooManyPasswords("another new password from there is being looked at")
        _busy.add(whose)
    try:
        yield
    finally:
        with _busy_changes:
            _busy.discard(whose)


def stands_alone(password: Secret) -> bool:
    """Tell whether it is long enough to be the only factor."""
    return len(_normal(password)) >= SHORTEST_ALONE


def hash_password(password: Secret, entropy: Entropy) -> str:
    """Return what is stored: Argon2id in the PHC string format, with the low-memory profile of RFC 9106 §4."""
    hasher = _hasher()
    with _hashing.turn():
        return hasher.hash(_prepare(password), salt=entropy(hasher.salt_len))


def verify_password(stored: str, password: Secret) -> bool:
    """Check a password; `BrokenHash` when what is stored is not a hash."""
    from argon2 import exceptions

    try:
        with _hashing.turn():
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


def check_new_password(password: Secret, *, stands_alone: bool, context_words: Sequence[str], scored: bool = True) -> None:
    """Refuse a password that is easily guessed; no composition rules.

    Args:
        password: as it was typed; compared and stored in Unicode's NFKC form.
        stands_alone: nothing else is asked at sign-in, so it must be longer.
        context_words: the person's name, address and the like, which do not make a password stronger.
        scored: whether it is scored as well, which takes long: its length and whether it is common are looked at in any case.
    Raises:
        WeakPassword: with every reason.
        TooManyPasswords: too many are being scored at once.
    """
    text = _normal(password)
    reasons = [*_wrong_length(text, SHORTEST_ALONE if stands_alone else SHORTEST)]
    if text.casefold() in _common_passwords():
        reasons.append("is one of the most common ones")
    elif scored and len(text) >= SHORTEST and _score(text, context_words) < LOWEST_SCORE:
        reasons.append("is easily guessed")
    if reasons:
        raise WeakPassword(reasons)


def _wrong_length(text: str, shortest: int) -> Iterator[str]:
    if len(text) < shortest:
        yield f"is shorter than {shortest} characters"
    if len(text) > LONGEST:
        yield f"is longer than {LONGEST} characters"


def _score(text: str, context_words: Sequence[str]) -> int:
    words = list(_words(context_words))
    with _scoring.turn():
        return int(_scorer()(text[:SCORED], user_inputs=words)["score"])


def _words(context_words: Sequence[str]) -> Iterator[str]:
    """Return every context word whole and in its parts, so that `ada@example.org` covers `example`."""
    yield "passless"
    for phrase in context_words:
        normal = normalize("NFKC", phrase)
        yield from (word for word in [normal, *re.split(r"[\W_]+", normal)] if len(word) >= SHORTEST_CONTEXT_WORD)


@cache
def _scorer() -> Callable[..., dict[str, Any]]:
    """Return zxcvbn, with our search for substituted characters in the place of its own, which takes seconds."""
    from zxcvbn import matching, zxcvbn

    from passless.credentials import substituted_words

    substituted_words.take_over(matching)
    score: Callable[..., dict[str, Any]] = zxcvbn
    return score


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _normal(password: Secret) -> str:
    """NFKC, so that the same password typed on another keyboard is the same (NIST SP 800-63B-4 §3.1.1.2).

    Of what is too long to be a password only the beginning: putting accents in order takes the square of how many there are.
    """
    return normalize("NFKC", password.reveal()[: LONGEST_TYPED + 1])


def _prepare(password: Secret) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")  # input from a pipe may not be text at all


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
