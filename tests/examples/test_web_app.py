"""`examples/web-app/run.sh` runs to its end without a browser, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.running import REPOSITORY, environment
from tests.strangers.apache import INSTALL, MODULES, PATH
from tests.strangers.needing import missing

LIMIT = 600  # seconds; it takes about 8
PROMISES = ("Hello, ada", "ada ends that session from a terminal", "takes that app off her account", "== done")


@pytest.fixture
def around(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the script finds around it; Apache's workers, who are nobody, reach its temporary folder."""
    if shutil.which("apache2", path=PATH) is None or not (MODULES / "mod_auth_openidc.so").exists():
        missing("apache2 with mod_auth_openidc", install=INSTALL)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "passless"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m passless "$@"\n')
    command.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="passless-test-web-app-") as temporary:
        Path(temporary).chmod(0o711)
        found = environment(tmp_path, path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}") | {"TMPDIR": temporary}
        del found["PASSLESS_HOME"]  # it makes its own
        yield found


def test_it_runs_to_its_end(around: dict[str, str], tmp_path: Path) -> None:
    script = REPOSITORY / "examples" / "web-app" / "run.sh"
    ran = subprocess.run(
        ["bash", str(script), "--alone"], cwd=tmp_path, env=around, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for promised in PROMISES:
        assert promised in ran.stdout
    assert ran.stdout.count("out of the app") == 2
    assert list(Path(around["TMPDIR"]).iterdir()) == []
