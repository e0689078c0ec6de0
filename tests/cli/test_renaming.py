"""Another name for an account, by its person and by an operator."""

from __future__ import annotations

from datetime import timedelta

from tests.cli.running import PASSWORD, Passless
from tests.cli.test_operators_of_a_server import helpdesk, office

__all__ = ["helpdesk", "office"]


def test_a_name_takes_a_proof_and_the_name_to_show_takes_none(passless: Passless) -> None:
    passless.account("anna")
    passless.now += timedelta(minutes=11)
    error = passless.json("account", "rename", "lady", status=5)
    assert (error["code"], error["hint"]) == ("weak-proof", "prove it again: passless sign-in --with password")
    assert passless.json("account", "rename", "lady", "--dry-run")["plan"]["accepted"] is True
    assert passless.json("account", "rename", "--display-name", "Anna L.")["applied"] is True
    passless.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert passless.json("account", "rename", "lady")["applied"] is True
    assert passless.json("status")["account"] == "lady"


def test_a_name_that_means_something_else_is_refused_at_once(passless: Passless) -> None:
    for arguments in (("--no-password",), ("--no-password", "--dry-run")):
        error = passless.json("account", "create", "Me", *arguments, status=2)
        assert error["code"] == "bad-name"


def test_an_operator_gives_a_name_and_only_that(helpdesk: Passless) -> None:
    wish = ("--account", "anna", "--as", "boss", "--as-operator", "--reason", "misspelt")
    assert helpdesk.json("account", "rename", "--display-name", "A", *wish, status=4)["code"] == "operator-may-not"
    assert helpdesk.json("account", "rename", "hanna", *wish)["applied"] is True
    last = helpdesk.json("audit", "list", "--account", "hanna", "--as", "boss")[-1]
    assert (last["event"], last["actor"], last["details"]["reason"]) == ("rename-account", "boss", "misspelt")
    assert helpdesk.json("account", "create", "anna", "--no-password", status=2)["code"] == "name-taken"
