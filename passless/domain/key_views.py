"""What is shown of keys that programs outside of a browser ask: public halves alone."""

from __future__ import annotations

from msgspec import Struct


class HardwareKeyView(Struct, frozen=True, kw_only=True):
    """A key's public half (a COSE key), and what names it to the key itself; `opens_hosts`: ssh lets the person in with it."""

    id: str
    name: str
    kind: str
    rp_id: str
    credential_id: bytes
    public_key: bytes
    two_factor: bool
    opens_hosts: bool


class SshKeyWritten(Struct, frozen=True, kw_only=True):
    """The files with which ssh signs with a key; `public_key` is what a host would be told."""

    method: str
    name: str
    type: str
    application: str
    verify_required: bool
    public_key: str
    written: tuple[str, ...]


class KeyMapping(Struct, frozen=True, kw_only=True):
    """The line of pam_u2f for the keys of an account, which it is to ask under `origin`."""

    account: str
    user: str
    origin: str
    keys: tuple[str, ...]
    line: str
