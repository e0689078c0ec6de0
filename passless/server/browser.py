"""A browser at the server: its cookies, who is signed in, what stands against forged forms, and how a page is sent."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal, cast
from urllib.parse import quote, unquote, urlencode

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType

from passless.domain.errors import ProofNeeded
from passless.domain.secret import Secret
from passless.domain.sessions import STEP_UP
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from passless.server.addresses import address_of
from passless.server.site import Site

Asking = Request[Any, Any, Any]

SESSION = "passless-session"
VISIT = "passless-visit"
FORM_TOKEN = "form-token"  # the field that every form carries
VISIT_BYTES = 32  # 256 bits; must hold 5 and 11
VISIT_KEY = "passless.visit"  # where a visit that begins with this request waits for its cookie
LONGEST_PATH = 8000  # characters of a page to come back to
YEAR = 31_536_000  # seconds

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form says `Origin: null`, and we look at the origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "publickey-credentials-get=(self), publickey-credentials-create=(self), clipboard-write=(self), camera=(), "
        "display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
}


class NotFromThisPage(ProofNeeded):
    """A form that no page of ours in this browser sent (must hold 11)."""

    code = "not-from-this-page"
    hint = "open the page again and send the form once more"
    default = "that form did not come from a page that this browser has open"


def actor_of(request: Asking, site: Site) -> Actor:
    """Return who asks: the session of the cookie, from where, and in which browser."""
    token = request.cookies.get(cookie_name(site, SESSION))
    return Actor(
        token=Secret(token) if token else None,
        place=address_of(request, site),
        visit=visit_of(request, site),
    )


def is_signed_in(request: Asking, site: Site) -> bool:
    """Tell whether the browser holds a session; whether it still holds good is the directory's to say."""
    return bool(request.cookies.get(cookie_name(site, SESSION)))


def cookie_name(site: Site, name: str) -> str:
    """Return a cookie's name: over TLS one that no other host and no plain connection can set."""
    return f"__Host-{name}" if site.is_secure else name


def visit_of(request: Asking, site: Site) -> str:
    """Return what names this browser's visit; a new one where there is none yet, which the answer then keeps."""
    state = cast(dict[str, Any], request.scope)
    if VISIT_KEY not in state:
        given = request.cookies.get(cookie_name(site, VISIT), "")
        state[VISIT_KEY] = given if _is_visit(given) else _new_visit()
    return str(state[VISIT_KEY])


def _new_visit() -> str:
    return secrets.token_urlsafe(VISIT_BYTES)


def _is_visit(text: str) -> bool:
    return len(text) == len(_new_visit()) and text.isascii() and all(one.isalnum() or one in "-_" for one in text)


def csrf_token(request: Asking, site: Site) -> str:
    """Return what every form of this visit carries; it follows from the visit, so that every process knows it."""
    return _form_token(visit_of(request, site))


def _form_token(visit: str) -> str:
    return urlsafe_b64encode(hmac.digest(visit.encode(), b"passless form", sha256)).decode().rstrip("=")


def check_form(request: Asking, site: Site, form: Mapping[str, Any]) -> None:
    """Refuse a form that did not come from a page of ours in this browser (must hold 11).

    Raises:
        NotFromThisPage: the browser says another site sent it, or its token is not the one of the visit.
    """
    check_origin(request, site)
    given = form.get(FORM_TOKEN)
    wanted = csrf_token(request, site)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise NotFromThisPage


def check_origin(request: Asking, site: Site) -> None:
    """Refuse what the browser says comes from elsewhere, or says nothing about; every browser says one of both with a form."""
    where, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if where is None and origin is None:
        raise NotFromThisPage
    if where not in (None, "same-origin") or origin not in (None, site.url):
        raise NotFromThisPage


def path_here(words: str | None, *, instead: str = "/") -> str:
    """Return a path on this site to go to, or the other one where it could lead anywhere else (open redirect)."""
    if not words or len(words) > LONGEST_PATH or not all("!" <= one <= "~" for one in words):
        return instead
    path = words.partition("?")[0].partition("#")[0]
    forms = (path, unquote(path), unquote(unquote(path)))
    if any(not one.startswith("/") or one.startswith("//") or "\\" in one or not one.isprintable() for one in forms):
        return instead
    return words


def path_of(request: Asking) -> str:
    """Return the path and query that were asked for."""
    query = request.scope.get("query_string", b"").decode("ascii", "replace")
    path = quote(request.scope["path"])
    return f"{path}?{query}" if query else path


def sign_in_first(
    request: Asking,
    site: Site,
    *,
    strength: int = 1,
    max_age: timedelta | None = None,
    next_path: str | None = None,
    why: str = "",
) -> Response[Any]:
    """Send the browser to sign in, or with `max_age` to prove again who they are, and back to where it was.

    `next_path` is a page to come back to where it is not the one that was asked for (a form's own page). `why` is the code of
    the problem that asks for it, which the page puts in words.
    """
    asked = {"next": path_here(next_path or (path_of(request) if request.method == "GET" else "/"))}
    if strength > 1:
        asked["strength"] = str(strength)
    if max_age is not None:
        asked["fresh"] = str(int(max_age.total_seconds()))
    if why:
        asked["why"] = why
    return redirect(request, site, f"/sign-in?{urlencode(asked)}")


def prove_again(request: Asking, site: Site, *, strength: int, next_path: str, why: str = "") -> Response[Any]:
    """Ask for a fresh proof as strong as that, and come back to a page."""
    return sign_in_first(request, site, strength=strength, max_age=STEP_UP, next_path=next_path, why=why)


def render(
    request: Asking,
    site: Site,
    template: str,
    *,
    status: int = 200,
    form_action: Sequence[str] = (),
    cookies: Sequence[Cookie] = (),
    **values: Any,
) -> Response[Any]:
    """Return a page with every header that a page carries.

    `form_action` names further origins that forms, and the redirects after them, may lead to: Chromium holds the policy
    against these too, so a consent page names the client's loopback origin.
    """
    from passless.server.pages.rendering import page

    content = page(
        template,
        site_name=site.name,
        site_url=site.url,
        form_token=csrf_token(request, site),
        signed_in=is_signed_in(request, site),
        path=request.scope["path"],
        **values,
    )
    return answer(request, site, content, status=status, form_action=form_action, cookies=cookies)


def answer(
    request: Asking,
    site: Site,
    content: str,
    *,
    status: int = 200,
    form_action: Sequence[str] = (),
    cookies: Sequence[Cookie] = (),
) -> Response[Any]:
    """Return HTML with the headers and cookies of a page."""
    return Response(
        content,
        status_code=status,
        media_type=MediaType.HTML,
        headers=page_headers(site, form_action=form_action),
        cookies=[*_visit_cookie(request, site, cookies), *cookies],
    )


def redirect(request: Asking, site: Site, path: str, *, cookies: Sequence[Cookie] = ()) -> Response[Any]:
    """Send the browser to another page with GET (Post/Redirect/Get)."""
    return Response(
        b"",
        status_code=303,
        media_type=MediaType.HTML,
        headers={**page_headers(site), "Location": path},
        cookies=[*_visit_cookie(request, site, cookies), *cookies],
    )


def loopback_headers(*, form_action: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of a page on this machine."""
    policy = CONTENT_SECURITY_POLICY.format(form_action=" ".join(("'self'", *form_action)))
    return {**HEADERS, "Content-Security-Policy": policy, "Cache-Control": "no-store"}


def page_headers(site: Site, *, form_action: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of every page (must hold 11)."""
    headers = loopback_headers(form_action=form_action)
    if site.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    return headers


def cookie(
    site: Site, name: str, value: str, *, max_age: int | None = None, same_site: Literal["lax", "strict"] = "lax"
) -> Cookie:
    """Return a cookie that scripts do not read and other hosts do not set."""
    return Cookie(
        key=cookie_name(site, name),
        value=value,
        path="/",
        max_age=max_age,
        httponly=True,
        secure=site.is_secure,
        samesite=same_site,
    )


def signed_in_cookies(site: Site, signed_in: SignedIn) -> tuple[Cookie, Cookie]:
    """Return what a browser keeps of a sign-in: the session's token, and a visit of its own (session fixation)."""
    return session_cookie(site, signed_in.token), cookie(site, VISIT, _new_visit())


def session_cookie(site: Site, token: Secret) -> Cookie:
    """Return what a browser keeps of a session: its token."""
    return cookie(site, SESSION, token.reveal())


def signed_out_cookies(site: Site) -> tuple[Cookie, Cookie]:
    """Return what takes the session out of a browser, and begins another visit."""
    return cookie(site, SESSION, "", max_age=0), cookie(site, VISIT, _new_visit())


def _visit_cookie(request: Asking, site: Site, others: Sequence[Cookie]) -> list[Cookie]:
    """Return the cookie of a visit that begins here, unless the answer brings another one."""
    name, visit = cookie_name(site, VISIT), visit_of(request, site)
    if any(one.key == name for one in others) or request.cookies.get(name) == visit:
        return []
    return [cookie(site, VISIT, visit)]
