"""Refresh tokens: each is used once, one that comes back ends them all, and none outlives what it hangs on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from passless.directories.local import LocalDirectory
from passless.domain.requests import EndSessions, ReportNotMe
from passless.domain.sessions import SessionKind
from passless.ports.directory import Actor
from tests.directories.person import Person
from tests.server.oauth.world import Fields, World
from tests.server.openid.relying import Relying, read

OFFLINE = "openid profile offline_access"


def refused(wiki: Relying, token: str) -> bool:
    answer = wiki.refresh(token)
    return answer.status_code == 400 and answer.json()["error"] == "invalid_grant"


def test_each_is_used_once_and_gives_the_next(world: World) -> None:
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    seen = {token}
    for _ in range(3):
        token = wiki.refresh(token).json()["refresh_token"]
        assert token not in seen
        seen.add(token)


def test_one_that_comes_back_ends_the_whole_family(world: World) -> None:
    """RFC 9700 §4.14.2; must hold 12: one of the two who have it stole it, and nobody knows which."""
    wiki, browser = Relying(world), world.browser(world.account())
    first = wiki.tokens(browser, scope=OFFLINE)
    second = wiki.refresh(first["refresh_token"]).json()
    third = wiki.refresh(second["refresh_token"]).json()
    assert refused(wiki, first["refresh_token"])
    assert refused(wiki, third["refresh_token"])
    for given in (first, second, third):
        assert not wiki.is_active(given["access_token"])
    assert [one.event for one in world.place.store.events()].count("reuse-refresh-token") == 1


def test_another_family_goes_on(world: World) -> None:
    wiki, browser = Relying(world), world.browser(world.account())
    one, other = (wiki.tokens(browser, scope=OFFLINE) for _ in range(2))
    wiki.refresh(one["refresh_token"])
    assert refused(wiki, one["refresh_token"])
    assert wiki.refresh(other["refresh_token"]).status_code == 200


def test_two_at_once_are_not_both_given(world: World) -> None:
    """Must hold 12."""
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    with ThreadPoolExecutor(2) as two:
        answers = [tried.result() for tried in [two.submit(wiki.refresh, token) for _ in range(2)]]
    assert sorted(one.status_code for one in answers) == [200, 400]
    (given,) = (one.json() for one in answers if one.status_code == 200)
    assert refused(wiki, given["refresh_token"])


def test_it_is_of_no_use_to_another_client_and_none_the_worse_for_it(world: World) -> None:
    wiki, files, browser = Relying(world), Relying(world, "files"), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    assert refused(files, token)
    assert wiki.refresh(token).status_code == 200


def test_a_guess_ends_nothing(world: World) -> None:
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    for guess in ("", "x", "plr_" + "A" * 65, token + "x", token[:-1], token.upper(), token[:4] + "A" + token[5:]):
        assert wiki.refresh(guess).status_code == 400
    assert wiki.refresh(token).status_code == 200


def test_it_may_ask_for_less_and_never_for_more(world: World) -> None:
    """RFC 6749 §6."""
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    assert wiki.refresh(token, scope="openid email").json()["error"] == "invalid_scope"
    less = wiki.refresh(token, scope="openid").json()
    assert less["scope"] == "openid"
    assert set(wiki.userinfo(less["access_token"]).json()) == {"sub"}
    assert wiki.refresh(less["refresh_token"]).json()["scope"] == OFFLINE


def test_it_lasts_thirty_days_and_outlives_the_browser(world: World) -> None:
    ada = world.account()
    wiki, browser = Relying(world), world.browser(ada)
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    world.site.directory.sign_out(Actor(token=ada.token))
    world.place.clock.move(days=29)
    world.place.store.sweep(at=world.place.clock.now)
    answer = wiki.refresh(token).json()
    world.place.clock.move(days=1)
    assert refused(wiki, answer["refresh_token"])


def test_it_ends_with_the_consent(world: World) -> None:
    """Must hold 7."""
    wiki, browser = Relying(world), world.browser(world.account())
    given = wiki.tokens(browser, scope=OFFLINE)
    page = browser.http.get("/oauth/agreed", headers={"Accept": "text/html"})
    browser.post("/oauth/agreed", Fields(page.text).hidden)
    assert refused(wiki, given["refresh_token"])


def test_the_person_sees_it_among_their_sessions_and_ends_it_there(world: World) -> None:
    """Must hold 7."""
    ada = world.account()
    wiki, browser = Relying(world), world.browser(ada)
    given = wiki.tokens(browser, scope=OFFLINE)
    shown = world.site.directory.sessions(Actor(token=ada.token), "ada")
    kinds = {one.kind for one in shown}
    assert {SessionKind.CLIENT, SessionKind.OFFLINE} <= kinds
    offline = next(one for one in shown if one.kind == SessionKind.OFFLINE)
    assert offline.name == "wiki"
    world.site.directory.apply(Actor(token=ada.token), "ada", EndSessions(session=offline.id))
    assert refused(wiki, given["refresh_token"])


def test_what_was_given_in_a_session_ends_with_it(world: World) -> None:
    """Must hold 7: who ends a stranger's session in the list leaves them nothing that it let in."""
    wiki, thief = Relying(world), world.browser(world.account())
    given = wiki.tokens(thief, scope=OFFLINE)
    owner = Person(world.place, "ada")
    owner.with_password()
    shown = world.site.directory.sessions(owner.actor, "ada")
    stolen = next(one for one in shown if one.kind == SessionKind.DIRECT and not one.current)
    world.site.directory.apply(owner.actor, "ada", EndSessions(session=stolen.id))
    assert not wiki.is_active(given["access_token"])
    assert wiki.userinfo(given["access_token"]).status_code == 401
    assert refused(wiki, given["refresh_token"])
    ended = [one.details["sessions"].split(",") for one in world.place.store.events() if one.event == "end-session"]
    assert [len(one) for one in ended] == [3]


def test_signing_out_takes_the_tokens_along_and_leaves_what_goes_on_while_one_is_away(world: World) -> None:
    """Must hold 7; OpenID Connect Core §11."""
    ada = world.account()
    wiki, browser = Relying(world), world.browser(ada)
    given = wiki.tokens(browser, scope=OFFLINE)
    world.site.directory.sign_out(Actor(token=ada.token))
    assert not wiki.is_active(given["access_token"])
    assert wiki.refresh(given["refresh_token"]).status_code == 200


def test_it_ends_where_somebody_says_of_the_session_it_came_of_that_it_was_not_them(world: World) -> None:
    """Must hold 7: whoever stole the browser's session keeps nothing that it let in."""
    ada = world.account()
    wiki, thief = Relying(world), world.browser(ada)
    given = wiki.tokens(thief, scope=OFFLINE)
    owner = Person(world.place, "ada")
    owner.with_password()
    stolen = next(
        one for one in world.site.directory.sessions(owner.actor, "ada") if one.kind == SessionKind.DIRECT and not one.current
    )
    owner.do(ReportNotMe(session=stolen.id))
    assert not wiki.is_active(given["access_token"])
    assert refused(wiki, given["refresh_token"])


def test_it_ends_with_the_relying_party(world: World) -> None:
    """Must hold 7."""
    wiki, browser = Relying(world), world.browser(world.account())
    wiki.tokens(browser, scope=OFFLINE)
    world.place.change(on_host=True)
    LocalDirectory(world.place.parts).remove_relying_party(Actor(), wiki.id)
    world.place.change(on_host=False)
    left = [one.kind for one in world.place.store.sessions(world.place.store.read_named("ada").account.id)]
    assert left == [SessionKind.DIRECT]


def test_it_is_revoked_with_all_that_it_gave(world: World) -> None:
    """RFC 7009 §2.1."""
    wiki, browser = Relying(world), world.browser(world.account())
    given = wiki.tokens(browser, scope=OFFLINE)
    world.program().post("/oauth/revoke", basic=wiki.basic, token=given["refresh_token"])
    assert not wiki.is_active(given["access_token"])
    assert refused(wiki, given["refresh_token"])


def test_it_acts_for_nobody(world: World) -> None:
    """A refresh token is no session: the account's interface does not take it, and introspection does not know it."""
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    answer = world.http().get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert not wiki.is_active(token)


def test_only_its_hash_is_kept(world: World) -> None:
    """Must hold 1."""
    wiki, browser = Relying(world), world.browser(world.account())
    token = wiki.tokens(browser, scope=OFFLINE)["refresh_token"]
    kept = world.place.everything_kept()
    assert token.encode() not in kept
    assert token[4:26].encode() not in kept
    assert read(world, wiki.refresh(token).json()["id_token"])["aud"] == wiki.id
