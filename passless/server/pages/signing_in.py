"""Signing in: choose an account, prove who you are, and with two-step once more."""

from __future__ import annotations

from litestar import get, post
from litestar.datastructures import Cookie
from msgspec import Struct

from passless.actions.who import session_of
from passless.domain.errors import PasslessError, ProofNeeded, Unavailable, WrongUse
from passless.domain.methods import Kind
from passless.domain.names import are_same
from passless.domain.requests import Answer, SignInWith
from passless.domain.secret import Secret
from passless.domain.sessions import Session
from passless.domain.views import Begun, Outcome, SecondProofNeeded, SignedIn
from passless.ports import NoSuchAccount
from passless.ports.directory import Actor
from passless.server import browser
from passless.server.pages import destinations, known_accounts
from passless.server.pages.visiting import BadForm, Filled, Form, Page, Visit, Visiting
from passless.server.pages.wishes import Wish, wish_of

WAYS = (Kind.PASSKEY, Kind.SECURITY_KEY, Kind.TOTP, Kind.PASSWORD, Kind.TEMPORARY_PASS)  # the same for every name
SIGNED = (Kind.PASSKEY, Kind.SECURITY_KEY)
TWO_FACTORS = 2  # a wish for more asks for a key or a passkey among them
TOO_OFTEN = ("throttled", "guessing-switched-off")
WRONG = "That did not work. Check the name and what you typed, or use another way to sign in."
WRONG_SECOND = "That second proof did not work. Your first one was right, and counts for some minutes more."
SECOND_HINTS = {
    Kind.TOTP: "Each code works once: wait for the next one. If none ever works, set the phone’s clock to automatic.",
    Kind.PASSWORD: "Check the capital letters.",
}


class Trouble(Struct, frozen=True, kw_only=True):
    """What is said above a form that did not work, and the status it is sent with."""

    message: str = ""
    hint: str = ""
    status: int = 200


@get("/sign-in", sync_to_thread=True)
def choose(visit: Visiting) -> Page:
    """Ask which account, or how to prove it; who is signed in already goes on, or proves it again where that is asked."""
    wish = wish_of(visit.query)
    if visit.session is not None and not wish.another:
        return proving_page(visit, wish) if wish.fresh else visit.go(wish.next)
    if wish.account:
        return way_page(visit, wish)
    return _choice(visit, wish, Trouble())


def _choice(visit: Visit, wish: Wish, trouble: Trouble) -> Page:
    done, cookies = visit.said()
    return visit.page(
        "sign_in.html",
        status=trouble.status,
        cookies=cookies,
        wish=wish,
        program=destinations.program(visit.site, wish.next),
        known=known_accounts.names(visit),
        begun=begin(visit, "", Kind.PASSKEY),
        sign_up=visit.site.parts.sign_up,
        trouble=trouble,
        done=done,
    )


@post("/sign-in", sync_to_thread=True)
def sign_in(visit: Visiting, form: Filled) -> Page:
    """Take one proof."""
    wish, before = wish_of(form), visit.session
    try:
        outcome = _proven(visit, wish, form)
    except (ProofNeeded, WrongUse, NoSuchAccount) as error:
        return _again(visit, wish, trouble_of(error))
    if isinstance(outcome, SecondProofNeeded):
        public_key = (outcome.public_key or b"").decode()
        return second_page(visit, wish, outcome.ceremony, outcome.accepts, public_key, Trouble())
    return arrive(visit, wish, outcome, before=before)


def _proven(visit: Visit, wish: Wish, form: Form) -> SignedIn | SecondProofNeeded:
    kind = _kind(form.words("kind"))
    if kind in SIGNED:
        answer = Answer(kind=kind, text=Secret(form.get("response", "")))
        return _sign_in_of(visit.directory.finish(visit.actor, form.words("ceremony"), answer))
    if not wish.account:
        raise BadForm
    return visit.directory.sign_in(visit.actor, wish.account, Answer(kind=kind, text=Secret(form.get("secret", ""))))


def _sign_in_of(outcome: Outcome) -> SignedIn | SecondProofNeeded:
    if not isinstance(outcome, SignedIn | SecondProofNeeded):
        raise BadForm
    return outcome


def _kind(words: str) -> Kind:
    if words not in WAYS:
        raise BadForm
    return Kind(words)


def _again(visit: Visit, wish: Wish, trouble: Trouble) -> Page:
    if visit.session is not None and wish.fresh and not wish.another:
        return proving_page(visit, wish, trouble)
    if wish.account:
        return way_page(visit, wish, trouble)
    return _choice(visit, wish, trouble)


def trouble_of(error: PasslessError) -> Trouble:
    """Return what is said of a sign-in that did not work: the same for every wrong proof and unknown name (must hold 3)."""
    if error.code in TOO_OFTEN:
        return Trouble(message="Too many wrong tries. Wait a while, or use a key or a passkey.", status=429)
    if error.code == "no-such-ceremony":
        return Trouble(message="That took too long, or was answered before. Please try once more.", status=401)
    return Trouble(message=WRONG, status=401)


def _trouble_of_second(error: PasslessError, kind: Kind) -> Trouble:
    if error.code in TOO_OFTEN:
        return trouble_of(error)
    return Trouble(message=WRONG_SECOND, hint=SECOND_HINTS.get(kind, ""), status=401)


def begin(visit: Visit, account: str, kind: Kind) -> Begun | None:
    """Begin a ceremony for a page; None where there is nothing to begin it with."""
    try:
        return visit.directory.begin(visit.actor, account, SignInWith(kind=kind, origin=visit.site.url))
    except (ProofNeeded, NoSuchAccount, WrongUse):
        return None


def way_page(visit: Visit, wish: Wish, trouble: Trouble | None = None) -> Page:
    """Ask for a proof of one kind; every name gets the same page."""
    with_kind = wish.with_kind or Kind.PASSKEY
    account = "" if with_kind is Kind.PASSKEY else wish.account  # a passkey says itself whose it is
    begun = begin(visit, account, with_kind) if with_kind in SIGNED else None
    said = trouble or Trouble()
    return visit.page(
        "sign_in_with.html",
        status=said.status,
        wish=wish,
        program=destinations.program(visit.site, wish.next),
        way=with_kind,
        ways=WAYS,
        begun=begun,
        trouble=said,
    )


def proving_page(visit: Visit, wish: Wish, trouble: Trouble | None = None) -> Page:
    """Ask the person who is signed in to prove again that it is them (step-up)."""
    view, said = visit.view(), trouble or Trouble()
    kinds = {method.kind for method in view.methods if method.usable}
    ways = tuple(kind for kind in WAYS if kind in kinds)
    if wish.strength > TWO_FACTORS and not _has_shown_a_key(visit):
        ways = tuple(kind for kind in ways if kind in SIGNED) or ways
    if wish.why == "needs-device":
        ways = tuple(kind for kind in ways if kind not in (Kind.PASSWORD, Kind.EMAIL)) or ways
    if not ways:
        return visit.page("no_proof.html", view=view, wish=wish)
    way = wish.with_kind if wish.with_kind in ways else ways[0]
    begun = begin(visit, view.id, way) if way in SIGNED else None
    return visit.page(
        "prove.html",
        status=said.status,
        wish=wish,
        program=destinations.program(visit.site, wish.next),
        view=view,
        way=way,
        ways=ways,
        begun=begun,
        trouble=said,
    )


def _has_shown_a_key(visit: Visit) -> bool:
    """Tell whether a key or passkey is among what the person proved in this session."""
    return visit.session is not None and any(proof.kind in SIGNED for proof in visit.session.proofs)


def second_page(visit: Visit, wish: Wish, ceremony: str, accepts: tuple[str, ...], public_key: str, trouble: Trouble) -> Page:
    """Ask for the second proof, with everything that completes the first."""
    ways = tuple(kind for kind in WAYS if kind in accepts)
    return visit.page(
        "second_proof.html",
        status=trouble.status,
        wish=wish,
        program=destinations.program(visit.site, wish.next),
        ceremony=ceremony,
        ways=ways,
        public_key=public_key,
        trouble=trouble,
    )


@post("/sign-in/second", sync_to_thread=True)
def second(visit: Visiting, form: Filled) -> Page:
    """Take the second proof."""
    wish, ceremony, kind = wish_of(form), form.words("ceremony"), _kind(form.words("kind"))
    text, before = form.get("response" if kind in SIGNED else "secret", ""), visit.session
    try:
        outcome = _sign_in_of(visit.directory.finish(visit.actor, ceremony, Answer(kind=kind, text=Secret(text))))
    except (ProofNeeded, WrongUse) as error:
        if error.code == "no-such-ceremony":
            return _again(visit, wish, trouble_of(error))
        accepts = tuple(form.words("accepts").split(","))
        return second_page(visit, wish, ceremony, accepts, form.get("options", ""), _trouble_of_second(error, kind))
    if isinstance(outcome, SecondProofNeeded):
        return second_page(visit, wish, outcome.ceremony, outcome.accepts, (outcome.public_key or b"").decode(), Trouble())
    return arrive(visit, wish, outcome, before=before)


def arrive(visit: Visit, wish: Wish, signed_in: SignedIn, *, before: Session | None = None) -> Page:
    """Keep the session, end the one it takes the place of, and go on to where the person wanted to be.

    `before` is the session in which they proved more, if it was that: it has a new token now.
    """
    after = session_of(visit.site.parts, Actor(token=signed_in.token))
    if before is not None and after is not None and before.id == after.id:
        renewed = (browser.session_cookie(visit.site, signed_in.token),)
        if min(wish.strength, TWO_FACTORS) > signed_in.session.strength:
            return visit.go("/sign-in", wish.query(more="yes"), cookies=renewed)
        return visit.go(wish.next, cookies=renewed)
    if visit.session is not None:
        end_session(visit)
    cookies: tuple[Cookie, ...] = browser.signed_in_cookies(visit.site, signed_in)
    if wish.remember:
        cookies = (*cookies, known_accounts.with_name(visit, signed_in.account))
    return visit.go(wish.next, cookies=cookies)


def end_session(visit: Visit, *, everywhere: bool = False) -> None:
    """End the session of the browser, where it still holds."""
    try:
        visit.directory.sign_out(visit.actor, everywhere=everywhere)
    except (ProofNeeded, Unavailable):
        return


@post("/sign-in/forget", sync_to_thread=True)
def forget(visit: Visiting, form: Filled) -> Page:
    """Forget an account's name in this browser."""
    wish = wish_of(form)
    return visit.go("/sign-in", {"next": wish.next}, cookies=(known_accounts.without(visit, form.words("forget")),))


@post("/sign-out", sync_to_thread=True)
def sign_out(visit: Visiting, form: Filled) -> Page:
    """End the session of this browser, and forget the name where that is asked."""
    cookies: tuple[Cookie, ...] = browser.signed_out_cookies(visit.site)
    if visit.session is not None:
        name = visit.view().account
        if form.words("forget") and any(are_same(name, one) for one in known_accounts.names(visit)):
            cookies = (*cookies, known_accounts.without(visit, name))
        end_session(visit, everywhere=form.words("everywhere") == "yes")
    return visit.go("/sign-in", cookies=cookies, done="sign-out")


HANDLERS = (choose, sign_in, second, forget, sign_out)
