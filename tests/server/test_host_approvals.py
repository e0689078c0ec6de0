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
from passless.programs.radius_packets import Asked, Code
from passless.server.sockets.host_conversation import OFF, Conversation, Reply, Stage
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

    def said(self, user: str, typed: str = "", stage: Stage | None = None) -> Reply:
        """Send what somebody typed; return what the host is told."""
        asked = Asked(
            identifier=1, authenticator=bytes(16), user=user.encode(), password=typed.encode(), service=b"sudo", caller=b""
        )
        return self.says.reply(asked, stage)

    def shown(self, user: str) -> Stage:
        """Press Enter instead of a code, and return where that leads: to a code that is shown."""
        stage = self.said(user, "", self.said(user).stage).stage
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
