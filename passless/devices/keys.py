"""The security keys of this machine, ready to use. fido2 is loaded only when a key is really asked for something."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from passless.devices.errors import NoKey
from passless.devices.options import read_creation_options, read_request_options
from passless.devices.permissions import DEV, SYSFS, why_no_key
from passless.devices.reader import KeyCredential, KeyFingerprint, KeyPrompts, KeyState
from passless.domain.errors import PasslessError

if TYPE_CHECKING:
    from fido2.client import WebAuthnClient

    from passless.devices.lines import Line

WINDOWS = "win32"


class SecurityKeys:
    """A `KeyReader` over USB, over NFC where the extra `nfc` is installed, and over Windows' own API.

    Args:
        sysfs: where Linux lists what is plugged in.
        dev: where the devices themselves are.
        platform: as in `sys.platform`.
        clock: seconds that never go back.
        wait: lets so many seconds pass.
    """

    def __init__(
        self,
        *,
        sysfs: Path = SYSFS,
        dev: Path = DEV,
        platform: str = sys.platform,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sysfs = sysfs
        self._dev = dev
        self._platform = platform
        self._clock = clock
        self._wait = wait

    def list_keys(self) -> tuple[KeyState, ...]:
        """See `KeyReader`."""
        from passless.devices.states import all_states

        return all_states(sysfs=self._sysfs, dev=self._dev)

    def register(self, options: str | bytes, origin: str, prompts: KeyPrompts, *, on: str | None = None) -> str:
        """See `KeyReader`."""
        from passless.devices import ceremonies, windows

        asked = read_creation_options(options, origin)
        ceremonies.check_relying_party(asked.rp.id, origin)
        if client := self._windows_client(origin):
            return windows.register(client, asked)
        with self._line(prompts, on) as line:
            return ceremonies.register(line, asked, origin, prompts)

    def assertion(self, options: str | bytes, origin: str, prompts: KeyPrompts, *, on: str | None = None) -> str:
        """See `KeyReader`."""
        from passless.devices import ceremonies, windows

        asked = read_request_options(options, origin)
        ceremonies.check_relying_party(asked.rp_id, origin)
        if client := self._windows_client(origin):
            return windows.assertion(client, asked)
        with self._line(prompts, on) as line:
            return ceremonies.assertion(line, asked, origin, prompts)

    def describe(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """See `KeyReader`."""
        from passless.devices.states import state_of

        with self._line(prompts, on) as line:
            return state_of(line)

    def set_pin(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """See `KeyReader`."""
        from passless.devices import pins
        from passless.devices.states import state_of

        with self._line(prompts, on) as line:
            pins.set_first_pin(line, line.ctap2(), prompts)
            return state_of(line)

    def change_pin(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """See `KeyReader`."""
        from passless.devices import pins
        from passless.devices.states import state_of

        with self._line(prompts, on) as line:
            pins.change_pin(line, line.ctap2(), prompts)
            return state_of(line)

    def list_credentials(self, prompts: KeyPrompts, *, on: str | None = None) -> tuple[KeyCredential, ...]:
        """See `KeyReader`."""
        from passless.devices import key_credentials

        with self._line(prompts, on) as line:
            return key_credentials.list_credentials(line, prompts)

    def delete_credential(self, credential: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyCredential:
        """See `KeyReader`."""
        from passless.devices import key_credentials

        with self._line(prompts, on) as line:
            return key_credentials.delete_credential(line, credential, prompts)

    def list_fingerprints(self, prompts: KeyPrompts, *, on: str | None = None) -> tuple[KeyFingerprint, ...]:
        """See `KeyReader`."""
        from passless.devices import key_fingerprints

        with self._line(prompts, on) as line:
            return key_fingerprints.list_fingerprints(line, prompts)

    def add_fingerprint(self, name: str | None, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """See `KeyReader`."""
        from passless.devices import key_fingerprints

        with self._line(prompts, on) as line:
            return key_fingerprints.add_fingerprint(line, name, prompts)

    def rename_fingerprint(self, fingerprint: str, name: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """See `KeyReader`."""
        from passless.devices import key_fingerprints

        with self._line(prompts, on) as line:
            return key_fingerprints.rename_fingerprint(line, fingerprint, name, prompts)

    def remove_fingerprint(self, fingerprint: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """See `KeyReader`."""
        from passless.devices import key_fingerprints

        with self._line(prompts, on) as line:
            return key_fingerprints.remove_fingerprint(line, fingerprint, prompts)

    def reset(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """See `KeyReader`."""
        from passless.devices import resetting

        with self._line(prompts, on) as line:
            return resetting.reset(line, prompts, clock=self._clock, wait=self._wait)

    @contextmanager
    def _line(self, prompts: KeyPrompts, on: str | None) -> Iterator[Line]:
        from passless.devices.choosing import chosen_line
        from passless.devices.refusals import explaining

        with chosen_line(on, prompts, self._why_none) as line, explaining(line.name):
            yield line

    def _why_none(self) -> PasslessError:
        if self._platform == WINDOWS:
            return NoKey(hint="plug it in and try again; on Windows only an administrator may look after the key itself")
        return why_no_key(self._sysfs, self._dev)

    def _windows_client(self, origin: str) -> WebAuthnClient | None:
        from passless.devices import windows

        return windows.client_for(origin) if self._platform == WINDOWS else None
