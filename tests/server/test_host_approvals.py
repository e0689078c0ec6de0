"""What a host takes for an approval on another device: a second step, and so never a second password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from passless.actions import relying_parties, second_steps, throttle
from passless.actions.accounts import Found
from passless.domain.methods import MethodId
from passless.domain.recovery import Recovery, Reporter
from passless.domain.relying_parties import Client
from passless.domain.views import SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from passless.programs.radius_packets import Asked, Code
from passless.server.oauth import devices
from passless.server.sockets.host_conversation import OFF, TOO_MANY, Conversation, Reply, Stage
from tests.directories.person import App, Person
from tests.server.oauth.world import Browser, Fields, World, world_in


class Host:
    """A host that asks a server."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.register("host", kind="pam", redirect_uris=())
        party = relying_parties.find_named(world.place.parts, "host")
        assert party is not None
        self.party: Client = party
        self.says = Conversation(world.site, party)

    def said(self, user: str, typed: str = "", stage: Stage | None = None, *, caller: str = "") -> Reply:
        """Send what somebody typed; return what the host is told."""
        asked = Asked(
            identifier=1,
            authenticator=bytes(16),
            user=user.encode(),
            password=typed.encode(),
            service=b"sshd" if caller else b"sudo",
            caller=caller.encode(),
        )
        return self.says.reply(asked, stage)

    def typed(self, user: str, code: str = "", *, caller: str = "") -> Reply:
        """Begin, and type a code, or press Enter."""
        return self.said(user, code, self.said(user, caller=caller).stage, caller=caller)

    def shown(self, user: str, *, caller: str = "") -> Stage:
        """Press Enter instead of a code, and return where that leads: to a code that is shown."""
        stage = self.typed(user, caller=caller).stage
        assert stage is not None
        return stage


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    yield made
    made.close()


@pytest.fixture
def host(world: World) -> Host:
    return Host(world)


def approves(browser: Browser, user_code: str) -> httpx.Response:
    """Type the code into the page, and approve where it asks whether to."""
    page = browser.http.get("/device", headers={"Accept": "text/html"})
    page = browser.post("/device", {**Fields(page.text).hidden, "user_code": user_code})
    return browser.answer(page) if page.status_code == 200 else page


def with_app(world: World, signed_in: SignedIn) -> App:
    """Add an app to ada's account."""
    app = Person(world.place, "ada", token=signed_in.token).add_app()
    world.place.clock.move(minutes=1)
    return app


def signed_in_again(world: World) -> SignedIn:
    """Sign in as whoever has the password."""
    found = Person(world.place, "ada", at="203.0.113.9").with_password()
    assert isinstance(found, SignedIn)
    return found


def test_the_passless_password_alone_approves_nothing(world: World, host: Host) -> None:
    """People use a password twice: who has it would have both steps, from one and the same machine."""
    stage = (world.account(), host.shown("ada"))[1]
    page = approves(world.browser(signed_in_again(world)), stage.user_code)
    assert page.status_code == 403
    assert "A host lets nobody in by a password alone" in page.text
    assert host.said("ada", "", stage).code is Code.CHALLENGE  # nobody approved


def test_with_an_app_on_the_account_it_is_asked_for(world: World, host: Host) -> None:
    app = with_app(world, world.account())
    stage = host.shown("ada")
    again = signed_in_again(world)
    browser = world.browser(again)
    page = approves(browser, stage.user_code)
    assert page.status_code == 303
    assert "why=needs-device" in page.headers["location"]
    shown = browser.http.get(page.headers["location"], headers={"Accept": "text/html"})
    assert "show something that you have" in shown.text
    assert 'value="password"' not in shown.text
    proven = Person(world.place, "ada", token=again.token).with_code(app)
    assert isinstance(proven, SignedIn)
    assert approves(world.browser(proven), stage.user_code).status_code == 200
    assert host.said("ada", "", stage).code is Code.ACCEPT


def test_what_was_approved_counts_only_where_something_was_shown(world: World, host: Host) -> None:
    """The page is not the only one that looks: the host is refused where a session has nothing but a password."""
    app = with_app(world, world.account())
    proven = Person(world.place, "ada", token=signed_in_again(world).token).with_code(app)
    assert isinstance(proven, SignedIn)
    stage = host.shown("ada")
    approves(world.browser(proven), stage.user_code)
    recovers(world, Recovery(started_at=world.place.clock.now, by=Reporter.SELF, enrolled=(MethodId(app.method),)))
    assert host.said("ada", "", stage).code is Code.REJECT  # a recovery began meanwhile: it may be a stranger's app


def test_an_app_of_a_recovery_approves_nothing_for_a_day(world: World, host: Host) -> None:
    """Rule 10."""
    app = with_app(world, world.account())
    proven = Person(world.place, "ada", token=signed_in_again(world).token).with_code(app)
    assert isinstance(proven, SignedIn)
    now = world.place.clock.now
    recovers(world, Recovery(started_at=now, by=Reporter.SELF, enrolled=(MethodId(app.method),), finished_at=now))
    stage = host.shown("ada")
    assert approves(world.browser(proven), stage.user_code).status_code == 403


def test_where_codes_are_off_it_is_said_what_helps(world: World, host: Host) -> None:
    world.account()
    place, whose = world.place, ada_of(world).account.id
    for _ in range(throttle.SWITCHED_OFF):
        place.store.count_attempt(f"host/{whose}/{host.party.id}", at=place.clock.now)
    stage = host.said("ada").stage
    told = host.said("ada", "123456", stage)
    assert (told.code, told.text) == (Code.CHALLENGE, OFF)
    assert host.said("ada", "", told.stage).code is Code.REJECT


def ada_of(world: World) -> Found:
    """Return ada's account."""
    return second_steps.find(world.place.parts, "ada", world.place.clock.now)


def recovers(world: World, recovery: Recovery) -> None:
    """Keep that ada's account is being recovered, or was."""
    found = ada_of(world)
    account = replace(found.stored, recovery=recovery)
    world.place.store.commit(Write(at=world.place.clock.now, account=account, expected=found.version))


def test_the_page_speaks_of_a_host_and_not_of_a_device(world: World, host: Host) -> None:
    app = with_app(world, world.account())
    proven = Person(world.place, "ada", token=signed_in_again(world).token).with_code(app)
    assert isinstance(proven, SignedIn)
    browser, user_code = world.browser(proven), host.shown("ada").user_code
    page = browser.http.get("/device", headers={"Accept": "text/html"})
    asked = browser.post("/device", {**Fields(page.text).hidden, "user_code": user_code})
    words = " ".join(" ".join(Fields(asked.text).words).split())
    assert "Asked from host itself" in words
    assert "the terminal in front of you shows this very code" in words
    done = " ".join(Fields(browser.answer(asked).text).words)
    assert "Approved" in done
    for text in (page.text, asked.text):
        assert "Let a device in" not in text
    assert "device is let in" not in done


class TestTheTrailOfApprovals:
    """Must hold 8: every sign-in, good or bad; what an approval was worth to the host stands there too, once."""

    def approved(self, world: World, host: Host, said: str = "approve") -> tuple[Stage, SignedIn]:
        """Have ada answer, and return where the host is and the session in which she did."""
        app = of_account(world, "ada")
        signed_in = session_of(world, "ada", app)
        stage = host.shown("ada")
        browser = world.browser(signed_in)
        page = browser.http.get("/device", headers={"Accept": "text/html"})
        page = browser.post("/device", {**Fields(page.text).hidden, "user_code": stage.user_code})
        assert browser.answer(page, said).status_code == 200
        return stage, signed_in

    def reasons(self, world: World) -> list[tuple[str, str]]:
        """Return what stands there of hosts: who, and why not."""
        found = [one for one in world.place.store.events() if one.event == second_steps.SECOND_STEP]
        return [(one.account, one.details.get("reason", one.outcome)) for one in found]

    def refused_once(self, world: World, host: Host, stage: Stage) -> list[tuple[str, str]]:
        """Have the host look twice, and be refused."""
        for _ in range(2):
            assert host.said("ada", "", stage).code is Code.REJECT
        return self.reasons(world)

    def test_one_that_lets_in(self, world: World, host: Host) -> None:
        stage, _ = self.approved(world, host)
        assert host.said("ada", "", stage).code is Code.ACCEPT
        assert self.reasons(world) == [("ada", "done")]

    def test_a_refusal(self, world: World, host: Host) -> None:
        stage, _ = self.approved(world, host, "refuse")
        assert self.refused_once(world, host, stage) == [("ada", "refused")]

    def test_a_session_that_ended_before_the_host_looked(self, world: World, host: Host) -> None:
        stage, signed_in = self.approved(world, host)
        world.site.directory.sign_out(Actor(token=signed_in.token))
        assert self.refused_once(world, host, stage) == [("ada", "session-over")]

    def test_a_recovery_that_began_before_the_host_looked(self, world: World, host: Host) -> None:
        stage, _ = self.approved(world, host)
        recovers(world, Recovery(started_at=world.place.clock.now, by=Reporter.SELF))
        assert self.refused_once(world, host, stage) == [("ada", "weak-proof")]

    def test_one_that_comes_too_late(self, world: World, host: Host) -> None:
        stage, _ = self.approved(world, host)
        world.place.clock.move(minutes=15)
        assert self.refused_once(world, host, stage) == [("ada", "code-expired")]

    def test_somebody_who_is_no_user_of_the_host_any_more(self, world: World, host: Host) -> None:
        stage, _ = self.approved(world, host)
        found = ada_of(world)
        world.place.store.commit(
            Write(at=world.place.clock.now, account=replace(found.stored, name="adele"), expected=found.version)
        )
        assert self.refused_once(world, host, stage) == [("adele", "not-the-user")]


OFFICE = "203.0.113.7"  # where everybody's ssh and browsers come from


class TestOneAddressForEverybody:
    """eve has an account, a password and an app, as ada has, and comes through the same gate as everybody else."""

    def test_no_user_shuts_out_another_from_codes_and_approvals(self, world: World, host: Host) -> None:
        """With right codes of hers in between too, which make her own counters begin anew."""
        app, eves = of_account(world, "ada"), of_account(world, "eve")
        for number in range(throttle.SOURCE_WRONG * 3):
            assert host.typed("eve", eves.wrong.reveal(), caller=OFFICE).code is not Code.ACCEPT
            if number % 8 == 7:
                world.place.clock.move(minutes=1)
                host.typed("eve", eves.fresh.reveal(), caller=OFFICE)
        for _ in range(devices.MOST_OPEN * 3):
            said = host.typed("eve", caller=OFFICE)
        assert said.text == TOO_MANY
        assert host.typed("ada", app.fresh.reveal(), caller=OFFICE).code is Code.ACCEPT
        stage = host.shown("ada", caller=OFFICE)
        assert approves(browser_of(world, "ada", app), stage.user_code).status_code == 200
        assert host.said("ada", "", stage, caller=OFFICE).code is Code.ACCEPT

    def test_nor_does_it_take_right_codes_to_reach_the_end_of_many(self, world: World, host: Host) -> None:
        """What one account adds to its source is bounded; what many accounts get wrong there still is."""
        app = of_account(world, "ada")
        most = throttle.SOURCE_WRONG // throttle.SHARE_OF_ONE
        for number in range(most):
            for _ in range(throttle.SHARE_OF_ONE + 5):
                host.typed(f"guess{number}", "123456", caller=OFFICE)
            if number == most - 2:
                assert host.typed("ada", app.fresh.reveal(), caller=OFFICE).code is Code.ACCEPT
        assert "Too many wrong codes" in host.typed("ada", app.fresh.reveal(), caller=OFFICE).text

    def test_nobody_who_types_wrong_codes_into_the_page_keeps_others_from_approving(self, world: World, host: Host) -> None:
        app, eves = of_account(world, "ada"), of_account(world, "eve")
        eve = browser_of(world, "eve", eves)
        page = eve.http.get("/device", headers={"Accept": "text/html"})
        said = [
            eve.post("/device", {**Fields(page.text).hidden, "user_code": "BBBB-BBBB"}).status_code
            for _ in range(throttle.SOURCE_WRONG)
        ]
        assert (said[0], said[-1]) == (404, 429)
        stage = host.shown("ada", caller=OFFICE)
        assert approves(browser_of(world, "ada", app), stage.user_code).status_code == 200
        assert host.said("ada", "", stage, caller=OFFICE).code is Code.ACCEPT

    def test_who_has_a_code_that_is_somebody_elses_typed_a_wrong_one(self, world: World, host: Host) -> None:
        of_account(world, "ada")
        eve, code = browser_of(world, "eve", of_account(world, "eve")), host.shown("ada").user_code
        said = [approves(eve, code).status_code for _ in range(devices.WRONG_CODES + 1)]
        assert said == [404] * devices.WRONG_CODES + [429]


def of_account(world: World, name: str) -> App:
    """Make an account with an app."""
    app = Person(world.place, name, token=world.account(name).token).add_app()
    world.place.clock.move(minutes=1)
    return app


def browser_of(world: World, name: str, app: App) -> Browser:
    """Return the browser of somebody who signs in with both."""
    return world.browser(session_of(world, name, app))


def session_of(world: World, name: str, app: App) -> SignedIn:
    """Sign somebody in with both."""
    person = Person(world.place, name, at=OFFICE)
    person.with_password()
    signed_in = person.with_code(app)
    assert isinstance(signed_in, SignedIn)
    return signed_in
