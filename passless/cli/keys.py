"""Asking things of the security key itself; what changes it is planned under `--dry-run` and asked before it destroys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless import wiring
from passless.cli.failures import MissingInput
from passless.cli.key_prompts import TerminalKeyPrompts
from passless.devices.errors import NoSuchCredential, NoSuchFingerprint, NoSuchKey, PinAlreadySet, PinNeeded
from passless.devices.reader import KeyCredential, KeyFingerprint, KeyReader, KeyState, NewPinReason, PinReason
from passless.domain.names import are_same, clean, printable
from passless.domain.secret import Secret
from passless.output.machine_results import KeyPlan

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile


def plugged_in() -> tuple[KeyState, ...]:
    """Return every key that is plugged in."""
    return wiring.key_reader().list_keys()


class FilePrompts(TerminalKeyPrompts):
    """Prompts that name the flag where nobody can be asked for a PIN, and ask for one PIN once in a command."""

    _typed: Secret | None = None

    def pin(self, key_name: str, tries_left: int, reason: PinReason) -> Secret:
        """Ask for the key's PIN."""
        if self._pin is None and not self._can_ask:
            raise MissingInput(f'the PIN of "{key_name}"', "--pin-file FILE")
        if self._typed is None or reason is not PinReason.NEEDED:
            self._typed = super().pin(key_name, tries_left, reason)
        return self._typed

    def new_pin(self, key_name: str, min_length: int, reason: NewPinReason) -> Secret:
        """Ask for a new PIN."""
        if self._new_pin is None and not self._can_ask:
            raise MissingInput(f'the new PIN of "{key_name}"', "--new-pin-file FILE")
        return super().new_pin(key_name, min_length, reason)


class Keys:
    """One key: the only one, the one named, or the one that is touched."""

    def __init__(self, run: Run, on: str | None, *, pin: SecretFile | None = None, new_pin: SecretFile | None = None) -> None:
        self._run = run
        self._on = on
        self._reader: KeyReader = wiring.key_reader()
        self._prompts = FilePrompts(can_ask=run.can_ask, pin=pin, new_pin=new_pin)

    def describe(self) -> KeyState:
        """Return what the key says."""
        return self._reader.describe(self._prompts, on=self._on)

    def set_pin(self) -> KeyState | KeyPlan:
        """Set the first PIN."""
        if self._run.given.dry_run:
            key = self.describe()
            if key.has_pin:
                raise PinAlreadySet(f'"{key.name}" has a PIN already')
            return _plan(key, "set a PIN")
        return self._reader.set_pin(self._prompts, on=self._on)

    def change_pin(self) -> KeyState | KeyPlan:
        """Replace the PIN."""
        if self._run.given.dry_run:
            key = self.describe()
            if not key.has_pin:
                raise PinNeeded(f'"{key.name}" has no PIN yet')
            return _plan(key, "change the PIN")
        return self._reader.change_pin(self._prompts, on=self._on)

    def credentials(self) -> tuple[KeyCredential, ...]:
        """Return the passkeys on the key."""
        return self._reader.list_credentials(self._prompts, on=self._on)

    def delete_credential(self, credential: str) -> KeyCredential | KeyPlan:
        """Delete one, after saying which."""
        found = [one for one in self.credentials() if one.id.startswith(credential)] if self._may_ask_twice() else []
        what = (
            f'the passkey of "{found[0].user_name or found[0].id}" for {found[0].rp_id}' if len(found) == 1 else "the passkey"
        )
        if self._run.given.dry_run:
            if len(found) != 1:
                raise NoSuchCredential(f'the key holds no single credential "{printable(credential)}"')
            return _plan(self.describe(), f"delete {what}")
        self._run.confirm(f"delete {what} from the key for good?")
        return self._reader.delete_credential(credential, self._prompts, on=self._on)

    def fingerprints(self) -> tuple[KeyFingerprint, ...]:
        """Return the fingers that the key knows."""
        return self._reader.list_fingerprints(self._prompts, on=self._on)

    def add_fingerprint(self, name: str | None) -> KeyFingerprint | KeyPlan:
        """Learn a finger."""
        if self._run.given.dry_run:
            called = f' "{clean(name, what="name of the finger")}"' if name is not None else ""
            return _plan(self.describe(), f"learn the finger{called}")
        return self._reader.add_fingerprint(name, self._prompts, on=self._on)

    def rename_fingerprint(self, finger: str, name: str) -> KeyFingerprint | KeyPlan:
        """Give a finger another name."""
        if self._run.given.dry_run:
            new = clean(name, what="name of the finger")
            return _plan(self.describe(), f'rename the finger "{self._finger(finger)}" to "{new}"')
        return self._reader.rename_fingerprint(finger, name, self._prompts, on=self._on)

    def remove_fingerprint(self, finger: str) -> KeyFingerprint | KeyPlan:
        """Forget a finger."""
        if self._run.given.dry_run:
            return _plan(self.describe(), f'forget the finger "{self._finger(finger)}"')
        self._run.confirm(f'let the key forget the finger "{printable(finger)}"?')
        return self._reader.remove_fingerprint(finger, self._prompts, on=self._on)

    def reset(self) -> KeyState | KeyPlan:
        """Erase the key."""
        key = self._only_one()
        if self._run.given.dry_run:
            return _plan(key, "erase everything on it")
        self._run.confirm(f'erase everything on "{key.name}" for good? it will no longer sign in to anything')
        return self._reader.reset(self._prompts, on=key.id)

    def _only_one(self) -> KeyState:
        """Return the key meant without a touch: what is erased must be named where there are several."""
        present = [key for key in self._reader.list_keys() if key.problem is None]
        if self._on is None and len(present) > 1:
            names = ", ".join(f'"{key.name}" ({key.id})' for key in present)
            raise NoSuchKey(f"several keys are plugged in: {names}", hint="say which: --key KEY")
        return self.describe()

    def _may_ask_twice(self) -> bool:
        """Tell whether looking first asks nobody anything they would not be asked anyway."""
        return self._run.given.dry_run or not self._run.given.yes

    def _finger(self, wanted: str) -> str:
        for one in self.fingerprints():
            if wanted == one.id or (one.name and are_same(one.name, wanted)):
                return one.name or one.id
        raise NoSuchFingerprint(f'the key knows no finger "{printable(wanted)}"')


def _plan(key: KeyState, change: str) -> KeyPlan:
    return KeyPlan(applied=False, key=key.name, change=change)
