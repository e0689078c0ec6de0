"""What passless asks of the security keys plugged into this machine, and what they ask of the person.

Nothing here prints or waits for typing: whoever calls brings `KeyPrompts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from passless.domain.secret import Secret


class PinReason(StrEnum):
    """Why the key's PIN is asked for."""

    NEEDED = "needed"
    WRONG = "wrong"  # the PIN before was wrong
    IMPOSSIBLE = "impossible"  # no PIN is that short or long, so it was not tried
    FINGERPRINT_FAILED = "fingerprint-failed"


class NewPinReason(StrEnum):
    """Why a new PIN is asked for."""

    NEEDED = "needed"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    REFUSED = "refused"  # the key finds it too simple, or it was used before


class Sample(StrEnum):
    """What the sensor said to a finger while it is being enrolled."""

    FIRST = "first"  # nothing yet
    GOOD = "good"
    TOO_HIGH = "too-high"
    TOO_LOW = "too-low"
    TOO_LEFT = "too-left"
    TOO_RIGHT = "too-right"
    TOO_FAST = "too-fast"
    TOO_SLOW = "too-slow"
    TOO_SKEWED = "too-skewed"
    TOO_SHORT = "too-short"
    UNCLEAR = "unclear"
    ALREADY_KNOWN = "already-known"
    NO_FINGER = "no-finger"
    NOT_LIFTED = "not-lifted"


class KeyPrompts(Protocol):
    """How a key reaches the person; the command line implements it.

    Names are safe to print. A method may raise any `PasslessError` or `KeyboardInterrupt`: the key then stops blinking, nothing
    is changed and the error arrives at the caller unchanged.
    """

    def touch(self, key_name: str) -> None:
        """Say that the key blinks and waits for a touch; return at once."""
        ...

    def choose_by_touch(self, key_names: Sequence[str]) -> None:
        """Say that several keys blink and the one to use is to be touched; return at once."""
        ...

    def fingerprint(self, key_name: str, tries_left: int) -> None:
        """Say that a finger is to be put on the sensor; return at once."""
        ...

    def pin(self, key_name: str, tries_left: int, reason: PinReason) -> Secret:
        """Ask for the key's PIN.

        Without a terminal return the PIN from its file: the same wrong PIN a second time is never tried, it is `wrong-pin`.
        An empty answer is `pin-needed`.
        """
        ...

    def last_try(self, key_name: str) -> bool:
        """Ask whether to use the last try, after which a wrong PIN blocks the key for good; False without a terminal."""
        ...

    def no_pin_set(self, key_name: str, *, required: bool) -> bool:
        """Offer to set a PIN on a key that has none; `new_pin` follows. `required`: without one this stops here."""
        ...

    def new_pin(self, key_name: str, min_length: int, reason: NewPinReason) -> Secret:
        """Ask for a new PIN, twice if typed; the same refused PIN a second time is `pin-refused`."""
        ...

    def finger_sample(self, key_name: str, last: Sample, remaining: int | None) -> None:
        """Ask for the next touch of the finger being enrolled; `remaining` is None before the first."""
        ...

    def choose_credential(self, key_name: str, user_names: Sequence[str]) -> int:
        """Ask which of several accounts on the key signs in; return its place in the list."""
        ...

    def unplug(self, key_name: str) -> None:
        """Say that the key is to be pulled out before it can be erased; return at once."""
        ...

    def plug_in(self, key_name: str) -> None:
        """Say that the key is to be plugged in again, and then touched within 10 seconds; return at once."""
        ...


class KeyState(Struct, frozen=True, kw_only=True):
    """One plugged-in key.

    `id` is good while it stays plugged in. Where `problem` is set (an error code, with a `hint`) we could see the key and not
    talk to it, and the rest is what the system says. None means that the key does not say, or has no such thing.
    """

    id: str
    name: str
    model: str | None = None
    serial: str | None = None
    aaguid: str | None = None
    firmware: str | None = None
    versions: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    has_pin: bool | None = None
    pin_tries_left: int | None = None
    pin_locked: bool = False
    pin_change_needed: bool = False
    min_pin_length: int | None = None
    takes_fingerprints: bool = False
    has_fingerprints: bool = False
    finger_tries_left: int | None = None
    always_verifies: bool = False
    stores_credentials: bool = False
    lists_credentials: bool = False
    credential_slots_left: int | None = None
    problem: str | None = None
    hint: str | None = None
    udev_rule: str | None = None


class KeyCredential(Struct, frozen=True, kw_only=True):
    """One credential that a key keeps itself (a passkey on the key). `id` and `user_id` are base64url."""

    id: str
    rp_id: str
    rp_name: str | None
    user_id: str
    user_name: str | None
    display_name: str | None
    protection: str | None


class KeyFingerprint(Struct, frozen=True, kw_only=True):
    """One finger that a key knows. `id` is base64url."""

    id: str
    name: str | None


class KeyReader(Protocol):
    """The security keys of this machine.

    `on` is a key's id, serial number or name; without it the only key is used, or the one that is touched. Every method but
    `list_keys` raises `no-key`, `no-permission`, `no-such-key`, `key-busy`, `key-gone` and `key-fault` (see `errors`).
    """

    def list_keys(self) -> tuple[KeyState, ...]:
        """Return every key that is plugged in, also those that cannot be used and why; asks nothing."""
        ...

    def register(self, options: str | bytes, origin: str, prompts: KeyPrompts, *, on: str | None = None) -> str:
        """Make a credential.

        Args:
            options: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn L3, or an object with it as `publicKey`.
            origin: where the credential will be used, such as `https://s1a2b3.passless.localhost`.
            prompts: the person.
            on: which key.
        Returns:
            `RegistrationResponseJSON`.
        """
        ...

    def assertion(self, options: str | bytes, origin: str, prompts: KeyPrompts, *, on: str | None = None) -> str:
        """Prove possession: `PublicKeyCredentialRequestOptionsJSON` in, `AuthenticationResponseJSON` out; see `register`."""
        ...

    def describe(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """Return one key."""
        ...

    def set_pin(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """Set the first PIN; `pin-already-set` where there is one."""
        ...

    def change_pin(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """Replace the PIN; `pin-needed` where there is none."""
        ...

    def list_credentials(self, prompts: KeyPrompts, *, on: str | None = None) -> tuple[KeyCredential, ...]:
        """Return the credentials that the key keeps itself, by relying party and user name."""
        ...

    def delete_credential(self, credential: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyCredential:
        """Delete one by its id or the unmistakable beginning of it, and return what it was."""
        ...

    def list_fingerprints(self, prompts: KeyPrompts, *, on: str | None = None) -> tuple[KeyFingerprint, ...]:
        """Return the fingers that the key knows."""
        ...

    def add_fingerprint(self, name: str | None, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """Enrol a finger."""
        ...

    def rename_fingerprint(self, fingerprint: str, name: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """Name a finger, found by its id or name, anew."""
        ...

    def remove_fingerprint(self, fingerprint: str, prompts: KeyPrompts, *, on: str | None = None) -> KeyFingerprint:
        """Forget a finger, found by its id or name."""
        ...

    def reset(self, prompts: KeyPrompts, *, on: str | None = None) -> KeyState:
        """Erase everything on the key, for good: credentials, fingers, PIN. Whoever calls has asked before."""
        ...
