"""Which handler answers which address, and what a form has to show first."""

from __future__ import annotations

from importlib.resources import files

from litestar import Response, Router, get
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from passless.actions.who import SignInNeeded
from passless.domain.errors import PasslessError
from passless.server import browser
from passless.server.pages import changing, coming_back, enrolling, errors, joining, linked, overview, people, signing_in
from passless.server.pages.rendering import STATIC
from passless.server.pages.visiting import BadForm, Form, Page, Visit, parse_form
from passless.server.problems import document_of, status_of
from passless.server.site import Site

LARGEST_FORM = 64 * 1024  # bytes; an answer of a key is about two thousand
MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"  # the address changes with the content
ALL = (
    *signing_in.HANDLERS,
    *overview.HANDLERS,
    *changing.HANDLERS,
    *enrolling.HANDLERS,
    *linked.HANDLERS,
    *coming_back.HANDLERS,
    *joining.HANDLERS,
    *people.HANDLERS,
)


def router(site: Site) -> Router:
    """Return the pages of a site, under `/`."""

    def provide_visit(request: browser.Asking) -> Visit:
        return Visit(request, site)

    async def provide_form(request: browser.Asking) -> Form:
        content_type, _ = request.content_type
        if content_type != "application/x-www-form-urlencoded":
            raise BadForm
        form = parse_form((await request.body()).decode("latin-1"))
        browser.check_form(request, site, form)
        return form

    def on_error(request: browser.Asking, error: PasslessError) -> Page:
        if isinstance(error, SignInNeeded) and Visit(request, site).session is None:
            return browser.sign_in_first(request, site)
        if isinstance(error, SignInNeeded):
            error = changing.NoSuchPage()  # signed in, and it is somebody else's: nothing tells whether it is there
        status = status_of(error)
        return errors.page(request, document_of(error, status))

    return Router(
        path="/",
        route_handlers=[*ALL, static],
        dependencies={"visit": Provide(provide_visit, sync_to_thread=False), "form": Provide(provide_form)},
        exception_handlers={PasslessError: on_error},
        request_max_body_size=LARGEST_FORM,
        include_in_schema=False,
    )


@get("/static/{name:str}", sync_to_thread=False)
def static(name: FromPath[str]) -> Response[bytes]:
    """Return a file of the pages."""
    if name not in STATIC:
        raise NotFoundException
    content = (files("passless.server.pages") / "static" / name).read_bytes()
    return Response(
        content,
        media_type=MEDIA[name.rpartition(".")[2]],
        headers={
            "Cache-Control": FOR_GOOD,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )
