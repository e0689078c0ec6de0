"""Signing in with a password, a code, both, or a pass, without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pyotp
import pytest

from passless.actions.parts import SignUp
from passless.domain.audit import Outcome
from passless.domain.errors import ProofNeeded
from passless.domain.methods import Kind
from passless.domain.requests import Answer, ConfirmCode, IssuePass, NewRecoveryCode, TwoStepOn
from passless.domain.secret import Secret
from passless.domain.views import Applied, MadePass, MadeRecoveryCode, SignedIn
from passless.ports.directory import Actor, Operator
from tests.directories.place import PASSWORD
from tests.server.pages.world import Browser, Fields, World

WAYS = ("passkey", "security-key", "totp", "password", "temporary-pass")
CHANGES = re.compile(
    r"(?<=name=\"ceremony\" value=\")[A-Za-z0-9_-]+|(?:[A-Za-z0-9_-]{43})|(?<=data-options=\")[^\"]+"
)  # tokens of a visit, ids of ceremonies, and challenges: what stands in these is the directory's own test


def same_for_everybody(page: httpx.Response, name: str) -> str:
    """Return a page without the name that was typed and what is random on every page."""
    return CHANGES.sub("*", page.text.replace(name, "NAME"))


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_nobody_has_gets_the_same_page(world: World, ada: SignedIn, way: str) -> None:
    """must hold 3"""
    world.add_totp(ada)
    known = world.browser().get("/sign-in?" + urlencode({"account": "ada", "with": way}))
    unknown = world.browser().get("/sign-in?" + urlencode({"account": "zoe", "with": way}))
    assert known.status_code == unknown.status_code == 200
    assert same_for_everybody(known, "ada").replace(">A<", "><") == same_for_everybody(unknown, "zoe").replace(">Z<", "><")


@pytest.mark.parametrize("way", ["totp", "password", "temporary-pass"])
def test_a_wrong_proof_and_a_name_that_nobody_has_get_the_same_answer(world: World, ada: SignedIn, way: str) -> None:
    """must hold 3"""
    answers = []
    for name in ("ada", "zoe"):
        browser = world.browser()
        page = browser.get("/sign-in?" + urlencode({"account": name, "with": way}))
        answer = browser.fill(page, "/sign-in", secret="123456")
        letter = f">{name[0].upper()}<"
        answers.append((answer.status_code, same_for_everybody(answer, name).replace(letter, "><")))
        assert 'role="alert"' in answer.text
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


def test_recovering_says_the_same_to_everybody(world: World, ada: SignedIn) -> None:
    """must hold 3 and 4"""
    answers = []
    for name in ("ada", "zoe"):
        browser = world.browser()
        page = browser.get("/recover")
        answer = browser.fill(page, "/recover", account=name, code="ABCDE-FGHJK-MNPQR-STVWX-YZ012", secret="")
        answers.append((answer.status_code, same_for_everybody(answer, name)))
    assert answers[0] == answers[1]


def test_a_password_in_the_place_of_a_code_is_told_and_tried_nowhere(world: World, ada: SignedIn) -> None:
    browser = world.browser()
    page = browser.get("/recover")
    typed = {"account": "ada", "code": "0000-0000", "kind": "totp", "secret": PASSWORD}
    answer = browser.fill(page, "/recover", **typed)
    assert (answer.status_code, "it has six digits" in answer.text) == (422, True)
    assert PASSWORD not in answer.text
    assert "it has six digits" not in browser.fill(page, "/recover", **{**typed, "secret": "123456"}).text


def test_guessing_is_slowed_down_for_known_and_unknown_names_alike(world: World, ada: SignedIn) -> None:
    """must hold 3"""
    seen = {}
    for name in ("ada", "zoe"):
        browser = world.browser(address=f"198.51.100.{ord(name[0])}")
        page = browser.get("/sign-in?" + urlencode({"account": name, "with": "password"}))
        seen[name] = [browser.fill(page, "/sign-in", secret="wrong").status_code for _ in range(12)]
    assert seen["ada"] == seen["zoe"]
    assert seen["ada"][-1] == 429


def test_two_step_asks_for_one_more_proof(world: World, ada: SignedIn, browser: Browser) -> None:
    """must hold 6"""
    app = two_step(world, ada)
    answer = browser.sign_in()
    assert "One more proof" in answer.text
    wrong = browser.fill(answer, "/sign-in/second", secret="000000")
    assert wrong.status_code == 401
    assert "That second proof did not work" in wrong.text
    assert "set the phone’s clock" in wrong.text
    assert 'href="/recover?account=ada"' in wrong.text, "who lost it is told where to go"
    world.place.clock.move(seconds=30)
    right = browser.fill(wrong, "/sign-in/second", secret=world.code(app))
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("sign_up", "leads"), [("open", "/sign-up"), ("invitation", "/invitation"), ("operator", "/invitation")]
)
def test_who_has_no_account_yet_is_led_to_where_one_is_made(world: World, sign_up: str, leads: str) -> None:
    world.place.change(sign_up=SignUp(sign_up))
    browser = world.browser()
    assert f'href="{leads}"' in browser.get("/sign-in").text
    assert browser.get(leads).status_code == 200


def test_the_second_proof_belongs_to_the_browser_of_the_first(world: World, ada: SignedIn, browser: Browser) -> None:
    """must hold 5"""
    app = two_step(world, ada)
    asked = browser.sign_in()
    thief = world.browser()
    theirs = thief.get("/sign-in")
    fields = {**Fields(asked.text).to("/sign-in/second"), "form-token": Fields(theirs.text).forms[-1][1]["form-token"]}
    world.place.clock.move(seconds=30)
    answer = thief.send("/sign-in/second", {**fields, "secret": world.code(app)})
    assert answer.status_code == 401
    assert thief.get("/").status_code == 303


def two_step(world: World, made: SignedIn) -> pyotp.TOTP:
    """Turn two-step on for an account with a password, an app and a recovery code."""
    app, actor = world.add_totp(made), Actor(token=made.token)
    outcome = world.directory.apply(actor, made.account_id, NewRecoveryCode())
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.made, MadeRecoveryCode)
    world.directory.apply(actor, made.account_id, ConfirmCode(code=outcome.made.code))
    world.directory.apply(actor, made.account_id, TwoStepOn())
    return app


def test_a_proof_that_is_too_old_is_asked_for_again_and_leads_back(world: World, signed_in: Browser) -> None:
    """must hold 6, and 11: whoever had the token of before the proof has nothing of it."""
    world.place.clock.move(minutes=11)
    plan = signed_in.get("/change/new-recovery-code")
    assert "First prove again that it is you" in plan.text
    proving = signed_in.get("/sign-in?" + urlencode({"next": "/change/new-recovery-code", "fresh": "600", "why": "weak-proof"}))
    assert "Prove again that it is you" in proving.text
    assert "fresh proof" in proving.text
    old, before = signed_in.cookies["__Host-passless-session"], world.directory.sessions(actor_of(signed_in), "ada")
    answer = signed_in.fill(proving, "/sign-in", secret=PASSWORD)
    assert answer.headers["location"] == "/change/new-recovery-code"
    assert signed_in.cookies["__Host-passless-session"] != old
    after = world.directory.sessions(actor_of(signed_in), "ada")
    assert len(after) == len(before), "the proof is added to the session, under a new token"
    with pytest.raises(ProofNeeded):
        world.directory.read(Actor(token=Secret(old)), "ada")
    assert "Make a code and show it once" in signed_in.get("/change/new-recovery-code").text


def test_a_form_that_was_open_too_long_asks_for_a_proof_and_comes_back_with_what_was_typed(
    world: World, signed_in: Browser
) -> None:
    """must hold 6"""
    world.add_totp(world.directory.sign_in(Actor(), "ada", _password()))
    method = next(one for one in world.directory.read(actor_of(signed_in), "ada").methods if one.kind == "totp")
    plan = signed_in.get("/change/remove-method?" + urlencode({"method": method.id}))
    world.place.clock.move(minutes=11)
    answer = signed_in.fill(plan, "/change/remove-method")
    assert answer.status_code == 303
    location = httpx.URL(answer.headers["location"])
    assert location.path == "/sign-in"
    assert location.params["next"] == f"/change/remove-method?method={method.id}"
    assert location.params["fresh"] == "600"


def _password() -> Answer:
    return Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD))


def actor_of(browser: Browser) -> Actor:
    """Return who is signed in in a browser."""
    return Actor(token=Secret(browser.cookies["__Host-passless-session"]))


def test_somebody_without_anything_to_prove_is_told_to_add_a_method(world: World, browser: Browser) -> None:
    made = world.account("grace", password=None)
    browser.http.cookies.set("__Host-passless-session", made.token.reveal(), domain="passless.example", path="/")
    assert "Add one first" in browser.get("/sign-in?fresh=600").text


def test_a_temporary_pass_lets_one_in_to_recover(world: World, ada: SignedIn, browser: Browser) -> None:
    operator = world.account("olga")
    world.make_operator(operator.account_id)
    helping = Actor(token=operator.token, operator=Operator(reason="lost the phone"))
    issued = world.directory.apply(helping, "ada", IssuePass(lifetime=timedelta(hours=1)))
    assert isinstance(issued.made, MadePass)
    page = browser.get("/sign-in?account=ada&with=temporary-pass")
    assert browser.fill(page, "/sign-in", secret=issued.made.secret.reveal()).status_code == 303
    assert "This account is in recovery" in browser.get("/").text


def test_a_wrong_proof_stands_in_the_audit_trail_with_its_place(world: World, ada: SignedIn, browser: Browser) -> None:
    """must hold 8"""
    browser.sign_in(password="wrong")
    event = list(world.place.store.events())[-1]
    assert (event.event, event.outcome, event.account, event.place) == ("sign-in", Outcome.FAILED, "ada", "203.0.113.7")


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "recovery-code", "account": "ada", "secret": "x"},
        {"kind": "token", "account": "ada", "secret": "x"},
        {"kind": "nonsense", "account": "ada", "secret": "x"},
        {"kind": "password", "account": "", "secret": "x"},
        {"kind": "passkey", "ceremony": "nothing", "response": "{}"},
        {"kind": "security-key", "account": "ada", "ceremony": "", "response": "not json \udcff"},
        {"kind": "password", "account": "\u202eada", "secret": "x"},
    ],
    ids=str,
)
def test_nonsense_signs_nobody_in(ada: SignedIn, browser: Browser, form: dict[str, str]) -> None:
    page = browser.get("/sign-in?account=ada&with=password")
    sent = {name: value.encode("utf-8", "surrogateescape") for name, value in form.items()}
    answer = browser.fill(page, "/sign-in", **sent)
    assert 400 <= answer.status_code < 500
    assert browser.get("/").status_code == 303
