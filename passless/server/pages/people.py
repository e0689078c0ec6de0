"""For operators: the people below them, and what helps them."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from passless.actions.who import BadReason, OperatorProofNeeded
from passless.domain.errors import PasslessError
from passless.domain.requests import NewInvitation
from passless.domain.views import AccountView, MadeInvitation
from passless.ports.directory import Actor
from passless.server.pages.changing import NoSuchPage
from passless.server.pages.offers import NotTyped
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting

SHOWN = 50  # people on one page; the search narrows it


def _operator(visit: Visit) -> AccountView:
    """Return the account of an operator; nobody else learns that the page is there."""
    view = visit.view()
    if view.operator_over is None:
        raise NoSuchPage
    return view


@get("/people", sync_to_thread=True)
def people(visit: Visiting) -> Page:
    """List the people below an operator."""
    view, matching = _operator(visit), visit.query.words("matching")[:64]
    found = list(islice(visit.directory.find(matching, visit.actor), SHOWN + 1))
    invitations = visit.directory.invitations(visit.actor)
    done, cookies = visit.said()
    return visit.page(
        "people.html",
        cookies=cookies,
        view=view,
        people=found[:SHOWN],
        more=len(found) > SHOWN,
        matching=matching,
        invitations=invitations,
        done=done,
    )


@get("/people/{person:str}", sync_to_thread=True)
def person(visit: Visiting, person: FromPath[str]) -> Page:
    """Show one person's account, and what an operator may do for them."""
    view = _operator(visit)
    theirs = visit.directory.read(visit.actor, person)
    done, cookies = visit.said()
    return visit.page(
        "person.html",
        cookies=cookies,
        view=view,
        theirs=theirs,
        devices=[one for one in visit.directory.devices(visit.actor, person) if one.methods],
        passes=visit.directory.passes(visit.actor, person),
        done=done,
        own=view.id == theirs.id,
    )


@get("/invitations/new", sync_to_thread=True)
def ask_to_invite(visit: Visiting) -> Page:
    """Ask what an invitation is for."""
    return visit.page("invite.html", view=_operator(visit), fields=Form(()), trouble=None)


@post("/invitations/new", sync_to_thread=True)
def invite(visit: Visiting, form: Filled) -> Page:
    """Make an invitation and show its link once."""
    view = _operator(visit)
    try:
        made = visit.directory.invite(_saying_why(visit, form), _invitation(form))
    except PasslessError as error:
        return visit.page("invite.html", status=422, view=view, fields=form, trouble=error)
    return _made_page(visit, made)


def _invitation(form: Form) -> NewInvitation:
    days = form.words("days") or "7"
    if not (days.isascii() and days.isdigit() and len(days) < 4):
        raise NotTyped("the number of days is not a number")
    groups = tuple(word for word in form.words("groups").replace(",", " ").split() if word)
    email = form.words("email")
    return NewInvitation(groups=groups, name=form.words("name"), email=email, lifetime=timedelta(days=int(days)))


def _made_page(visit: Visit, made: MadeInvitation) -> Response[Any]:
    return visit.page("invited.html", made=made, link=made.link.reveal())


def _saying_why(visit: Visit, form: Form) -> Actor:
    return visit.operator(form.words("reason"), form.words("ticket"))


@get("/invitations/revoke", sync_to_thread=True)
def ask_to_revoke(visit: Visiting) -> Page:
    """Ask why an invitation is stopped."""
    return _stop_page(visit, visit.query)


@post("/invitations/revoke", sync_to_thread=True)
def revoke(visit: Visiting, form: Filled) -> Page:
    """Stop an invitation."""
    _operator(visit)
    try:
        visit.directory.revoke_invitation(_saying_why(visit, form), form.words("id"))
    except (BadReason, OperatorProofNeeded) as error:
        return _stop_page(visit, form, error)
    return visit.go("/people", done="revoke-invitation")


def _stop_page(visit: Visit, fields: Form, trouble: PasslessError | None = None) -> Page:
    _operator(visit)
    found = [one for one in visit.directory.invitations(visit.actor) if one.id == fields.words("id")]
    if not found:
        raise NoSuchPage
    status = 200 if trouble is None else 422
    return visit.page("stop_invitation.html", status=status, invitation=found[0], fields=fields, trouble=trouble)


HANDLERS = (people, person, ask_to_invite, invite, ask_to_revoke, revoke)
