"""`sign-out`, and who acts: never another account than the one that was named."""

from __future__ import annotations

import pytest

from tests.cli.running import PASSWORD, Passless


@pytest.fixture
def both(passless: Passless) -> Passless:
    """passless with two accounts, both signed in; ben is the chosen one."""
    passless.account("anna")
    passless.account("ben")
    return passless


def is_signed_in(passless: Passless, account: str) -> bool:
    return passless.json("status", "--account", account)["session"] is not None


def test_the_account_that_is_named_is_signed_out(both: Passless) -> None:
    assert both.json("sign-out", "--account", "anna")["ended"] == 1
    assert (is_signed_in(both, "anna"), is_signed_in(both, "ben")) == (False, True)


@pytest.mark.parametrize("more", [(), ("--yes",)])
def test_signing_out_an_account_that_is_not_signed_in_ends_no_other_session(both: Passless, more: tuple[str, ...]) -> None:
    both.json("sign-out", "--account", "anna")
    assert both.json("sign-out", "--account", "anna", *more)["ended"] == 0
    assert both.json("sign-out", "--account", "anna", "--everywhere", status=5)["code"] == "not-signed-in"
    assert is_signed_in(both, "ben")


def test_signing_out_an_unknown_account_ends_no_other_session(both: Passless) -> None:
    assert both.json("sign-out", "--account", "nobody", status=3)["code"] == "no-such-account"
    assert is_signed_in(both, "ben")


def test_the_environment_names_the_account_too(both: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    both.json("sign-out", "--account", "anna")
    monkeypatch.setenv("PASSLESS_ACCOUNT", "anna")
    assert both.json("sign-out")["ended"] == 0
    assert is_signed_in(both, "ben")


def test_the_acting_account_may_be_named_instead(both: Passless) -> None:
    assert both.json("sign-out", "--as", "anna", "--account", "ben", status=2)["code"] == "contradiction"
    assert both.json("sign-out", "--as", "anna")["ended"] == 1
    assert (is_signed_in(both, "anna"), is_signed_in(both, "ben")) == (False, True)


@pytest.mark.parametrize("arguments", [("status",), ("sign-out",), ("recovery-code", "new"), ("session", "list")])
def test_acting_as_somebody_who_is_not_signed_in_is_an_error(both: Passless, arguments: tuple[str, ...]) -> None:
    assert both.json(*arguments, "--as", "nobody", status=5)["code"] == "not-signed-in"
    both.json("sign-out", "--account", "anna")
    error = both.json(*arguments, "--as", "anna", status=5)
    assert "passless sign-in --account anna" in error["hint"]
    assert is_signed_in(both, "ben")


def test_signing_out_without_a_name_is_for_the_chosen_account(both: Passless) -> None:
    assert both.json("sign-out")["ended"] == 1
    assert both.json("sign-out")["ended"] == 0
    assert (is_signed_in(both, "anna"), is_signed_in(both, "ben")) == (True, False)
    assert both("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD).status == 0
