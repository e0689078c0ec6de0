"""`examples/mail-server/run.sh` runs to its end, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.running import REPOSITORY, environment
from tests.strangers.mail.a_dovecot import need_dovecot

LIMIT = 600  # seconds; it takes about 12
PROMISES = ("signed in, 0 messages", "thrown out", "ms of the revoking", "refused: b'[AUTHENTICATIONFAILED]", "== done")


def test_it_runs_to_its_end(tmp_path: Path) -> None:
    need_dovecot()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "passless"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m passless "$@"\n')
    command.chmod(0o755)
    script = REPOSITORY / "examples" / "mail-server" / "run.sh"
    with tempfile.TemporaryDirectory(prefix="passless-test-mail-") as temporary:
        Path(temporary).chmod(0o711)
        around = environment(tmp_path, path=f"{bin_folder}{os.pathsep}{os.environ['PATH']}") | {"TMPDIR": temporary}
        del around["PASSLESS_HOME"]  # it makes its own
        ran = subprocess.run(
            ["bash", str(script)], cwd=tmp_path, env=around, capture_output=True, text=True, check=False, timeout=LIMIT
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        for promised in PROMISES:
            assert promised in ran.stdout
        assert list(Path(temporary).iterdir()) == []
