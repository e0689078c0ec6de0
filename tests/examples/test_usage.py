"""What an example does not know it does not run for: nothing is made, and how to call it is said."""

from __future__ import annotations

import subprocess

import pytest

from tests.docs.running import REPOSITORY

EXAMPLES = sorted(path.parent.name for path in (REPOSITORY / "examples").glob("*/run.sh"))


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an example where no program is to be found but the shell: it may start none."""
    script = str(REPOSITORY / "examples" / name / "run.sh")
    return subprocess.run(
        ["/bin/bash", script, *arguments],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_says_how_it_is_called_and_refuses_anything_else(name: str) -> None:
    usage = f"usage: bash examples/{name}/run.sh"
    asked = run(name, "--help")
    assert (asked.returncode, asked.stdout.startswith(usage), asked.stderr) == (0, True, "")
    for wrong in (("--alon",), ("--alone", "more"), ("all",)):
        refused = run(name, *wrong)
        assert (refused.returncode, refused.stderr.startswith(usage), refused.stdout) == (64, True, "")
