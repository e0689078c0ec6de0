"""Browsers at a site: in with what they have at the server, or with a cookie of the site's own, and out again."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from passless.actions import consents
from passless.domain.requests import Delete, EndSessions, RemoveMethodNamed, TwoStepOff
from passless.domain.sessions import SessionKind
from tests.server.oauth.world import HTML, URL, Fields
from tests.server.web.world import CALLBACK, SERVER_COOKIE, SITE, Sites, said

OTHER = "https://other.example"
FORGED = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/%5Cevil.example",
    "/%2F/evil.example",
    "javascript:alert(1)",
    "/x\r\nSet-Cookie: a=b",
    "evil",
    "",
)


class TestAtTheServersOwnAddress:
    def test_the_servers_session_counts_for_as_long_as_it_holds(self, world: Sites) -> None:
        """Must hold 7."""
        ada = world.person()
        world.guard()
        visitor = world.visitor(ada)
        answer = visitor.at_server.http.get("/auth/web")
        assert answer.status_code == 204
        assert answer.headers["remote-user"] == "ada"
        assert answer.headers["passless-method"] == "session"
        assert answer.headers["passless-acr"] == "2"
        assert answer.headers["passless-amr"] == "pwd otp mfa"
        assert int(answer.headers["passless-auth-time"]) > 0
        ada.place.directory.sign_out(ada.actor)
        assert visitor.at_server.http.get("/auth/web").status_code == 401

    def test_who_is_not_signed_in_signs_in_and_comes_to_the_page_that_they_wanted(self, world: Sites) -> None:
        ada = world.person()
        world.guard()
        visitor = world.visitor()
        first = visitor.at_server.http.get("/auth/web/sign-in?to=/wiki/a%20b?c=d", headers=HTML)
        assert first.status_code == 303
        assert first.headers["location"].startswith("/sign-in?")
        assert ada.token is not None
        visitor.at_server.http.cookies.set(SERVER_COOKIE, ada.token.reveal())
        back = visitor.at_server.http.get(said(first.headers["location"])["next"], headers=HTML)
        assert back.headers["location"] == "/wiki/a%20b?c=d"

    @pytest.mark.parametrize("to", FORGED)
    def test_nobody_is_sent_anywhere_else(self, world: Sites, to: str) -> None:
        visitor = world.visitor(world.person())
        world.guard()
        for written in (quote(to, safe=""), quote(to, safe="/:")):
            assert visitor.at_server.http.get(f"/auth/web/sign-in?to={written}").headers["location"] == "/"

    def test_a_session_says_who_it_is_only_as_surely_as_the_site_asks(self, world: Sites) -> None:
        ada = world.person(two_step=False)
        world.guard("any")
        world.guard("two", requires="two-factors")
        world.guard("key", requires="phishing-resistant")
        http = world.visitor(ada).at_server.http
        assert [http.get(f"/auth/{name}").status_code for name in ("any", "two", "key")] == [204, 401, 401]
        weak = http.get("/auth/key/sign-in?to=/x", headers=HTML)
        assert weak.headers["location"] == f"{URL}/auth/key/failed?why=weak"
        assert "passkey" in http.get(weak.headers["location"], headers=HTML).text
        ada = world.person("bob")
        http = world.visitor(ada).at_server.http
        assert [http.get(f"/auth/{name}").status_code for name in ("any", "two", "key")] == [204, 204, 401]

    def test_proving_again_is_asked_where_it_helps(self, world: Sites) -> None:
        bob = world.person("bob")
        world.guard("two", requires="two-factors")
        one_factor = bob.elsewhere("203.0.113.7")
        half: Any = one_factor.with_password()
        bob.do(TwoStepOff())
        assert half is not None
        again = bob.elsewhere("203.0.113.7")
        again.with_password()
        visitor = world.visitor(again)
        assert visitor.at_server.http.get("/auth/two").status_code == 401
        asked = visitor.at_server.http.get("/auth/two/sign-in?to=/x", headers=HTML)
        assert said(asked.headers["location"])["strength"] == "2"

    def test_a_pass_does_not_say_who_somebody_is(self, world: Sites) -> None:
        ada = world.person(two_step=False)
        world.guard()
        assert world.visitor(ada).at_server.http.get("/auth/web").status_code == 204
        (session,) = world.place.store.sessions(ada.view.id)
        weaker = type(session)(
            **{name: getattr(session, name) for name in session.__struct_fields__} | {"kind": SessionKind.TEMPORARY_PASS}
        )
        world.place.store._sessions[session.id] = weaker  # type: ignore[attr-defined]
        assert world.visitor(ada).at_server.http.get("/auth/web").status_code == 401

    def test_signing_out_asks_first_and_ends_both(self, world: Sites) -> None:
        visitor = world.visitor(world.person())
        world.guard()
        page = visitor.at_server.http.get("/auth/web/sign-out", headers=HTML)
        page = visitor.at_server.http.get(page.headers["location"], headers=HTML)
        assert "Signing out ends both" in page.text
        assert visitor.at_server.http.get("/auth/web").status_code == 204
        visitor.at_server.post("/sign-out", Fields(page.text).hidden)
        assert visitor.at_server.http.get("/auth/web").status_code == 401


class TestElsewhere:
    def test_a_browser_signs_in_through_the_server_and_the_site_gets_a_cookie_of_its_own(self, world: Sites) -> None:
        ada = world.person()
        made = world.guard_elsewhere()
        visitor = world.visitor(ada)
        assert visitor.ask().status_code == 401
        address = visitor.begin("/wiki?a=b&c=d")
        assert address.startswith(f"{URL}/oauth/authorize?")
        asked = said(address)
        assert (asked["client_id"], asked["redirect_uri"]) == (made.id, CALLBACK)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        back = visitor.come_back(visitor.agree(address))
        assert back.headers["location"] == f"{SITE}/wiki?a=b&c=d"
        (kept,) = (line for line in back.headers.get_list("set-cookie") if "Max-Age=0" not in line)
        assert kept.startswith(f"__Host-passless-site-{made.id}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(kept.split("; "))
        assert "Domain" not in kept
        assert list(visitor.jar) == [f"__Host-passless-site-{made.id}"]
        answer = visitor.ask()
        assert answer.status_code == 204
        assert answer.headers["remote-user"] == "ada"
        assert answer.headers["passless-acr"] == "2"
        assert ada.token is not None
        assert visitor.jar[f"__Host-passless-site-{made.id}"] != ada.token.reveal()

    def test_the_second_time_nobody_is_asked(self, world: Sites) -> None:
        ada = world.person()
        world.guard_elsewhere()
        world.visitor(ada).sign_in()
        again = world.visitor(ada)
        assert again.at_server.http.get(again.begin().removeprefix(URL), headers=HTML).status_code == 303

    def test_the_cookie_does_nothing_at_the_server(self, world: Sites) -> None:
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        visitor.sign_in()
        (token,) = visitor.jar.values()
        thief = world.visitor().at_server.http
        assert thief.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        thief.cookies.set(SERVER_COOKIE, token)
        assert thief.get("/", headers=HTML).headers["location"].startswith("/sign-in")

    @pytest.mark.parametrize(
        "end", ["sign-out", "session", "source", "method", "consent", "relying party", "expiry", "elsewhere", "account"]
    )
    def test_whatever_ends_it_ends_it_from_the_next_request_on(self, world: Sites, end: str) -> None:
        """Must hold 7."""
        ada = world.person()
        made = world.guard_elsewhere()
        visitor = world.visitor(ada)
        visitor.sign_in()
        assert visitor.ask().status_code == 204
        account = world.place.directory.read(ada.actor, "ada")
        stored = next(one for one in world.place.store.accounts() if one.account.id == account.id).account
        match end:
            case "sign-out":
                ada.place.directory.sign_out(ada.actor)
            case "elsewhere":
                ada.place.directory.sign_out(ada.actor, everywhere=True)
            case "session":
                (own,) = (one for one in world.place.store.sessions(stored.id) if one.kind is SessionKind.CLIENT)
                ada.do(EndSessions(session=own.id))
            case "source":
                ada.do(
                    EndSessions(
                        session=next(one.id for one in world.place.store.sessions(stored.id) if one.kind is SessionKind.DIRECT)
                    )
                )
            case "method":
                ada.do(TwoStepOff())
                ada.do(RemoveMethodNamed(method=ada.app.method))  # type: ignore[attr-defined]
            case "consent":
                consents.take_back(world.place.parts, stored, made.id, "203.0.113.7")
            case "relying party":
                world.remove(made)
            case "expiry":
                world.place.clock.move(hours=1)
            case "account":
                ada.ask(Delete())
                world.place.clock.move(days=31)
        assert visitor.ask().status_code == 401

    def test_using_the_site_keeps_the_session_at_the_server_in_use(self, world: Sites) -> None:
        ada = world.person()
        world.guard_elsewhere()
        visitor = world.visitor(ada)
        visitor.sign_in()
        world.place.clock.move(minutes=50)
        assert visitor.ask().status_code == 204
        world.place.clock.move(minutes=20)
        assert visitor.ask().status_code == 401  # an hour is over
        visitor.come_back(visitor.agree(visitor.begin()))  # without a page: the session at the server was in use
        assert visitor.ask().status_code == 204

    def test_what_a_site_requires_is_asked_of_the_person_and_held(self, world: Sites) -> None:
        world.guard_elsewhere(requires="two-factors")
        visitor = world.visitor(world.person("weak", two_step=False))
        back = visitor.at_server.http.get(visitor.begin().removeprefix(URL), headers=HTML).headers["location"]
        if back.startswith(CALLBACK):
            answer = visitor.come_back(back)
            assert answer.headers["location"] == f"{URL}/auth/web/failed?why=weak"
        assert visitor.ask().status_code == 401
        strong = world.visitor(world.person("strong"))
        strong.sign_in()
        assert strong.ask().status_code == 204


class TestAttackers:
    def test_a_callback_that_somebody_else_began_signs_nobody_in(self, world: Sites) -> None:
        world.guard_elsewhere()
        eve, victim = world.visitor(world.person("eve")), world.visitor(world.person("ada"))
        lure = eve.agree(eve.begin())
        for browser in (victim, world.visitor()):
            answer = browser.come_back(lure)
            assert answer.headers["location"] == f"{URL}/auth/web/failed?why=not-begun"
            assert browser.ask().status_code == 401
        victim.begin()
        assert victim.come_back(lure).headers["location"].endswith("why=not-begun")
        assert victim.ask().status_code == 401

    def test_a_code_is_good_in_the_browser_that_asked_for_it_and_once(self, world: Sites) -> None:
        world.guard_elsewhere()
        ada, eve = world.visitor(world.person("ada")), world.visitor(world.person("eve"))
        stolen = said(ada.agree(ada.begin()))
        mine = said(eve.agree(eve.begin()))
        swapped = f"{CALLBACK}?code={stolen['code']}&state={mine['state']}&iss={quote(URL)}"
        assert eve.come_back(swapped).headers["location"].endswith("why=again")
        assert eve.ask().status_code == 401
        back = ada.agree(ada.begin())
        held = dict(ada.jar)
        ada.come_back(back)
        assert ada.ask().status_code == 204
        ada.jar |= held
        assert ada.come_back(back).headers["location"].endswith("why=again")
        assert ada.ask().status_code == 401  # used twice it ends what it gave

    @pytest.mark.parametrize(
        "changed",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"state": None},
            {"state": "x"},
            {"code": None},
            {"code": "x"},
            {"state": "\ud83d"},
        ],
        ids=str,
    )
    def test_what_does_not_belong_together_signs_nobody_in(self, world: Sites, changed: dict[str, str | None]) -> None:
        world.guard_elsewhere()
        ada = world.visitor(world.person())
        values = {**said(ada.agree(ada.begin())), **changed}
        query = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in values.items() if value is not None)
        answer = ada.come_back(f"{CALLBACK}?{query}")
        assert answer.headers["location"].startswith(f"{URL}/auth/web/failed?why=")
        assert ada.ask().status_code == 401
        doubled = f"{CALLBACK}?{query}&{query}"
        assert ada.come_back(doubled).headers["location"].startswith(f"{URL}/auth/web/failed?why=")

    def test_a_cookie_is_good_for_its_own_relying_party_alone(self, world: Sites) -> None:
        one = world.guard_elsewhere()
        two = world.guard("two", redirect_uris=(f"{OTHER}/.passless/callback",))
        ada = world.person()
        visitor = world.visitor(ada)
        visitor.sign_in()
        (token,) = visitor.jar.values()
        assert ada.token is not None
        for name, value in (
            (f"__Host-passless-site-{two.id}", token),
            (f"__Host-passless-site-{one.id}", token),
            (f"__Host-passless-site-{two.id}", ada.token.reveal()),
            (SERVER_COOKIE, ada.token.reveal()),
            (SERVER_COOKIE, token),
        ):
            assert world.ask("/auth/two", Cookie=f"{name}={value}").status_code == 401
        for name, value in ((f"passless-site-{one.id}", token), (SERVER_COOKIE, ada.token.reveal())):
            assert world.ask("/auth/web", Cookie=f"{name}={value}").status_code == 401

    def test_a_token_of_another_program_is_no_cookie(self, world: Sites) -> None:
        ada = world.person()
        made = world.guard_elsewhere()
        shown = world.register("chat", kind="oauth")
        browser = world.visitor(ada).at_server
        asked = {"client_id": shown.id, "redirect_uri": "https://mail.example/signed-in"}
        code = browser.agree(**asked)["code"]
        assert shown.secret is not None
        token = world.program().exchange(
            code, redirect_uri=asked["redirect_uri"], client_id=shown.id, client_secret=shown.secret.reveal()
        )
        value = token.json()["access_token"]
        assert world.ask(Cookie=f"__Host-passless-site-{made.id}={value}").status_code == 401

    def test_two_cookies_of_one_name_are_none(self, world: Sites) -> None:
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        visitor.sign_in()
        ((name, token),) = visitor.jar.items()
        assert world.ask(Cookie=f"{name}={token}").status_code == 204
        for line in (f"{name}=x; {name}={token}", f"{name}={token}; {name}=x", f"{name}={'x' * 60_000}", f"{name}="):
            assert world.ask(Cookie=line).status_code == 401

    @pytest.mark.parametrize("to", FORGED)
    def test_nobody_is_sent_anywhere_else(self, world: Sites, to: str) -> None:
        world.guard_elsewhere()
        assert world.visitor(world.person()).sign_in(to).headers["location"] == f"{SITE}/"

    def test_only_addresses_that_were_registered_are_gone_back_to(self, world: Sites) -> None:
        world.guard_elsewhere()
        for host in ("evil.example", "app.example.evil.example", "app.example:444", ""):
            answer = world.visitor().at_site("/.passless/sign-in", **{"X-Forwarded-Host": host})
            assert answer.headers["location"] == f"{URL}/auth/web/failed?why=origin"
            assert "set-cookie" not in answer.headers

    def test_what_the_browser_holds_cannot_be_read_or_made(self, world: Sites) -> None:
        made = world.guard_elsewhere()
        visitor = world.visitor(world.person())
        address = visitor.begin("/somewhere")
        ((name, held),) = visitor.jar.items()
        assert said(address)["state"] not in held
        back = visitor.agree(address)
        for changed in (held[:-2] + ("AA" if held[-2:] != "AA" else "BB"), held[::-1], "", "!", "x" * 10_000):
            visitor.jar = {name: changed}
            assert visitor.come_back(back).headers["location"].endswith("why=not-begun")
        other = world.guard("two", redirect_uris=(f"{OTHER}/.passless/callback",))
        moved = name.replace(made.id, other.id)
        answer = world.http().get(
            f"/auth/two/callback?{urlsplit(back).query}",
            headers={"Cookie": f"{moved}={held}", "X-Forwarded-Host": "other.example"},
        )
        assert answer.headers["location"].endswith("why=not-begun")

    def test_a_sign_in_that_took_too_long_is_begun_again(self, world: Sites) -> None:
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        address = visitor.begin()
        world.place.clock.move(minutes=15)
        back = f"{CALLBACK}?error=access_denied&state={said(address)['state']}&iss={quote(URL)}"
        assert visitor.come_back(back).headers["location"].endswith("why=not-begun")

    def test_who_refuses_is_told_so(self, world: Sites) -> None:
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        answer = visitor.come_back(visitor.agree(visitor.begin(), "refuse"))
        assert answer.headers["location"] == f"{URL}/auth/web/failed?why=refused"
        page = visitor.at_server.http.get("/auth/web/failed?why=refused", headers=HTML)
        assert page.status_code == 403
        assert f'href="{SITE}/"' in page.text

    def test_several_tabs_may_sign_in_at_once(self, world: Sites) -> None:
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        addresses = [visitor.begin(f"/{number}") for number in range(3)]
        assert len(visitor.jar) == 3
        for number, address in enumerate(addresses):
            assert visitor.come_back(visitor.agree(address)).headers["location"] == f"{SITE}/{number}"
        for _ in range(20):
            visitor.begin("/" + "x" * 2000)
        assert len(visitor.jar) <= 4
        assert sum(map(len, visitor.jar.values())) < 4000

    @pytest.mark.parametrize(
        ("method", "headers", "ends"),
        [
            ("GET", {"Sec-Fetch-Site": "same-origin"}, True),
            ("GET", {"Sec-Fetch-Site": "none"}, True),
            ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": SITE}, True),
            ("GET", {"Sec-Fetch-Site": "cross-site"}, False),
            ("GET", {"Sec-Fetch-Site": "same-site"}, False),
            ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
            ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
        ],
    )
    def test_signing_out_is_for_the_person_and_the_site(
        self, world: Sites, method: str, headers: dict[str, str], ends: bool
    ) -> None:
        """Must hold 11."""
        world.guard_elsewhere()
        visitor = world.visitor(world.person())
        visitor.sign_in()
        held = dict(visitor.jar)
        answer = visitor.at_site("/.passless/sign-out", method, **headers)
        assert answer.headers["location"] == f"{URL}/auth/web/" + ("signed-out" if ends else "failed?why=sign-out")
        assert visitor.ask().status_code == (401 if ends else 204)
        visitor.jar = held
        assert visitor.ask().status_code == (401 if ends else 204)
        page = visitor.at_server.http.get("/auth/web/signed-out", headers=HTML)
        assert "You are signed out of web" in page.text

    def test_pages_of_nobody_are_not_there(self, world: Sites) -> None:
        world.register("chat", kind="oauth")
        for name in ("none", "chat"):
            for page in ("sign-in", "callback", "sign-out", "signed-out", "failed"):
                assert world.http().get(f"/auth/{name}/{page}").status_code == 404


class TestProxiesThatPassTheAnswerOn:
    def test_a_browser_that_opens_a_page_is_sent_to_sign_in_and_nobody_else(self, world: Sites) -> None:
        world.guard("here")
        world.guard_elsewhere()
        page = {"Accept": "text/html", "X-Forwarded-Uri": "/wiki?a=b&c=d", "X-Forwarded-Host": "app.example"}
        answer = world.ask("/auth/web?sign-in=yes", **page)
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{SITE}/.passless/sign-in?to=%2Fwiki%3Fa%3Db%26c%3Dd"
        assert world.ask("/auth/here?sign-in=yes", **page).headers["location"].startswith(f"{URL}/auth/here/sign-in?to=%2Fwiki")
        for other in (
            {"Accept": "application/json"},
            {"X-Forwarded-Method": "POST"},
            {"Authorization": "Basic eDp5"},
            {"X-Forwarded-Host": "evil.example"},
        ):
            assert world.ask("/auth/web?sign-in=yes", **(page | other)).status_code == 401
        assert world.ask("/auth/web", **page).status_code == 401
        assert world.ask("/auth/none?sign-in=yes", **page).status_code == 401
        forged = world.ask("/auth/web?sign-in=yes", **(page | {"X-Forwarded-Uri": "//evil.example"}))
        assert forged.headers["location"] == f"{SITE}/.passless/sign-in?to=%2F"
