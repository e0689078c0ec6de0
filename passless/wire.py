"""What goes over HTTP, in both directions: the documents of `--json` (cli.md), and requests as tagged JSON.

Here alone secrets are written as text: a request brings them, an answer shows a new one once. Files, logs and the audit trail
never see these documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from passless.domain.errors import CannotDoThat, NotFound, PasslessError, ProofNeeded, Unavailable, WrongUse
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.policy import Policy
from passless.domain.refused import Refused
from passless.domain.requests import (
    Answer,
    EndSessions,
    IssuePass,
    NewAppPassword,
    NewRecoveryCode,
    NewToken,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeToken,
    StartRecoveryOf,
)
from passless.domain.safety.context import Problem, Severity
from passless.domain.safety.next_steps import AtHand, Goal
from passless.domain.secret import Secret
from passless.domain.views import (
    Applied,
    Begun,
    ChangedRelyingParty,
    Ended,
    Made,
    MadeAppPassword,
    MadeMethod,
    MadePass,
    MadeRecoveryCode,
    MadeReport,
    MadeToken,
    Outcome,
    PlanView,
    ProblemView,
    SecondProofNeeded,
    SignedIn,
    Waits,
)

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

MADE: Mapping[type[Struct], type[Made]] = {
    NewAppPassword: MadeAppPassword,
    NewRecoveryCode: MadeRecoveryCode,
    IssuePass: MadePass,
    StartRecoveryOf: MadePass,
    NewToken: MadeToken,
    ReportLostDevice: MadeReport,
    ReportNotMe: MadeReport,
    EndSessions: Ended,
    RevokeToken: Ended,
    RelyingPartyChange: ChangedRelyingParty,
}  # what a request makes, beside its plan


class NotUnderstood(WrongUse):
    """A document that is not what it should be."""

    code = "not-understood"
    hint = "send what the description of the interface says: /api/openapi.json"


class May(Struct, frozen=True, kw_only=True):
    """Whether a server can do something; `reason` and `where` say why not and where else."""

    is_possible: bool = True
    reason: str = ""
    where: str = ""


class About(Struct, frozen=True, kw_only=True):
    """What a server says of itself to anybody. `may` is by what is asked, such as `phone`; what is not named is possible."""

    name: str
    version: str
    store: str
    rp_id: str
    url: str
    sign_up: str
    may: Mapping[str, May] = {}
    api: int = 1


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list, and the cursor of the next part."""

    items: tuple[T, ...]
    next: str | None = None


class RecoverBody(Struct, frozen=True, kw_only=True):
    """A recovery code, and the further proof where two-step asks it."""

    code: Secret
    proof: Answer | None = None


class CodeBody(Struct, frozen=True, kw_only=True):
    """A recovery code to be checked."""

    code: Secret


class Right(Struct, frozen=True, kw_only=True):
    """Whether it was right."""

    right: bool


class WhatIfBody(Struct, frozen=True, kw_only=True):
    """What would be lost; every loss of one and of two things where nothing is named."""

    lost: tuple[str, ...] = ()


class NextStepsBody(Struct, frozen=True, kw_only=True):
    """Where a person wants to be, and what they could use."""

    goal: Goal | None = None
    at_hand: AtHand = AtHand()


class SeenBody(Struct, frozen=True, kw_only=True):
    """The ids of notices that were shown."""

    notices: tuple[str, ...]


class InvitationBody(Struct, frozen=True, kw_only=True):
    """What stands at the end of an invitation's link."""

    invitation: Secret


class CheckBody(Struct, frozen=True, kw_only=True):
    """The policy, and the accounts that are held against it; all where none is named."""

    policy: Policy
    targets: tuple[str, ...] = ()
    cursor: str | None = None


class SignOutBody(Struct, frozen=True, kw_only=True):
    """Whether every session of the account ends."""

    everywhere: bool = False


class SignedOut(Struct, frozen=True, kw_only=True):
    """How many sessions ended."""

    ended: int


class ProblemDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457), with the stable `code` and `hint` of the command line; `kind` is one of `KINDS`."""

    status: int
    title: str
    detail: str
    kind: str
    code: str
    hint: str
    type: str = "about:blank"
    problems: tuple[ProblemView, ...] = ()


KINDS: Mapping[str, type[PasslessError]] = {
    "wrong-use": WrongUse,
    "not-found": NotFound,
    "refused": Refused,
    "proof-needed": ProofNeeded,
    "unavailable": Unavailable,
    "cannot-do-that": CannotDoThat,
    "fault": PasslessError,
}


def encode(value: Any) -> bytes:
    """Return a document; secrets in it are written as text."""
    return msgspec.json.encode(value, enc_hook=_reveal)


def decode(content: bytes, kind: type[T]) -> T:
    """Read a document of a type, unknown fields ignored; `NotUnderstood` where it is none."""
    try:
        return msgspec.json.decode(content, type=kind, dec_hook=_hide)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(f"that is not understood: {error}") from error


def encode_outcome(outcome: Any) -> bytes:
    """Return what came of a request, as `--json` prints it; the token of a session that began is in it."""
    return encode(outcome if isinstance(outcome, SignedIn) else _document(outcome))


def encode_repeated(outcome: Any) -> bytes:
    """Return the same answer once more: new secrets are shown once, so they are not in it."""
    shown = {name: value for name, value in _document(outcome).items() if not isinstance(value, Secret)}
    return encode(shown | {"repeated": True})


def _document(outcome: Any) -> dict[str, Any]:
    match outcome:
        case Applied(plan=plan, made=made, token=token):
            renewed = {} if token is None else {"token": token}
            return {"applied": True, "plan": plan} | ({} if made is None else _fields(made)) | renewed
        case Waits(plan=plan, pending=pending):
            return {"applied": False, "plan": plan, "pending": pending}
        case Begun(public_key=public_key) | SecondProofNeeded(public_key=public_key):
            shown = {
                name: value
                for name, value in _fields(outcome).items()
                if name not in ("public_key", "proven") and value is not None
            }
            if public_key is not None:
                shown["publicKey"] = Raw(public_key)
            return shown
        case PlanView():
            return {"applied": False, "plan": outcome}
        case _:
            return _fields(outcome)


def decode_applied(content: bytes, request: Request | RelyingPartyChange) -> Applied | Waits:
    """Read what came of a request to `apply`."""
    return _applied(content, MADE.get(type(request)))


def decode_begun(content: bytes) -> Begun:
    """Read a ceremony that began."""
    return _with_challenge(decode(content, Begun), content)


def decode_outcome(content: bytes) -> Outcome:
    """Read what came of finishing a ceremony, or of a sign-in."""
    fields = decode(content, dict[str, Raw])
    if "session" in fields:
        return decode(content, SignedIn)
    if "accepts" in fields:
        return _with_challenge(decode(content, SecondProofNeeded), content)
    return _applied(content, MadeMethod if "method" in fields else None)


def problem(error: PasslessError, *, status: int, title: str) -> ProblemDocument:
    """Return an error as it is sent."""
    kind = next((name for name, one in KINDS.items() if isinstance(error, one)), "fault")
    problems: Iterable[Problem] = error.problems if isinstance(error, Refused) else ()
    return ProblemDocument(
        status=status,
        title=title,
        detail=error.message,
        kind=kind,
        code=error.code,
        hint=error.hint,
        problems=tuple(
            ProblemView(code=one.code, message=one.message, hint=one.hint, severity=one.severity) for one in problems
        ),
    )


def error_of(document: ProblemDocument) -> PasslessError:
    """Return the error that was sent."""
    if document.kind == "refused":
        return Refused(
            tuple(
                Problem(code=one.code, message=one.message, hint=one.hint, severity=Severity(one.severity))
                for one in document.problems
            )
        )
    return KINDS.get(document.kind, PasslessError)(document.detail, hint=document.hint, code=document.code)


class _Challenge(Struct, frozen=True, rename={"public_key": "publicKey"}):
    public_key: Raw = Raw()  # empty where there is none


class _Plain(Struct, frozen=True, kw_only=True):
    applied: bool
    plan: PlanView | None = None
    token: Secret | None = None


def _with_challenge(read: S, content: bytes) -> S:
    options = bytes(decode(content, _Challenge).public_key)
    return msgspec.structs.replace(read, public_key=options) if options else read


def _applied(content: bytes, made: type[Made] | None) -> Applied | Waits:
    read = decode(content, _Plain)
    if not read.applied:
        return decode(content, Waits)
    return Applied(plan=read.plan, made=None if made is None else decode(content, made), token=read.token)


def _fields(thing: Struct) -> dict[str, Any]:
    """Return the fields of a struct under their JSON names."""
    names = zip(thing.__struct_fields__, thing.__struct_encode_fields__, strict=True)
    return {written: getattr(thing, field) for field, written in names}


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal().encode("utf-8", "replace").decode()  # from a pipe it may be no text at all
    raise TypeError(f"{type(value).__name__} is not sent")


def _hide(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    if kind is object:  # in a plan's change, whose keys depend on its type
        return value
    raise NotImplementedError(f"{kind} is not read")
