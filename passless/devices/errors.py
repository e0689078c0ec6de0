"""What can go wrong with a security key, each with a code and what to do next."""

from __future__ import annotations

from passless.domain.errors import CannotDoThat, NotFound, ProofNeeded, Unavailable, WrongUse


class NoKey(Unavailable):
    """Nothing is plugged in."""

    code = "no-key"
    hint = "plug it in and try again; if it is plugged in, see: passless doctor"
    default = "no security key is plugged in"


class NoPermission(Unavailable):
    """A key is plugged in and the system does not let us talk to it."""

    code = "no-permission"


class KeyBusy(Unavailable):
    """Another program is in the middle of something with the key."""

    code = "key-busy"
    hint = "finish or cancel what the other program (a browser, ssh) asks of the key, then try again"


class KeyGone(Unavailable):
    """The key was pulled out half-way."""

    code = "key-gone"
    hint = "plug it in and start again"


class KeyFault(Unavailable):
    """The key, or Windows in its name, answered with something that nobody expects."""

    code = "key-fault"
    hint = "pull the key out, plug it in and try again; --debug shows the answer"


class NoSuchKey(NotFound):
    """No plugged-in key has that id, serial number or name."""

    code = "no-such-key"
    hint = "list what is plugged in: passless key list"


class NoSuchCredential(NotFound):
    """The key holds no credential with that id."""

    code = "no-such-credential"
    hint = "list what the key holds: passless key credential list"


class NoSuchFingerprint(NotFound):
    """The key knows no finger by that id or name."""

    code = "no-such-fingerprint"
    hint = "list what the key knows: passless key fingerprint list"


class NoTouch(ProofNeeded):
    """Nobody touched the key in time, or the request was declined on it."""

    code = "no-touch"
    hint = "try again and touch the key while it blinks"


class WrongPin(ProofNeeded):
    """The PIN is not the key's."""

    code = "wrong-pin"
    hint = "try again with the right PIN; it is the key's own and has nothing to do with the account's password"


class PinLastTry(ProofNeeded):
    """One more wrong PIN would block the key for good, so none was tried."""

    code = "pin-last-try"
    hint = "try again in a terminal when you are sure of the PIN; a blocked key can only be erased: passless key reset"


class PinLocked(ProofNeeded):
    """Too many wrong PINs in a row: the key wants to be pulled out first."""

    code = "pin-locked"
    hint = "pull the key out, plug it in and try again"


class PinBlocked(ProofNeeded):
    """The PIN is blocked for good."""

    code = "pin-blocked"
    hint = "use another method; the key works again only after erasing everything on it: passless key reset"


class PinNeeded(ProofNeeded):
    """The key has no PIN yet, or its PIN was not given."""

    code = "pin-needed"
    hint = "set one: passless key pin set"


class PinChangeNeeded(ProofNeeded):
    """The key wants a new PIN before anything else."""

    code = "pin-change-needed"
    hint = "change it: passless key pin change"


class PinRefused(WrongUse):
    """The key does not take this as a new PIN."""

    code = "pin-refused"
    hint = "choose another PIN"


class PinAlreadySet(WrongUse):
    """The key has a PIN."""

    code = "pin-already-set"
    hint = "change it: passless key pin change"


class FingerprintFailed(ProofNeeded):
    """The key did not recognise the finger, and there is no PIN to fall back to."""

    code = "fingerprint-failed"
    hint = "try again with a dry, clean finger, or another finger that the key knows"


class FingerprintsFull(WrongUse):
    """No more fingers fit into the key."""

    code = "fingerprints-full"
    hint = "remove one first: passless key fingerprint remove"


class AlreadyEnrolled(WrongUse):
    """This key is a sign-in method of the account already."""

    code = "already-enrolled"
    hint = "use another key, or see what is enrolled: passless method list"


class NotEnrolled(ProofNeeded):
    """This key is no sign-in method of the account."""

    code = "not-enrolled"
    hint = "use a key of this account, or sign in another way: passless sign-in --with KIND"


class NoUserVerification(CannotDoThat):
    """A PIN or a finger is asked for and the key can check neither."""

    code = "no-user-verification"
    hint = "use a newer key, one with a PIN or a fingerprint reader"


class KeyFull(CannotDoThat):
    """No more credentials fit into the key."""

    code = "key-full"
    hint = "delete one that is no longer used: passless key credential list"


class KeyCannot(CannotDoThat):
    """The key is too old or too simple; the message says for what."""

    code = "key-cannot"
    hint = "use a newer key; see what this one can do: passless key info"


class BadOptions(WrongUse):
    """The WebAuthn options are not what the standard says."""

    code = "bad-options"
    hint = "pass on the publicKey object exactly as --begin printed it"


class WrongOrigin(WrongUse):
    """The address and the relying party do not belong together; a key must never answer then."""

    code = "wrong-origin"
    hint = "use the origin that --begin printed beside the options"


class NotReplugged(Unavailable):
    """The key was not pulled out and put back in time."""

    code = "not-replugged"
    hint = "start again, pull the key out and put it back when asked"


class ResetTooLate(Unavailable):
    """A key can only be erased in the first seconds after it was plugged in."""

    code = "reset-too-late"
    hint = "start again and touch the key right after plugging it in"
