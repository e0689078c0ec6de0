"""Losses and the way back: reporting, taking a report back, the recovery code, and recovering."""

from __future__ import annotations

import re
from datetime import timedelta

from litestar import get, post

from passless.credentials.random_codes import CROCKFORD, RECOVERY_CODE_LENGTH, as_typed
from passless.domain.errors import NotFound, PasslessError, ProofNeeded, WrongUse
from passless.domain.methods import MEMORY, Kind
from passless.domain.requests import Answer, ConfirmCode, TakeBackReport
from passless.domain.secret import Secret
from passless.domain.views import Begun
from passless.ports import NoSuchAccount
from passless.server.pages import known_accounts
from passless.server.pages.changing import NoSuchPage
from passless.server.pages.signing_in import SIGNED, Trouble, arrive, begin
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting
from passless.server.pages.wishes import Wish

CODE = re.compile(r"[0-9]{6,8}")
DRILL = timedelta(days=182)  # twice a year, as on the page that the command line writes
NO_CODE = (
    "What you typed as the code of an authenticator app is none: it has six digits. Choose “Password” if it is your password."
)
WRONG = "That did not work. Check the account's name, the recovery code and the other proof, and try again."


@get("/lost", sync_to_thread=True)
def lost(visit: Visiting) -> Page:
    """Show what the loss of each device would do."""
    view = visit.view()
    devices = [one for one in visit.directory.devices(visit.actor, view.id) if one.methods and one.name != MEMORY]
    looked = {one.name: visit.directory.what_if(visit.actor, view.id, [f"device:{one.name}"])[0] for one in devices}
    return visit.page("lost.html", view=view, devices=devices, looked=looked)


@get("/take-back", sync_to_thread=True)
def ask_to_take_back(visit: Visiting) -> Page:
    """Ask for a proof that what was reported lost is here after all."""
    return _take_back_page(visit, visit.query)


@post("/take-back", sync_to_thread=True)
def take_back(visit: Visiting, form: Filled) -> Page:
    """Take a report back."""
    try:
        request = TakeBackReport(device=form.words("report"), proofs=(_proof(form),))
        visit.directory.apply(visit.actor, visit.account, request)
    except PasslessError as error:
        return _take_back_page(visit, form, error)
    return visit.go("/", done="take-back-report")


def _proof(form: Form) -> Answer:
    """Return what a form brings besides: the answer of a key, or else what was typed."""
    if form.words("signed") in SIGNED:
        kind, text = Kind(form.words("signed")), Secret(form.get("response", ""))
        return Answer(kind=kind, text=text, ceremony=form.words("ceremony"))
    kind = Kind.PASSWORD if form.words("kind") == "password" else Kind.TOTP
    return Answer(kind=kind, text=Secret(form.get("secret", "").strip()))


def _begun(visit: Visit, account: str) -> dict[str, Begun]:
    """Begin a challenge for the keys of an account, and one for its passkeys."""
    found = {kind.value: begin(visit, account, kind) for kind in SIGNED}
    return {kind: begun for kind, begun in found.items() if begun is not None}


def _take_back_page(visit: Visit, fields: Form, error: PasslessError | None = None) -> Page:
    view = visit.view()
    report = next((one for one in view.reports if one.id == fields.words("report")), None)
    if report is None:
        raise NoSuchPage
    begun = _begun(visit, view.id)
    return visit.page(
        "take_back.html", status=200 if error is None else 422, view=view, report=report, begun=begun, trouble=error
    )


@get("/recovery-code", sync_to_thread=True)
def type_back(visit: Visiting) -> Page:
    """Ask for a recovery code that was made and not typed back yet, or that is to be on a page to print."""
    return visit.page("recovery_code.html", code=None, view=visit.view(), trouble=None)


@post("/recovery-code", sync_to_thread=True)
def confirm_code(visit: Visiting, form: Filled) -> Page:
    """Save the code by its being typed back."""
    try:
        visit.directory.apply(visit.actor, visit.account, ConfirmCode(code=Secret(form.get("code", ""))))
    except (WrongUse, ProofNeeded, NotFound) as error:
        return visit.page("recovery_code.html", status=422, code=None, view=visit.view(), trouble=error)
    state = visit.view()
    return visit.go("/welcome" if state.state != "ok" else "/", done="confirm-recovery-code")


@post("/recovery-code/kit", sync_to_thread=True)
def kit(visit: Visiting, form: Filled) -> Page:
    """Return the page to print, of a code that was typed or was shown just now; nothing of it is kept."""
    code = as_typed(Secret(form.get("code", ""))).reveal().upper()
    if len(code) != RECOVERY_CODE_LENGTH or not set(code) <= set(CROCKFORD):
        trouble = WrongUse("that is not a recovery code", hint="type all 25 characters; dashes and spaces do not matter")
        return visit.page("recovery_code.html", status=422, code=None, view=visit.view(), trouble=trouble)
    now = visit.site.parts.now()
    groups = "-".join(code[at : at + 5] for at in range(0, len(code), 5))
    return visit.page("kit.html", code=groups, view=visit.view(), made_at=now, drill_at=now + DRILL, url=visit.site.url)


@get("/recover", sync_to_thread=True)
def ask_to_recover(visit: Visiting) -> Page:
    """Ask for the recovery code."""
    return _recover_page(visit, visit.query, Trouble())


@post("/recover", sync_to_thread=True)
def recover(visit: Visiting, form: Filled) -> Page:
    """Begin a recovery with the code, and the further proof where one is given."""
    account, code = form.words("account"), Secret(form.get("code", ""))
    if _is_no_code(form):
        return _recover_page(visit, form, Trouble(message=NO_CODE, status=422))
    proof = _proof(form) if form.get("secret", "").strip() or form.words("signed") else None
    try:
        signed_in = visit.directory.recover(visit.asker, account, code, proof)
    except (ProofNeeded, WrongUse, NoSuchAccount) as error:
        return _recover_page(visit, form, _trouble(error), more=error.code == "second-proof")
    return arrive(visit, Wish(next="/welcome"), signed_in)


def _is_no_code(form: Form) -> bool:
    """Tell whether something else was typed where a code is said to be; nothing is tried with it then."""
    typed = "".join(form.get("secret", "").split())
    return bool(typed) and not form.words("signed") and form.words("kind") == "totp" and not CODE.fullmatch(typed)


def _trouble(error: PasslessError) -> Trouble:
    if error.code == "second-proof":
        return Trouble(message="The code is right. Two-step is on, so one more proof is needed.", status=401)
    if error.code in {"throttled", "guessing-switched-off"}:
        return Trouble(message="Too many wrong tries. Wait a while and try again.", status=429)
    return Trouble(message=WRONG, status=401)


def _recover_page(visit: Visit, fields: Form, trouble: Trouble, *, more: bool = False) -> Page:
    account = fields.words("account")
    begun = _begun(visit, account) if more else {}
    known = known_accounts.names(visit)
    return visit.page(
        "recover.html",
        status=trouble.status,
        account=account or (known[0] if len(known) == 1 else ""),
        more=more,
        begun=begun,
        trouble=trouble,
    )


HANDLERS = (lost, ask_to_take_back, take_back, type_back, confirm_code, kit, ask_to_recover, recover)
