"""What using a method or an app password leaves behind; kept beside the account and without a version of its own."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class UseState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one method or app password (`item`)."""

    item: str
    last_used_at: datetime | None = None
    totp_step: int | None = None  # the last step that was accepted (RFC 6238 §5.2)
    counter: int = 0  # the signature counter (WebAuthn L3 §6.1.1)
    backed_up: bool = False
    cloned: bool = False  # a counter went back: the method is refused


class Use(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One accepted use, written in the transaction it belongs to.

    `totp_step` must be newer than the stored one, else the use is refused as already made; so must a `counter` that is not 0.
    """

    item: str
    at: datetime
    totp_step: int | None = None
    counter: int | None = None
    backed_up: bool | None = None
    cloned: bool = False
