"""The session file: who is signed in here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from passless.domain.secret import Secret
from passless.session_tokens import SessionTokens
from tests.cli.running import PASSWORD, Passless


@pytest.fixture
def tokens(tmp_path: Path) -> SessionTokens:
    return SessionTokens(tmp_path / "local.json")


def test_the_newest_account_of_a_name_is_the_one(tokens: SessionTokens) -> None:
    tokens.keep("old", "anna", Secret("old token"))
    tokens.keep("new", "Anna", Secret("new token"))
    assert tokens.token_of("anna") == Secret("new token")
    assert tokens.token_of("old") is None
    tokens.choose("newest", "anna")
    assert (tokens.chosen, tokens.token_of("anna")) == ("newest", None)


def test_who_takes_the_name_of_the_chosen_account_is_chosen(tokens: SessionTokens) -> None:
    tokens.choose("old", "anna")
    tokens.keep("new", "anna", Secret("new token"))
    assert tokens.chosen == "new"


def test_an_account_of_another_name_stays(tokens: SessionTokens) -> None:
    tokens.keep("1", "anna", Secret("hers"))
    tokens.keep("2", "ben", Secret("his"))
    tokens.rename("2", "benjamin")
    assert (tokens.token_of("anna"), tokens.token_of("benjamin")) == (Secret("hers"), Secret("his"))


def test_a_file_with_two_accounts_of_a_name_gives_the_newest(tokens: SessionTokens) -> None:
    written = {"accounts": {"old": {"name": "anna", "token": "old token"}, "new": {"name": "anna", "token": "new token"}}}
    tokens.path.write_text(json.dumps(written))
    assert tokens.token_of("anna") == Secret("new token")


def test_an_account_in_a_store_that_was_made_again_is_signed_in(anna: Passless) -> None:
    shutil.rmtree(anna.home / "data")
    anna.account("anna")
    assert anna.json("status", "--account", "anna")["session"] is not None
    assert anna.json("account", "rename", "--display-name", "Anna B.", "--account", "anna")["applied"] is True


def test_a_renewed_token_takes_the_place_of_the_one_of_before_and_of_no_other(tokens: SessionTokens) -> None:
    tokens.keep("1", "anna", Secret("hers"))
    tokens.keep("2", "ben", Secret("his"))
    tokens.renew(Secret("hers"), Secret("hers, renewed"))
    tokens.renew(Secret("nobody's"), Secret("a thief's"))
    assert (tokens.token_of("anna"), tokens.token_of("ben")) == (Secret("hers, renewed"), Secret("his"))


@pytest.mark.parametrize("step_up", ["a password", "a method"])
def test_a_copied_session_file_is_worth_nothing_once_more_was_proven(anna: Passless, step_up: str) -> None:
    """Must hold 7: whoever has the token of before has nothing of what was proven; the person goes on."""
    file = next((anna.home / "state" / "sessions").glob("*.json"))
    copied = file.read_bytes()
    if step_up == "a method":
        anna.totp("--name", "Aegis")
    else:
        anna("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    kept = file.read_bytes()
    assert kept != copied
    assert anna.json("recovery-code", "new")["shown_once"] is True
    file.write_bytes(copied)
    assert anna.json("recovery-code", "new", status=5)["code"] == "sign-in-needed"
    file.write_bytes(kept)
    assert len(anna.json("session", "list")) == 1
