"""A recovery at a server that asks two operators, from their terminals to the person who is back: typed, and in a script."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from passless.actions.parts import Access, Parts
from passless.directories.local import LocalDirectory
from passless.domain.methods import RpId
from passless.domain.requests import GrantOperator
from passless.domain.safety.context import Rules
from passless.ports.directory import Actor
from passless.stores import open_store
from tests.cli.remote.terminal import Terminal
from tests.cli.running import PASSWORD
from tests.cli.walking import Person
from tests.server.serving import Served, a_server, keep_secret

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a POSIX terminal")
START = ("recover", "start", "--account", "ada", "--as-operator", "--reason", "seen in person", "--lost", "phone", "--yes")
APPROVE = ("recover", "approve", "--account", "ada", "--reason", "called her back")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Return a server whose policy asks two operators."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "policy.toml").write_text("[recovery]\nsecond_operator = true\n")
    with a_server(folder, "--policy", str(folder / "policy.toml")) as server:
        yield server


def made_an_operator(terminal: Terminal, name: str) -> None:
    """Make one of the first two operators on the host, a day ago."""
    folder = terminal.served.home.parent
    store = open_store(folder / "accounts.sqlite", state=terminal.served.home / "state" / "stores", at=datetime.now(UTC))
    try:
        parts = Parts(
            store=store,
            open_vault=lambda: pytest.fail("no vault is needed"),
            clock=lambda: datetime.now(UTC) - timedelta(hours=25),
            entropy=os.urandom,
            rules=Rules(rp_id=RpId("localhost")),
            access=Access.NOBODY,
            on_host=True,
        )
        LocalDirectory(parts).apply(Actor(place="host"), name, GrantOperator(first=True))
    finally:
        store.close()


def at(terminal: Terminal, home: Path, name: str) -> Terminal:
    """Return another terminal, signed in at the same server to an account with a password."""
    terminal.is_given_an_account(name)
    other = Terminal(home, terminal._monkeypatch, terminal.served, home / "nobody")
    other.json("profile", "add", "work", "--server", terminal.served.url, "--vault", "file")
    other.json("profile", "use", "work")
    other.json("sign-in", "--account", name, "--with", "password", "--password-file", "-", typed=PASSWORD)
    return other


def said(terminal: Terminal, *arguments: str, typed: str = "", status: int = 0) -> Any:
    """Run passless in the home of one of several terminals."""
    terminal._monkeypatch.setenv("PASSLESS_HOME", str(terminal.home))
    return terminal.json(*arguments, typed=typed, status=status)


def test_two_operators_let_somebody_back_in_who_then_finishes(terminal: Terminal, tmp_path: Path) -> None:
    """Rule 12, and must hold 9: nobody else ever knows a secret of hers but the pass."""
    olga, piet = at(terminal, tmp_path / "olga", "olga"), at(terminal, tmp_path / "piet", "piet")
    ada = at(terminal, tmp_path / "ada", "ada")
    for name in ("olga", "piet"):
        made_an_operator(terminal, name)
    terminal._monkeypatch.setenv("PASSLESS_HOME", str(ada.home))
    lost = ada.totp()
    said(ada, "sign-out")

    assert said(olga, *START, status=4)["code"] == "second-operator"
    for alone in (olga, piet):
        assert said(alone, *APPROVE, status=2)["code"] == "missing-input"
    typist = Person(piet.home, *APPROVE)
    shown = typist.reads("agree to what")
    for word in ("olga", "ada", "seen in person", "12 characters", "60 minutes", "once", "phone"):
        assert word in shown, word
    typist.answers('"olga" asks for "ada"?', "n")
    assert typist.is_done() == 2
    assert said(olga, *START, status=4)["code"] == "second-operator"
    typist = Person(piet.home, *APPROVE)
    typist.answers('"olga" asks for "ada"?', "y")
    assert typist.is_done() == 0
    made = said(olga, *START)
    issued = keep_secret(made["secret"])

    refused = said(ada, "sign-in", "--account", "ada", "--with", "totp", "--code-file", "-", typed=ada.now_code(lost), status=5)
    assert refused["code"] in {"wrong-code", "wrong-proof"}
    said(ada, "sign-in", "--account", "ada", "--with", "temporary-pass", "--code-file", "-", typed=issued)
    assert said(ada, "status")["state"] == "in-recovery"
    app = ada.totp("--device", "new phone")
    code = keep_secret(said(ada, "recovery-code", "new")["code"])
    said(ada, "recovery-code", "confirm", "--code-file", "-", typed=code)
    assert said(ada, "recover", "finish")["applied"] is True
    said(ada, "sign-out")
    again = ("sign-in", "--account", "ada", "--with", "temporary-pass", "--code-file", "-")
    assert said(ada, *again, typed=issued, status=5)["code"] in {"wrong-proof", "wrong-code"}
    said(ada, "sign-in", "--account", "ada", "--with", "totp", "--code-file", "-", typed=ada.now_code(app))
    assert [(one["kind"], one["device"]) for one in said(ada, "method", "list")] == [("password", None), ("totp", "new phone")]


def test_a_script_agrees_by_the_id_of_what_it_looked_at(terminal: Terminal, tmp_path: Path) -> None:
    """Rule 12: what took its place since then is refused."""
    olga, piet = at(terminal, tmp_path / "olga", "olga"), at(terminal, tmp_path / "piet", "piet")
    terminal.is_given_an_account("ada")
    for name in ("olga", "piet"):
        made_an_operator(terminal, name)
    start = tuple(word for word in START if word not in {"--lost", "phone"})
    assert said(olga, *start, status=4)["code"] == "second-operator"
    seen = said(piet, "recover", "status", "--account", "ada")["approval"]
    longer = ("temporary-pass", "issue", "--account", "ada", "--as-operator", "--reason", "x", "--expires", "30d", "--yes")
    assert said(olga, *longer, status=4)["code"] == "second-operator"
    assert said(piet, *APPROVE, "--id", seen["id"], status=4)["code"] == "another-wish"
    assert said(olga, *start, status=4)["code"] == "second-operator"
    seen = said(piet, "recover", "status", "--account", "ada")["approval"]
    assert said(piet, *APPROVE, "--id", seen["id"])["applied"] is True
    keep_secret(said(olga, *start)["secret"])
