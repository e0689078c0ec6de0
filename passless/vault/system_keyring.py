"""The system keyring: Secret Service, KWallet, Keychain or Credential Manager, holding one entry per store.

Every call has a limit: a keyring that waits for a prompt nobody sees must not stop the program. `keyring` is imported at
the first call, for it costs a noticeable part of a short command.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeVar

from msgspec import Struct

from passless.domain.errors import PasslessError
from passless.vault.errors import NoKeyring, VaultKeyUnreadable, VaultLocked, VaultNotWritten
from passless.vault.keeper import KeeperKind

if TYPE_CHECKING:
    from concurrent.futures import Future

    from keyring.backend import KeyringBackend

SERVICE = "passless"  # the entry's service name; its user name is the store's id
KEYRING_LIMIT = timedelta(seconds=3)  # as the GitHub command line has it (`internal/keyring`)
REAL_KEYRINGS = ("SecretService", "libsecret", "kwallet", "macOS", "Windows")  # modules of `keyring.backends` that encrypt
PROBE_ENTRY = "probe"  # an entry that is asked for and never made

Condition = Literal["works", "locked", "absent", "silent"]
Answer = TypeVar("Answer")


class Entries(Protocol):
    """The part of a keyring that is used here."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Make or replace an entry."""
        ...


class KeyringProbe(Struct, frozen=True, kw_only=True):
    """What the system keyring said when it was asked: it works, is locked, is absent, or stayed silent."""

    condition: Condition
    message: str


class SystemKeyring:
    """Keeps a key ring as one entry of the system keyring."""

    kind: ClassVar[KeeperKind] = "keyring"

    def __init__(
        self, store_id: str, *, entries: Callable[[], Entries] | None = None, limit: timedelta = KEYRING_LIMIT
    ) -> None:
        self.store_id = store_id
        self._entries = entries or real_keyring
        self._limit = limit

    def where(self) -> str:
        """Name the entry."""
        return f"the system keyring, entry {SERVICE}/{self.store_id}"

    def read(self) -> bytes | None:
        """Return the entry, or nothing where there is none."""
        kept = within(self._limit, lambda: self._entries().get_password(SERVICE, self.store_id))
        try:
            return None if kept is None else kept.encode()
        except UnicodeEncodeError:
            raise VaultKeyUnreadable(f"{self.where()} holds no key") from None  # the cause quotes what it read

    def write(self, kept: bytes) -> None:
        """Make or replace the entry. When it comes too late, the keyring may still have kept it."""
        text = kept.decode()
        within(self._limit, lambda: self._entries().set_password(SERVICE, self.store_id, text))


def probe_keyring(*, entries: Callable[[], Entries] | None = None, limit: timedelta = KEYRING_LIMIT) -> KeyringProbe:
    """Ask the system keyring for an entry that is not there; on a desktop this may show its unlock prompt."""
    try:
        SystemKeyring(PROBE_ENTRY, entries=entries, limit=limit).read()
    except NoKeyring as error:
        return KeyringProbe(condition="absent", message=error.message)
    except VaultLocked as error:
        return KeyringProbe(
            condition="silent" if isinstance(error.__cause__, TimeoutError) else "locked", message=error.message
        )
    except VaultKeyUnreadable:
        pass  # it answered: somebody made an entry of that name
    return KeyringProbe(condition="works", message="the system keyring answers")


def real_keyring() -> Entries:
    """Return the keyring chosen for this session, if it is one that encrypts.

    Raises:
        NoKeyring: there is none, or what is configured is a plain file or not known to encrypt.
    """
    import keyring
    from keyring.backends import chainer

    try:
        chosen = keyring.get_keyring()
    except (ImportError, AttributeError, RuntimeError, TypeError, ValueError) as error:  # what a wrong configuration ends in
        raise NoKeyring("the keyring that is configured cannot be loaded") from error
    candidates = list(chosen.backends) if isinstance(chosen, chainer.ChainerBackend) else [chosen]
    for candidate in candidates:
        if _is_real(candidate):
            return candidate
    if any(type(candidate).__module__ == "keyring.backends.fail" for candidate in candidates):
        raise NoKeyring
    raise NoKeyring(f'the keyring that is configured is not one that encrypts: "{type(chosen).__module__}"')


def within(limit: timedelta, call: Callable[[], Answer]) -> Answer:
    """Return what the keyring answers, or raise why it did not.

    The call runs in a thread that is left behind when the limit is over.

    Raises:
        VaultLocked: it is locked, or did not answer in time (the cause is then a `TimeoutError`).
        NoKeyring: there is none.
        VaultNotWritten: it refused to keep the entry.
    """
    from concurrent.futures import Future

    answer: Future[Answer] = Future()
    Thread(target=_call_into, args=(answer, call), name="keyring", daemon=True).start()
    try:
        fault = answer.exception(timeout=limit.total_seconds())
    except TimeoutError as error:
        raise VaultLocked(f"the system keyring did not answer in {limit.total_seconds():g} seconds") from error
    if isinstance(fault, PasslessError):
        raise fault
    if fault is not None:
        raise _in_our_words(fault) from fault
    return answer.result()


def _call_into(answer: Future[Answer], call: Callable[[], Answer]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - nothing is swallowed: the caller's thread gets it
        answer.set_exception(error)


def _in_our_words(fault: BaseException) -> BaseException:
    from keyring import errors

    match fault:
        case errors.KeyringLocked():
            return VaultLocked()
        case errors.InitError():  # the Secret Service has no default collection, or nobody answered its prompt
            return VaultLocked("the system keyring could not be unlocked")
        case errors.NoKeyringError():
            return NoKeyring()
        case errors.PasswordSetError():
            return VaultNotWritten("the system keyring refused to keep the vault key")
        case Exception():  # D-Bus, Keychain and Win32 have errors of their own, from libraries not present everywhere
            return VaultLocked(f"the system keyring failed ({type(fault).__name__})", hint="see: passless doctor")
        case _:
            return fault


def _is_real(candidate: KeyringBackend) -> bool:
    package, _, module = type(candidate).__module__.rpartition(".")
    return package == "keyring.backends" and module in REAL_KEYRINGS
