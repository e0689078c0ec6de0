"""Signing in at a server: right here, in the browser, and on another device."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from passless.cli import asking, elsewhere
from tests.cli.remote.terminal import Terminal
from tests.cli.remote.visitor import Visitor
from tests.cli.running import PASSWORD
from tests.directories.server.stand_in import ABOUT, a_stand_in, problem, said
from tests.server.serving import Served, keep_secret


def token_of(terminal: Terminal) -> str:
    (account,) = json.loads(terminal.session_file.read_text())["accounts"].values()
    return keep_secret(str(account["token"]))


def test_a_profile_says_which_server_answers(terminal: Terminal, served: Served) -> None:
    added = terminal.json("profile", "add", "other", "--server", f"{served.url}/", "--dry-run")
    assert added["applied"] is False
    assert added["address"] == served.url
    assert added["server"]["name"] == "passless"
    assert added["server"]["version"]
    assert "other" not in [one["name"] for one in terminal.json("profile", "list")]


def test_a_server_under_another_name_is_refused_with_its_own(terminal: Terminal) -> None:
    with a_stand_in(said({**ABOUT, "url": "https://accounts.example.org"})) as server:
        error = terminal.json("profile", "add", "other", "--server", server.url, status=2)
    assert "https://accounts.example.org" in error["message"]


def test_a_person_signs_in_with_a_password_and_out_again(ada: Terminal) -> None:
    assert ada.json("sign-out") == {"applied": True, "plan": None, "ended": 1}
    assert ada.json("status", status=5)["code"] == "sign-in-needed"
    signed_in = ada.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert signed_in["account"] == ada.name
    assert "token" not in signed_in
    status = ada.json("status")
    assert (status["profile"], status["account"], status["session"]["strength"]) == ("work", ada.name, 1)


def test_a_session_is_kept_in_a_file_of_ones_own_where_there_is_no_keyring_and_that_is_said_once(terminal: Terminal) -> None:
    """Must hold 2."""
    terminal.json("profile", "set", "work", "--vault", "auto")
    made = terminal("account", "create", terminal.name, "--password-file", "-", typed=PASSWORD)
    assert "kept in a file" in made.stderr
    assert "--vault keyring" not in made.stderr  # there is none
    again = terminal("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert (again.status, again.stderr) == (0, "")
    assert stat.S_IMODE(terminal.session_file.stat().st_mode) == 0o600


def test_a_session_that_ended_is_told_with_the_name_of_its_account(ada: Terminal) -> None:
    ada.json("session", "end", "--all", "--yes")
    error = ada.json("method", "list", status=5)
    assert error["message"] == f'sign in to "{ada.name}" first'
    assert error["hint"] == f"passless sign-in --account {ada.name}"


def test_somebody_elses_account_is_named_in_the_hint(ada: Terminal) -> None:
    error = ada.json("status", "--account", "zoe", status=5)
    assert error["message"] == 'sign in to "zoe" first'
    assert error["hint"].startswith("passless sign-in --account zoe")


def test_a_recovery_is_planned_by_who_cannot_sign_in(terminal: Terminal) -> None:
    planned = terminal.json("recover", "start", "--account", "zoe", "--dry-run")
    assert (planned["plan"]["accepted"], planned["plan"]["before"]["state"]) == (True, "unknown")


def test_a_server_says_of_itself_what_it_cannot_do(ada: Terminal) -> None:
    error = ada.json("method", "add", "phone", status=7)
    assert (error["message"], error["hint"]) == (
        "codes by SMS are not built yet",
        "add one of: security-key, passkey, totp",
    )


def test_a_server_is_added_under_its_own_address_only(terminal: Terminal, served: Served) -> None:
    error = terminal.json("profile", "add", "other", "--server", served.url.replace("localhost", "127.0.0.1"), status=2)
    assert error["message"] == f"this server answers at {served.url} only"
    assert served.url in error["hint"]
    added = terminal("profile", "add", "other", "--server", served.url)
    assert "passless, passless" not in added.stdout
    assert "passless, passless" not in terminal("doctor").stdout


def test_two_step_asks_for_a_second_proof_here_too(ada: Terminal) -> None:
    app = ada.totp()
    keep_secret(ada.json("recovery-code", "new", "--yes")["code"])
    ada.json("two-step", "on")
    ada.json("sign-out")
    half = ada("sign-in", "--with", "password", "--password-file", "-", "--json", typed=PASSWORD)
    assert half.status == 5
    assert half.json["accepts"] == ["totp"]
    code = ada.now_code(app)
    done = ada.json("sign-in", "--finish", half.json["ceremony"], "--with", "totp", "--code-file", "-", typed=code)
    assert done["session"]["strength"] == 2


def test_the_browser_signs_the_terminal_in(ada: Terminal) -> None:
    before = token_of(ada)
    (old,) = (one["id"] for one in ada.json("session", "list") if one["current"])
    signed_in = ada("sign-in", "--browser", "--json")
    assert signed_in.status == 0, signed_in.stderr
    assert (signed_in.json["account"], signed_in.json["kind"]) == (ada.name, "browser")
    assert "/oauth/authorize?" in signed_in.stderr
    assert token_of(ada) != before
    sessions = {one["id"]: one for one in ada.json("session", "list")}
    assert [one["kind"] for one in sessions.values() if one["current"]] == ["browser"]
    assert old not in sessions  # the one that was replaced has ended


def test_nobody_sees_in_the_arguments_of_the_browser_where_it_is_led(ada: Terminal) -> None:
    """Must hold 1: with the state and the port another user of the machine could answer in the person's place."""
    signed_in = ada("sign-in", "--browser")
    started_with = Path(f"{ada._browser}.started-with").read_text()
    (address,) = re.findall(r"http\S*/oauth/authorize\S*", signed_in.stderr)
    query = parse_qs(urlsplit(address).query)
    assert started_with.startswith("file:///")
    for secret in (query["state"][0], query["code_challenge"][0], query["redirect_uri"][0].rpartition(":")[2]):
        assert secret not in started_with
    assert not Path(unquote(urlsplit(started_with).path)).exists()  # it is gone with the sign-in


def test_who_signed_in_is_said_before_anything_is_done(ada: Terminal) -> None:
    eve = f"eve-{ada.name}"
    ada.is_given_an_account(eve)
    ada.signs_in_as(eve)
    signed_in = ada("sign-in", "--browser")
    assert f'"{eve}" signed in there; commands still act on "{ada.name}"' in signed_in.stderr
    assert f"signed in as {eve}" in signed_in.stdout


def test_a_sign_in_in_the_browser_is_a_step_up(ada: Terminal) -> None:
    ada("sign-in", "--browser")
    assert ada.json("status")["session"]["strength"] == 1
    assert ada.json("token", "create", "ci", "--may", "status")["secret"]


def test_somebody_else_in_the_browser_is_not_taken_for_the_one_who_was_named(ada: Terminal) -> None:
    eve = f"eve-{ada.name}"
    ada.is_given_an_account(eve)
    ada.signs_in_as(eve)
    refused = ada("sign-in", "--browser", "--account", ada.name)
    assert refused.status == 5
    assert eve in refused.stderr


def test_another_device_signs_the_terminal_in_and_gives_no_step_up(
    ada: Terminal, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must hold 6."""
    ada.json("sign-out")
    begun = ada.json("sign-in", "--device", "--begin")
    assert set(begun) == {
        "ceremony",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_at",
        "interval",
    }
    phone = Visitor(served.url)
    phone.goes_to(begun["verification_uri_complete"]).signs_in(ada.name, PASSWORD)
    phone.sends("/device", user_code=begun["user_code"])
    phone.sends("/device", answer="approve")
    phone.closes()
    signed_in = ada("sign-in", "--finish", begun["ceremony"], "--json")
    assert signed_in.status == 0, signed_in.stderr
    assert (signed_in.json["kind"], signed_in.json["session"]["strength"]) == ("device-code", 0)
    assert elsewhere.NO_STEP_UP in signed_in.stderr
    for command in (
        ("token", "create", "ci", "--may", "status"),
        ("device", "lost", "phone", "--yes"),
        ("session", "end", "--all", "--yes"),
        ("account", "rename", "gone"),
        ("sign-out", "--everywhere", "--yes"),
        ("method", "add", "totp", "--begin"),
    ):
        refused = ada.json(*command, status=5)
        assert refused["code"] == "session-may-not"
        assert "passless sign-in" in refused["hint"]
    assert ada.json("account", "rename", "gone", "--dry-run", status=5)["code"] == "session-may-not"
    assert ada.json("device", "list") == []
    assert ada.json("sign-in", "--device", "--finish", begun["ceremony"], status=3)["code"] == "no-such-ceremony"


def test_a_device_code_that_is_refused_there_is_refused_here(ada: Terminal, served: Served) -> None:
    begun = ada.json("sign-in", "--device", "--begin")
    phone = Visitor(served.url)
    phone.goes_to(begun["verification_uri_complete"]).signs_in(ada.name, PASSWORD)
    phone.sends("/device", user_code=begun["user_code"])
    phone.sends("/device", answer="refuse")
    phone.closes()
    assert ada.json("sign-in", "--finish", begun["ceremony"], status=5)["code"] == "sign-in-refused"


def test_what_waits_for_another_device_is_in_a_file_of_ones_own(ada: Terminal) -> None:
    """Must hold 2."""
    ada.json("sign-in", "--device", "--begin")
    file = ada.home / "state" / "sessions" / "work.device.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--browser", "--device"), 2),
        (("--browser", "--with", "totp"), 2),
        (("--browser", "--begin"), 2),
        (("--device", "--finish", "nothing"), 3),
        ((), 2),
    ],
)
def test_ways_that_exclude_each_other_are_wrong_use(ada: Terminal, arguments: tuple[str, ...], status: int) -> None:
    ada.json("sign-in", *arguments, status=status)


@pytest.mark.parametrize("flag", ["--browser", "--device"])
def test_an_account_of_this_machine_has_no_page_to_sign_in_at(ada: Terminal, flag: str) -> None:
    assert ada.json("sign-in", flag, "--profile", "local", status=7)["code"] == "no-page-here"


def test_a_token_is_never_sent_to_another_server(ada: Terminal, tmp_path: Path) -> None:
    """A profile that moves knows nothing of its sessions elsewhere."""
    with a_stand_in(said({})) as other:
        other.replies = [said({**ABOUT, "url": other.url}), problem(401, "proof-needed", "sign-in-needed")]
        assert ada.json("profile", "set", "work", "--server", other.url, "--yes")["address"] == other.url
        for command in (("status",), ("audit", "list"), ("account", "rename", "eve"), ("device", "lost", "phone", "--dry-run")):
            error = ada.json(*command, status=5)
            assert (error["code"], error["hint"].partition(";")[0]) == ("sign-in-needed", "passless sign-in --account NAME")
        assert ada.json("status", "--account", ada.name, status=5)["code"] == "sign-in-needed"
        assert not any("Authorization" in one.headers for one in other.asked)


def test_signing_out_of_a_server_that_is_away_forgets_the_session_here(ada: Terminal) -> None:
    settings = ada.home / "config" / "config.toml"
    sessions = ada.session_file.read_text()
    gone = "http://localhost:1"
    settings.write_text(settings.read_text().replace(ada.served.url, gone))
    ada.session_file.write_text(sessions.replace(ada.served.url, gone))
    assert ada.json("sign-out", status=6)["code"] == "signed-out-here-only"
    assert "token" not in ada.session_file.read_text()


def test_offline_is_status_6(ada: Terminal) -> None:
    settings = ada.home / "config" / "config.toml"
    settings.write_text(settings.read_text().replace(ada.served.url, "http://localhost:1"))
    error = ada.json("status", "--account", ada.name, status=5)
    assert error["code"] == "sign-in-needed"  # no token for that origin, so nothing is asked
    error = ada.json("profile", "add", "off", "--server", "http://localhost:1", status=6)
    assert error["code"] == "server-unreachable"
    verdicts = ada("doctor", "--json").json
    assert [one["ok"] for one in verdicts if one["check"] == "server"] == [False]


def test_what_needs_the_store_says_where_it_is_done(ada: Terminal, tmp_path: Path) -> None:
    for arguments in (("vault", "status"), ("audit", "verify")):
        error = ada.json(*arguments, status=7)
        assert ada.served.url in error["message"]
        assert "host" in error["hint"]


def test_doctor_looks_at_the_server_and_the_session(ada: Terminal) -> None:
    verdicts = {one["check"]: one for one in ada("doctor", "--json").json}
    assert verdicts["server"]["ok"]
    assert ada.name in verdicts["session"]["message"]
    assert "store" not in verdicts


def test_several_accounts_are_signed_in_at_once_and_one_is_chosen(ada: Terminal) -> None:
    eve = f"eve-{ada.name}"
    ada.is_given_an_account(eve)
    ada.json("sign-in", "--account", eve, "--with", "password", "--password-file", "-", typed=PASSWORD)
    assert ada.json("status")["account"] == ada.name
    assert ada.json("account", "use", eve)["account"] == eve
    assert ada.json("status")["account"] == eve
    assert ada.json("status", "--account", ada.name)["account"] == ada.name
    assert ada.json("account", "use", "nobody", status=5)["code"] == "not-signed-in"
    ada.json("sign-out", "--account", eve)
    assert ada.json("status", "--account", ada.name)["session"]


def test_another_device_is_shown_where_to_go_in_one_command_too(ada: Terminal, served: Served) -> None:
    shown: list[str] = []

    def approve(text: str) -> None:
        shown.append(text)
        if len(shown) > 1:
            return
        code = json.loads(text)
        phone = Visitor(served.url)
        phone.goes_to(code["verification_uri_complete"]).signs_in(ada.name, PASSWORD)
        phone.sends("/device", user_code=code["user_code"])
        phone.sends("/device", answer="approve")
        phone.closes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "say", approve)
        assert ada.json("sign-in", "--device")["kind"] == "device-code"
    assert shown[1] == elsewhere.NO_STEP_UP


def test_the_code_for_another_device_is_drawn_with_its_address(ada: Terminal) -> None:
    drawn = ada("sign-in", "--device", "--begin")
    assert "/device" in drawn.stdout
    assert "passless sign-in --finish" in drawn.stdout
    assert "█" in drawn.stdout
