"""What an operator does for people below them, and what they cannot (must hold 9)."""

from __future__ import annotations

import re

import pytest

from passless.domain.requests import SetGroups
from passless.domain.views import SignedIn
from passless.ports.directory import Actor, Operator
from tests.server.pages.test_signing_in import actor_of
from tests.server.pages.world import Browser, Fields, World

STEP = re.compile(r"<p><strong>([^<]+)</strong>")


@pytest.fixture
def olga(world: World, browser: Browser) -> Browser:
    """An operator over the group `staff`, signed in, whose password is long enough to stand alone."""
    made = world.account("olga")
    world.make_operator(made.account_id, over=("staff",))
    browser.sign_in("olga")
    return browser


@pytest.fixture
def grace(world: World, olga: Browser) -> SignedIn:
    """Somebody in the group `staff`."""
    made = world.account("grace", display_name="Grace")
    world.add_totp(made)
    chief = world.account("chief")
    world.make_operator(chief.account_id)
    actor = Actor(token=chief.token, operator=Operator(reason="new here"))
    world.directory.apply(actor, "grace", SetGroups(groups=("staff",)))
    return made


def test_an_operator_finds_those_below_and_nobody_else(world: World, olga: Browser, grace: SignedIn) -> None:
    world.account("stranger")
    page = olga.get("/people").text
    assert "Grace" in page
    assert "stranger" not in page
    assert "Nobody like that" in olga.get("/people?matching=zzz").text
    assert olga.get("/people/stranger").status_code in {403, 404}


def test_an_operator_with_one_factor_is_not_told_that_all_is_in_order(world: World, olga: Browser) -> None:
    page = olga.get("/").text
    assert "Something needs your attention" in page
    assert "opens the account of anybody in staff" in page
    assert 'href="/welcome?goal=two-step"' in page
    assert "Turn two-step on" in olga.get("/welcome?goal=two-step").text


def test_the_page_of_people_is_there_for_operators_only(world: World, olga: Browser) -> None:
    world.account("ada")
    other = world.browser()
    other.sign_in("ada")
    for path in ("/people", "/people/olga", "/invitations/new"):
        assert other.get(path).status_code == 404, path
    token = Fields(other.get("/").text).forms[0][1]["form-token"]
    assert other.send("/invitations/new", {"form-token": token, "days": "7"}).status_code == 404
    assert other.send("/invitations/revoke", {"form-token": token, "id": "x"}).status_code in {403, 404}


def test_a_recovery_is_started_with_a_reason_and_its_pass_shown_once(world: World, olga: Browser, grace: SignedIn) -> None:
    path = f"/people/{grace.account_id}/change/start-recovery"
    plan = olga.get(f"{path}?lost=phone&hours=8")
    assert "stops working" in plan.text
    assert world.place.store.read(grace.account_id).account.recovery is None
    without = olga.fill(plan, path, reason="  ")
    assert without.status_code == 422
    assert "needs a reason" in without.text
    made = olga.fill(plan, path, reason="called, known by voice")
    issued = re.search(r'<output id="secret"[^>]*>([^<]+)</output>', made.text)
    assert issued is not None
    assert issued[1] not in olga.get(f"/people/{grace.account_id}").text
    hers = world.browser()
    hers.fill(hers.get("/sign-in?account=grace&with=temporary-pass"), "/sign-in", secret=issued[1])
    assert "in recovery" in hers.get("/").text
    welcome = hers.get("/welcome").text
    assert "Welcome back" in welcome
    steps = STEP.findall(welcome)
    assert [step[:12] for step in steps] == ["Add a securi", "Make a recov", "Finish the r"]
    event = next(one for one in reversed(list(world.place.store.events())) if one.event == "start-recovery")
    assert (event.actor, event.details["reason"]) == ("olga", "called, known by voice")


def test_a_pass_is_issued_and_revoked(world: World, olga: Browser, grace: SignedIn) -> None:
    path = f"/people/{grace.account_id}"
    plan = olga.get(f"{path}/change/issue-temporary-pass?hours=1&several=yes")
    assert "It is shown this once" in olga.fill(plan, f"{path}/change/issue-temporary-pass", reason="first day").text
    assert "One is out" in olga.get(path).text
    plan = olga.get(f"{path}/change/revoke-temporary-pass")
    assert olga.fill(plan, f"{path}/change/revoke-temporary-pass", reason="done").status_code == 303
    assert "One is out" not in olga.get(path).text


def test_a_lost_device_is_reported_for_somebody(world: World, olga: Browser, grace: SignedIn) -> None:
    path = f"/people/{grace.account_id}/change/report-lost-device"
    plan = olga.get(f"{path}?device=phone")
    assert "nothing on it works any more" in olga.fill(plan, path, reason="stolen").text


def test_nobody_helps_themselves(world: World, olga: Browser) -> None:
    """must hold 9"""
    me = world.place.store.read_named("olga").account
    assert "another operator helps you" in olga.get(f"/people/{me.id}").text
    token = Fields(olga.get("/").text).forms[0][1]["form-token"]
    path = f"/people/{me.id}/change/issue-temporary-pass"
    form = {"form-token": token, "version": "1", "reason": "me", "hours": "1"}
    assert olga.send(path, form).status_code in {403, 409, 422}
    assert world.place.store.read(me.id).account.temporary_pass is None


def test_a_ticket_is_asked_for_where_the_policy_wants_one(world: World, olga: Browser, grace: SignedIn) -> None:
    world.place.change(ticket_pattern="HD-[0-9]+")
    helper = world.browser()
    helper.sign_in("olga")
    path = f"/people/{grace.account_id}/change/issue-temporary-pass"
    plan = helper.get(f"{path}?hours=1")
    assert plan.status_code == 200
    refused = helper.fill(plan, path, reason="first day")
    assert refused.status_code == 422
    assert "ticket" in refused.text
    assert "shown this once" in helper.fill(refused, path, reason="first day", ticket="HD-7").text


def test_an_invitation_is_made_shown_once_and_stopped(world: World, olga: Browser) -> None:
    made = olga.fill(olga.get("/invitations/new"), "/invitations/new", name="linus", groups="staff", days="1", reason="new")
    link = re.search(r'<output id="secret"[^>]*>([^<]+)</output>', made.text)
    assert link is not None
    assert link[1].startswith("https://passless.example/invitation#")
    people = olga.get("/people")
    assert "linus" in people.text
    assert link[1].partition("#")[2] not in people.text
    for form in ({"groups": "board", "reason": "new"}, {"groups": "staff"}):
        refused = olga.fill(olga.get("/invitations/new"), "/invitations/new", **form)
        assert refused.status_code in {403, 409, 422}
    again = olga.fill(olga.get("/invitations/new"), "/invitations/new", name="linus", groups="staff", reason="lost")
    assert "another open invitation" in again.text
    for stop in re.findall(r'href="(/invitations/revoke\?id=[^"]+)"', olga.get("/people").text):
        page = olga.get(stop)
        assert olga.fill(page, "/invitations/revoke").status_code == 422
        olga.fill(page, "/invitations/revoke", reason="no more")
    assert "linus" not in olga.get("/people").text
    newcomer = world.browser()
    form = {"invitation": link[1], "name": "linus"}
    assert newcomer.fill(newcomer.get("/invitation"), "/invitation", **form).status_code == 422


def test_an_invitation_makes_one_account(world: World, olga: Browser) -> None:
    """must hold 12"""
    operator = world.account("boss")
    world.make_operator(operator.account_id)
    secret = world.invitation(operator)
    first, second = world.browser(), world.browser()
    page = first.get("/invitation")
    made = first.fill(page, "/invitation", invitation=f"https://passless.example/invitation#{secret}", name="linus")
    assert (made.status_code, made.headers["location"]) == (303, "/welcome")
    assert "Welcome, linus" in first.get("/welcome").text
    again = second.fill(second.get("/invitation"), "/invitation", invitation=secret, name="other")
    assert again.status_code == 422
    assert secret not in again.text or "value=" in again.text


@pytest.mark.parametrize(
    "form",
    [
        {"invitation": "", "name": "linus"},
        {"invitation": "pli_wrong", "name": "linus"},
        {"invitation": "x" * 5000, "name": "\x00"},
        {"invitation": "pli_wrong", "name": "linus", "password": "a", "again": "b"},
    ],
    ids=str,
)
def test_without_an_invitation_nobody_makes_an_account(world: World, browser: Browser, form: dict[str, str]) -> None:
    answer = browser.fill(browser.get("/invitation"), "/invitation", **form)
    assert answer.status_code in {422, 429}
    assert 'role="alert"' in answer.text
    assert list(world.place.store.accounts()) == []
    assert browser.get("/sign-up").status_code == 404, "closed unless the server says otherwise"


def test_an_address_is_given_with_an_invitation_and_shown_on_the_persons_page(world: World, browser: Browser) -> None:
    chief = world.account("chief")
    world.make_operator(chief.account_id)
    browser.sign_in("chief")
    page = browser.get("/invitations/new")
    typed = {"name": "nina", "email": "nina@passless.example", "reason": "new here"}
    link = re.search(r'<output id="secret"[^>]*>([^<]+)</output>', browser.fill(page, "/invitations/new", **typed).text)
    assert link is not None
    hers = world.browser()
    made = hers.fill(hers.get("/invitation"), "/invitation", invitation=link[1], name="nina")
    assert made.status_code == 303
    (nina,) = list(world.directory.find("nina", actor_of(browser)))
    shown = browser.get(f"/people/{nina.id}").text
    assert "nina@passless.example" in shown
    assert '<p class="under">nina@passless.example</p>' in shown, "the name stands above it"


def test_operators_over_a_group_are_not_asked_for_an_address(olga: Browser) -> None:
    assert 'name="email"' not in olga.get("/invitations/new").text


def test_every_page_says_where_it_is(olga: Browser) -> None:
    assert "This is https://passless.example." in olga.get("/people").text
