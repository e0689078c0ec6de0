"""Chromium goes through every page, with authenticators of several kinds; axe-core and html-validate judge each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from passless.domain.methods import Kind, kind_of
from passless.domain.requests import Enrol
from passless.ports.directory import Actor
from tests.server.pages.chromium import Chromium, chromium, serving
from tests.server.pages.journey import Person, operator_of
from tests.server.pages.judges import Axe, html_faults
from tests.server.pages.story import tell
from tests.server.pages.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serving(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(scope="module")
def open_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def chrome(open_browser: Chromium) -> Iterator[Chromium]:
    """A browser without cookies and keys."""
    open_browser.start_anew()
    yield open_browser
    open_browser.start_anew()


def invitation(world: World) -> str:
    """Return a new invitation of an operator who has just signed in."""
    name = f"operator-{world.place.parts.new_id()}"
    return world.invitation(operator_of(world, name))


def test_a_person_goes_all_the_way_from_an_invitation_to_a_lost_device(world: World, chrome: Chromium) -> None:
    person = Person(world, chrome)
    computer = chrome.key()
    person.accept_invitation(invitation(world), "mary")
    person.add_passkey()
    person.add_app()
    person.make_recovery_code()
    person.turn_two_step_on()
    assert "no password at all" in chrome.words
    secret = person.make_app_password("Mail on phone")
    assert world.place.owner_of(secret.replace(" ", "")) is not None
    person.lose("phone")
    assert world.place.owner_of(secret.replace(" ", "")) is None, "it ends with any reported loss"
    chrome.present(computer, yes=False)
    person.sign_out()
    chrome.present(computer, yes=True)
    person.go("/sign-in?" + urlencode({"account": "mary"}))
    chrome.press("Use a passkey")
    chrome.wait_for("Ada Lovelace")


def test_a_link_from_a_terminal_adds_a_passkey_where_nobody_is_signed_in(world: World, chrome: Chromium) -> None:
    new = world.account("sofia", password=None)
    actor = Actor(token=new.token)
    made = world.directory.enrol_link(actor, new.account_id, Enrol(kind=Kind.PASSKEY, name="laptop"))
    chrome.key()
    chrome.open(made.link.reveal())
    chrome.wait_words("For the account sofia")
    assert chrome.path == "/enrol/here", "the secret is out of the address"
    assert made.link.reveal().partition("#")[2] not in chrome.driver.page_source
    chrome.press("Make the passkey")
    chrome.wait_words("The passkey is added.")
    assert [method.name for method in world.directory.read(actor, new.account_id).methods] == ["laptop"]
    chrome.open(world.url + "/sign-in")
    chrome.wait_for("sofia")


def test_a_passkey_is_offered_where_the_name_is_typed(world: World, chrome: Chromium) -> None:
    """Conditional UI: the virtual authenticator answers as soon as the page asks."""
    chrome.key()
    person = Person(world, chrome)
    person.accept_invitation(invitation(world), "hedy")
    person.add_passkey()
    chrome.driver.delete_all_cookies()
    person.go("/sign-in")
    chrome.wait_for("Ada Lovelace")
    assert "hedy" in chrome.words


def test_a_key_in_a_usb_port_signs_in_and_takes_the_place_of_a_password(world: World, chrome: Chromium) -> None:
    world.account("joan")
    person = Person(world, chrome)
    sign_in_with_password(person, "joan")
    chrome.usb_key()
    person.add_key("blue key")
    person.make_recovery_code()
    person.turn_passwordless_on()
    person.sign_out()
    person.go("/sign-in?" + urlencode({"account": "joan", "with": "security-key"}))
    chrome.press("Use a security key")
    chrome.wait_for("joan")
    assert "no password at all" in chrome.words


def test_a_finger_that_is_not_known_adds_and_signs_in_nobody(world: World, chrome: Chromium) -> None:
    world.account("emmy")
    person = Person(world, chrome)
    sign_in_with_password(person, "emmy")
    key = chrome.key()
    chrome.verifies(key, yes=False)
    person.go("/enrol/passkey")
    chrome.press("Make the passkey")
    chrome.wait_words("Try again when you are ready")
    assert "passkey" not in kinds(world, "emmy")
    chrome.verifies(key, yes=True)
    chrome.press("Make the passkey")
    chrome.wait_words("The passkey is added")
    chrome.verifies(key, yes=False)
    person.sign_out()
    person.go("/sign-in?" + urlencode({"account": "emmy"}))
    chrome.press("Use a passkey")
    chrome.wait_words("Try again when you are ready")


def kinds(world: World, name: str) -> list[str]:
    return [kind_of(one) for one in world.place.store.read_named(name).account.methods]


def test_a_key_that_is_already_there_is_not_added_twice(world: World, chrome: Chromium) -> None:
    world.account("rosa")
    person = Person(world, chrome)
    sign_in_with_password(person, "rosa")
    chrome.key()
    person.go("/enrol/passkey")
    chrome.press("Make the passkey")
    chrome.wait_words("The passkey is added")
    person.go("/enrol/passkey")
    chrome.type("device", "another computer")  # nothing is proposed that would be the same thing
    chrome.press("Make the passkey")
    chrome.wait_words("already on the account")


def test_a_browser_without_keys_says_so_and_lets_one_in_another_way(world: World, chrome: Chromium) -> None:
    world.account("lise")
    person = Person(world, chrome)
    person.go("/sign-in?" + urlencode({"account": "lise"}))
    chrome.driver.execute_script("delete PublicKeyCredential.parseRequestOptionsFromJSON")
    chrome.press("Use a passkey")
    chrome.wait_words("This browser cannot use keys and passkeys")
    chrome.press("Password", ".ways")
    chrome.type("secret-password", "stately otter lantern mosaic")
    chrome.press("Sign in", "form")
    chrome.wait_for("lise")


def test_the_secret_of_an_invitation_stays_out_of_the_history(world: World, chrome: Chromium) -> None:
    """must hold 1"""
    secret = invitation(world)
    chrome.open(f"{world.url}/invitation#{secret}")
    chrome.wait(lambda: chrome.path == "/invitation", "the secret out of the address")
    assert chrome.find("#invitation").get_attribute("value") == secret


def sign_in_with_password(person: Person, name: str) -> None:
    person.go("/sign-in?" + urlencode({"account": name, "with": "password"}))
    person.browser.type("secret-password", "stately otter lantern mosaic")
    person.browser.press("Sign in", "form")
    person.browser.wait_for(name)


def test_strangers_find_no_fault_in_any_page(tmp_path: Path, open_browser: Chromium) -> None:
    """axe-core finds no accessibility violation, light or dark, and html-validate no fault, on every page there is."""
    open_browser.start_anew()
    pages = tmp_path / "pages"
    pages.mkdir()
    axe = Axe(open_browser)
    violations: list[str] = []
    seen: list[str] = []

    def look(page: str) -> None:
        seen.append(page)
        violations.extend(f"{page}: {one}" for one in axe.violations())
        source = open_browser.driver.execute_script("return document.documentElement.outerHTML")
        (pages / f"{page}.html").write_text(f"<!DOCTYPE html>\n{source}", encoding="utf-8")

    with serving(tmp_path) as world:
        tell(world, open_browser, look)
    assert len(set(seen)) >= 60
    assert violations == []
    assert html_faults(pages) == []
