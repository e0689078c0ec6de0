"""Programs are told within a second of a session that ended, by one process, and follow nobody (Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from passless.server.openid.back_channel import MOST_AT_ONCE
from tests.server.oauth.test_two_processes import Team
from tests.server.oauth.world import VERIFIER, WEB_CALLBACK, Fields, asked
from tests.server.openid.listener import Listener
from tests.server.serving import Served, keep_secret
from tests.server.test_several_processes import HOST, Pair, a_pair

URL = f"http://{HOST}"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class OpenId(Team):
    """A team whose program speaks OpenID Connect and wants to be told."""

    def __init__(self, pair: Pair, folder: Path, listener: Listener) -> None:
        super().__init__(pair, folder, None, kind="oidc", told_of_endings_at=listener.uri)

    def sign_in(self, served: Served) -> dict[str, Any]:
        """Let the program sign the person in; return what it reads in its id_token."""
        wish = {"client_id": self.mail["id"], "redirect_uri": WEB_CALLBACK, "scope": "openid", "nonce": "n"}
        page = self.browse(served, f"/oauth/authorize?{urlencode(asked(**wish))}")
        if page.status_code == 200:
            page = self.browse(served, "/oauth/authorize", {**Fields(page.text).hidden, "answer": "approve"})
        code = keep_secret(parse_qs(urlsplit(page.headers["location"]).query)["code"][0])
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": WEB_CALLBACK, "code_verifier": VERIFIER}
        answer = self.post(served, "/oauth/token", basic=True, **form).json()
        self.id_token, self.access_token = answer["id_token"], answer["access_token"]
        return self.read(served, self.id_token)

    def read(self, served: Served, token: str) -> dict[str, Any]:
        """Read what was signed."""
        with self.at(served) as http:
            found = KeySet.import_key_set(http.get("/oauth/keys").json())
        opened = jwt.decode(token, found, algorithms=["RS256"])
        return {"typ": opened.header["typ"], **opened.claims}

    def sign_out(self, served: Served) -> float:
        """Sign out in the browser; return when."""
        page = self.browse(served, "/")
        begun = monotonic()
        assert self.browse(served, "/sign-out", Fields(page.text).hidden).status_code == 303
        return begun


@pytest.fixture(scope="module")
def pair_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Path]]:
    folder = tmp_path_factory.mktemp("back-channel")
    with a_pair(folder, None) as pair:
        yield pair, folder


@contextmanager
def listening() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def team(pair_in: tuple[Pair, Path], listener: Listener) -> OpenId:
    return OpenId(*pair_in, listener)


def test_a_program_is_told_once_of_who_signed_out(team: OpenId, listener: Listener) -> None:
    """Back-Channel Logout §2.4, §2.5: all that the token must hold, and no nonce; by one of the two processes."""
    one, other = team.pair.one, team.pair.other
    signed_in = team.sign_in(one)
    begun = team.sign_out(other)
    at, path, form = listener.next()
    assert (path, set(form)) == ("/told", {"logout_token"})
    told = team.read(one, form["logout_token"])
    assert told["typ"] == "logout+jwt"
    assert (told["iss"], told["aud"], told["sub"]) == (URL, team.mail["id"], signed_in["sub"])
    assert told["sid"] == signed_in["sid"]
    assert told["events"] == {EVENT: {}}
    assert told["jti"]
    assert 0 < told["exp"] - told["iat"] <= 120
    assert "nonce" not in told
    assert at >= begun
    team.browse(one, "/sign-in")
    assert listener.heard.empty()


def test_a_program_is_told_of_each_time_that_somebody_signed_in(team: OpenId, listener: Listener) -> None:
    """A program that keeps one session of its own under each `sid` would go on in those before it."""
    names = {team.sign_in(served)["sid"] for served in (team.pair.one, team.pair.other, team.pair.one)}
    assert len(names) == 3
    assert len({name.partition(".")[0] for name in names}) == 1
    team.sign_out(team.pair.other)
    assert {team.read(team.pair.one, listener.next()[2]["logout_token"])["sid"] for _ in names} == names


def test_a_program_that_hangs_keeps_no_other_from_being_told(
    pair_in: tuple[Pair, Path], team: OpenId, listener: Listener
) -> None:
    """must hold 7: however many endings it is to be told of."""
    with listening() as stuck:
        stuck.hangs = Event()
        hanging = OpenId(*pair_in, stuck)
        for _ in range(MOST_AT_ONCE + 1):
            hanging.sign_in(hanging.pair.one)
        hanging.sign_out(hanging.pair.one)
        assert stuck.next()[1] == "/told"
        signed_in = team.sign_in(team.pair.one)
        team.sign_out(team.pair.one)
        assert team.read(team.pair.one, listener.next()[2]["logout_token"])["sid"] == signed_in["sid"]
        stuck.hangs.set()


def test_a_failure_is_tried_again_and_a_refusal_is_not(team: OpenId, listener: Listener) -> None:
    listener.statuses = [503, 200]
    team.sign_in(team.pair.one)
    team.sign_out(team.pair.one)
    tokens = [listener.next()[2]["logout_token"] for _ in range(2)]
    assert len(set(tokens)) == 2  # each with a `jti` of its own
    assert team.read(team.pair.one, tokens[0])["sid"] == team.read(team.pair.one, tokens[1])["sid"]


def test_nobody_is_followed(pair_in: tuple[Pair, Path], listener: Listener) -> None:
    """Else a program that may be told could have the server ask whatever it likes."""
    team = OpenId(*pair_in, listener)
    listener.statuses = [307, 302]
    team.sign_in(team.pair.one)
    team.sign_out(team.pair.one)
    assert [listener.next()[1] for _ in range(3)] == ["/told"] * 3  # asked again in its own place, and never elsewhere
    assert listener.heard.empty()


def test_putting_a_program_out_ends_its_session_too(team: OpenId, listener: Listener) -> None:
    signed_in = team.sign_in(team.pair.one)
    page = team.browse(team.pair.one, "/oauth/agreed")
    forms = Fields(page.text).hidden | {"client": team.mail["id"]}
    assert team.browse(team.pair.one, "/oauth/agreed", forms).status_code == 303
    assert team.read(team.pair.one, listener.next()[2]["logout_token"])["sid"] == signed_in["sid"]


def test_a_program_that_gives_its_own_token_back_is_told_nothing(team: OpenId, listener: Listener) -> None:
    team.sign_in(team.pair.one)
    team.post(team.pair.one, "/oauth/revoke", basic=True, token=team.access_token)
    team.sign_in(team.pair.one)
    team.sign_out(team.pair.one)
    first = listener.next()
    assert first[1] == "/told"
    assert listener.heard.empty()


def test_it_asks_itself_whether_to_sign_out_of_here(team: OpenId, listener: Listener) -> None:
    """RP-Initiated Logout, at the other process, and back: all programs are told."""
    team.sign_in(team.pair.one)
    answer = team.browse(team.pair.other, f"/oauth/end_session?{urlencode({'id_token_hint': team.id_token})}")
    assert "You are signed out" in answer.text
    assert listener.next()[1] == "/told"


def test_a_server_that_was_started_again_knows_whom_to_tell(tmp_path: Path, listener: Listener) -> None:
    """Must hold 10."""
    with a_pair(tmp_path, None) as pair:
        team = OpenId(pair, tmp_path, listener)
        signed_in = team.sign_in(pair.one)
    with a_pair(tmp_path, None) as pair:
        team.pair = pair
        begun = team.sign_out(pair.one)
        at, _, form = listener.next()
        assert at >= begun
        assert team.read(pair.other, form["logout_token"])["sid"] == signed_in["sid"]
