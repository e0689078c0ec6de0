"""Two server processes on one store, of either kind, agree on keys, sessions and refresh tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.server.oauth.test_two_processes import Team, both, store
from tests.server.oauth.world import VERIFIER, WEB_CALLBACK, Fields, asked
from tests.server.serving import Served, keep_secret
from tests.server.test_several_processes import Pair, on_the_host
from tests.stores.postgres import postgres

__all__ = ["both", "postgres", "store"]


class OpenIdTeam(Team):
    """A team whose program speaks OpenID Connect."""

    def __init__(self, pair: Pair, folder: Path, store: str | None) -> None:
        super().__init__(pair, folder, store, kind="oidc")

    def sign_in(self, shown_by: Served, answered_at: Served, given_by: Served) -> dict[str, Any]:
        """Let the program sign the person in; return what it is given."""
        scope = "openid offline_access"
        wish = {"client_id": self.mail["id"], "redirect_uri": WEB_CALLBACK, "scope": scope, "nonce": "n"}
        page = self.browse(shown_by, f"/oauth/authorize?{urlencode(asked(**wish))}")
        if page.status_code == 200:
            page = self.browse(answered_at, "/oauth/authorize", {**Fields(page.text).hidden, "answer": "approve"})
        code = keep_secret(parse_qs(urlsplit(page.headers["location"]).query)["code"][0])
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": WEB_CALLBACK, "code_verifier": VERIFIER}
        given: dict[str, Any] = self.post(given_by, "/oauth/token", basic=True, **form).json()
        keep_secret(given["refresh_token"])
        return given

    def refresh(self, served: Served, token: str) -> dict[str, Any]:
        """Ask for the next tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        given: dict[str, Any] = self.post(served, "/oauth/token", basic=True, **form).json()
        if "refresh_token" in given:
            keep_secret(given["refresh_token"])
        return given

    def keys(self, served: Served) -> Any:
        """Fetch the keys."""
        with self.at(served) as http:
            return http.get("/oauth/keys").json()


@pytest.fixture
def team(both: tuple[Pair, Path], store: str | None) -> OpenIdTeam:
    return OpenIdTeam(*both, store)


def test_what_one_signs_is_read_with_the_keys_of_the_other(team: OpenIdTeam) -> None:
    one, other = team.pair.one, team.pair.other
    with ThreadPoolExecutor(2) as two:  # neither has one yet
        here, there = two.map(team.keys, (one, other))
    assert here == there
    assert len(here["keys"]) == 2
    given = team.sign_in(one, other, one)
    content = jwt.decode(given["id_token"], KeySet.import_key_set(there), algorithms=["RS256"]).claims
    again = team.refresh(other, given["refresh_token"])
    later = jwt.decode(again["id_token"], KeySet.import_key_set(here), algorithms=["RS256"]).claims
    assert (content["sid"], content["sub"]) == (later["sid"], later["sub"])


def test_a_new_vault_key_and_new_signing_keys_are_followed_by_both(team: OpenIdTeam) -> None:
    """Both know the keys of before, and go on without a restart."""
    one, other = team.pair.one, team.pair.other
    before = team.keys(one)
    team.sign_in(one, one, one)
    on_the_host(team.folder, team.store, "vault", "rotate", "--yes")
    for served in (one, other):
        given = team.sign_in(served, served, served)
        assert jwt.decode(given["id_token"], KeySet.import_key_set(before), algorithms=["RS256"])
    on_the_host(team.folder, team.store, "relying-party", "keys", "--rotate", "--at-once", "--yes")
    after = team.keys(other)
    assert not {key["kid"] for key in before["keys"]} & {key["kid"] for key in after["keys"]}
    for served in (one, other):
        given = team.sign_in(served, served, served)
        assert jwt.decode(given["id_token"], KeySet.import_key_set(after), algorithms=["RS256"])


def test_a_refresh_token_is_taken_once_by_both(team: OpenIdTeam) -> None:
    """Must hold 12: in whichever process it arrives first; then the family is over at both."""
    one, other = team.pair.one, team.pair.other
    given = team.sign_in(one, one, other)
    with ThreadPoolExecutor(2) as two:
        tried = [two.submit(team.refresh, served, given["refresh_token"]) for served in (one, other)]
        answers = [each.result() for each in tried]
    won = [answer for answer in answers if "access_token" in answer]
    assert len(won) == 1
    for served in (one, other):
        assert team.refresh(served, won[0]["refresh_token"])["error"] == "invalid_grant"
        assert not team.is_active(served, won[0]["access_token"])
