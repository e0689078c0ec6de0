"""Making an account from an invitation, and the steps to a safe one."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get, post

from passless.actions.parts import SignUp
from passless.domain.errors import PasslessError
from passless.domain.requests import NewAccount
from passless.domain.safety.next_steps import Action, AtHand, Goal, Step
from passless.domain.secret import Secret
from passless.domain.sessions import SessionKind
from passless.server.pages.changing import NoSuchPage
from passless.server.pages.offers import NotTyped
from passless.server.pages.signing_in import arrive
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting
from passless.server.pages.wishes import Wish

FROM_RECOVERY = (SessionKind.RECOVERY_CODE, SessionKind.TEMPORARY_PASS)


@get("/invitation", sync_to_thread=True)
def invited(visit: Visiting) -> Page:
    """Ask for a name; what stands in the link's fragment never reaches the server before the form is sent."""
    return visit.page("invitation.html", fields=Form(()), open=False, trouble=None)


@post("/invitation", sync_to_thread=True)
def accept(visit: Visiting, form: Filled) -> Page:
    """Make the account."""
    return _make(visit, form, is_open=False)


@get("/sign-up", sync_to_thread=True)
def sign_up(visit: Visiting) -> Page:
    """Ask for a name, where anybody may make an account."""
    _check_open(visit)
    return visit.page("invitation.html", fields=Form(()), open=True, trouble=None)


@post("/sign-up", sync_to_thread=True)
def make(visit: Visiting, form: Filled) -> Page:
    """Make the account."""
    _check_open(visit)
    return _make(visit, form, is_open=True)


def _check_open(visit: Visit) -> None:
    if visit.site.parts.sign_up is not SignUp.OPEN:
        raise NoSuchPage


def _make(visit: Visit, form: Form, *, is_open: bool) -> Page:
    try:
        signed_in = visit.directory.create(visit.asker, _new_account(form, is_open=is_open))
    except PasslessError as error:
        return visit.page("invitation.html", status=422, fields=form, open=is_open, trouble=error)
    return arrive(visit, Wish(next="/welcome", remember=form.words("shared") != "yes"), signed_in)


def _new_account(form: Form, *, is_open: bool) -> NewAccount:
    password = form.get("password", "")
    if password and password != form.get("again", ""):
        raise NotTyped("the two passwords are not the same")
    secret = form.words("invitation").rpartition("#")[2]  # the whole link is understood too
    if not is_open and not secret:
        raise NotTyped("paste the invitation: the link that you got")
    return NewAccount(
        name=form.words("name"),
        display_name=form.words("display_name"),
        email=form.words("email") or None,
        password=Secret(password) if password else None,
        invitation=None if is_open else Secret(secret),
    )


@get("/welcome", sync_to_thread=True)
def welcome(visit: Visiting) -> Page:
    """Show the steps that are left, the first one open (the walk-through)."""
    view = visit.view()
    recovering = visit.session is not None and visit.session.kind in FROM_RECOVERY
    goal = Goal.TWO_STEP if visit.query.words("goal") == "two-step" else Goal.PASSWORDLESS
    found = visit.directory.next_steps(visit.actor, view.id, goal, AtHand(recovering=recovering, security_key=True))
    steps = _each_once(found, needs_a_way_in=not view.ways_in)
    done, cookies = visit.said()
    return visit.page(
        "welcome.html",
        cookies=cookies,
        view=view,
        steps=[step for step in steps if step.action is not Action.RECOVER],
        optional=all(step.optional for step in steps),
        recovering=recovering,
        done=done,
    )


def _each_once(found: Sequence[Step], *, needs_a_way_in: bool) -> tuple[Step, ...]:
    """Return the steps without those that say the same; without a way in, adding any method is one step."""
    said = {step.action if needs_a_way_in and step.action is Action.ENROL else step: step for step in reversed(found)}
    return tuple(step for step in dict.fromkeys(found) if step in said.values())


HANDLERS = (invited, accept, sign_up, make, welcome)
