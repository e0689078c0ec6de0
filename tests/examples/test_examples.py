"""Every script of examples/ runs to its end, prints what it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.running import REPOSITORY, environment

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.sh"))
LIMIT = 600  # seconds for one script; the longest takes about 8

PROMISES = {
    "01-go-passwordless.sh": ['losing "phone" alone would lock you out', "the password is deleted", "== done"],
    "02-app-password.sh": ["app passwords exist only while two-step is on", "Mail on phone", "== revoke it"],
    "03-what-if.sh": ["device:phone and device:tablet", "no loss of one or two things locks ada out"],
}


@pytest.fixture
def ran(request: pytest.FixtureRequest, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script: Path = request.param
    bin_folder, temporary = tmp_path / "bin", tmp_path / "tmp"
    temporary.mkdir()
    bin_folder.mkdir()
    command = bin_folder / "passless"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m passless "$@"\n')
    command.chmod(0o755)
    around = environment(tmp_path, path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}") | {"TMPDIR": str(temporary)}
    del around["PASSLESS_HOME"]  # each script makes its own
    return subprocess.run(
        ["bash", str(script)], cwd=tmp_path, env=around, capture_output=True, text=True, check=False, timeout=LIMIT
    )


def test_every_example_is_promised_something() -> None:
    assert [script.name for script in EXAMPLES] == sorted(PROMISES)


@pytest.mark.parametrize("ran", EXAMPLES, indirect=True, ids=lambda script: script.stem)
def test_it_runs_to_its_end(ran: subprocess.CompletedProcess[str], request: pytest.FixtureRequest, tmp_path: Path) -> None:
    name = f"{request.node.callspec.id}.sh"
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for promised in PROMISES[name]:
        assert promised in ran.stdout + ran.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / ".local").exists()
