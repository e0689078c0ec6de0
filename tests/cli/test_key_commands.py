"""`key`: the security key itself, a key in software below the HID layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.running import Passless
from tests.cli.walking import Person
from tests.software_key import SoftwareKey, plugged_in
from tests.software_key.model import FINGERPRINT_MODEL

Plug = Callable[..., SoftwareKey]


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    """Return what plugs a key in until the test ends."""
    with ExitStack() as stack:

        def plug_in(name: str = "key", **more: object) -> SoftwareKey:
            key = SoftwareKey(file=tmp_path / name, **more)  # type: ignore[arg-type]
            stack.enter_context(plugged_in(key))
            return key

        yield plug_in


@pytest.fixture
def pin(tmp_path: Path) -> str:
    """A file with the PIN that keys start with."""
    path = tmp_path / "pin"
    path.write_text("1234\n")
    return str(path)


@pytest.fixture
def new_pin(tmp_path: Path) -> str:
    """A file with another PIN."""
    path = tmp_path / "new-pin"
    path.write_text("567890\n")
    return str(path)


def test_list_and_info_say_what_the_key_says(passless: Passless, plug: Plug) -> None:
    plug(pin="1234")
    (listed,) = passless.json("key", "list")
    assert (listed["has_pin"], listed["pin_tries_left"], listed["problem"]) == (True, 8, None)
    assert passless.json("key", "info") == listed
    assert passless.json("key", "info", "--key", listed["id"]) == listed
    assert "8 tries left" in passless("key", "info").stdout
    assert listed["name"] in passless("key", "list").stdout


def test_without_a_key_the_list_is_empty_and_the_rest_is_status_6(passless: Passless) -> None:
    assert passless.json("key", "list") == []
    assert passless("key", "list").stdout == "no security key is plugged in\n"
    for command in (("info",), ("pin", "set"), ("credential", "list"), ("fingerprint", "list"), ("reset", "--yes")):
        assert passless.json("key", *command, status=6)["code"] == "no-key"


def test_a_pin_is_set_and_changed(passless: Passless, plug: Plug, pin: str, new_pin: str) -> None:
    plug()
    assert passless.json("key", "pin", "change", "--pin-file", pin, "--new-pin-file", new_pin, status=5)["code"] == "pin-needed"
    assert passless.json("key", "pin", "set", "--new-pin-file", pin)["has_pin"] is True
    assert passless.json("key", "pin", "set", "--new-pin-file", pin, status=2)["code"] == "pin-already-set"
    assert passless.json("key", "pin", "change", "--pin-file", pin, "--new-pin-file", new_pin)["has_pin"] is True
    assert passless.json("key", "credential", "list", "--pin-file", pin, status=5)["code"] == "wrong-pin"
    assert passless.json("key", "credential", "list", "--pin-file", new_pin) == []


def test_off_a_terminal_a_missing_pin_names_its_flag(passless: Passless, plug: Plug, pin: str) -> None:
    key = plug(pin="1234")
    assert "--pin-file" in passless.json("key", "credential", "list", status=2)["hint"]
    assert "--new-pin-file" in passless.json("key", "pin", "change", "--pin-file", pin, status=2)["hint"]
    assert key.faults == []
    assert passless.json("key", "info")["pin_tries_left"] == 8


def test_dry_runs_do_not_touch_the_key(passless: Passless, plug: Plug, pin: str) -> None:
    plug()
    for command in (("pin", "set"), ("reset",)):
        planned = passless.json("key", *command, "--dry-run")
        assert planned["applied"] is False
        assert planned["change"]
    assert passless.json("key", "pin", "change", "--dry-run", status=5)["code"] == "pin-needed"
    assert passless.json("key", "info")["has_pin"] is False
    assert "nothing was changed" in passless("key", "reset", "--dry-run").stdout
    assert pin


def test_what_destroys_needs_a_yes_off_a_terminal(passless: Passless, plug: Plug, pin: str) -> None:
    plug(pin="1234", model=FINGERPRINT_MODEL)
    for command in (("reset",), ("fingerprint", "remove", "thumb", "--pin-file", pin)):
        error = passless.json("key", *command, status=2)
        assert error["code"] == "confirmation-needed"


def test_a_wrong_pin_costs_one_try(passless: Passless, plug: Plug, new_pin: str) -> None:
    plug(pin="1234")
    assert passless.json("key", "credential", "list", "--pin-file", new_pin, status=5)["code"] == "wrong-pin"
    assert passless.json("key", "info")["pin_tries_left"] == 7


def test_fingers_are_learned_renamed_and_forgotten(passless: Passless, plug: Plug, pin: str) -> None:
    plug(pin="1234", model=FINGERPRINT_MODEL)
    learned = passless("key", "fingerprint", "add", "thumb", "--pin-file", pin, "--json")
    assert learned.status == 0, learned
    assert learned.json["name"] == "thumb"
    assert [one["name"] for one in passless.json("key", "fingerprint", "list", "--pin-file", pin)] == ["thumb"]
    assert passless.json("key", "fingerprint", "rename", "thumb", "index", "--pin-file", pin)["name"] == "index"
    planned = passless.json("key", "fingerprint", "remove", "index", "--pin-file", pin, "--dry-run")
    assert '"index"' in planned["change"]
    assert passless.json("key", "fingerprint", "remove", "index", "--pin-file", pin, "--yes")["name"] == "index"
    assert passless.json("key", "fingerprint", "list", "--pin-file", pin) == []
    assert passless.json("key", "fingerprint", "remove", "index", "--pin-file", pin, "--yes", status=3)["hint"]


def test_a_key_without_a_reader_is_status_7(passless: Passless, plug: Plug, pin: str) -> None:
    plug(pin="1234")
    assert passless.json("key", "fingerprint", "list", "--pin-file", pin, status=7)["code"] == "key-cannot"


def test_a_credential_that_is_not_there_is_status_3(passless: Passless, plug: Plug, pin: str) -> None:
    plug(pin="1234")
    for more in (("--yes",), ("--dry-run",)):
        error = passless.json("key", "credential", "delete", "abcdef", "--pin-file", pin, *more, status=3)
        assert error["code"] == "no-such-credential"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "needs a command"),
        (("pin",), 2, "needs a command"),
        (("pigeon",), 2, "pigeon"),
        (("info", "--key", "\x1b[31mnobody"), 3, "nobody"),
        (("credential", "delete"), 2, "CREDENTIAL"),
        (("fingerprint", "rename", "thumb"), 2, "NAME"),
        (("fingerprint", "rename", "thumb", "\x07"), 2, "control"),
        (("pin", "set", "--new-pin-file", "/nowhere"), 2, "/nowhere"),
        (("pin", "set", "--new-pin-file", "-"), 2, "empty"),
        (("list", "extra"), 2, "extra"),
    ],
)
def test_wrong_use_is_one_error_with_a_hint(
    passless: Passless, plug: Plug, arguments: tuple[str, ...], status: int, said: str
) -> None:
    plug(pin="1234", model=FINGERPRINT_MODEL)
    result = passless("key", *arguments)
    assert result.status == status, result
    assert said in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stderr.count("passless: error:") == 1
    assert result.stderr.count("passless: hint:") == 1


# A person at a terminal


def test_a_key_is_erased_after_a_yes_and_a_replug(passless: Passless, tmp_path: Path) -> None:
    port, key = tmp_path / "port", tmp_path / "key"
    port.touch()
    plug = ("--pin", "1234", "--plugged-while", str(port))
    ada = Person(passless.home, "key", "reset", key=key, plug=plug)
    ada.answers("erase everything on", "n")
    assert ada.is_done() == 2
    assert "passless: hint: nothing was changed" in ada.rest

    ada = Person(passless.home, "key", "reset", key=key, plug=plug)
    ada.answers("erase everything on", "y")
    ada.reads("pull ")
    port.unlink()
    ada.reads("plug ")
    port.touch()
    ada.reads("touch ")
    assert ada.is_done() == 0
    assert "not set: passless key pin set" in ada.rest


def test_a_pin_is_typed_once_where_a_command_needs_it_twice(passless: Passless, tmp_path: Path) -> None:
    ada = Person(passless.home, "key", "credential", "delete", "abcdef", key=tmp_path / "key", plug=("--pin", "1234"))
    ada.answers("PIN of", "1234")
    ada.answers("from the key for good?", "y")
    assert ada.is_done() == 3
    assert "PIN of" not in ada.rest


def test_ctrl_c_at_the_pin_is_130(passless: Passless, tmp_path: Path) -> None:
    ada = Person(passless.home, "key", "credential", "list", key=tmp_path / "key", plug=("--pin", "1234"))
    ada.reads("PIN of")
    ada.presses("c")
    assert ada.is_done() == 130
    assert "Traceback" not in ada.rest
