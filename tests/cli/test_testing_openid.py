"""What `relying-party test` says of a server that a program could not speak OpenID Connect with."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from passless.cli import testing_openid
from passless.directories.server.connection import Connection
from passless.domain.relying_parties import RelyingPartyView
from passless.output.machine_results import Verdict

ORIGIN = "https://accounts.example"
NAMES = {name: f"{ORIGIN}/{name}" for name in testing_openid.NEEDED}
GOOD: dict[str, Any] = {"issuer": ORIGIN, **NAMES}
KEY = {"kty": "RSA", "alg": "RS256", "kid": "one", "n": "n", "e": "AQAB"}


def verdicts(said: Any, keys: Any, *, signed_with: str = "") -> list[Verdict]:
    """Look at a server that says this of itself and of its keys."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = said if request.url.path == testing_openid.DISCOVERY else keys
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    connection = Connection(ORIGIN, clock=lambda: datetime.now(UTC), entropy=os.urandom, transport=httpx.MockTransport(answer))
    party = RelyingPartyView(
        id="wiki",
        name="Wiki",
        kind="oidc",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=False,
        created_at=datetime.now(UTC),
        signed_with=signed_with,
    )
    found = list(testing_openid.look_at(connection, party))
    connection.close()
    return found


def test_a_server_that_is_in_order() -> None:
    assert [(one.check, one.ok) for one in verdicts(GOOD, {"keys": [KEY]})] == [("discovery", True), ("signing-keys", True)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "status 404"),
        (["no", "object"], "nobody"),
        ({**GOOD, "issuer": "https://other.example"}, "says that it is https://other.example"),
        ({**GOOD, "issuer": ORIGIN + "/"}, "says that it is"),
        ({**GOOD, "jwks_uri": "https://other.example/keys"}, "jwks_uri"),
        ({**GOOD, "token_endpoint": ORIGIN + ".example/token"}, "token_endpoint"),
        ({"issuer": ORIGIN}, "authorization_endpoint"),
    ],
)
def test_a_description_that_is_not_the_servers_own(said: Any, words: str) -> None:
    (one,) = verdicts(said, {"keys": [KEY]})
    assert (one.check, one.ok) == ("discovery", False)
    assert words in one.message
    assert one.hint


@pytest.mark.parametrize(
    ("keys", "signed_with", "words"),
    [
        (None, "", "no key for RS256"),
        ({"keys": []}, "", "no key for RS256"),
        ({"keys": "none"}, "", "no key for RS256"),
        ({"keys": 1}, "", "no key for RS256"),
        ({"keys": [KEY]}, "ES256", "no key for ES256"),
        ({"keys": [{**KEY, "kid": ""}]}, "", "no key for RS256"),
        ({"keys": [{**KEY, "d": "private"}]}, "", "private keys"),
    ],
)
def test_keys_that_nothing_could_be_checked_with(keys: Any, signed_with: str, words: str) -> None:
    one = verdicts(GOOD, keys, signed_with=signed_with)[-1]
    assert (one.check, one.ok) == ("signing-keys", False)
    assert words in one.message
    assert one.hint
