"""The real Secret Service (gnome-keyring on a bus of its own): unlocked, locked, waiting for a prompt, and absent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vault.conftest import LOCKED, UNLOCKED

PATIENCE = 60  # seconds for an answer of a keyring on a busy machine
LIMIT = 180  # seconds for a whole session
ASK = Path(__file__).with_name("ask_vault.py")
PROMPTER = "org.gnome.keyring.SystemPrompter"  # the D-Bus name of what asks for the keyring's password
SILENT_PROMPTER = f"""\
[D-BUS Service]
Name={PROMPTER}
Exec=/bin/sh -c "exec sleep 30 >/dev/null 2>&1"
"""


def asked(home: dict[str, str], *, before: str | None = None, times: int = 1, limit: int = PATIENCE) -> list[dict[str, object]]:
    """Run `ask_vault.py`, in a session with a bus where `before` says how it starts; `limit` is that of each call."""
    command = [sys.executable, str(ASK), home["HOME"], str(limit)]
    if before is not None:
        together = " & ".join([f"{sys.executable} {ASK} {home['HOME']} {limit}"] * times)
        command = ["dbus-run-session", "--", "sh", "-c", f"{before}; {together} & wait"]
    done = subprocess.run(
        command, env=home, capture_output=True, text=True, timeout=LIMIT, check=True, stdin=subprocess.DEVNULL
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_a_session_bus_there_is_no_keyring_and_the_file_is_chosen(private_home: dict[str, str]) -> None:
    [answer] = asked(private_home)
    assert answer == {
        "kind": "file",
        "condition": "absent",
        "code": "no-keyring",
        "message": "there is no system keyring here",
    }


def test_an_unlocked_keyring_is_chosen_and_keeps_the_key_between_runs(
    secret_service: None, private_home: dict[str, str]
) -> None:
    [first] = asked(private_home, before=UNLOCKED)
    [second] = asked(private_home, before=UNLOCKED)
    assert (first["kind"], first["condition"], first["opened"]) == ("keyring", "works", "seed")
    assert second == first


def test_processes_that_create_at_once_end_with_the_same_key(secret_service: None, private_home: dict[str, str]) -> None:
    """Must hold 10: two writers at once lose no accepted change."""
    answers = asked(private_home, before=UNLOCKED, times=3)
    assert [answer["opened"] for answer in answers] == ["seed"] * 3
    assert len({answer["key"] for answer in answers}) == 1


def test_a_keyring_never_unlocked_is_locked(secret_service: None, private_home: dict[str, str]) -> None:
    [answer] = asked(private_home, before=LOCKED)
    assert (answer["kind"], answer["condition"], answer["code"]) == ("file", "locked", "vault-locked")


def test_a_locked_keyring_with_a_key_in_it_is_locked_and_the_key_survives(
    secret_service: None, private_home: dict[str, str]
) -> None:
    [before] = asked(private_home, before=UNLOCKED)
    [locked] = asked(private_home, before=LOCKED)
    [after] = asked(private_home, before=UNLOCKED)
    assert (locked["condition"], locked["code"]) == ("locked", "vault-locked")
    assert after == before


def test_a_prompt_that_nobody_answers_stops_nothing(secret_service: None, private_home: dict[str, str]) -> None:
    asked(private_home, before=UNLOCKED)
    services = Path(private_home["XDG_DATA_HOME"]) / "dbus-1" / "services"
    services.mkdir(parents=True)
    (services / f"{PROMPTER}.service").write_text(SILENT_PROMPTER)
    [answer] = asked(private_home, before=LOCKED, limit=3)
    assert (answer["kind"], answer["condition"], answer["code"]) == ("file", "silent", "vault-locked")
    assert answer["message"] == "the system keyring did not answer in 3 seconds"


@pytest.mark.parametrize("configured", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.such.Keyring"])
def test_a_keyring_switched_off_by_its_user_is_not_used(
    secret_service: None, private_home: dict[str, str], configured: str
) -> None:
    [answer] = asked(private_home | {"PYTHON_KEYRING_BACKEND": configured}, before=UNLOCKED)
    assert (answer["kind"], answer["condition"], answer["code"]) == ("file", "absent", "no-keyring")
