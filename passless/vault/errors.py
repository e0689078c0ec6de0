"""What can go wrong with the vault: each says what to do, and none is answered by making a new key."""

from __future__ import annotations

from passless.domain.errors import ProofNeeded, Unavailable, WrongUse

IMPORT_A_COPY = "bring the key back from a copy: passless vault import"


class VaultLocked(Unavailable):
    """The system keyring did not answer in time, or not without being unlocked."""

    code = "vault-locked"
    hint = "unlock your keyring and try again, or choose the key file: passless profile set local --vault file"
    default = "the system keyring is locked"


class NoKeyring(VaultLocked):
    """This machine or session has no keyring that encrypts what it keeps."""

    code = "no-keyring"
    hint = "start a session with a keyring, or choose the key file: passless profile set local --vault file"
    default = "there is no system keyring here"


class VaultKeyMissing(Unavailable):
    """The store has no key where it should be, or not the one that something was sealed under."""

    code = "vault-key-missing"
    hint = IMPORT_A_COPY
    default = "the store's vault key is missing"


class VaultKeyForeign(Unavailable):
    """The key found belongs to another store."""

    code = "vault-key-foreign"
    hint = f"choose this store's key file, or {IMPORT_A_COPY}"
    default = "the vault key found belongs to another store"


class VaultKeyUnreadable(Unavailable):
    """A key is there, but damaged, not ours to read, or open to others."""

    code = "vault-key-unreadable"
    hint = IMPORT_A_COPY
    default = "the vault key cannot be read"


class VaultNotWritten(Unavailable):
    """The key could not be kept; what was there before still is."""

    code = "vault-not-written"
    hint = "make room or give yourself the right to write there, and try again; see: passless doctor"
    default = "the vault key could not be kept"


class SealBroken(Unavailable):
    """A sealed secret was changed, or put where it does not belong."""

    code = "seal-broken"
    hint = "bring the store back from a copy, or remove the method and add it again"
    default = "a sealed secret was changed or does not belong here"


class WrongPassphrase(ProofNeeded):
    """The passphrase does not open the copy of the keys."""

    code = "wrong-passphrase"
    hint = "type the passphrase that was chosen at: passless vault export"
    default = "the passphrase does not open this copy of the vault keys"


class CopyDamaged(WrongUse):
    """The file is no copy of vault keys, or not a whole one."""

    code = "vault-copy-damaged"
    hint = "use another copy, or make one where the key still is: passless vault export"
    default = "this is no whole copy of vault keys"
