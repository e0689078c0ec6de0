"""What is shown of relying parties."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.secret import Secret


class RelyingPartyView(Struct, frozen=True, kw_only=True):
    """A relying party, without its secret; `enforces` and `cannot` are what it can hold people to, and what not."""

    id: str
    name: str
    kind: str
    public: bool
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    introspects: bool
    created_at: datetime
    requires: str = "any"
    services: tuple[str, ...] = ()
    after_sign_out: tuple[str, ...] = ()
    told_of_endings_at: str = ""
    signed_with: str = ""
    groups: tuple[str, ...] = ()
    enforces: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()


class MadeRelyingParty(RelyingPartyView, frozen=True, kw_only=True):
    """A new relying party, whose secret is shown once; a public one has none.

    `written` are files of the program itself, `then` and `undo` what is left to do with them and how they go again: each is a
    sentence, and on lines below it what is typed or written as it stands. `secret_in` is the file that the secret was written
    to, where it is not shown.
    """

    secret: Secret | None = None
    shown_once: bool = True
    secret_in: str = ""
    written: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()


class ChangedRelyingParty(RelyingPartyView, frozen=True, kw_only=True):
    """A relying party as it is from now on: `ended` are the sessions of it that ended, `then` is as in `MadeRelyingParty`."""

    ended: tuple[str, ...] = ()
    then: tuple[str, ...] = ()


class ConfiguredRelyingParty(Struct, frozen=True, kw_only=True):
    """A program whose configuration was written on this machine; `then` and `undo` are as in `MadeRelyingParty`."""

    id: str
    name: str
    kind: str
    written: tuple[str, ...]
    then: tuple[str, ...]
    undo: tuple[str, ...]


class SigningKeyView(Struct, frozen=True, kw_only=True):
    """A key that signs id_tokens: `state` is next, signing or retired. `readable`: its vault key is there."""

    id: str
    algorithm: str
    state: str
    made_at: datetime
    signs_from: datetime
    published_until: datetime | None
    readable: bool = True
