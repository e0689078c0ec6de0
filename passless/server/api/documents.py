"""The documents of outcomes, as `wire` writes them: the types that describe them, and how each is answered."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from passless import wire
from passless.domain.requests import Enrol, SignInWith
from passless.domain.views import ChangedRelyingParty, PendingView, PlanView, SignedIn
from passless.server.api.calls import Said

T = TypeVar("T", bound=Enrol | SignInWith)


class Planned(Struct, frozen=True, kw_only=True):
    """What a request would do."""

    applied: bool
    plan: PlanView


class Changed(Struct, frozen=True, kw_only=True):
    """What came of a request: its plan, and what it made, which is shown once. What waits has `pending`.

    `token` is the new one of the session, where a method that was added proved more in it.
    """

    applied: bool
    plan: PlanView | None
    pending: PendingView | UnsetType = UNSET
    token: str | UnsetType = UNSET


class ChangedParty(ChangedRelyingParty, frozen=True, kw_only=True):
    """What a relying party is from now on, beside what changed; `ended` are the sessions of it that ended."""

    applied: bool
    plan: PlanView


class Begins(Struct, frozen=True, kw_only=True, rename={"public_key": "publicKey"}):
    """A ceremony that waits for its answer; `publicKey` are the options of WebAuthn."""

    ceremony: str
    expires_at: str
    otpauth_uri: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    public_key: dict[str, Any] | UnsetType = UNSET


class SecondProof(Struct, frozen=True, kw_only=True, rename={"public_key": "publicKey"}):
    """The first proof was right; two-step asks another, which the ceremony takes."""

    ceremony: str
    accepts: tuple[str, ...]
    origin: str | UnsetType = UNSET
    public_key: dict[str, Any] | UnsetType = UNSET


class Repeated(Struct, frozen=True, kw_only=True):
    """An answer that was given before: the same, without what was shown once."""

    repeated: bool


SIGN_IN = (SignedIn, SecondProof)  # one of these
FINISHED = (Changed, *SIGN_IN)


def outcome(value: Any, *, status: int = 0) -> Said:
    """Answer what came of something."""
    whose = value.account_id if isinstance(value, SignedIn) else ""
    return Said(value=value, content=wire.encode_outcome(value), status=status, account_id=whose)


def here(request: T) -> T:
    """Return a ceremony's request for this server's own origin: who asks has no say in it."""
    return replace(request, origin=None)
