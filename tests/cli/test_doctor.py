"""`doctor`: what works, what does not, and that looking changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from passless.domain.errors import Unavailable
from tests.cli.running import Passless
from tests.free_ports import free_port
from tests.software_key import SoftwareKey, plugged_in

CHECKS = ["versions", "terminal", "clock", "folders", "keyring", "keys", "store", "network"]


def said(passless: Passless, check: str) -> list[dict[str, Any]]:
    return [one for one in passless("doctor", "--json").json if one["check"] == check]


def test_every_check_has_its_keys(passless: Passless) -> None:
    found = passless("doctor", "--json").json
    assert list(dict.fromkeys(one["check"] for one in found)) == CHECKS
    assert all(set(one) == {"check", "ok", "message", "hint", "tested"} for one in found)


def test_looking_makes_nothing(passless: Passless) -> None:
    before = sorted(passless.home.rglob("*"))
    assert passless("doctor").stdout
    assert sorted(passless.home.rglob("*")) == before
    (store,) = said(passless, "store")
    assert "not made yet" in store["message"]


def test_a_healthy_store_is_said_to_be_one(anna: Passless) -> None:
    found = said(anna, "store")
    assert all(one["ok"] for one in found)
    assert any("1 account" in one["message"] for one in found)
    assert any("free" in one["message"] for one in found)
    assert said(anna, "vault")[0]["ok"] is True


def test_people_see_ticks_and_hints(anna: Passless) -> None:
    text = anna("doctor").stdout
    assert "✓" in text
    assert "→" in text


def test_a_file_that_is_open_to_others_is_named(anna: Passless) -> None:
    store = anna.home / "data" / "stores" / "local.sqlite"
    store.chmod(0o644)
    (found,) = [one for one in said(anna, "store") if not one["ok"]]
    assert "open to other people" in found["message"]
    assert f"chmod 600 '{store}'" in found["hint"]
    (anna.home / "state").chmod(0o755)
    assert any("chmod 700" in one["hint"] for one in said(anna, "folders"))


def test_a_damaged_store_does_not_end_the_other_looks(anna: Passless) -> None:
    store = anna.home / "data" / "stores" / "local.sqlite"
    store.write_bytes(b"nothing like a database" * 500)
    found = anna("doctor", "--json").json
    assert any(one["check"] == "store" and not one["ok"] for one in found)
    assert found[-1]["check"] == "network"


def test_a_missing_vault_key_is_named(anna: Passless) -> None:
    anna.totp()
    for path in (anna.home / "data" / "vault").glob("*.key"):
        path.unlink()
    (found,) = said(anna, "vault")
    assert found["ok"] is False
    assert "vault import" in found["hint"]


def test_keys_are_named(passless: Passless, tmp_path: Path) -> None:
    with plugged_in(SoftwareKey(file=tmp_path / "key", pin="1234")):
        (found,) = said(passless, "keys")
    assert found["ok"] is True
    assert "with a PIN" in found["message"]


def test_a_broken_policy_of_the_profile_is_named(anna: Passless, tmp_path: Path) -> None:
    policy = tmp_path / "rules.toml"
    policy.write_text("")
    anna("profile", "set", "local", "--policy", str(policy))
    assert said(anna, "policy")[0]["ok"] is True
    policy.unlink()
    assert any(not one["ok"] and "rules.toml" in one["message"] for one in anna("doctor", "--json").json)


def test_a_check_that_fails_is_a_verdict(passless: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise Unavailable("the bus is out", hint="walk")

    monkeypatch.setattr("passless.wiring.key_reader", broken)
    (found,) = said(passless, "keys")
    assert found == {"check": "keys", "ok": False, "message": "the bus is out", "hint": "walk", "tested": True}


def test_what_is_wrong_ends_it_with_status_6_once_everything_was_looked_at(anna: Passless) -> None:
    is_fine = all(one["ok"] for one in anna("doctor", "--json").json)
    assert anna("doctor").status == (0 if is_fine else 6)
    store = anna.home / "data" / "stores" / "local.sqlite"
    store.chmod(0o644)
    told = anna("doctor")
    assert told.status == 6
    assert "network" in told.stdout
    assert "passless: error: not right: " in told.stderr
    assert "store" in told.stderr
    assert anna("doctor", "--json").error["code"] == "something-wrong"


def test_a_profile_that_is_not_there_is_not_looked_at(anna: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    told = anna("--profile", "typo", "doctor")
    assert (told.status, told.stdout) == (3, "")
    assert 'there is no profile "typo"' in told.stderr
    monkeypatch.setenv("PASSLESS_PROFILE", "typo")
    assert anna("doctor").status == 3


def test_a_server_that_is_down_is_status_6_and_the_hint_leads_on(anna: Passless) -> None:
    with (anna.home / "config" / "config.toml").open("a") as settings:  # as it was written while the server was there
        settings.write(f'[profiles.work]\nserver = "http://localhost:{free_port()}"\n')
    told = anna("doctor", "--profile", "work")
    assert told.status == 6
    assert "nothing listens" in told.stdout
    assert "passless doctor" not in told.stdout


def test_a_clock_that_nothing_was_compared_with_has_no_tick(anna: Passless) -> None:
    (found,) = said(anna, "clock")
    assert (found["ok"], found["tested"]) == (True, False)


def test_arguments_are_refused(passless: Passless) -> None:
    assert passless("doctor", "everything").status == 2
