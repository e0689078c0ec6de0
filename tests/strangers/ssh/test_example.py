"""`examples/ssh/run.sh` runs to its end, as root would run it, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.running import REPOSITORY, environment
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.held_key import Held, provider

LIMIT = 600  # seconds; it takes about 12
PROMISES = ("signed in as plexample", "ms after the key was removed", "Permission denied", "== done")


def test_it_runs_to_its_end(tmp_path: Path) -> None:
    hosts.need_ssh()
    key, command = tmp_path / "key.json", tmp_path / "bin" / "passless"
    command.parent.mkdir()
    plugged = f"{shlex.quote(sys.executable)} -m tests.software_key.command --key-file {shlex.quote(str(key))}"
    command.write_text(f'#!/bin/sh\nexec {plugged} -- "$@"\n')
    command.chmod(0o755)
    around = environment(tmp_path, path=f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    del around["PASSLESS_HOME"]  # it makes its own
    script = str(REPOSITORY / "examples" / "ssh" / "run.sh")
    with hosts.keys_user(), provider(Held(file=key), tmp_path) as library:
        around["SSH_SK_PROVIDER"] = str(library)
        ran = subprocess.run(["bash", script], env=around, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for promised in PROMISES:
        assert promised in ran.stdout, ran.stdout + ran.stderr
    assert not list(Path("/var/lib").glob("passless-example.*"))
    assert subprocess.run(["id", "plexample"], check=False, capture_output=True).returncode != 0


def test_without_a_key_nothing_is_begun_and_that_is_said(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "passless"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nif [ "$*" = "key list --json" ]; then echo "[]"; else echo "no key is plugged in"; fi\n')
    command.chmod(0o755)
    if os.geteuid() != 0:
        pytest.skip("only root gets as far as that")
    around = environment(tmp_path, path=f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    script = str(REPOSITORY / "examples" / "ssh" / "run.sh")
    ran = subprocess.run(["bash", script], env=around, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert (ran.returncode, ran.stdout) == (6, "")
    assert ran.stderr.splitlines()[-1].startswith("ssh signs with a security key: plug one in")
