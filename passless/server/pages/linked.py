"""Adding a passkey with the link that a terminal made: for a browser in which nobody is signed in."""

from __future__ import annotations

from litestar import get, post

from passless.actions import enrol_links
from passless.actions.enrol_links import NotALink, Opened
from passless.domain.errors import PasslessError
from passless.domain.methods import Kind
from passless.domain.requests import Answer
from passless.domain.secret import Secret
from passless.server.pages.enrolling import free, guessed_device
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting


@get(enrol_links.PATH, sync_to_thread=True)
def arrive(visit: Visiting) -> Page:
    """Take the link: what stands in its fragment never reaches the server before the form is sent."""
    return visit.page("link.html")


@post(enrol_links.PATH, sync_to_thread=True)
def open_link(visit: Visiting, form: Filled) -> Page:
    """Begin in this browser; the link is used up with it."""
    secret = form.words("link").rpartition("#")[2]  # the whole link is understood too
    return _page(visit, enrol_links.open_link(visit.site.parts, visit.actor, Secret(secret)))


@post(f"{enrol_links.PATH}/passkey", sync_to_thread=True)
def finish(visit: Visiting, form: Filled) -> Page:
    """Add the passkey."""
    parts, ceremony, answer = visit.site.parts, form.words("ceremony"), _answer(form)
    try:
        kept, _ = enrol_links.finish(parts, visit.actor, ceremony, answer)
    except NotALink:
        raise
    except PasslessError as error:
        return _page(visit, enrol_links.open_again(parts, visit.actor, ceremony, answer), error)
    return visit.page("link_done.html", waits=kept.pending is not None)


def _answer(form: Form) -> Answer:
    return Answer(
        kind=Kind.PASSKEY,
        text=Secret(form.get("response", "")),
        name=form.words("name") or None,
        device=form.words("device") or None,
    )


def _page(visit: Visit, opened: Opened, error: PasslessError | None = None) -> Page:
    return visit.page(
        "link_passkey.html",
        status=422 if error is not None else 200,
        opened=opened,
        device=opened.device or free(guessed_device(visit), opened.taken),
        trouble=error,
    )


HANDLERS = (arrive, open_link, finish)
