"""Where a sign-in leads: to pages of ours alone (open redirect)."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from passless.domain.views import SignedIn
from passless.server.browser import path_here
from tests.directories.place import PASSWORD
from tests.server.pages.world import Browser

ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%252fevil.example",
    "/%5c%5cevil.example",
    "%2f%2fevil.example",
    "/\tevil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/a\r\nSet-Cookie: a=b",
    "/%0d%0aSet-Cookie:%20a=b",
    "/\u2028evil",
    "/ø",
    "",
    "/" + "a" * 9000,
)


@pytest.mark.parametrize("words", ELSEWHERE)
def test_what_could_lead_elsewhere_leads_to_the_overview(words: str) -> None:
    assert path_here(words) == "/"


@pytest.mark.parametrize(
    "words",
    [
        "/",
        "/welcome",
        "/change/remove-method?method=m1",
        "/oauth/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&state=a%20b",
        "/#methods",
    ],
)
def test_pages_of_ours_are_gone_on_to(words: str) -> None:
    assert path_here(words) == words


@pytest.mark.parametrize("words", ["//evil.example", "/\\evil.example", "https://evil.example", "/%5cevil.example"])
def test_a_sign_in_never_leads_to_another_site(ada: SignedIn, browser: Browser, words: str) -> None:
    page = browser.get("/sign-in?" + urlencode({"account": "ada", "with": "password", "next": words}))
    assert "evil" not in page.text
    answer = browser.fill(page, "/sign-in", secret=PASSWORD, next=words)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    again = browser.get("/sign-in?" + urlencode({"next": words}))
    assert again.headers["location"] == "/"


def test_a_sign_in_comes_back_to_what_was_asked_for(ada: SignedIn, browser: Browser) -> None:
    asked = browser.get("/change/rename-method?method=password&name=my+secret+words")
    page = browser.get(asked.headers["location"] + "&account=ada&with=password")
    answer = browser.fill(page, "/sign-in", secret=PASSWORD)
    assert answer.headers["location"] == "/change/rename-method?method=password&name=my+secret+words"
