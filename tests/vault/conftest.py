"""A real Secret Service on a bus of its own, and where this machine has none, a skip that says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

UNLOCKED = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
LOCKED = "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1"


@pytest.fixture(scope="session")
def secret_service() -> None:
    """Skip where gnome-keyring or D-Bus is missing; in CI that is a failure."""
    missing = [name for name in ("gnome-keyring-daemon", "dbus-run-session") if shutil.which(name) is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"these tests need {' and '.join(missing)}")
    if missing:
        pytest.skip(f"no real Secret Service to test with: {' and '.join(missing)} not installed")


def home_of_its_own(folder: Path) -> dict[str, str]:
    """Return an environment in which programs find nothing of the person who runs the tests."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_DATA_HOME": str(folder / "share"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@pytest.fixture
def private_home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a session without a bus."""
    return home_of_its_own(tmp_path / "home")


@pytest.fixture(scope="session")
def session_bus(secret_service: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a bus with an unlocked Secret Service."""
    script = f'{UNLOCKED}; echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat >/dev/null'
    session = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=home_of_its_own(tmp_path_factory.mktemp("session")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with session:
        assert session.stdin
        assert session.stdout
        yield session.stdout.readline().strip()
        session.stdin.close()
