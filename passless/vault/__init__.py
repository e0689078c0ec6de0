"""Secrets that must be read back, sealed under one key that the system keyring or a key file keeps."""

from passless.vault.copies import export_keys, import_keys
from passless.vault.keeper import KeeperKind
from passless.vault.kept_vault import KeptVault, VaultState
from passless.vault.key_ring import KeyRing
from passless.vault.opening import FoundKeeper, find_keeper, open_vault
from passless.vault.system_keyring import KeyringProbe, probe_keyring

__all__ = [
    "FoundKeeper",
    "KeeperKind",
    "KeptVault",
    "KeyRing",
    "KeyringProbe",
    "VaultState",
    "export_keys",
    "find_keeper",
    "import_keys",
    "open_vault",
    "probe_keyring",
]
