"""Ceremonies, signing in and out, and coming back with a recovery code."""

from __future__ import annotations

from passless import wire
from passless.actions.proving import SIGNED
from passless.actions.sign_in_states import is_handed_out
from passless.domain.requests import Answer, CeremonyRequest, Enrol, SignInWith
from passless.domain.views import MadeEnrolLink, SignedIn
from passless.server.api import documents
from passless.server.api.calls import Call, Said, operation


@operation(
    "POST",
    "/accounts/{account}/ceremonies",
    takes=CeremonyRequest,
    gives=documents.Begins,
    status=201,
    is_open=True,
    is_short=lambda call, request: isinstance(request, SignInWith),
)
def begin_ceremony(call: Call, request: CeremonyRequest) -> Said:
    """Begin to add a method, or to sign in, which needs no session."""
    return documents.outcome(call.site.directory.begin(call.actor, call.target, documents.here(request)))


@operation("POST", "/accounts/{account}/enrol-links", takes=Enrol, gives=MadeEnrolLink, status=201)
def make_enrol_link(call: Call, request: Enrol) -> Said:
    """Make a link with which one browser adds a passkey, once, without signing in there; shown once."""
    return Said(value=call.site.directory.enrol_link(call.actor, call.target, documents.here(request)))


@operation(
    "POST",
    "/ceremonies",
    takes=SignInWith,
    gives=documents.Begins,
    status=201,
    is_open=True,
    is_short=lambda call, request: True,
)
def begin_passkey(call: Call, request: SignInWith) -> Said:
    """Begin to sign in whoever the passkey says it is."""
    return documents.outcome(call.site.directory.begin(call.actor, "", documents.here(request)))


@operation(
    "POST",
    "/ceremonies/{ceremony}",
    takes=Answer,
    gives=documents.FINISHED,
    is_open=True,
    is_short=lambda call, answer: answer.kind in SIGNED and is_handed_out(call.part("ceremony")),  # a sign-in, no new method
)
def finish_ceremony(call: Call, answer: Answer) -> Said:
    """Finish what was begun."""
    return documents.outcome(call.site.directory.finish(call.actor, call.part("ceremony"), answer))


@operation("POST", "/accounts/{account}/sign-in", takes=Answer, gives=documents.SIGN_IN, is_open=True)
def sign_in(call: Call, answer: Answer) -> Said:
    """Sign in with what needs no challenge, or add a proof to the session in use."""
    return documents.outcome(call.site.directory.sign_in(call.actor, call.target, answer))


@operation("POST", "/accounts/{account}/recover", takes=wire.RecoverBody, gives=SignedIn, is_open=True)
def recover(call: Call, given: wire.RecoverBody) -> Said:
    """Begin a recovery with a recovery code."""
    return documents.outcome(call.site.directory.recover(call.actor, call.target, given.code, given.proof))


@operation("POST", "/accounts/{account}/recovery-code/check", takes=wire.CodeBody, gives=wire.Right)
def check_recovery_code(call: Call, given: wire.CodeBody) -> Said:
    """Tell whether this is the account's saved recovery code, without using it."""
    return Said(value=wire.Right(right=call.site.directory.is_recovery_code(call.actor, call.target, given.code)))


@operation("POST", "/sign-out", takes=wire.SignOutBody, gives=wire.SignedOut)
def sign_out(call: Call, given: wire.SignOutBody) -> Said:
    """End the session in use, or all of its account."""
    call.check_signed_in()
    return Said(value=wire.SignedOut(ended=call.site.directory.sign_out(call.actor, everywhere=given.everywhere)))
