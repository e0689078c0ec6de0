"""Forms that no page of ours sent, and pages inside other pages (must hold 11)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from passless.server import browser as browsers
from passless.server.pages import routing
from tests.server.pages.world import HTML, Browser, Fields, World

TRIED = "/change/new-recovery-code"


def actor_of(browser: Browser) -> Actor:
    return Actor(token=Secret(browser.cookies["__Host-passless-session"]))


def posts() -> set[str]:
    """Return every address of the pages that takes a form."""
    found = {path for handler in routing.ALL if "POST" in handler.http_methods for path in handler.paths}
    filled = {"{what:str}": "two-step-on", "{person:str}": "ada", "{kind:str}": "totp"}
    for parameter, value in filled.items():
        found = {path.replace(parameter, value) for path in found}
    return found


def test_every_form_is_refused_without_the_token_of_the_visit(world: World, signed_in: Browser) -> None:
    """must hold 11"""
    paths = posts()
    assert len(paths) > 12
    before = world.directory.parts.store.read(world.directory.parts.store.read_named("ada").account.id)
    for path in sorted(paths):
        answer = signed_in.send(path, {"version": "1", "form-token": ""})
        assert (answer.status_code, "did not come from a page" in answer.text) == (403, True), path
    assert world.directory.parts.store.read(before.account.id) == before


def test_the_token_of_another_visit_is_refused(world: World, signed_in: Browser) -> None:
    """must hold 11: a thief's own token does not fit the browser of somebody else."""
    token = Fields(world.browser().get("/sign-in").text).forms[-1][1]["form-token"]
    answer = signed_in.send(TRIED, {"form-token": token, "version": "1"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://passless.example.evil.example"},
        {"Origin": "http://passless.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://passless.example"},
        {"Origin": "", "Sec-Fetch-Site": ""},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_the_right_token(
    world: World, signed_in: Browser, headers: dict[str, str]
) -> None:
    """must hold 11"""
    fields = Fields(signed_in.get(TRIED).text).to(TRIED)
    assert signed_in.send(TRIED, fields, **headers).status_code == 403
    assert not world.directory.read(actor_of(signed_in), "ada").recovery_code.exists


def test_a_body_that_is_no_form_is_refused(signed_in: Browser) -> None:
    fields = Fields(signed_in.get(TRIED).text).to(TRIED)
    sent = {**HTML, "Origin": signed_in.url, "Sec-Fetch-Site": "same-origin"}
    assert signed_in.http.post(TRIED, json=fields, headers=sent).status_code == 400
    assert signed_in.http.post(TRIED, files={"a": b"b"}, headers=sent).status_code == 400
    too_many = "&".join(f"a{at}=1" for at in range(500))
    form = {**sent, "Content-Type": "application/x-www-form-urlencoded"}
    assert signed_in.http.post(TRIED, content=too_many, headers=form).status_code == 400
    assert signed_in.http.post(TRIED, content=b"a=%ff%fe", headers=form).status_code == 400
    assert signed_in.http.post(TRIED, content=b"a=" + b"x" * 70_000, headers=form).status_code == 413


@pytest.mark.parametrize(
    "path", ["/", "/sign-in?another=yes", "/enrol/totp", "/recover", "/invitation", "/nowhere", "/change/passwordless-on"]
)
def test_no_page_stands_inside_another_or_is_kept(signed_in: Browser, path: str) -> None:
    """must hold 11: clickjacking, inline scripts, third parties and caches."""
    answer = signed_in.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "//" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "publickey-credentials-get=(self)" in answer.headers["permissions-policy"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert_without_inline(answer)


def assert_without_inline(answer: httpx.Response) -> None:
    """A page holds no script and no style of its own, and nothing of anybody else."""
    text = answer.text
    assert text.count("<script") == 1
    assert '<script type="module" src="/static/' in text
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text
    for ours in ("http://www.w3.org/2000/svg", "https://passless.example", "otpauth://"):
        text = text.replace(ours, "")
    assert "//" not in text


def test_files_of_the_pages_are_kept_under_an_address_that_changes_with_them(browser: Browser) -> None:
    page = browser.get("/sign-in").text
    address = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/static/../browser.py").status_code == 404
    assert browser.get("/static/nothing.css").status_code == 404


def test_a_redirect_after_a_form_may_lead_where_a_page_allows_it(world: World) -> None:
    headers = browsers.page_headers(world.site, form_action=("http://127.0.0.1:49152",))
    assert "form-action 'self' http://127.0.0.1:49152;" in headers["Content-Security-Policy"]


def test_a_page_of_localhost_asks_for_no_tls(tmp_path: Path) -> None:
    world = World(tmp_path, url="http://app.localhost:8080")
    try:
        assert "strict-transport-security" not in world.browser().get("/sign-in").headers
    finally:
        world.close()


def test_a_page_says_who_made_it_to_nobody(signed_in: Browser, ada: SignedIn) -> None:
    """must hold 1: no token, id of a session or secret of the account stands on the overview."""
    text = signed_in.get("/").text
    assert ada.token.reveal() not in text
    assert signed_in.cookies["__Host-passless-session"] not in text
    assert signed_in.cookies["__Host-passless-visit"] not in text
