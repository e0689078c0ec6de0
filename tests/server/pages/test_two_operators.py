"""A recovery in a browser, from the operator who starts it to the person who is back; and what two operators agree to there."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import msgspec
import pyotp
import pytest

from passless.domain.requests import GrantOperator
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD
from tests.server.pages.world import Browser, World

WHY = "called, known by voice"


@pytest.fixture
def grace(world: World) -> SignedIn:
    """Somebody with a password and an authenticator app."""
    made = world.account("grace", display_name="Grace")
    world.add_totp(made)
    return made


def an_operator(world: World, name: str) -> Browser:
    """Return the browser of one of the first two operators, who was made on the host a day ago."""
    world.account(name)
    world.place.clock.now -= timedelta(hours=25)
    world.host.apply(Actor(place="host"), name, GrantOperator(first=True))
    world.place.clock.now += timedelta(hours=25)
    browser = world.browser()
    browser.sign_in(name)
    return browser


def secret_on(page: httpx.Response) -> str:
    """Return what a page shows once."""
    found = re.search(r'<output id="secret"[^>]*>([^<]+)</output>', page.text)
    assert found is not None, page.text
    return found[1].replace(" ", "")


def comes_back(world: World, issued: str) -> Browser:
    """Walk through a recovery with a temporary pass, as the pages lead."""
    hers = world.browser("198.51.100.9")
    entered = hers.fill(hers.get("/sign-in?account=grace&with=temporary-pass"), "/sign-in", secret=issued)
    assert entered.status_code == 303
    assert "Welcome back" in hers.get("/welcome").text
    page = hers.get("/enrol/totp?next=/welcome")
    app = pyotp.TOTP(secret_on(page))
    assert hers.fill(page, "/enrol/totp", code=app.at(world.place.clock.now), device="new phone").status_code == 303
    shown = hers.fill(hers.get("/change/new-recovery-code"), "/change/new-recovery-code")
    assert hers.fill(shown, "/recovery-code", code=secret_on(shown).lower()).status_code == 303
    assert "Finish the recovery" in hers.get("/welcome").text
    assert hers.fill(hers.get("/change/finish-recovery"), "/change/finish-recovery").status_code == 303
    world.place.clock.move(minutes=1)
    again = world.browser("198.51.100.9")
    page = again.get("/sign-in?account=grace&with=totp")
    again.fill(page, "/sign-in", secret=app.at(world.place.clock.now))
    return again


def test_an_operators_recovery_is_walked_to_its_end(world: World, grace: SignedIn) -> None:
    """Must hold 8 and 9."""
    olga = an_operator(world, "olga")
    person = f"/people/{grace.account_id}"
    path = f"{person}/change/start-recovery"
    assert path in olga.get(person).text
    issued = secret_on(olga.fill(olga.get(f"{path}?lost=phone&hours=8"), path, reason=WHY))
    hers = comes_back(world, issued)
    account = world.place.store.read(grace.account_id).account  # type: ignore[arg-type]
    assert {method.device for method in account.methods} >= {"new phone"}
    assert "phone" not in {method.device for method in account.methods}
    assert account.recovery is not None
    assert account.recovery.finished_at is not None
    assert "Grace" in hers.get("/").text
    used = world.browser()
    again = used.fill(used.get("/sign-in?account=grace&with=temporary-pass"), "/sign-in", secret=issued)
    assert again.status_code == 401
    told = [(one.event, one.actor) for one in world.place.store.events() if one.account == "grace"]
    assert ("start-recovery", "olga") in told
    assert ("finish-recovery", "grace") in told


def test_two_operators_agree_in_their_browsers(world: World, grace: SignedIn) -> None:
    """Rule 12: who agrees sees everything that is asked for, and agrees to that alone."""
    world.place.change(rules=msgspec.structs.replace(world.place.parts.rules, second_operator=True))
    olga, piet = an_operator(world, "olga"), an_operator(world, "piet")
    person = f"/people/{grace.account_id}"
    start, approve = f"{person}/change/start-recovery", f"{person}/change/approve-recovery"
    refused = olga.fill(olga.get(f"{start}?lost=phone&hours=8"), start, reason=WHY)
    assert refused.status_code == 409
    assert "second operator" in refused.text
    assert approve not in olga.get(person).text  # who asks is not offered to agree
    page = piet.get(person)
    assert "Waits for another operator" in page.text
    link = re.search(rf'href="({approve}\?id=[^"]+)"', page.text)
    assert link is not None
    seen = piet.get(link[1])
    lost = world.place.store.read(grace.account_id).account.methods[-1]  # type: ignore[arg-type]
    for shown in ("olga", "grace", WHY, "A recovery", "12 characters, for 480 minutes, works once", "phone", lost.name):
        assert shown in seen.text, shown
    assert piet.fill(seen, approve).status_code == 422  # no reason
    assert piet.fill(seen, approve, reason="I called her back").status_code == 303
    assert "Approved, and not done yet" in piet.get(person).text
    issued = secret_on(olga.fill(olga.get(f"{start}?lost=phone&hours=8"), start, reason=WHY))
    assert "Grace" in comes_back(world, issued).get("/").text


def test_a_wish_that_took_the_place_of_the_one_that_was_seen_is_not_agreed_to(world: World, grace: SignedIn) -> None:
    """Rule 12."""
    world.place.change(rules=msgspec.structs.replace(world.place.parts.rules, second_operator=True))
    olga, piet = an_operator(world, "olga"), an_operator(world, "piet")
    person = f"/people/{grace.account_id}"
    start, approve = f"{person}/change/start-recovery", f"{person}/change/approve-recovery"
    issue = f"{person}/change/issue-temporary-pass"
    olga.fill(olga.get(f"{start}?lost=phone&hours=1"), start, reason=WHY)
    link = re.search(rf'href="({approve}\?id=[^"]+)"', piet.get(person).text)
    assert link is not None
    seen = piet.get(link[1])
    olga.fill(olga.get(f"{issue}?hours=168&several=yes"), issue, reason=WHY)
    for page in (seen, piet.get(link[1])):
        answer = piet.fill(page, approve, reason="I called her back")
        assert answer.status_code == 409
    assert "Something else is asked for now" in answer.text
    held = world.place.store.read(grace.account_id).account.approval  # type: ignore[arg-type]
    assert held is not None
    assert held.approved_by == ""
    assert PASSWORD not in answer.text
