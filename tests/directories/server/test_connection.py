"""What goes wrong between here and a server: each in words, of the right kind, and nothing done twice."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from passless import wire
from passless.directories.server import ServerDirectory, connection
from passless.directories.server.asking import Asking
from passless.directories.server.connection import Connection
from passless.directories.server.errors import ForeignOrigin, challenge_of
from passless.domain.errors import NotFound, PasslessError, ProofNeeded, Unavailable, WrongUse
from passless.domain.methods import Kind
from passless.domain.requests import Answer, NewAccount, NewAppPassword, NewInvitation, SignInWith, TwoStepOn
from passless.domain.secret import Secret
from passless.domain.views import AccountSummary
from passless.ports import NoSuchAccount, VersionMoved
from passless.ports.directory import Actor, Operator
from tests.directories.place import entropy_of
from tests.directories.sentences import refused
from tests.directories.server.certificates import Authority
from tests.directories.server.stand_in import ABOUT, Reply, StandIn, a_stand_in, problem, said

ADA = Actor(token=Secret("pls_ada"), place="laptop")
GONE = Reply(0)  # it hangs up


@contextmanager
def directory_at(url: str, **more: Any) -> Iterator[ServerDirectory]:
    """Return the way to a server; what it waits is counted and not waited."""
    made = ServerDirectory(
        Connection(url, clock=lambda: datetime.now(UTC), entropy=entropy_of(3), **{"pause": lambda _: None, **more})
    )
    try:
        yield made
    finally:
        made.close()


@contextmanager
def asked(*replies: Reply, **more: Any) -> Iterator[tuple[ServerDirectory, StandIn]]:
    """Return a directory and the server it asks."""
    with a_stand_in(*replies) as server, directory_at(server.url, **more) as directory:
        yield directory, server


def summary(name: str) -> dict[str, Any]:
    made = AccountSummary(
        id=f"id-{name}",
        account=name,
        display_name="",
        state="ok",
        passwordless=True,
        two_step=False,
        methods=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return wire.decode(wire.encode(made), dict)


class TestUnreachable:
    def test_nothing_listens(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (
            directory_at(f"http://localhost:{port}") as directory,
            pytest.raises(Unavailable, match="nothing listens") as caught,
        ):
            directory.read(ADA, "ada")
        assert caught.value.code == "server-unreachable"
        assert "doctor" in caught.value.hint

    def test_there_is_no_such_host(self) -> None:
        with (
            directory_at("https://nowhere.invalid") as directory,
            pytest.raises(Unavailable, match=r"no address for .*nowhere\.invalid|cannot be reached") as caught,
        ):
            directory.read(ADA, "ada")
        assert caught.value.code == "server-unreachable"

    def test_it_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "ANSWER_WITHIN", timedelta(seconds=0.2))
        with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and says nothing
            url = f"http://localhost:{silent.getsockname()[1]}"
            with directory_at(url) as directory, pytest.raises(Unavailable, match="in time") as caught:
                directory.read(ADA, "ada")
        assert "look whether it was done" in caught.value.hint

    def test_a_read_is_tried_again_when_the_connection_breaks_off(self) -> None:
        with asked(GONE, GONE, said({"items": []})) as (directory, server):
            assert directory.tokens(ADA, "ada") == ()
            assert len(server.asked) == 3

    def test_a_change_is_tried_again_under_the_same_key(self) -> None:
        with asked(GONE, problem(409, "wrong-use", "name-in-use")) as (directory, server):
            with refused("name-in-use"):
                directory.apply(ADA, "ada", TwoStepOn())
            keys = {one.headers["Idempotency-Key"] for one in server.asked}
            assert len(server.asked) == 2
            assert len(keys) == 1

    @pytest.mark.parametrize("gone", [GONE, Reply(502, b"no", "text/html")])
    def test_what_has_no_key_is_never_sent_twice(self, gone: Reply) -> None:
        with asked(gone, said({})) as (directory, server):
            with pytest.raises(Unavailable):
                directory.sign_in(ADA, "ada", Answer(kind=Kind.TOTP, text=Secret("123456")))
            assert len(server.asked) == 1


class TestBusy:
    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_it_is_asked_again_after_as_long_as_it_says(self, status: int) -> None:
        waited: list[float] = []
        busy = problem(status, "unavailable", "store-unavailable", Retry_After="2")
        with asked(busy, said({"items": []}), pause=waited.append) as (directory, _):
            assert directory.sessions(ADA, "ada") == ()
        assert waited == [2.0]

    def test_a_wait_of_minutes_is_told_instead(self) -> None:
        waited: list[float] = []
        busy = problem(503, "unavailable", "store-unavailable", Retry_After="600")
        with asked(busy, pause=waited.append) as (directory, server):
            with refused("store-unavailable"):
                directory.read(ADA, "ada")
            assert (waited, len(server.asked)) == ([], 1)

    def test_it_gives_up_after_a_few_tries_and_seconds(self) -> None:
        waited: list[float] = []
        with asked(Reply(503, b"busy", "text/plain"), pause=waited.append) as (directory, server):
            with pytest.raises(Unavailable, match="has a fault"):
                directory.read(ADA, "ada")
            assert len(server.asked) == connection.TRIES
        assert 0 < sum(waited) < 5


class TestForeign:
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(200, b"<html>hello</html>", "text/html"),
            Reply(404, b"nothing", "text/plain"),
            Reply(404, b"{", "application/problem+json"),
            Reply(302, b"", "", {"Location": "https://evil.example/"}),
            Reply(307, b"", "", {"Location": "/elsewhere"}),
        ],
    )
    def test_what_is_no_passless_server_is_said_to_be_none(self, reply: Reply) -> None:
        with asked(reply) as (directory, server), pytest.raises(Unavailable) as caught:
            directory.read(ADA, "ada")
        assert caught.value.code == "not-a-passless-server"
        assert len(server.asked) == 1  # no redirect is followed, so no token goes elsewhere

    def test_an_answer_that_is_too_large_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "LARGEST_ANSWER", 1000)
        with asked(Reply(200, b" " * 5000)) as (directory, _), pytest.raises(Unavailable, match="too large"):
            directory.read(ADA, "ada")

    def test_another_version_of_the_interface_is_named(self) -> None:
        with asked(said({"unknown": 1}), said({**ABOUT, "api": 2})) as (directory, _):
            with pytest.raises(Unavailable, match=r"passless 9\.9") as caught:
                directory.read(ADA, "ada")
            assert caught.value.code == "other-version"

    @pytest.mark.parametrize(
        ("pages", "asked_for"),
        [
            ([("ada", "x")], 2),
            ([("ada", "x"), ("bob", "y")], 3),
            ([("", "x")], 1),
            ([("ada", "x"), ("", "y"), ("", "z")], 2),
        ],
    )
    def test_a_list_that_never_ends_ends(self, pages: list[tuple[str, str]], asked_for: int) -> None:
        """A cursor comes again, or there is nothing on a page and another one after it."""
        replies = [said({"items": [summary(name)] if name else [], "next": cursor}) for name, cursor in pages]
        with asked(*(replies * 3)) as (directory, server), pytest.raises(Unavailable, match="never ends"):
            list(directory.find("", ADA))
        assert len(server.asked) == asked_for

    def test_a_list_of_ever_new_pages_ends(self) -> None:
        replies = [said({"items": [summary("ada")], "next": str(number)}) for number in range(9)]
        with asked(*replies) as (directory, server), pytest.raises(Unavailable, match="never ends"):
            list(Asking(directory.connection).pages("/accounts", ADA, AccountSummary, most=5))
        assert len(server.asked) == 5

    def test_a_list_of_several_pages_is_read_to_its_end(self) -> None:
        replies = [said({"items": [summary("ada")], "next": "x"}), said({"items": [summary("bob")], "next": None})]
        with asked(*replies) as (directory, _):
            assert [one.account for one in directory.find("", ADA)] == ["ada", "bob"]

    def test_a_key_never_signs_for_another_origin(self) -> None:
        begun = {"ceremony": "c", "expires_at": "2026-01-01T00:00:00Z", "origin": "https://bank.example", "publicKey": {}}
        second = {"ceremony": "c", "accepts": ["security-key"], "origin": "https://bank.example", "publicKey": {}}
        with asked(said(begun, 201), said(second)) as (directory, _):
            with pytest.raises(ForeignOrigin, match=r"bank\.example"):
                directory.begin(ADA, "ada", SignInWith(kind=Kind.SECURITY_KEY))
            with pytest.raises(ForeignOrigin):
                directory.sign_in(ADA, "ada", Answer(kind=Kind.PASSWORD, text=Secret("x")))


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind", "code", "expected"),
        [
            (404, "not-found", "no-such-account", NoSuchAccount),
            (404, "not-found", "something-new", NotFound),
            (412, "unavailable", "busy", VersionMoved),
            (401, "proof-needed", "sign-in-needed", ProofNeeded),
            (429, "proof-needed", "throttled", ProofNeeded),
            (400, "wrong-use", "bad-name", WrongUse),
            (500, "fault", "fault", PasslessError),
            (400, "a-kind-of-tomorrow", "x", PasslessError),
        ],
    )
    def test_errors_come_back_as_what_they_were(self, status: int, kind: str, code: str, expected: type[PasslessError]) -> None:
        with asked(problem(status, kind, code)) as (directory, _), pytest.raises(expected) as caught:
            directory.apply(ADA, "ada", TwoStepOn())
        assert (caught.value.code, caught.value.message) == (code, "it is so")

    def test_a_session_that_ended_says_to_sign_in_again(self) -> None:
        with asked(problem(401, "proof-needed", "sign-in-needed")) as (directory, _), pytest.raises(ProofNeeded) as caught:
            directory.read(ADA, "ada")
        assert "sign in again" in caught.value.hint

    def test_which_proof_is_asked_comes_along(self) -> None:
        header = 'Bearer error="insufficient_user_authentication", acr_values="2", max_age=600'
        with asked(problem(401, "proof-needed", "weak-proof", WWW_Authenticate=header)) as (directory, _):
            with pytest.raises(ProofNeeded) as caught:
                directory.apply(ADA, "ada", TwoStepOn())
            challenge = challenge_of(caught.value)
            assert challenge is not None
            assert (challenge.strength, challenge.max_age) == (2, timedelta(minutes=10))

    def test_a_wrong_code_says_where_the_clocks_differ(self) -> None:
        with asked(problem(401, "proof-needed", "wrong-code")) as (directory, server):
            server.date = datetime.now(UTC) + timedelta(seconds=95)
            with pytest.raises(ProofNeeded) as caught:
                directory.sign_in(ADA, "ada", Answer(kind=Kind.TOTP, text=Secret("123456")))
            assert "seconds behind the server's" in caught.value.hint

    def test_a_secret_lost_on_the_way_is_said_to_be_lost(self) -> None:
        plan = {"change": {}, "accepted": True, "problems": [], "effects": [], "before": STATE, "after": STATE}
        repeated = {"applied": True, "plan": plan, "id": "a", "name": "Mail", "for": [], "expires_at": None, "repeated": True}
        with asked(GONE, said(repeated)) as (directory, _), pytest.raises(Unavailable) as caught:
            directory.apply(ADA, "ada", NewAppPassword(name="Mail"))
        assert caught.value.code == "answer-lost"


STATE = {"passwordless": True, "two_step": False, "methods": [], "ways_in": [], "state": "ok"}


class TestSaid:
    def test_pages_are_asked_for_as_they_are_needed(self) -> None:
        first = said({"items": [summary("ada"), summary("bob")], "next": "p2"})
        with asked(first, said({"items": [summary("eve")], "next": None})) as (directory, server):
            found = directory.find("", ADA)
            assert [next(found).account, next(found).account] == ["ada", "bob"]
            assert len(server.asked) == 1
            assert [one.account for one in found] == ["eve"]
            assert server.asked[1].path == "/api/v1/accounts?cursor=p2"

    @pytest.mark.parametrize(
        ("name", "path"),
        [("a/b", "a%2Fb"), ("..", "%2E%2E"), ("a?b#c", "a%3Fb%23c"), ("Åse", "%C3%85se"), ("a b", "a%20b")],
    )
    def test_a_name_is_one_part_of_the_address(self, name: str, path: str) -> None:
        with asked(problem(404, "not-found", "no-such-account")) as (directory, server):
            with refused("no-such-account"):
                directory.read(ADA, name)
            assert server.asked[0].path == f"/api/v1/accounts/{path}"

    def test_an_operator_says_why_in_any_language(self) -> None:
        helper = Actor(token=Secret("pls_h"), operator=Operator(reason="mistet alt\r\nÅ: 1", ticket="HD-1"), place="desk")
        with asked(problem(401, "proof-needed", "weak-proof")) as (directory, server):
            with refused("weak-proof"):
                directory.apply(helper, "ada", TwoStepOn())
            sent = server.asked[0].headers
        assert sent["Passless-Reason"] == "mistet%20alt%0D%0A%C3%85%3A%201"
        assert sent["Passless-Ticket"] == "HD-1"
        assert sent["Authorization"] == "Bearer pls_h"

    def test_no_secret_is_in_an_address(self) -> None:
        """Must hold 1."""
        with asked(problem(400, "wrong-use", "x")) as (directory, server):
            for act in (
                lambda: directory.create(
                    Actor(), NewAccount(name="ada", password=Secret("s3cret"), invitation=Secret("s3cret"))
                ),
                lambda: directory.sign_in(ADA, "ada", Answer(kind=Kind.PASSWORD, text=Secret("s3cret"))),
                lambda: directory.recover(ADA, "ada", Secret("s3cret"), None),
                lambda: directory.invite(ADA, NewInvitation()),
            ):
                with refused("x"):
                    act()
            assert not any("s3cret" in one.path or "pls_" in one.path for one in server.asked)

    def test_signing_out_of_a_session_that_ended_ends_none(self) -> None:
        with asked(problem(401, "proof-needed", "sign-in-needed")) as (directory, server):
            assert directory.sign_out(ADA) == 0
            assert directory.sign_out(Actor()) == 0
            assert len(server.asked) == 1


class TestTls:
    def test_a_private_authority_is_trusted_where_it_is_named(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        with a_stand_in(said({"items": []}), tls=authority.server("localhost")) as server:
            with directory_at(server.url, ca=str(authority.path)) as directory:
                assert directory.tokens(ADA, "ada") == ()
            with directory_at(server.url) as directory, pytest.raises(Unavailable, match="not trusted") as caught:
                directory.tokens(ADA, "ada")
            assert (caught.value.code, len(server.asked)) == ("server-not-trusted", 1)

    @pytest.mark.parametrize(("how", "why"), [({"name": "other.example"}, "another name"), ({"days": -1}, "expired")])
    def test_a_certificate_that_is_wrong_is_refused_with_the_reason(
        self, tmp_path: Path, how: dict[str, Any], why: str
    ) -> None:
        authority = Authority(tmp_path)
        tls = authority.server(**{"name": "localhost", **how})
        with a_stand_in(said({}), tls=tls) as server, directory_at(server.url, ca=str(authority.path)) as directory:
            with pytest.raises(Unavailable, match=why):
                directory.read(ADA, "ada")
            assert server.asked == []

    def test_a_server_without_tls_is_told_apart(self) -> None:
        with a_stand_in(said({})) as server, directory_at(server.url.replace("http:", "https:")) as directory:
            with pytest.raises(Unavailable, match="no secure connection") as caught:
                directory.read(ADA, "ada")
            assert caught.value.code == "server-not-trusted"

    def test_a_file_of_certificates_must_hold_some(self, tmp_path: Path) -> None:
        (tmp_path / "empty.pem").write_text("nothing")
        for name in ("empty.pem", "missing.pem"):
            with directory_at("https://localhost:1", ca=str(tmp_path / name)) as directory, refused("unreadable-file"):
                directory.read(ADA, "ada")
