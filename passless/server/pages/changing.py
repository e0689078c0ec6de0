"""Every change: its plan is shown, then confirmed, then kept, if the account is still the one that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from litestar import get, post
from litestar.params import FromPath
from msgspec import Struct

from passless.actions.who import BadReason, SignInNeeded
from passless.domain.account import Version
from passless.domain.errors import NotFound, PasslessError, ProofNeeded
from passless.domain.refused import ABOUT_PROOFS, Refused
from passless.domain.views import (
    Applied,
    MadeAppPassword,
    MadePass,
    MadeRecoveryCode,
    MadeReport,
    PlanView,
    Waits,
)
from passless.ports import VersionMoved
from passless.ports.directory import Actor
from passless.server import browser
from passless.server.pages.offers import OFFERS, OPERATORS_OFFERS, Offer
from passless.server.pages.visiting import Filled, Form, Page, Visit, Visiting
from passless.server.problems import factors_of

TO_SEE = "to see what it would do"  # an operator's reason while a plan is looked at, which is written nowhere
PROOF_CODES = {*ABOUT_PROOFS, "proof-needed", "fresh-proof-needed", "sign-in-needed"}


class NoSuchPage(NotFound):
    """There is no such page."""

    code = "no-such-page"
    hint = ""
    default = "there is no such page"


class Place(Struct, frozen=True, kw_only=True):
    """Where a change is made: on one's own account, or by an operator on somebody else's."""

    offer: Offer
    path: str
    actor: Actor
    target: str
    back: str
    operates: bool = False

    def address(self, fields: Form) -> str:
        """Return the address of the plan, with everything that was asked and is no secret."""
        kept = [(name, value) for name in self.offer.keeps for value in fields.all(name)]
        kept += [(name, value) for name in ("reason", "ticket") if self.operates for value in fields.all(name)]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


def own(visit: Visit, what: str) -> Place:
    """Return where a person changes their own account; `SignInNeeded` where nobody is signed in."""
    offer = _offer(OFFERS, what)
    back = f"/#{offer.at}" if offer.at else "/"
    return Place(offer=offer, path=f"/change/{what}", actor=visit.actor, target=visit.account, back=back)


def others(visit: Visit, person: str, what: str, fields: Form) -> Place:
    """Return where an operator acts on somebody else's account."""
    if visit.view().operator_over is None:
        raise NoSuchPage
    path = f"/people/{quote(person, safe='')}"
    actor = visit.operator(fields.words("reason"), fields.words("ticket"))
    offer = _offer(OPERATORS_OFFERS, what)
    return Place(offer=offer, path=f"{path}/change/{what}", actor=actor, target=person, back=path, operates=True)


def _offer(offers: Mapping[str, Offer], what: str) -> Offer:
    if what not in offers:
        raise NoSuchPage
    return offers[what]


@get("/change/{what:str}", sync_to_thread=True)
def see(visit: Visiting, what: FromPath[str]) -> Page:
    """Show what a change would do."""
    return plan_page(visit, own(visit, what), visit.query)


@post("/change/{what:str}", sync_to_thread=True)
def confirm(visit: Visiting, what: FromPath[str], form: Filled) -> Page:
    """Carry a change out; who is not signed in any more comes back to its plan."""
    if visit.session is None:
        kept = Place(offer=_offer(OFFERS, what), path=f"/change/{what}", actor=visit.actor, target="", back="/")
        return browser.sign_in_first(visit.request, visit.site, next_path=kept.address(form), why="sign-in-needed")
    return carry_out(visit, own(visit, what), form)


@get("/people/{person:str}/change/{what:str}", sync_to_thread=True)
def see_for(visit: Visiting, person: FromPath[str], what: FromPath[str]) -> Page:
    """Show an operator what a change would do."""
    return plan_page(visit, others(visit, person, what, visit.query), visit.query)


@post("/people/{person:str}/change/{what:str}", sync_to_thread=True)
def confirm_for(visit: Visiting, person: FromPath[str], what: FromPath[str], form: Filled) -> Page:
    """Carry a change out for somebody else."""
    return carry_out(visit, others(visit, person, what, form), form)


def plan_page(visit: Visit, place: Place, fields: Form, *, error: PasslessError | None = None, status: int = 200) -> Page:
    """Return the page that shows a plan and asks for a yes."""
    view = visit.directory.read(visit.actor, place.target)
    plan, trouble = None, error
    looking = visit.operator(fields.words("reason") or TO_SEE, fields.words("ticket")) if place.operates else place.actor
    try:
        plan = visit.directory.plan(looking, place.target, place.offer.build(fields))
    except BadReason:
        pass  # the policy's ticket is not typed yet, and nothing can be planned without
    except SignInNeeded:
        raise
    except Refused as refused:
        trouble = trouble or refused
    except PasslessError as found:
        trouble = trouble or found
        status = 422 if status == 200 else status
    return visit.page(
        "plan.html",
        status=status,
        place=place,
        offer=place.offer,
        view=view,
        plan=plan,
        weak=_weak(plan),
        fields=[(name, value) for name in place.offer.keeps for value in fields.all(name)],
        asks_password=place.offer.secret or fields.words("replace") == "yes",
        offers_password=plan is not None and any(one.code == "needs-password" for one in plan.problems),
        address=place.address(fields),
        reason=fields.words("reason"),
        ticket=fields.words("ticket"),
        strength=2 if view.session is not None and view.session.strength >= 1 else 1,  # one factor was too little
        trouble=trouble,
    )


def _weak(plan: PlanView | None) -> bool:
    """Tell whether the plan lacks nothing but a proof, so that asking for it first saves a step."""
    return plan is not None and plan.accepted and any(one.code in ABOUT_PROOFS for one in plan.problems) and plan.due_at is None


def carry_out(visit: Visit, place: Place, form: Form) -> Page:
    """Keep a change, or show what is against it."""
    try:
        version = Version(int(form.get("version", "")))
    except ValueError:
        return plan_page(visit, place, form)
    try:
        request = place.offer.build(form)
        outcome = visit.directory.apply(place.actor, place.target, request, version=version)
    except VersionMoved as error:
        return plan_page(visit, place, form, error=error, status=409)
    except PasslessError as error:
        if asks_for_proof(error):
            return _prove_first(visit, place, form, error)
        return plan_page(visit, place, form, error=error, status=409 if isinstance(error, Refused) else 422)
    return show_outcome(visit, place, outcome)


def asks_for_proof(error: PasslessError) -> bool:
    """Tell whether signing in again, or more strongly, is all that is missing."""
    if isinstance(error, Refused):
        return error.is_about_proofs
    return isinstance(error, ProofNeeded) and error.code in PROOF_CODES


def _prove_first(visit: Visit, place: Place, form: Form, error: PasslessError) -> Page:
    return browser.prove_again(
        visit.request, visit.site, strength=factors_of(error), next_path=place.address(form), why=error.code
    )


def show_outcome(visit: Visit, place: Place, outcome: Applied | Waits) -> Page:
    """Show a new secret this once, or go on with a word on what was done."""
    if isinstance(outcome, Waits):
        return visit.page("waits.html", place=place, offer=place.offer, plan=outcome.plan, pending=outcome.pending)
    match outcome.made:
        case MadeAppPassword() | MadePass() as made:
            return visit.page("made.html", place=place, made=made, is_pass=isinstance(made, MadePass))
        case MadeRecoveryCode() as made:
            view = visit.view()
            return visit.page("recovery_code.html", code=made.code.reveal(), view=view, trouble=None)
        case MadeReport() as made:
            return visit.page("reported.html", place=place, made=made, plan=outcome.plan, ended=not visit.still_signed_in())
        case _:
            return visit.go(place.back.partition("#")[0], done=place.path.rpartition("/")[2])


HANDLERS = (see, confirm, see_for, confirm_for)
