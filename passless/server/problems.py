"""Errors as problem documents (RFC 9457): which status, and which headers say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from passless import wire
from passless.actions.throttle import Throttled
from passless.actions.who import OperatorProofNeeded, SignInNeeded
from passless.domain import errors
from passless.domain.errors import PasslessError
from passless.domain.refused import Refused
from passless.domain.sessions import STEP_UP
from passless.ports import VersionMoved

MEDIA_TYPE = "application/problem+json"
RETRY_SOON = 1  # seconds, where the store was busy
TAKEN = frozenset(
    {"name-taken", "name-in-use", "already-enrolled", "address-taken", "key-in-use", "under-way", "outcome-unknown"}
)
NOT_ALLOWED = frozenset(
    {
        "token-may-not",
        "not-an-operator",
        "not-below",
        "operator-may-not",
        "invitation-needed",
        "not-invited",
        "not-from-this-page",
    }
)
STALE = frozenset({"weak-proof", "unproven-method", "fresh-proof-needed", "session-may-not"})


class WrongMethod(errors.WrongUse):
    """An address that is not asked this way."""

    code = "wrong-method"
    hint = "see what can be asked: /api/openapi.json"
    default = "this address is not asked that way"


class NoSuchAddress(errors.NotFound):
    """There is nothing at this address."""

    code = "no-such-address"
    hint = "see what can be asked: /api/openapi.json"
    default = "there is nothing here"


class TooLarge(errors.WrongUse):
    """A body that is larger than any request is."""

    code = "too-large"
    hint = "send less: a body is at most 256 KiB"
    default = "the body is too large"


class WrongMediaType(errors.WrongUse):
    """A body that is not what is read here."""

    code = "wrong-media-type"
    hint = "send JSON as Content-Type: application/json"
    default = "that kind of body is not read here"


class Misdirected(errors.WrongUse):
    """A request that names another host."""

    code = "wrong-host"
    hint = "use the address that the server was started with (--url)"
    default = "this server does not answer for that host"


class BadHeaders(errors.WrongUse):
    """Headers that contradict each other."""

    code = "bad-headers"
    hint = "send each of these headers once"
    default = "the headers contradict each other"


class TooSlow(errors.WrongUse):
    """A body that did not arrive in time."""

    code = "too-slow"
    hint = "try again on a better connection"
    default = "the body did not arrive in time"


class Overloaded(errors.Unavailable):
    """More is under way than can be."""

    code = "overloaded"
    hint = "try again in a moment"
    default = "the server has too much to do"


class Fault(PasslessError):
    """A fault in passless."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "something went wrong in passless", hint=f'tell whoever runs the server that it was request "{request_id}"'
        )


FIXED: Mapping[type[PasslessError], HTTPStatus] = {
    WrongMethod: HTTPStatus.METHOD_NOT_ALLOWED,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Misdirected: HTTPStatus.MISDIRECTED_REQUEST,
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
}


def status_of(error: PasslessError, *, if_match: bool = False) -> HTTPStatus:
    """Return the status of an error; `if_match`: a version was asked for."""
    fixed = FIXED.get(type(error))
    if fixed is not None:
        return fixed
    match error:
        case Refused():
            return HTTPStatus.UNAUTHORIZED if error.is_about_proofs else HTTPStatus.CONFLICT
        case errors.WrongUse():
            return HTTPStatus.CONFLICT if error.code in TAKEN else HTTPStatus.BAD_REQUEST
        case errors.ProofNeeded():
            return HTTPStatus.FORBIDDEN if error.code in NOT_ALLOWED else HTTPStatus.UNAUTHORIZED
        case errors.NotFound():
            return HTTPStatus.NOT_FOUND
        case VersionMoved() if if_match:
            return HTTPStatus.PRECONDITION_FAILED
        case errors.Unavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case errors.CannotDoThat():
            return HTTPStatus.NOT_IMPLEMENTED
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def headers_of(error: PasslessError, status: HTTPStatus, *, signed_in: bool = False) -> dict[str, str]:
    """Return what the headers say; `signed_in`: a token was sent."""
    return {"Cache-Control": "no-store"} | _asking(error, status, signed_in=signed_in)


def _asking(error: PasslessError, status: HTTPStatus, *, signed_in: bool) -> dict[str, str]:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return {"WWW-Authenticate": _challenge(error, signed_in=signed_in)}
        case HTTPStatus.TOO_MANY_REQUESTS:
            return {"Retry-After": str(error.seconds if isinstance(error, Throttled) else RETRY_SOON)}
        case HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.CONFLICT if status >= 500 or error.code == "under-way":
            return {"Retry-After": str(RETRY_SOON)}
        case _:
            return {}


def document_of(error: PasslessError, status: HTTPStatus) -> wire.ProblemDocument:
    """Return the document of an error."""
    return wire.problem(error, status=status, title=status.phrase)


def _challenge(error: PasslessError, *, signed_in: bool) -> str:
    """Say which proof is asked for (RFC 6750 §3, RFC 9470 §3)."""
    if error.code in STALE:
        factors, age = factors_of(error), int(STEP_UP.total_seconds())
        return f'Bearer error="insufficient_user_authentication", acr_values="{factors}", max_age={age}'
    if isinstance(error, SignInNeeded) and signed_in:
        return 'Bearer error="invalid_token"'
    return "Bearer"


def factors_of(error: PasslessError) -> int:
    """Return how many factors the proofs that an error asks for must cover."""
    if isinstance(error, OperatorProofNeeded):
        return int(error.needed)
    if isinstance(error, OperatorProofNeeded):
        return max(int(error.needed), 1)
    if not isinstance(error, Refused):
        return 1
    return max((problem.factors for problem in error.problems), default=1) or 1
