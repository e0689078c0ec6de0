"""An authenticator of other people's making signs in at a real `passless serve`, as a program of somebody's own would do it.

The npm package `nid-webauthn-emulator` makes the answers to what the HTTP interface begins; nothing of ours stands between.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.server.asking import PASSWORD, Caller
from tests.server.serving import Served, a_server, keep_secret
from tests.strangers.emulated_key import Key, key

__all__ = ["key"]

KINDS = ("security-key", "passkey")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with a_server(tmp_path) as running:
        yield running


@pytest.fixture
def ada(served: Served) -> Iterator[Caller]:
    """Somebody who has just made an account without any password."""
    with Caller(served) as caller:
        caller.create(password=None)
        yield caller


def enrol(who: Caller, key: Key, kind: str = "security-key") -> Mapping[str, Any]:
    """Add what the emulator is."""
    begun = who.post("/accounts/me/ceremonies", {"type": "enrol", "kind": kind}, 201)
    done = finish(who, begun, key.answer(begun), kind)
    method: Mapping[str, Any] = done["method"]
    return method


def begin(who: Caller, kind: str = "security-key", *, nameless: bool = False) -> Mapping[str, Any]:
    """Begin to sign in."""
    path = "/ceremonies" if nameless else f"/accounts/{who.name}/ceremonies"
    begun: Mapping[str, Any] = who.post(path, {"type": "sign-in", "kind": kind}, 201)
    return begun


def finish(who: Caller, begun: Mapping[str, Any], answer: str, kind: str = "security-key", status: int = 200) -> Any:
    """Finish what was begun; a new session is kept."""
    done = who.post(f"/ceremonies/{begun['ceremony']}", {"kind": kind, "text": answer}, status)
    if "token" in done:
        who.token = keep_secret(done["token"])
    return done


def leave(who: Caller) -> None:
    """Sign out, and see that it is so."""
    who.post("/sign-out", {"everywhere": False})
    assert who.get("/accounts/me", 401)["code"] == "sign-in-needed"
    who.token = ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_it_signs_up_adds_itself_and_signs_in_again(ada: Caller, key: Key, kind: str, algorithm: str) -> None:
    key = replace(key, algorithm=algorithm)
    method = enrol(ada, key, kind)
    assert (method["kind"], method["two_factor"]) == (kind, True)
    leave(ada)
    begun = begin(ada, kind)
    assert len(begun["publicKey"]["allowCredentials"]) >= 4
    done = finish(ada, begun, key.answer(begun), kind)
    assert (done["account"], done["session"]["strength"]) == ("ada", 2)
    assert ada.get("/accounts/me")["passwordless"]


def test_a_passkey_says_whose_it_is(ada: Caller, key: Key) -> None:
    enrol(ada, key, "passkey")
    leave(ada)
    begun = begin(ada, "passkey", nameless=True)
    assert "allowCredentials" not in begun["publicKey"]
    assert finish(ada, begun, key.answer(begun), "passkey")["account"] == "ada"


@pytest.mark.parametrize("elsewhere", ["http://localhost:1", "https://localhost", "http://login.localhost"])
def test_an_answer_for_another_origin_is_refused(ada: Caller, key: Key, elsewhere: str) -> None:
    """Those for which an authenticator signs, since they end in the same name. The right one is taken afterwards."""
    enrol(ada, key)
    leave(ada)
    begun = begin(ada)
    assert begun["publicKey"]["rpId"] == "localhost"
    assert finish(ada, begun, key.answer(begun, origin=elsewhere), status=401)["code"] == "wrong-proof"
    assert finish(ada, begun, key.answer(begun))["account"] == "ada"


def test_an_authenticator_signs_for_no_other_host(ada: Caller, key: Key) -> None:
    enrol(ada, key)
    with pytest.raises(AssertionError, match="SecurityError"):
        key.answer(begin(ada), origin="https://passless.example")


def test_an_answer_is_taken_once(ada: Caller, key: Key) -> None:
    """Must hold 5 and 12: neither its ceremony nor, in another one, the answer itself."""
    enrol(ada, key)
    leave(ada)
    begun = begin(ada)
    answer = key.answer(begun)
    finish(ada, begun, answer)
    ada.token = ""
    assert finish(ada, begun, answer, status=401)["code"] == "no-such-ceremony"
    assert finish(ada, begun, key.answer(begun), status=401)["code"] == "no-such-ceremony"
    assert finish(ada, begin(ada), answer, status=401)["code"] == "wrong-proof"


def test_what_was_begun_for_one_account_signs_nobody_else_in(ada: Caller, served: Served, key: Key) -> None:
    """Must hold 5: a ceremony is bound to its account."""
    enrol(ada, key)
    leave(ada)
    with Caller(served, name="grace") as grace:
        grace.create(password=None)
        grace.token = ""
        begun = begin(grace)
        asked = {**begun, "publicKey": {**begun["publicKey"], "allowCredentials": begin(ada)["publicKey"]["allowCredentials"]}}
        assert finish(grace, begun, key.answer(asked), status=401)["code"] == "wrong-proof"


def test_it_comes_by_invitation(tmp_path: Path, key: Key) -> None:
    """An operator's link makes the account; from then on it is the same."""
    with a_server(tmp_path, sign_up="invitation") as served, Caller(served) as ada:
        on_host(tmp_path, "account", "create", "desk", "--password-file", "-", typed=keep_secret(PASSWORD))
        on_host(tmp_path, "operator", "add", "desk", "--first", "--yes")
        with Caller(served, name="desk") as desk:
            desk.sign_in()
            made = desk.post("/invitations", {"name": "ada"}, 201, headers={"Passless-Reason": "new"})
        assert ada.post("/accounts", {"name": "ada", "password": None}, 403)["code"] == "invitation-needed"
        ada.create(password=None, invitation=keep_secret(made["secret"]))
        enrol(ada, key)
        leave(ada)
        begun = begin(ada)
        assert finish(ada, begun, key.answer(begun))["account"] == "ada"


def on_host(folder: Path, *arguments: str, typed: str = "") -> None:
    """Run passless where the server's store is."""
    settings = f'[profiles.srv]\nstore = "sqlite:///{folder}/accounts.sqlite"\nvault_file = "{folder}/vault.key"\n'
    (folder / "home" / "config" / "config.toml").write_text(f'profile = "srv"\n{settings}')
    command, home = [sys.executable, "-m", "passless", *arguments], {"PASSLESS_HOME": str(folder / "home")}
    done = subprocess.run(command, env=os.environ | home, input=typed, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
