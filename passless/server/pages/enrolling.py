"""Adding a passkey, a security key or an authenticator app."""

from __future__ import annotations

from collections.abc import Collection

from litestar import get, post
from litestar.params import FromPath

from passless.domain.errors import PasslessError, ProofNeeded
from passless.domain.methods import MEMORY, Kind
from passless.domain.refused import Refused
from passless.domain.requests import Answer, Enrol
from passless.domain.secret import Secret
from passless.domain.views import AccountView, Applied, Begun, Waits
from passless.server import browser
from passless.server.browser import path_here
from passless.server.pages.changing import NoSuchPage, asks_for_proof
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting
from passless.server.problems import factors_of

ADDED = (Kind.PASSKEY, Kind.SECURITY_KEY, Kind.TOTP)
PHONE = "phone"
COMPUTERS = (  # what a browser says of itself, and a word for it
    ("Mobile", PHONE),
    ("Windows", "Windows computer"),
    ("Macintosh", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux computer"),
)
REPORTED = "device:"  # begins what a report of a lost device names


def _kind(words: str) -> Kind:
    if words not in ADDED:
        raise NoSuchPage
    return Kind(words)


@get("/enrol", sync_to_thread=True)
def choose(visit: Visiting) -> Page:
    """Ask which kind of method to add."""
    return visit.page("enrol_choose.html", view=visit.view(), next=path_here(visit.query.get("next")))


@get("/enrol/{kind:str}", sync_to_thread=True)
def begin(visit: Visiting, kind: FromPath[str]) -> Page:
    """Begin to add a method, and show what the person does now."""
    return enrol_page(visit, _kind(kind), visit.query)


@post("/enrol/{kind:str}", sync_to_thread=True)
def finish(visit: Visiting, kind: FromPath[str], form: Filled) -> Page:
    """Add the method."""
    added = _kind(kind)
    if added is Kind.TOTP and not form.words("code"):
        return _typed_page(visit, form, "Type the code that the app shows now.")
    answer = Answer(
        kind=added,
        text=Secret(form.get("code" if added is Kind.TOTP else "response", "")),
        name=form.words("name") or None,
        device=form.words("device") or None,
    )
    try:
        outcome = visit.directory.finish(visit.actor, form.words("ceremony"), answer)
    except PasslessError as error:
        return _failed(visit, added, form, error)
    if isinstance(outcome, Waits):
        return visit.page("waits.html", place=None, offer=None, plan=outcome.plan, pending=outcome.pending)
    token = outcome.token if isinstance(outcome, Applied) else None
    renewed = () if token is None else (browser.session_cookie(visit.site, token),)
    return visit.go(visit.next_path(form), done=f"enrol-{added}", cookies=renewed)


def _failed(visit: Visit, kind: Kind, form: Form, error: PasslessError) -> Page:
    if asks_for_proof(error):
        return _prove_first(visit, kind, form, error)
    if kind is Kind.TOTP and error.code in {"wrong-code", "wrong-proof"}:
        return _typed_page(visit, form, "That is not the code the app shows now. Wait for the next one and type it here.")
    return enrol_page(visit, kind, form, error)


def enrol_page(visit: Visit, kind: Kind, fields: Form, error: PasslessError | None = None) -> Page:
    """Return the page of a new ceremony; who has to prove first who they are is sent to do so."""
    view = visit.view()
    try:
        begun = visit.directory.begin(visit.actor, view.id, Enrol(kind=kind, origin=visit.site.url))
    except (Refused, ProofNeeded) as refused:
        if asks_for_proof(refused):
            return _prove_first(visit, kind, fields, refused)
        raise
    return visit.page(
        "enrol_totp.html" if kind is Kind.TOTP else "enrol_key.html",
        status=422 if error is not None else 200,
        kind=kind,
        view=view,
        begun=begun,
        typed=_typed(begun),
        name=fields.words("name"),
        device=fields.words("device") or _device(visit, kind, view),
        devices=sorted({method.device for method in view.methods if method.device and method.device != MEMORY}),
        next=visit.next_path(fields),
        trouble=error,
    )


def _typed(begun: Begun) -> dict[str, str]:
    """Return what a new authenticator app is given, shown this once."""
    if begun.secret is None or begun.otpauth_uri is None:
        return {}
    text = begun.secret.reveal()
    return {
        "secret": " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
        "otpauth_uri": begun.otpauth_uri.reveal(),
    }


def _typed_page(visit: Visit, form: Form, message: str) -> Page:
    """Ask for the code again: the app has its secret already, and that is shown once."""
    return visit.page(
        "enrol_code.html",
        status=422,
        ceremony=form.words("ceremony"),
        name=form.words("name"),
        device=form.words("device"),
        next=visit.next_path(form),
        message=message,
    )


def _device(visit: Visit, kind: Kind, view: AccountView) -> str:
    """Guess the device: a browser on a phone makes its passkey there, and codes live on the phone.

    Nothing is guessed that would put a method onto a device that has one of the kind already, or is reported lost: it may be
    another thing, and the two would be lost and found together.
    """
    if kind not in (Kind.TOTP, Kind.PASSKEY):
        return ""
    lost = [report.what.removeprefix(REPORTED) for report in view.reports if report.what.startswith(REPORTED)]
    taken = (*lost, *(method.device for method in view.methods if method.kind == kind and method.device))
    guessed = PHONE if kind is Kind.TOTP else guessed_device(visit)
    return free(guessed, taken) or (free(f"new {PHONE}", taken) if guessed == PHONE and PHONE in lost else "")


def guessed_device(visit: Visit) -> str:
    """Guess where a browser makes its passkey, in words that are right from everywhere else too."""
    agent = visit.request.headers.get("user-agent", "")
    return next((name for mark, name in COMPUTERS if mark in agent), "")


def free(name: str, taken: Collection[str]) -> str:
    """Return a name, or nothing where something has it."""
    return "" if name.casefold() in {one.casefold() for one in taken} else name


def _prove_first(visit: Visit, kind: Kind, fields: Form, error: PasslessError) -> Page:
    where = visit.next_path(fields)
    back = f"/enrol/{kind}" if where == "/" else f"/enrol/{kind}?next={where}"
    return browser.prove_again(visit.request, visit.site, strength=factors_of(error), next_path=back, why=error.code)


HANDLERS = (choose, begin, finish)
