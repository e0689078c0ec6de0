"""Whoever may no longer be let in is thrown out of the programs that let them in, by a real server and a real process.

The program itself is a stand-in here; `tests/strangers/mail` and `tests/strangers/ssh` have the real ones.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.free_ports import free_port
from tests.server.asking import PASSWORD, Caller
from tests.server.serving import Served, a_server, keep_secret, start
from tests.server.watching import on_host, register, watching
from tests.stores.postgres import postgres

__all__ = ["postgres"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with a_server(tmp_path) as running:
        yield running


def delete(served: Served, *names: str, behind: Served | None = None) -> None:
    """Make accounts and delete them; `behind` is the server whose address is used at another one."""
    host = (behind or served).url.removeprefix("http://")
    for name in names:
        with Caller(url=f"http://127.0.0.1:{served.address[1]}", name=name, headers={"Host": host}) as caller:
            caller.create()
            caller.apply("delete-account")


def test_an_ending_calls_the_program_with_that_name_and_no_other(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    with watching(tmp_path, served.url) as watched:
        watched.await_note("watching for")
        delete(served, "ada")
        line = watched.await_line(account="ada")
        assert (line["event"], line["ok"], line["done"]) == (
            "delete-account",
            True,
            "all of their mail connections ended, whichever password opened them",
        )
        assert watched.asked[:2] == [["auth", "cache", "flush", "--", "ada"], ["kick", "--", "ada"]]
        assert watched.kicked == ["ada"]


def test_a_sign_out_throws_nobody_out_of_a_program_that_takes_no_tokens(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    with watching(tmp_path, served.url) as watched:
        watched.await_note("watching for")
        with Caller(served, name="ada") as caller:
            caller.create()
            caller.post("/sign-out", {"everywhere": True})
        delete(served, "bob")
        watched.await_line(account="bob")
        assert watched.kicked == ["bob"]


PLAIN = ("--all", "-c", "1234", "ada")
ODD = ("*", "a*", "../root", "ada/inbox", "a,b", *PLAIN)


def test_no_name_is_an_option_a_pattern_or_somebody_else(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    with on_host(tmp_path) as directory:  # nobody gives themselves some of these
        made = [directory.create(Actor(), NewAccount(name=name, password=Secret(PASSWORD))) for name in ODD]
    with watching(tmp_path, served.url) as watched:
        watched.await_note("watching for")
        for one in made:
            with Caller(served) as caller:
                caller.token = keep_secret(one.token.reveal())
                caller.apply("delete-account")
        for name in ODD:
            watched.await_line(account=name)
        for one in watched.asked:
            end = one.index("--")
            assert one[:end] in (["auth", "cache", "flush"], ["kick"])
            assert one[end + 1] in PLAIN
        assert {one[2] for one in watched.asked if one[0] == "kick"} == set(PLAIN)


def test_a_server_that_goes_is_said_once_and_what_ended_meanwhile_is_done(tmp_path: Path) -> None:
    port = free_port()
    where = ("--listen", f"127.0.0.1:{port}")
    with a_server(tmp_path, *where) as served:
        register(tmp_path)
        with watching(tmp_path, f"http://localhost:{port}") as watched, a_server(tmp_path, "--url", served.url) as other:
            watched.await_note("watching for")
            served.kill()
            watched.await_note("it is asked again until it answers")
            delete(other, "ada", behind=served)
            again = start(tmp_path, *where).await_ready()
            watched.await_line(account="ada")
            again.stop()
            again = start(tmp_path, *where).await_ready()
            delete(again, "bob")
            watched.await_line(account="bob")
            again.stop()
            assert watched.kicked == ["ada", "bob"]
            said = [one for one in watched.notes if "asked again" in one]
            back = [one for one in watched.notes if "answers again" in one]
            assert len(said) - len(back) in (0, 1)
            assert len(back) in (1, 2), watched.notes  # a server that is back within a second was not away


def test_what_ended_while_nobody_watched_is_done_at_the_next_start_and_once(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    with watching(tmp_path, served.url) as watched:
        delete(served, "ada")
        watched.await_note("watching for")
        delete(served, "bob")
        watched.await_line(account="bob")
    delete(served, "eve")
    with watching(tmp_path, served.url) as watched:
        watched.await_line(account="eve")
        assert watched.kicked in (["ada", "bob", "eve"], ["bob", "eve"])
        assert not any("from here on" in one for one in watched.notes)


def test_a_program_that_fails_is_said_once_tried_again_and_keeps_nobody_waiting(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    with watching(tmp_path, served.url) as watched:
        watched.await_note("watching for")
        watched.break_down(True)
        delete(served, "ada")
        assert "broken" in watched.await_line(account="ada", ok=False)["done"]
        watched.break_down(False)
        watched.await_line(account="ada", ok=True)
        assert watched.kicked == ["ada"]


def test_a_wrong_secret_ends_it_with_an_error(served: Served, tmp_path: Path) -> None:
    register(tmp_path)
    (tmp_path / "wrong").write_text("plc_wrong")
    for words in ("mail", "nobody"):
        with watching(tmp_path, served.url, words=words, secret=tmp_path / "wrong") as watched:
            assert watched.process.wait(60) == 5
    register(tmp_path, "app", kind="oidc", redirect_uris=("https://app.example/back",))
    with watching(tmp_path, served.url, words="app", secret=tmp_path / "app.secret") as watched:
        assert watched.process.wait(60) == 2


def test_the_unit_for_systemd_is_one(tmp_path: Path) -> None:
    unit = Path(__file__).parents[2] / "examples" / "passless-watch@.service"
    text = unit.read_text()
    assert "relying-party watch %i" in text
    checked = tmp_path / "passless-watch@mail.service"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    checked.write_text(text.replace("/usr/local/bin/passless", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", str(checked)], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_an_ending_of_one_server_is_heard_at_another_of_the_same_store(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    store = None if engine == "sqlite" else request.getfixturevalue("postgres").new_database()
    with a_server(tmp_path, store=store) as one, a_server(tmp_path, "--url", one.url, store=store) as other:
        register(tmp_path, store=store)
        with watching(tmp_path, one.url) as watched:
            watched.await_note("watching for")
            delete(other, "ada", behind=one)
            watched.await_line(account="ada")
            assert watched.kicked == ["ada"]


def test_a_kind_without_a_program_on_a_host_is_refused_before_anything_is_said(served: Served, tmp_path: Path) -> None:
    register(tmp_path, "wiki", "http")
    with watching(tmp_path, served.url, "wiki", secret=tmp_path / "wiki.secret") as watched:
        assert watched.process.wait(60) == 2
        watched.await_note("nothing-to-end")
        assert not [one for one in watched.notes if "watching for" in one]
