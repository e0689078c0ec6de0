"""Operators and invitations."""

from __future__ import annotations

from passless import wire
from passless.domain.requests import NewInvitation
from passless.domain.views import Ended, InvitationSeen, InvitationView, MadeInvitation, OperatorView
from passless.server.api import paging
from passless.server.api.calls import Call, Said, operation
from passless.wire import Page


@operation("GET", "/operators", gives=Page[OperatorView], parameters=paging.PAGED)
def list_operators(call: Call) -> Said:
    """List who may help others (operators)."""
    return Said(value=paging.part(call.site.directory.operators(call.actor), call, lambda one: one.id))


@operation("GET", "/invitations", gives=Page[InvitationView], parameters=paging.PAGED)
def list_invitations(call: Call) -> Said:
    """List the invitations that nobody has taken yet (operators)."""
    return Said(value=paging.part(call.site.directory.invitations(call.actor), call, lambda one: one.id))


@operation("POST", "/invitations", takes=NewInvitation, gives=MadeInvitation, status=201, repeats=True)
def invite(call: Call, new: NewInvitation) -> Said:
    """Invite somebody to make an account (operators)."""
    return Said(value=call.site.directory.invite(call.actor, new))


@operation("POST", "/invitations/look", takes=wire.InvitationBody, gives=InvitationSeen, is_open=True)
def look_at_invitation(call: Call, given: wire.InvitationBody) -> Said:
    """Say what an invitation is for, to whoever holds it; it stays good."""
    return Said(value=call.site.directory.invited(given.invitation))


@operation("DELETE", "/invitations/{invitation}", gives=Ended)
def revoke_invitation(call: Call) -> Said:
    """Stop an invitation (operators)."""
    return Said(value=call.site.directory.revoke_invitation(call.actor, call.part("invitation")))
