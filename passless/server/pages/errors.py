"""An error as a page: what happened, and what to do."""

from __future__ import annotations

from passless.server import browser
from passless.server.pages.visiting import Page
from passless.server.site import Site
from passless.wire import ProblemDocument

TITLES = {
    403: "That did not work",
    404: "There is no such page",
    503: "Not reachable just now",
    500: "Something went wrong",
}
NOWHERE = {"no-such-page", "no-such-address"}  # the title says it all


def page(request: browser.Asking, document: ProblemDocument) -> Page:
    """Return the page of an error."""
    site: Site = request.app.state["site"]
    return browser.render(
        request,
        site,
        "error.html",
        status=document.status,
        title=TITLES.get(document.status, "That did not work"),
        message="" if document.code in NOWHERE else document.detail,
        hint="" if document.code in NOWHERE else document.hint,
        code=document.code,
    )
