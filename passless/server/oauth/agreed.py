"""The page of the programs that a person let in, where they put one out again."""

from __future__ import annotations

from typing import Any

from litestar import Response

from passless.actions import consents
from passless.domain.safety.context import READS_ONLY
from passless.server import browser
from passless.server.oauth import asking
from passless.server.oauth.metadata import AGREED
from passless.server.site import Site

Page = Response[Any]


def show(request: browser.Asking, site: Site) -> Page:
    """List them."""
    someone = asking.person(site.parts, browser.actor_of(request, site))
    if someone is None:
        return browser.sign_in_first(request, site)
    return browser.render(request, site, "agreed.html", programs=consents.of(site.parts, someone.account.id))


def answer(request: browser.Asking, site: Site, form: dict[str, str]) -> Page:
    """Put one out: it learns nothing more, and its tokens end."""
    browser.check_form(request, site, form)
    actor = browser.actor_of(request, site)
    someone = asking.person(site.parts, actor)
    if someone is None or someone.session.kind in READS_ONLY:
        return browser.sign_in_first(request, site, next_path=AGREED)
    consents.take_back(site.parts, someone.account, form.get("client", ""), actor.place)
    return browser.redirect(request, site, AGREED)
