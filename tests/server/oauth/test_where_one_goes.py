"""The sign-in page says which program somebody goes on to: the registered name, and nothing that an address says of itself."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from tests.server.oauth.world import CALLBACK, HTML, WEB_CALLBACK, Fields, World, asked


def words_at(world: World, to: str, **more: str) -> str:
    """Return what a stranger reads on the sign-in page."""
    page = world.browser(None).http.get("/sign-in?" + urlencode({"next": to, **more}), headers=HTML)
    assert page.status_code == 200
    return " ".join(" ".join(Fields(page.text).words).split())


@pytest.mark.parametrize("more", [{}, {"account": "ada", "with": "password"}])
def test_who_comes_from_a_program_reads_its_name(world: World, more: dict[str, str]) -> None:
    made = world.register("Team <b>wiki</b>", redirect_uris=(WEB_CALLBACK,))
    to = "/oauth/authorize?" + urlencode(asked(client_id=made.id, redirect_uri=WEB_CALLBACK))
    assert "Then you go on to Team <b>wiki</b> ." in words_at(world, to, **more)
    page = world.browser(None).http.get("/sign-in?" + urlencode({"next": to, **more}), headers=HTML)
    assert "<b>wiki" not in page.text
    here = "/oauth/authorize?" + urlencode(asked(redirect_uri=CALLBACK))
    assert "Then you go on to the passless command line ." in words_at(world, here, **more)


def test_a_site_at_the_servers_own_address_is_named(world: World) -> None:
    world.register("Wiki of ours", kind="http", redirect_uris=())
    to = f"/auth/{quote('wiki of OURS')}/sign-in?to=/page"
    assert "Then you go on to Wiki of ours ." in words_at(world, to)


@pytest.mark.parametrize(
    "to",
    [
        "/",
        "/oauth/authorize",
        "/oauth/authorize?client_id=nobody12",
        "/oauth/authorize?client_id=passless-cli&client_id=passless-cli",
        "/oauth/authorized?client_id=passless-cli",
        "//oauth/authorize?client_id=passless-cli",
        "https://evil.example/oauth/authorize?client_id=passless-cli",
        "/auth/nobody/sign-in?to=/",
        "/auth//sign-in",
        "/oauth/authorize?client_id=%00&" + "a=b&" * 200,
    ],
)
def test_where_it_is_no_program_none_is_named(world: World, to: str) -> None:
    assert "Then you go on to" not in words_at(world, to)
