"""What only an embedded account has: its store and its vault, for the commands that care for them."""

from __future__ import annotations

from passless.actions.parts import Parts
from passless.directories.local.directory import LocalDirectory
from passless.domain.errors import CannotDoThat
from passless.ports.directory import Directory
from passless.vault import KeptVault


class NotEmbedded(CannotDoThat):
    """The accounts do not live in a store of this machine."""

    code = "not-embedded"
    hint = "choose a profile with a store: passless profile list"
    default = "this is done where the store is"


def parts_of(directory: Directory) -> Parts:
    """Return the store and what belongs to it; `NotEmbedded` where there is none here."""
    origin = getattr(directory, "origin", None)  # a server's
    if origin is not None:
        raise NotEmbedded(
            f'the accounts of this profile live at "{origin}", and this is done where their store is',
            hint="do it on the server's host, with a profile that names its store: passless profile add NAME --store URL",
        )
    if not isinstance(directory, LocalDirectory):
        raise NotEmbedded
    return directory.parts


def kept_vault(parts: Parts) -> KeptVault:
    """Return the vault whose key is kept on this machine."""
    vault = parts.vault
    if not isinstance(vault, KeptVault):
        raise NotEmbedded("the vault key is not kept here")
    return vault
