"""Signing in elsewhere for the terminal, as a client must: PKCE, state, issuer, and the pace of polling."""

from __future__ import annotations

import socket
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from passless.directories.server import oauth
from passless.directories.server.connection import Connection
from passless.directories.server.errors import Challenge, NotPassless
from passless.directories.server.loopback import Loopback, NobodyCame
from passless.domain.errors import ProofNeeded, Unavailable, WrongUse
from passless.domain.secret import Secret
from tests.directories.place import entropy_of
from tests.directories.sentences import refused
from tests.directories.server.stand_in import Reply, StandIn, a_stand_in, said

TOKEN = {"access_token": "pls_new", "token_type": "Bearer", "expires_in": 60, "account": "ada", "account_id": "a1"}
BACK = "http://127.0.0.1:5000/callback"


opened: list[Connection] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def connection_to(server: StandIn) -> Connection:
    opened.append(Connection(server.url, clock=lambda: datetime.now(UTC), entropy=entropy_of(3), pause=lambda _: None))
    return opened[-1]


class Hours:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.waited: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)


def polled(server: StandIn, hours: Hours, *, minutes: int = 15) -> oauth.TokenAnswer:
    return oauth.wait_for_device(
        connection_to(server),
        Secret("device-secret"),
        interval=5,
        until=hours.now + timedelta(minutes=minutes),
        clock=hours.clock,
        pause=hours.pause,
    )


class TestInTheBrowser:
    def test_the_address_asks_for_a_code_with_pkce_and_a_state_and_holds_no_secret(self) -> None:
        """Must hold 1."""
        with a_stand_in() as server:
            question = oauth.begin_in_browser(
                connection_to(server), BACK, entropy_of(5), asked=Challenge(2, timedelta(minutes=10)), account="ada"
            )
            address = urlsplit(question.address)
        asked = dict(parse_qsl(address.query))
        hashed = sha256(question.verifier.encode()).digest()
        assert asked == {
            "response_type": "code",
            "client_id": "passless-cli",
            "redirect_uri": BACK,
            "scope": "account",
            "state": question.state,
            "code_challenge": urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "acr_values": "2",
            "max_age": "600",
            "login_hint": "ada",
        }
        assert address.path == "/oauth/authorize"
        assert question.verifier.reveal() not in question.address
        assert len(question.verifier) >= 43

    def test_two_questions_have_nothing_in_common(self) -> None:
        with a_stand_in() as server:
            entropy = entropy_of(5)
            first, second = (oauth.begin_in_browser(connection_to(server), BACK, entropy) for _ in range(2))
        assert first.state != second.state
        assert first.verifier != second.verifier

    def test_the_code_is_exchanged_with_its_verifier_in_the_body(self) -> None:
        with a_stand_in(said(TOKEN)) as server:
            question = oauth.begin_in_browser(connection_to(server), BACK, entropy_of(5))
            answer = oauth.finish_in_browser(connection_to(server), question, {"iss": server.url, "code": "c0de"})
            (asked,) = server.asked
        assert (answer.account, answer.access_token) == ("ada", Secret("pls_new"))
        assert parse_qs(asked.body.decode())["code_verifier"] == [question.verifier.reveal()]
        assert parse_qs(asked.body.decode())["redirect_uri"] == [BACK]
        assert asked.path == "/oauth/token"

    @pytest.mark.parametrize("issuer", [None, "https://evil.example", ""])
    def test_an_answer_of_another_server_is_never_sent_to_this_one(self, issuer: str | None) -> None:
        with a_stand_in(said(TOKEN)) as server:
            question = oauth.begin_in_browser(connection_to(server), BACK, entropy_of(5))
            answered = {"code": "c0de"} if issuer is None else {"code": "c0de", "iss": issuer}
            with pytest.raises(NotPassless):
                oauth.finish_in_browser(connection_to(server), question, answered)
            assert server.asked == []

    def test_who_says_no_there_ends_it_here(self) -> None:
        with a_stand_in() as server:
            question = oauth.begin_in_browser(connection_to(server), BACK, entropy_of(5))
            with refused("sign-in-refused"):
                oauth.finish_in_browser(connection_to(server), question, {"iss": server.url, "error": "access_denied"})

    def test_a_code_that_was_used_is_a_proof_that_is_needed_again(self) -> None:
        with a_stand_in(said({"error": "invalid_grant"}, 400)) as server:
            question = oauth.begin_in_browser(connection_to(server), BACK, entropy_of(5))
            with pytest.raises(ProofNeeded):
                oauth.finish_in_browser(connection_to(server), question, {"iss": server.url, "code": "c"})


class TestOnAnotherDevice:
    def test_it_is_asked_at_its_pace_until_somebody_approves(self) -> None:
        pending, hours = said({"error": "authorization_pending"}, 400), Hours()
        with a_stand_in(pending, pending, said(TOKEN)) as server:
            assert polled(server, hours).account_id == "a1"
        assert hours.waited == [5.0, 5.0]

    def test_slow_down_adds_five_seconds_for_good(self) -> None:
        pending, slow, hours = said({"error": "authorization_pending"}, 400), said({"error": "slow_down"}, 400), Hours()
        with a_stand_in(slow, pending, slow, said(TOKEN)) as server:
            polled(server, hours)
        assert hours.waited == [10.0, 10.0, 15.0]

    def test_a_server_that_is_busy_meanwhile_is_asked_again(self) -> None:
        hours = Hours()
        with a_stand_in(Reply(503, b"busy", "text/plain"), said(TOKEN)) as server:
            assert polled(server, hours).account == "ada"

    @pytest.mark.parametrize(("error", "code"), [("access_denied", "sign-in-refused"), ("expired_token", "sign-in-expired")])
    def test_no_and_too_late_are_told_apart(self, error: str, code: str) -> None:
        with a_stand_in(said({"error": error}, 400)) as server, refused(code):
            polled(server, Hours())

    def test_nobody_waits_for_ever(self) -> None:
        hours = Hours()
        with a_stand_in(said({"error": "authorization_pending"}, 400)) as server, refused("sign-in-expired"):
            polled(server, hours, minutes=1)
        assert sum(hours.waited) == 60

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (Reply(200, b"<html>", "text/html"), Unavailable),
            (Reply(400, b"<html>", "text/html"), Unavailable),
            (Reply(500, b"", "text/plain"), Unavailable),
            (said({"error": "invalid_client", "error_description": "no\x1b[31m such"}, 401), WrongUse),
        ],
    )
    def test_what_is_no_answer_is_said_to_be_none(self, reply: Reply, kind: type[Exception]) -> None:
        with a_stand_in(reply) as server, pytest.raises(kind) as caught:
            oauth.begin_on_device(connection_to(server))
        assert "\x1b" not in str(caught.value)


class TestLoopback:
    def test_the_redirect_with_the_state_is_heard_once_and_gets_a_page_without_anything(self) -> None:
        with Loopback() as loopback:
            answers: list[httpx.Response] = []

            def browse() -> None:
                for query in ("state=right&code=c0de&iss=i", "state=right&code=again"):
                    answers.append(httpx.get(f"{loopback.redirect_uri}?{query}", trust_env=False, timeout=60))

            browser = Thread(target=browse)
            browser.start()
            assert loopback.wait("right", seconds=30) == {"state": "right", "code": "c0de", "iss": "i"}
            browser.join()
        first, second = answers
        assert (first.status_code, second.status_code) == (200, 404)
        assert first.headers["content-security-policy"].startswith("default-src 'none'")
        assert first.headers["cache-control"] == "no-store"
        assert "c0de" not in first.text

    @pytest.mark.parametrize(
        ("path", "host"),
        [
            ("/callback?state=wrong&code=c", None),
            ("/callback?code=c", None),
            ("/callback?state=right&state=right&code=c", None),
            ("/other?state=right&code=c", None),
            ("/callback?state=right&code=c", "evil.example"),
            (f"/callback?state=right&code={'c' * 5000}", None),
        ],
    )
    def test_what_is_not_the_answer_is_not_heard(self, path: str, host: str | None) -> None:
        with Loopback() as loopback:
            loopback._state = "right"
            assert not loopback.hear(host or loopback.host, path)
            assert loopback.hear(loopback.host, "/callback?state=right&code=c")

    def test_it_listens_on_this_machine_alone_and_is_gone_afterwards(self) -> None:
        with Loopback() as loopback:
            host, _, port = loopback.host.partition(":")
            assert host == "127.0.0.1"
        with socket.socket() as free, pytest.raises(ConnectionRefusedError):
            free.connect(("127.0.0.1", int(port)))

    def test_a_browser_that_never_comes_is_waited_for_no_longer_than_said(self) -> None:
        with Loopback() as loopback, pytest.raises(NobodyCame):
            loopback.wait("right", seconds=0.01)
