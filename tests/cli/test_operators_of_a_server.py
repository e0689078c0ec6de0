"""Operators, groups and invitations from the command line, on the host of a server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from passless.cli.context import Run
from passless.cli.options import Given
from passless.directories.local.served import serve_as
from passless.settings import Settings
from tests.cli.running import PASSWORD, Passless

URL = "https://passless.example.org"
BOSS = ("--as", "boss", "--reason", "they asked")


@pytest.fixture
def office(passless: Passless) -> Passless:
    """passless on the host of a server, with two accounts and no operator."""
    passless.account("boss")
    passless.account("anna")
    serve_its_store(passless)
    return passless


def serve_its_store(passless: Passless) -> None:
    run = Run(Given(), Settings({"PASSLESS_HOME": str(passless.home)}))
    parts: Any = run.directory.parts  # type: ignore[attr-defined]
    serve_as(parts.store, URL, at=passless.now, rules=parts.rules, move=False)
    run.close()


@pytest.fixture
def helpdesk(office: Passless) -> Passless:
    """The same, where boss is an operator over all."""
    assert office.json("operator", "add", "boss", "--first")["applied"] is True
    return office


def test_the_first_two_operators_are_made_on_the_host(office: Passless) -> None:
    office.account("third")
    planned = office.json("operator", "add", "boss", "--first", "--dry-run")
    assert planned["plan"]["change"] == {"type": "grant-operator", "over": "everybody"}
    assert office.json("operator", "add", "boss", "--first")["plan"]["effects"][0]["code"] == "operator"
    assert office.json("operator", "add", "boss", "--first", status=7)["code"] == "not-the-first"
    assert office.json("operator", "add", "anna", "--first")["applied"] is True
    for name in ("boss", "anna", "third"):
        assert office.json("operator", "add", name, "--first", status=7)["code"] == "not-the-first"
    listed = office.json("operator", "list", "--as", "boss")
    assert sorted((one["account"], one["over"], one["granted_by"]) for one in listed) == [
        ("anna", [], None),
        ("boss", [], None),
    ]
    assert "the host" in office("operator", "list", "--as", "boss").stdout


def test_the_second_account_is_made_on_the_host_once_the_first_operator_is_signed_out(passless: Passless) -> None:
    """As docs/server.md says: making an account signs it in, and an operator makes none for others."""
    created = ("account", "create", "bert", "--password-file", "-")
    passless.account("anna")
    serve_its_store(passless)
    assert passless.json("operator", "add", "anna", "--first")["applied"] is True
    refused = passless(*created, "--json", typed=PASSWORD)
    assert (refused.status, refused.error["code"]) == (7, "invite-instead")
    assert "passless sign-out" in refused.error["hint"]
    passless.json("sign-out")
    assert passless.json(*created, typed=PASSWORD)["account"]
    assert passless.json("operator", "add", "bert", "--first")["applied"] is True


def test_whoever_opens_the_store_of_a_server_has_no_say_over_others(office: Passless) -> None:
    """Must hold 9: no owner override."""
    claim = ("--account", "boss", "--as", "anna", "--as-operator", "--reason", "I own the file")
    assert office.json("temporary-pass", "issue", *claim, status=5)["code"] == "not-an-operator"
    assert office.json("status", "--account", "boss", "--as", "anna", status=5)["code"] == "sign-in-needed"
    assert office.json("status", "--account", "nobody", "--as", "anna", status=5)["code"] == "sign-in-needed"
    assert office.json("operator", "add", "anna", "--as", "anna", "--reason", "x", status=5)["code"] == "not-an-operator"


def test_whoever_asks_for_somebody_elses_account_hears_how_operators_do_it(office: Passless) -> None:
    """Must hold 3: the same for every name."""
    hints = {office.json("status", "--account", name, "--as", "anna", status=5)["hint"] for name in ("boss", "nobody")}
    assert {hint.replace("boss", "NAME").replace("nobody", "NAME") for hint in hints} == {
        "passless sign-in --account NAME; as an operator over it: --as-operator --reason TEXT"
    }


def test_where_there_is_no_account_the_hint_says_how_to_make_one(anna: Passless) -> None:
    assert anna.json("status", "--account", "ada", status=3)["hint"] == "list the accounts: passless account list"
    anna.json("account", "delete", "--yes")
    assert "passless account create NAME" in anna.json("status", "--account", "ada", status=3)["hint"]


def test_accounts_are_chosen_renamed_and_planned_on_the_host_by_who_is_signed_in(office: Passless) -> None:
    assert office.json("account", "use", "boss")["account"] == "boss"
    assert office.json("account", "rename", "Chief", "--account", "boss")["applied"] is True
    assert office.json("account", "use", "nobody", status=5)["code"] == "sign-in-needed"
    assert office.json("account", "create", "carol", "--no-password", "--dry-run")["plan"]["accepted"] is True


def test_operators_are_made_listed_and_removed(helpdesk: Passless) -> None:
    assert helpdesk.json("operator", "add", "anna", "--over", "sales", "--over", "oslo", "--as", "boss", status=2)["code"] == (
        "missing-input"
    )
    assert helpdesk.json("operator", "add", "anna", "--over", "sales", "--over", "oslo", *BOSS)["applied"] is True
    assert [one["over"] for one in helpdesk.json("operator", "list", "--as", "boss")] == [["sales", "oslo"], []]
    assert helpdesk.json("operator", "remove", "anna", *BOSS, status=2)["code"] == "confirmation-needed"
    assert helpdesk.json("operator", "remove", "anna", *BOSS, "--dry-run")["plan"]["accepted"] is True
    assert helpdesk.json("operator", "remove", "anna", *BOSS, "--yes")["applied"] is True
    assert [one["account"] for one in helpdesk.json("operator", "list", "--as", "boss")] == ["boss"]
    shown = helpdesk("operator", "list", "--as", "boss").stdout
    assert "everybody" in shown


def test_groups_are_shown_and_set_and_taken_away_only_with_a_yes(helpdesk: Passless) -> None:
    shown = helpdesk.json("account", "groups", "anna", "--as", "boss")
    assert shown == {"account": "anna", "groups": [], "operator_over": None}
    assert helpdesk.json("account", "groups", "anna", "sales", "oslo", *BOSS)["applied"] is True
    assert helpdesk.json("account", "groups", "anna", "sales", *BOSS, status=2)["code"] == "confirmation-needed"
    assert helpdesk.json("account", "groups", "anna", "sales", *BOSS, "--yes")["applied"] is True
    assert helpdesk.json("account", "show", "anna", "--as", "boss")["groups"] == ["sales"]
    assert helpdesk.json("account", "groups", "anna", "sales", "--none", *BOSS, status=2)["code"] == "contradiction"
    assert helpdesk.json("account", "groups", "anna", "--none", *BOSS, "--yes")["applied"] is True
    assert "none" in helpdesk("account", "groups", "anna", "--as", "boss").stdout


def test_invitations_are_made_listed_and_stopped(helpdesk: Passless) -> None:
    planned = helpdesk.json("invitation", "create", "--group", "sales", "--name", "eve", *BOSS, "--dry-run")
    assert planned == {"applied": False, "plan": planned["plan"]}
    assert helpdesk.json("invitation", "list", "--as", "boss") == []
    made = helpdesk.json("invitation", "create", "--group", "sales", "--name", "eve", "--expires", "2d", *BOSS)
    assert made["link"] == f"{URL}/invitation#{made['secret']}"
    assert (made["groups"], made["name"], made["shown_once"], made["applied"]) == (["sales"], "eve", True, True)
    (listed,) = helpdesk.json("invitation", "list", "--as", "boss")
    assert (listed["id"], listed["made_by"]) == (made["id"], "boss")
    assert made["secret"] not in helpdesk("invitation", "list", "--as", "boss").stdout
    again = helpdesk.json("invitation", "create", "--name", "EVE", *BOSS)
    assert again["also_open"] == [made["id"]]
    assert "open as well" in helpdesk("invitation", "create", "--name", "eve", *BOSS).stdout
    assert helpdesk.json("invitation", "create", "--group", "bad group!", *BOSS, status=2)["code"] == "bad-name"
    revoke = ("invitation", "revoke", made["id"], *BOSS)
    assert helpdesk.json(*revoke, status=2)["code"] == "confirmation-needed"
    assert helpdesk.json(*revoke, "--dry-run")["plan"]["change"]["type"] == "revoke-invitation"
    assert helpdesk.json(*revoke, "--yes")["ended"] == [made["id"]]
    assert helpdesk.json(*revoke, "--yes", status=3)["code"] == "no-such-invitation"


def test_an_invitation_is_shown_as_a_qr_code_on_a_terminal(helpdesk: Passless) -> None:
    assert "█" in helpdesk("invitation", "create", *BOSS, terminal=True).stdout
    plain = helpdesk("invitation", "create", *BOSS).stdout
    assert "█" not in plain
    assert f"{URL}/invitation#pli_" in plain


def test_people_invite_nobody(helpdesk: Passless) -> None:
    """Who may not is told that, and not first that a reason is missing."""
    for arguments in (
        ("invitation", "create"),
        ("invitation", "list"),
        ("invitation", "revoke", "x", "--yes"),
        ("operator", "list"),
        ("operator", "add", "boss"),
        ("operator", "remove", "boss", "--yes"),
        ("account", "groups", "boss", "sales"),
    ):
        assert helpdesk.json(*arguments, "--as", "anna", status=5)["code"] in {"not-an-operator", "sign-in-needed"}


def test_an_operator_always_says_why(helpdesk: Passless) -> None:
    for arguments in (("invitation", "create"), ("invitation", "revoke", "x", "--yes"), ("operator", "add", "anna")):
        error = helpdesk.json(*arguments, "--as", "boss", status=2)
        assert (error["code"], "--reason" in error["hint"]) == ("missing-input", True)


def test_an_operator_helps_by_their_own_name_and_proof(helpdesk: Passless) -> None:
    """Must hold 6 and 8."""
    issue = ("temporary-pass", "issue", "--account", "anna", "--as-operator", *BOSS)
    assert helpdesk.json(*issue)["applied"] is True
    last = helpdesk.json("audit", "list", "--account", "anna", "--as", "boss")[-1]
    assert (last["event"], last["actor"], last["details"]["reason"]) == ("issue-temporary-pass", "boss", "they asked")
    helpdesk.now += timedelta(minutes=11)
    error = helpdesk.json(*issue, "--yes", status=5)
    assert (error["code"], "operator" in error["message"]) == ("weak-proof", True)
    helpdesk.json("sign-in", "--account", "boss", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert helpdesk.json(*issue, "--yes")["applied"] is True


def test_two_operators_agree_from_the_command_line(helpdesk: Passless, tmp_path: Path) -> None:
    helpdesk.account("second")
    helpdesk.json("operator", "add", "second", "--first")
    helpdesk.now += timedelta(hours=24)
    for name in ("boss", "second"):
        helpdesk.json("sign-in", "--account", name, "--with", "password", "--password-file", "-", typed=PASSWORD)
    policy = tmp_path / "policy.toml"
    policy.write_text("[recovery]\nsecond_operator = true\n")
    helpdesk.json("profile", "set", "local", "--policy", str(policy))
    start = ("recover", "start", "--account", "anna", "--as-operator", *BOSS)
    error = helpdesk.json(*start, status=4)
    assert (error["code"], "recover approve" in error["hint"]) == ("second-operator", True)
    asked = helpdesk.json("recover", "status", "--account", "anna", "--as", "second")["approval"]
    assert (asked["asked_by"], asked["approved_by"], asked["reason"]) == ("boss", None, "they asked")
    shown = helpdesk("recover", "status", "--account", "anna", "--as", "second").stdout
    assert "Two operators" in shown
    assert asked["id"] in shown
    approve = ("recover", "approve", "--account", "anna", "--reason", "I called them")
    assert helpdesk.json(*approve, "--as", "second", status=2)["code"] == "missing-input"
    assert helpdesk.json(*approve, "--as", "second", "--yes", status=2)["code"] == "missing-input"
    assert helpdesk.json(*approve, "--as", "second", "--dry-run")["plan"]["accepted"] is True
    assert helpdesk.json(*approve, "--as", "second", "--id", "another", status=4)["code"] == "another-wish"
    approve = (*approve, "--id", asked["id"])
    assert helpdesk.json(*approve, "--as", "boss", status=4)["code"] == "second-operator"
    assert helpdesk.json(*approve, "--as", "second", "--as-operator")["applied"] is True
    assert helpdesk.json(*start)["applied"] is True
    assert helpdesk.json(*start, "--yes", status=4)["code"] == "second-operator"


def test_an_embedded_store_says_that_it_has_no_operators(anna: Passless) -> None:
    for arguments in (
        ("operator", "add", "anna", "--first"),
        ("operator", "add", "anna", "--reason", "x"),
        ("operator", "remove", "anna", "--reason", "x", "--yes"),
        ("operator", "list"),
        ("invitation", "create"),
        ("invitation", "list"),
        ("invitation", "revoke", "x", "--yes"),
        ("account", "groups", "anna", "sales", "--reason", "x"),
        ("recover", "approve", "--account", "anna", "--as-operator", "--reason", "x", "--id", "x"),
    ):
        assert anna.json(*arguments, status=7)["code"] == "needs-a-server"


def test_an_operator_who_is_asked_for_a_proof_gives_their_own(helpdesk: Passless) -> None:
    """Must hold 6: at a terminal too, and not one of the account that is helped."""
    given = Given(account="anna", acting_as="boss", as_operator=True, reason="they called")
    run = Run(given, Settings({"PASSLESS_HOME": str(helpdesk.home)}))
    assert run.target == "anna"
    with run.for_oneself():
        assert (run.target, run.actor.operator) == ("boss", None)
    assert run.target == "anna"
    assert run.actor.operator is not None
    run.close()


def test_the_last_operator_over_everybody_is_told_so_before_she_goes(helpdesk: Passless) -> None:
    told = helpdesk("account", "delete", "boss", "--dry-run")
    assert told.status == 0
    assert "nobody would be left who may help everybody" in told.stdout
    assert "the operator over everybody goes with it" in told.stdout
    helpdesk.json("operator", "add", "anna", *BOSS)
    told = helpdesk("account", "delete", "boss", "--dry-run")
    assert "nobody would be left" not in told.stdout
    taken = helpdesk.json("operator", "remove", "anna", "--yes", *BOSS)
    assert taken["plan"]["problems"] == []


def test_who_takes_the_last_rights_over_everybody_away_is_told_so(helpdesk: Passless) -> None:
    helpdesk.json("operator", "add", "anna", "--over", "sales", *BOSS)
    problems = helpdesk.json("account", "delete", "boss", "--dry-run")["plan"]["problems"]
    (last,) = [one for one in problems if one["code"] == "last-operator"]
    assert (last["severity"], "--first" in last["hint"]) == ("warning", True)


def test_a_group_that_nobody_is_in_is_named(helpdesk: Passless) -> None:
    helpdesk.json("account", "groups", "anna", "sales", *BOSS)
    helpdesk.account("third")
    planned = helpdesk.json("operator", "add", "third", "--over", "sales", "--over", "salse", "--dry-run", *BOSS)["plan"]
    assert planned["accepted"] is True
    (empty,) = [one for one in planned["problems"] if one["code"] == "empty-group"]
    assert empty["message"] == 'nobody is in "salse"'


def test_an_operator_who_deletes_an_account_is_told_that_none_may(helpdesk: Passless) -> None:
    told = helpdesk("account", "delete", "anna", "--yes", "--as", "boss")
    assert told.status == 4
    assert "the person does it" in told.stderr
    assert "--as-operator" not in told.stderr
    told = helpdesk("account", "delete", "anna", "--yes", "--as-operator")
    assert told.status == 2
    assert "operators cannot do this for others" in told.stderr


def test_who_left_comes_back_with_the_recovery_code_whatever_an_operator_did(passless: Passless) -> None:
    """What docs/server.md says in "When somebody leaves"; the chapter changes with this."""
    passless.account("boss")
    passless.account("anna")
    code = passless.json("recovery-code", "new", "--yes", "--account", "anna")["code"]
    serve_its_store(passless)
    passless.json("operator", "add", "boss", "--first")
    passless.json("recover", "start", "--account", "anna", "--as-operator", "--yes", *BOSS)
    passless.json("session", "end", "--all", "--account", "anna", "--as-operator", "--yes", *BOSS)
    back = passless.json("recover", "start", "--account", "anna", "--code-file", "-", typed=code)
    assert back["account"] == "anna"
