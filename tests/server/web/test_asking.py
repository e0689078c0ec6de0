"""`GET /auth/NAME` with app passwords: 204 or 401, and who it is."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from passless.domain.requests import RevokeAppPasswordsNamed
from passless.ports import StoreUnavailable
from tests.server.web.world import CALLBACK, SERVER_COOKIE, SITE, URL, Sites, basic

GUESS = "abcd efgh ijkl mnop qrst uvwx"
SHORT_GUESS = "aaaa bbbb cccc dddd"


def test_a_right_app_password_says_who_it_is_and_no_more(world: Sites) -> None:
    ada = world.person()
    world.guard()
    secret = ada.new_app_password()
    answer = world.check("ada", secret)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["remote-user"] == "ada"
    assert answer.headers["passless-account-id"] == ada.view.id
    assert answer.headers["passless-method"] == "app-password"
    assert answer.headers["cache-control"] == "no-store"
    assert {answer.headers[f"passless-{name}"] for name in ("acr", "amr", "auth-time")} == {""}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("typed", ["ada", "ADA", " ada ", "ada@example.org"])
def test_whatever_was_typed_the_name_is_the_accounts(world: Sites, typed: str) -> None:
    secret = world.person().new_app_password()
    world.guard()
    for spelled in (secret, secret.replace(" ", "")):
        assert world.check(typed, spelled).headers["remote-user"] == "ada"


@pytest.mark.parametrize("name", ["admin,x", "ada; x", 'ada"', "admin\uff0cx"])
def test_a_name_that_a_site_could_take_for_two_lets_nobody_in(world: Sites, name: str) -> None:
    """Whoever works on the host may have given it; nobody gives it themselves (`reserved_names`)."""
    world.guard()
    somebody = world.person(name)
    secret = somebody.new_app_password()
    assert world.check(name, secret).status_code == 401
    assert world.visitor(somebody).at_server.http.get("/auth/web").status_code == 401


def test_programs_that_go_on_with_what_was_typed_take_the_name_itself_alone(world: Sites) -> None:
    secret = world.person().new_app_password()
    world.guard()
    assert world.check("ada", secret, "/auth/web?exact").status_code == 204
    for typed in ("ADA", " ada", "ada@example.org"):
        assert world.check(typed, secret, "/auth/web?exact").status_code == 401


def test_wrong_ones_are_asked_again_whyever_they_are_wrong(world: Sites) -> None:
    """Must hold 3 and 7."""
    ada = world.person()
    world.guard()
    right, revoked, elsewhere = (ada.new_app_password(name) for name in ("one", "two", "three"))
    soon = ada.new_app_password("soon", lifetime=timedelta(days=1))
    mail = ada.new_app_password("mail", services=("imap",))
    web = ada.new_app_password("web", services=("WEB",))
    ada.do(RevokeAppPasswordsNamed(names=("two",)))
    eve = world.person("eve").new_app_password()
    assert world.check("ada", web).status_code == 204
    world.place.clock.move(days=1)
    answers = [
        world.check("ada", GUESS),
        world.check("nobody", GUESS),
        world.check("ada", revoked),
        world.check("ada", soon),
        world.check("ada", mail),
        world.check("ada", eve),
        world.check("eve", elsewhere),
        world.check("", right),
        world.check("ada", ""),
        world.ask(),
        world.ask(Authorization="Basic"),
        world.ask(Authorization="Basic !!!"),
        world.ask(Authorization=f"Basic {base64.b64encode(b'ada').decode()}"),
        world.ask(Authorization=f"Basic {base64.b64encode(bytes(range(256))).decode()}"),
        world.ask(Authorization=f"Basic {'A' * 60_000}"),
        world.ask(Authorization=f"Bearer {right}"),
        world.ask(Cookie="__Host-passless-session=nothing"),
    ]
    seen = {(one.status_code, one.content, one.headers["www-authenticate"], tuple(sorted(one.headers))) for one in answers}
    assert len(seen) == 1
    assert answers[0].status_code == 401
    assert answers[0].headers["www-authenticate"] == 'Basic realm="web", charset="UTF-8"'
    assert world.check("ada", right).status_code == 204


def test_who_there_is_none_of_lets_nobody_in_and_says_nothing(world: Sites) -> None:
    ada = world.person()
    secret = ada.new_app_password()
    world.guard()
    world.register("chat", kind="oauth")
    for path in ("/auth/none", "/auth/chat", "/auth/web%00", "/auth/web%2Fx", "/auth/%22%0d%0aRemote-User:%20eve"):
        answer = world.check("ada", secret, path)
        assert answer.status_code in {401, 404}, path
        assert "remote-user" not in answer.headers
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith('Basic realm="')
    for path in ("/auth", "/auth/", "/auth/web/", "/auth//web", "/auth/web/x", "/AUTH/web", "//auth/web"):
        assert not 200 <= world.check("ada", secret, path).status_code < 400, path


def test_only_questions_are_asked(world: Sites) -> None:
    secret = world.person().new_app_password()
    world.guard()
    http = world.http()
    assert http.head("/auth/web", headers=basic("ada", secret)).status_code == 204
    assert http.head("/auth/web").status_code == 401
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = http.request(method, "/auth/web", headers=basic("ada", secret))
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_names_of_sites_may_have_anything_in_them(world: Sites) -> None:
    secret = world.person().new_app_password()
    world.guard("Wiki / Straße 7")
    assert world.check("ada", secret, "/auth/Wiki%20%2F%20Stra%C3%9Fe%207").status_code == 204
    assert world.check("ada", secret, "/auth/wiki%20%2f%20strasse%207").status_code == 204


def test_a_site_that_asks_for_more_takes_no_app_password(world: Sites) -> None:
    secret = world.person().new_app_password()
    world.guard(requires="two-factors", redirect_uris=(CALLBACK,))
    assert world.check("ada", secret).status_code == 401


def test_a_proxy_that_cannot_take_one_cookie_away_is_told_what_the_site_may_see(world: Sites) -> None:
    """Must hold 2: neither an app password nor a cookie of passless, of whichever relying party, comes back."""
    ada = world.person()
    world.guard()
    assert ada.token is not None
    session, known = f"{SERVER_COOKIE}={ada.token.reveal()}", basic("ada", ada.new_app_password())
    for sent, shown in (
        (known, {}),
        (known | {"Cookie": "a=1; __Host-passless-site-abcdefgh=x;b=2;passless-going-x=y; c"}, {"cookie": "a=1; b=2; c"}),
        (known | {"Cookie": "passless-session=x"}, {}),
        ({"Cookie": f"{session}; a=1"}, {"cookie": "a=1"}),
        ({"Cookie": session, "Authorization": "Bearer theirs"}, {"authorization": "Bearer theirs"}),
        ({"Cookie": f"a=1;;  ; {session};"}, {"cookie": "a=1"}),
    ):
        for path, wanted in (("/auth/web?sign-in=yes&shown=yes", shown), ("/auth/web?sign-in=yes", {})):
            answer = world.http().get(path, headers=sent)
            assert answer.status_code == 204, sent
            assert {name: answer.headers[name] for name in ("authorization", "cookie") if name in answer.headers} == wanted
    refused = world.ask("/auth/web?shown=yes", Cookie="a=1")
    assert refused.status_code == 401
    assert "cookie" not in refused.headers


def test_whoever_asks_past_the_proxy_is_sent_nowhere_but_to_what_was_registered(world: Sites) -> None:
    """Whatever they say that a proxy said: of the host nothing else than an origin, of the page nothing else than a path."""
    world.guard_elsewhere()
    world.guard("here")
    page = {"Accept": "text/html"}
    hosts = (
        "evil.example",
        "app.example.evil.example",
        "app.example@evil.example",
        "app.example:444",
        "app.example.",
        "",
        "app.example\t,x",
    )
    for host in hosts:
        assert world.ask("/auth/web?sign-in", **page, X_Forwarded_Host=host).status_code == 401
    pages = (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "evil",
        "/%0d%0aSet-Cookie:x",
    )
    for uri in (*pages, "/" + "x" * 9000):
        sent = {**page, "X_Forwarded_Uri": uri, "X_Forwarded_Host": "app.example"}
        assert world.ask("/auth/web?sign-in", **sent).headers["location"] == f"{SITE}/.passless/sign-in?to=%2F", uri
        assert world.ask("/auth/here?sign-in", **sent).headers["location"] == f"{URL}/auth/here/sign-in?to=%2F", uri
    for method in ("POST", "post", "get", "", "GET,POST"):
        sent = {**page, "X_Forwarded_Method": method, "X_Forwarded_Host": "app.example"}
        assert world.ask("/auth/web?sign-in", **sent).status_code == 401


def test_several_services_are_one_as_good_as_the_other(world: Sites) -> None:
    ada = world.person()
    world.guard(services=("dav", "git"))
    for service, status in (("dav", 204), ("git", 204), ("web", 401)):
        assert world.check("ada", ada.new_app_password(service, services=(service,))).status_code == status


def test_guessing_is_slowed_down_where_it_comes_from(world: Sites) -> None:
    ada = world.person()
    short, long = ada.new_app_password("short", short=True), ada.new_app_password("long")
    world.guard()
    for _ in range(10):
        assert world.check("ada", SHORT_GUESS).status_code == 401
    throttled = world.check("ada", short)
    assert throttled.status_code == 401
    assert int(throttled.headers["retry-after"]) > 0
    assert world.check("ada", short, address="198.51.100.1").status_code == 204
    assert world.check("ada", long).status_code == 204
    world.place.clock.move(minutes=1)
    assert world.check("ada", short).status_code == 204


def test_a_store_that_does_not_answer_lets_nobody_in_and_says_nothing_of_passwords(
    world: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = world.person().new_app_password()
    world.guard()

    def gone(*_: object) -> None:
        raise StoreUnavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(world.place.store, "read_by_app_password", gone)
        answer = world.check("ada", secret)
        assert answer.status_code == 503
        assert "www-authenticate" not in answer.headers
    assert world.check("ada", secret).status_code == 204


def test_one_that_is_removed_lets_nobody_in_from_then_on_and_one_of_the_same_name_is_another(world: Sites) -> None:
    """Must hold 7."""
    ada = world.person()
    secret = ada.new_app_password()
    made = world.guard(services=("web",))
    assert world.check("ada", secret).status_code == 204
    world.remove(made)
    assert world.check("ada", secret).status_code == 401
    world.guard(services=("other",))
    assert world.check("ada", secret).status_code == 204
    assert world.check("ada", ada.new_app_password("web", services=("web",))).status_code == 401


def test_what_it_costs_does_not_grow_with_what_there_is(world: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.person()
    secret = ada.new_app_password()
    world.guard()
    done = world.counted(monkeypatch)
    world.check("ada", secret)

    def cost() -> dict[str, int]:
        done.clear()
        assert world.check("ada", secret).status_code == 204
        return dict(done)

    alone = cost()
    for number in range(20):
        ada.new_app_password(f"number {number}")
        world.guard(f"site {number}")
    world.person("eve")
    world.check("ada", secret)
    assert cost() == alone
    assert "store.records" not in alone
