"""Changes: a plan first, then a yes, and only to the account that was looked at."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pyotp
import pytest
from msgspec.structs import replace

from passless.directories.local import LocalDirectory
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.methods import Kind
from passless.domain.relying_parties import NewRelyingParty
from passless.domain.requests import Answer, NewAppPassword, RenameAccountTo
from passless.domain.secret import Secret
from passless.domain.views import SecondProofNeeded, SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from passless.server.pages.offers import OFFERS, OPERATORS_OFFERS
from tests.directories.place import ANOTHER_PASSWORD, PASSWORD
from tests.server.pages.test_signing_in import actor_of, two_step
from tests.server.pages.world import Browser, Fields, World


def test_a_plan_is_shown_and_changes_nothing(world: World, ada: SignedIn, signed_in: Browser) -> None:
    world.add_totp(ada)
    before = world.directory.read(actor_of(signed_in), "ada").version
    plan = signed_in.get("/change/passwordless-on")
    assert "The password is deleted; nobody can use it again, you neither." in plan.text
    assert "Xbox 360" in plan.text
    assert world.directory.read(actor_of(signed_in), "ada").version == before


def test_a_password_alone_is_not_said_to_be_all_one_needs(signed_in: Browser) -> None:
    page = signed_in.get("/").text
    assert "Something needs your attention" in page
    assert "Losing one thing could lock you out" in page


def test_a_change_is_kept_and_told_once(world: World, ada: SignedIn, signed_in: Browser) -> None:
    world.add_totp(ada)
    plan = signed_in.get("/change/rename-method?" + urlencode({"method": "authenticator app", "name": "my app"}))
    answer = signed_in.fill(plan, "/change/rename-method")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "The method has its new name" in signed_in.get("/").text
    assert "The method has its new name" not in signed_in.get("/").text
    assert "my app" in signed_in.get("/").text


def test_a_change_to_an_account_that_moved_is_looked_at_again(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 12"""
    plan = signed_in.get("/change/new-recovery-code")
    world.directory.apply(Actor(token=ada.token), "ada", RenameAccountTo(display_name="Ada L."))
    answer = signed_in.fill(plan, "/change/new-recovery-code")
    assert answer.status_code == 409
    assert "changed by somebody else" in answer.text
    assert not world.directory.read(actor_of(signed_in), "ada").recovery_code.exists
    assert signed_in.fill(answer, "/change/new-recovery-code").status_code == 200


def test_what_the_rules_refuse_says_why_and_what_to_do(world: World, ada: SignedIn, signed_in: Browser) -> None:
    plan = signed_in.get("/change/two-step-on")
    assert "Why this cannot be done now" in plan.text
    assert "<form" not in plan.text
    fields = {
        "form-token": Fields(signed_in.get("/").text).forms[0][1]["form-token"],
        "version": str(_version(world, signed_in)),
    }
    answer = signed_in.send("/change/two-step-on", fields)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert not world.directory.read(actor_of(signed_in), "ada").two_step


def _version(world: World, browser: Browser) -> int:
    return world.directory.read(actor_of(browser), "ada").version


def test_a_new_app_password_is_shown_once_and_never_again(world: World, ada: SignedIn) -> None:
    """must hold 1"""
    browser = _prove(world, ada, two_step(world, ada))
    query = urlencode({"name": "Mail", "for": ["imap", "smtp"], "other": "caldav, my-thing", "days": "30"}, doseq=True)
    plan = browser.get(f"/change/new-app-password?{query}")
    shown = browser.fill(plan, "/change/new-app-password", **{"for": ["imap", "smtp"], "other": "caldav, my-thing"})
    secret = re.search(r'<output id="secret"[^>]*>([a-z ]+)</output>', shown.text)
    assert secret is not None
    assert len(secret[1].replace(" ", "")) == 24
    assert shown.headers["cache-control"] == "no-store"
    listed = browser.get("/").text
    assert "For imap, smtp, caldav, my-thing" in listed
    assert secret[1] not in listed
    assert world.place.owner_of(secret[1].replace(" ", "")) is not None
    revoke = browser.get(re.search(r"/change/revoke-app-passwords\?id=[a-z0-9]+", listed)[0])
    assert browser.fill(revoke, "/change/revoke-app-passwords").status_code == 303
    assert world.place.owner_of(secret[1].replace(" ", "")) is None


def test_an_app_password_is_for_services_of_the_list_or_for_one_that_is_named_beside_it(world: World, ada: SignedIn) -> None:
    """As in the terminal: the list has those of the relying parties too, and a slip is no service."""
    world.place.change(on_host=True)
    wiki = NewRelyingParty(name="wiki", kind="http")
    made = LocalDirectory(world.place.parts).add_relying_party(Actor(), wiki)
    assert made.secret is not None
    world.place.keep_secret(made.secret)
    world.place.change(on_host=False)
    browser = _prove(world, ada, two_step(world, ada))
    form = browser.get("/app-passwords/new").text
    assert 'type="checkbox" name="for" value="wiki"' in form
    assert browser.get("/change/new-app-password?" + urlencode({"name": "Wiki", "for": "wiki"})).status_code == 200
    slip = browser.get("/change/new-app-password?" + urlencode({"name": "Wiki", "for": "wikki"}))
    assert slip.status_code == 422
    assert "no service" in html.unescape(slip.text).lower()
    assert "choose from the list" in slip.text
    assert browser.get("/change/new-app-password?" + urlencode({"name": "Wiki", "other": "wikki"})).status_code == 200


def test_a_session_is_said_to_be_a_browsers_or_a_terminals(world: World, signed_in: Browser) -> None:
    """The account was made by no browser."""
    said = world.directory.sessions(actor_of(signed_in), "ada")
    assert sorted((one.through, one.current, one.kind) for one in said) == [
        ("browser", True, "direct"),
        ("terminal", False, "direct"),
    ]
    assert signed_in.get("/").text.count(", a terminal") == 1


def _prove(world: World, made: SignedIn, app: pyotp.TOTP) -> Browser:
    """Return a browser that signed in with two factors: password and app."""
    world.place.clock.move(seconds=30)
    half = world.directory.sign_in(Actor(), made.account_id, Answer(kind=Kind.PASSWORD, text=Secret(PASSWORD)))
    assert isinstance(half, SecondProofNeeded)
    code = Answer(kind=Kind.TOTP, text=Secret(world.code(app)))
    signed_in = world.directory.finish(Actor(), half.ceremony, code)
    assert isinstance(signed_in, SignedIn)
    browser = world.browser()
    browser.http.cookies.set("__Host-passless-session", signed_in.token.reveal(), domain="passless.example", path="/")
    return browser


def test_a_recovery_code_is_shown_typed_back_and_printed(world: World, ada: SignedIn, signed_in: Browser) -> None:
    plan = signed_in.get("/change/new-recovery-code")
    shown = signed_in.fill(plan, "/change/new-recovery-code")
    code = re.search(r'<output id="secret"[^>]*>([0-9A-Z-]{29})</output>', shown.text)
    assert code is not None
    kit = signed_in.fill(shown, "/recovery-code/kit")
    assert code[1] in kit.text
    assert "Recovery kit" in kit.text
    wrong = signed_in.fill(shown, "/recovery-code", code="ABCDE")
    assert wrong.status_code == 422
    assert code[1] not in wrong.text
    assert not world.directory.read(actor_of(signed_in), "ada").recovery_code.saved
    assert signed_in.fill(wrong, "/recovery-code", code=code[1].lower()).status_code == 303
    assert world.directory.read(actor_of(signed_in), "ada").recovery_code.saved
    nonsense = signed_in.fill(wrong, "/recovery-code", code="")
    assert nonsense.status_code == 422


def test_a_new_password_is_typed_twice_and_must_be_good(world: World, ada: SignedIn, signed_in: Browser) -> None:
    plan = signed_in.get("/change/set-password")
    different = signed_in.fill(plan, "/change/set-password", password=ANOTHER_PASSWORD, again="another")
    assert (different.status_code, "not the same" in different.text) == (422, True)
    assert "velvet" not in different.text, "must hold 1: what was typed does not stand on the page"
    weak = signed_in.fill(plan, "/change/set-password", password="short", again="short")
    assert weak.status_code == 422
    good = signed_in.fill(
        plan, "/change/set-password", password="velvet anchor thimble quarry", again="velvet anchor thimble quarry"
    )
    assert good.status_code == 303
    assert world.browser().sign_in(password="velvet anchor thimble quarry").status_code == 303


def test_a_lost_device_is_off_at_once_and_what_is_left_is_said(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 7"""
    app = world.add_totp(ada)
    assert "You can still sign in with what is left" in signed_in.get("/lost").text
    plan = signed_in.get("/change/report-lost-device?device=phone")
    done = signed_in.fill(plan, "/change/report-lost-device")
    assert "nothing on it works any more" in done.text
    assert "What is left to do" in done.text
    world.place.clock.move(seconds=30)
    thief = world.browser()
    page = thief.get("/sign-in?account=ada&with=totp")
    assert thief.fill(page, "/sign-in", secret=world.code(app)).status_code == 401
    overview = signed_in.get("/").text
    assert "Phone is reported lost" in overview
    report = re.search(r"/take-back\?report=[a-z0-9]+", overview)
    assert report is not None
    world.place.clock.move(seconds=30)
    back = signed_in.fill(signed_in.get(report[0]), "/take-back", secret=world.code(app))
    assert back.status_code == 303, back.text
    assert "is taken back" in signed_in.get("/").text


def test_a_session_that_was_not_me_is_ended_with_what_opened_it(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 7"""
    app = world.add_totp(ada)
    thief = world.browser(address="198.51.100.66")
    world.place.clock.move(seconds=30)
    thief.fill(thief.get("/sign-in?account=ada&with=totp"), "/sign-in", secret=world.code(app))
    assert thief.get("/").status_code == 200
    overview = signed_in.get("/").text
    assert "198.51.100.66" in overview
    link = re.search(r"/change/report-not-me\?session=[a-z0-9]+", overview)
    assert link is not None
    plan = signed_in.get(link[0])
    assert "stops working" in plan.text
    signed_in.fill(plan, "/change/report-not-me")
    assert thief.get("/").status_code == 303
    assert "authenticator app" not in [one.name for one in world.directory.read(actor_of(signed_in), "ada").methods]


def test_sessions_are_ended_one_by_one_or_all(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 7"""
    other = world.browser()
    other.sign_in()
    plan = signed_in.get("/change/end-sessions?all=yes")
    assert signed_in.fill(plan, "/change/end-sessions").status_code == 303
    assert other.get("/").status_code == 303
    assert signed_in.get("/").status_code == 303, "all is all"


def test_notices_go_when_they_were_seen(world: World, ada: SignedIn, signed_in: Browser) -> None:
    world.add_totp(ada)
    page = signed_in.get("/")
    assert "A sign-in method was added" in page.text
    assert "passless session end" not in page.text, "commands are for terminals"
    ids = re.findall(r'name="id" value="([a-z0-9]+)"', page.text)
    signed_in.fill(page, "/notices/seen", id=ids)
    assert "What happened lately" not in signed_in.get("/").text


def test_activity_comes_page_by_page(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """A million events are no longer page than a hundred: never more is read than is shown."""
    blank = AuditEntry(at=world.place.clock.now, actor="x", event="", outcome=Outcome.DONE, account_id=ada.account_id)
    events = tuple(replace(blank, event=f"event-{one}") for one in range(230))
    world.place.store.commit(Write(at=blank.at, events=events))
    assert re.findall(r"Event (\d+)", signed_in.get("/").text) == [str(one) for one in range(229, 221, -1)]
    seen: list[str] = []
    path, pages = "/activity", 0
    while path:
        page = signed_in.get(path).text
        seen += re.findall(r"Event (\d+)", page)
        older = re.search(r'href="(/activity\?before=\d+)"', page)
        path, pages = "" if older is None else older[1], pages + 1
    assert seen == [str(one) for one in range(229, -1, -1)]
    assert pages == 3
    assert 'href="/activity"' in page
    for nonsense in ("x", "-1", "1" * 30, "²"):
        assert "Event 229" in signed_in.get("/activity?" + urlencode({"before": nonsense})).text


def test_activity_ends_after_30_days(world: World, ada: SignedIn, signed_in: Browser) -> None:
    assert "The account was made" in signed_in.get("/activity").text
    world.place.clock.move(days=31)
    signed_in.sign_in()
    page = signed_in.get("/activity").text
    assert "Sign-in" in page
    assert "The account was made" not in page


def test_activity_shows_what_was_done_and_what_did_not_work(world: World, ada: SignedIn, signed_in: Browser) -> None:
    world.browser(address="198.51.100.66").sign_in(password="wrong")
    page = signed_in.get("/activity").text
    assert "198.51.100.66" in page
    assert "Did not work" in page


def test_a_change_that_is_none_is_no_page(signed_in: Browser) -> None:
    assert signed_in.get("/change/delete-everything").status_code == 404
    assert signed_in.get("/change/issue-temporary-pass").status_code == 404, "nobody issues one to themselves"


@pytest.mark.parametrize(
    "query", ["", "?method=x&device=x&session=x&id=x&name=%00&days=x&for=%2F&all=", "?%ff=%00&name=" + "a" * 300]
)
def test_nonsense_in_an_address_is_said_and_breaks_nothing(signed_in: Browser, query: str) -> None:
    for what in OFFERS:
        answer = signed_in.get(f"/change/{what}{query}")
        assert answer.status_code < 500, what
        assert "<h1>" in answer.text


def test_who_is_no_operator_changes_nobody_else(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 9"""
    world.account("grace")
    token = Fields(signed_in.get("/").text).forms[0][1]["form-token"]
    before = world.place.store.read_named("grace")
    form = {"form-token": token, "version": "1", "reason": "because", "device": "x"}
    for what in OPERATORS_OFFERS:
        answer = signed_in.send(f"/people/grace/change/{what}", form)
        assert answer.status_code == 404, what
        assert signed_in.get(f"/people/grace/change/{what}").status_code == 404, what
    assert signed_in.get("/people/grace").status_code == 404
    assert world.place.store.read_named("grace") == before


def test_text_from_outside_stays_text(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 8 and 11: a name that is markup is shown as it was typed."""
    name = '<script>alert("x")</script>'
    actor = Actor(token=ada.token)
    world.directory.apply(actor, "ada", RenameAccountTo(display_name=name))
    page = signed_in.get("/").text
    assert name not in page
    assert "&lt;script&gt;" in page
    browser = _prove(world, ada, two_step(world, ada))
    world.directory.apply(actor_of(browser), "ada", NewAppPassword(name="<b>bold</b>"))
    assert "<b>bold" not in browser.get("/").text


def test_what_was_asked_and_refused_is_in_the_audit_trail(world: World, ada: SignedIn, signed_in: Browser) -> None:
    """must hold 8"""
    token = Fields(signed_in.get("/").text).forms[0][1]["form-token"]
    signed_in.send("/change/two-step-on", {"form-token": token, "version": str(_version(world, signed_in))})
    event = list(world.place.store.events())[-1]
    assert (event.event, event.outcome, event.place) == ("turn-two-step-on", Outcome.REFUSED, "203.0.113.7")


def test_a_secret_never_stands_in_the_address_of_a_page() -> None:
    """must hold 1"""
    secrets = {"password", "again", "secret", "code", "response", "invitation"}
    assert not [what for what, offer in OFFERS.items() if secrets & set(offer.keeps)]


PROPOSED = re.compile(r'name="device" value="([^"]*)"')


def proposed(browser: Browser, kind: str) -> str:
    """Return the device that a page proposes for a new method."""
    found = PROPOSED.search(browser.get(f"/enrol/{kind}").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("agent", "word"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Windows computer"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "Mac"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux computer"),
        ("Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36", "phone"),
        ("curl/8", ""),
    ],
)
def test_a_browser_says_what_kind_of_thing_its_passkey_is_on(signed_in: Browser, agent: str, word: str) -> None:
    signed_in.http.headers["User-Agent"] = agent
    assert proposed(signed_in, "passkey") == word


def test_a_new_phone_is_not_taken_for_the_one_that_is_lost(world: World, ada: SignedIn, signed_in: Browser) -> None:
    assert proposed(signed_in, "totp") == "phone"
    world.add_totp(ada)
    assert proposed(signed_in, "totp") == "", "another app may be on another thing"
    plan = signed_in.get("/change/report-lost-device?device=phone")
    assert signed_in.fill(plan, "/change/report-lost-device").status_code == 200
    assert proposed(signed_in, "totp") == "new phone"
    assert "<details open>" in signed_in.get("/enrol/totp").text
