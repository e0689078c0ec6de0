"""Signing in elsewhere for this terminal: in a browser here (RFC 8252 with PKCE), or on another device (RFC 8628)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from passless import wire
from passless.directories.server import answers
from passless.directories.server.connection import Connection, Received
from passless.directories.server.errors import Challenge, NotPassless, ServerTroubled
from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret
from passless.ports import Clock, Entropy

T = TypeVar("T")

CLIENT = "passless-cli"
SCOPE = "account"
AUTHORIZE = "/oauth/authorize"
TOKEN = "/oauth/token"
DEVICE = "/oauth/device_authorization"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628 §3.4
SLOWER = timedelta(seconds=5)  # RFC 8628 §3.5, what slow_down adds for good
USUAL_INTERVAL = 5  # seconds; RFC 8628 §3.2, where the server names none
LONGEST_INTERVAL = 60  # seconds; ours


class SignInRefused(ProofNeeded):
    """Somebody said no in the browser, or nobody said yes in time."""

    code = "sign-in-refused"
    hint = "begin again: passless sign-in"


class Gone(ProofNeeded):
    """The code's time is over."""

    code = "sign-in-expired"
    hint = "begin again: passless sign-in"
    default = "nobody typed the code in time"


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """The session that began."""

    access_token: Secret
    account: str
    account_id: str


class DeviceCode(Struct, frozen=True, kw_only=True):
    """What the server gave for another device to be typed."""

    device_code: Secret
    user_code: str
    verification_uri: str
    expires_in: int
    verification_uri_complete: str | None = None
    interval: int = USUAL_INTERVAL


class Question(Struct, frozen=True, kw_only=True):
    """One sign-in in a browser: where to go, and what only this program knows."""

    address: str
    redirect_uri: str
    state: str
    verifier: Secret


class _Refusal(Struct, frozen=True, kw_only=True):
    error: str
    error_description: str = ""


def begin_in_browser(
    connection: Connection, redirect_uri: str, entropy: Entropy, *, asked: Challenge | None = None, account: str | None = None
) -> Question:
    """Return the address to open; `asked` is the proof that a step-up is for."""
    verifier, state = _random(entropy), _random(entropy)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()  # RFC 7636 §4.2, S256
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if asked is not None:
        query |= {"acr_values": str(asked.strength), "max_age": str(int(asked.max_age.total_seconds()))}
    if account is not None:
        query |= {"login_hint": account}
    return Question(
        address=f"{connection.origin}{AUTHORIZE}?{urlencode(query, errors='replace')}",
        redirect_uri=redirect_uri,
        state=state,
        verifier=Secret(verifier),
    )


def finish_in_browser(connection: Connection, question: Question, answered: dict[str, str]) -> TokenAnswer:
    """Turn what the browser brought back into a session.

    Args:
        connection: to the server.
        question: what was asked.
        answered: the query of the redirect; its `state` was compared already.
    """
    issuer = answered.get("iss")
    if issuer != connection.origin:  # RFC 9207 §2.4: an answer of another server is not sent to this one
        raise NotPassless(f'the browser\'s answer comes from "{printable(issuer or "nobody")}", not from "{connection.origin}"')
    if "error" in answered:
        raise _refused(_Refusal(error=answered["error"], error_description=answered.get("error_description", "")))
    form = {
        "grant_type": "authorization_code",
        "code": answered.get("code", ""),
        "redirect_uri": question.redirect_uri,
        "client_id": CLIENT,
        "code_verifier": question.verifier.reveal(),
    }
    return _token(connection, connection_form(connection, TOKEN, form))


def begin_on_device(connection: Connection) -> DeviceCode:
    """Ask for a code that is typed on another device."""
    received = connection_form(connection, DEVICE, {"client_id": CLIENT, "scope": SCOPE})
    if received.status != HTTPStatus.OK:
        raise _refused(_refusal(connection, received))
    return _decoded(connection, received, DeviceCode)


def wait_for_device(
    connection: Connection, code: Secret, *, interval: int, until: datetime, clock: Clock, pause: Callable[[float], None]
) -> TokenAnswer:
    """Ask again and again until somebody said yes or no on the other device, or the time is over."""
    every = timedelta(seconds=min(max(interval, 1), LONGEST_INTERVAL))
    form = {"grant_type": DEVICE_GRANT, "device_code": code.reveal(), "client_id": CLIENT}
    while clock() < until:
        received = _polled(connection, form)
        if received is not None and received.status == HTTPStatus.OK:
            return _token(connection, received)
        match "authorization_pending" if received is None else (refusal := _refusal(connection, received)).error:
            case "authorization_pending":
                pass
            case "slow_down":
                every += SLOWER
            case _:
                raise _refused(refusal)
        pause(every.total_seconds())
    raise Gone


def connection_form(connection: Connection, path: str, form: dict[str, str]) -> Received:
    """Post a form and return the answer."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return connection.send("POST", path, headers=headers, content=urlencode(form).encode())


def _polled(connection: Connection, form: dict[str, str]) -> Received | None:
    """Ask once; a server that is busy just now is asked again later (RFC 8628 §3.5)."""
    received = connection_form(connection, TOKEN, form)
    return None if received.status >= HTTPStatus.INTERNAL_SERVER_ERROR else received


def _token(connection: Connection, received: Received) -> TokenAnswer:
    if received.status != HTTPStatus.OK:
        raise _refused(_refusal(connection, received))
    return _decoded(connection, received, TokenAnswer)


def _decoded(connection: Connection, received: Received, kind: type[T]) -> T:
    return wire.decode(answers.expect_document(received, connection.origin, had_token=False), kind)


def _refusal(connection: Connection, received: Received) -> _Refusal:
    """Read why an OAuth endpoint refused (RFC 6749 §5.2)."""
    if received.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ServerTroubled(f'the server at "{connection.origin}", or a proxy before it, has a fault ({received.status})')
    try:
        return wire.decode(received.content, _Refusal)
    except wire.NotUnderstood as error:
        raise NotPassless(f'what answers at "{connection.origin}" is no passless server ({received.status})') from error


def _refused(refusal: _Refusal) -> PasslessError:
    match refusal.error:
        case "access_denied":
            return SignInRefused("the sign-in was refused there")
        case "expired_token":
            return Gone()
        case "invalid_grant":
            return SignInRefused("the sign-in took too long, or was used already")
        case _:
            said = printable(refusal.error_description or refusal.error, at_most=200)
            return WrongUse(f"the server refused the sign-in: {said}", code="sign-in-refused", hint="see: passless doctor")


def _random(entropy: Entropy) -> str:
    return urlsafe_b64encode(entropy(32)).rstrip(b"=").decode()  # 43 characters; RFC 7636 §4.1 asks at least that
