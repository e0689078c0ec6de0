"""How much CPU a command costs from start to end, side by side with other programs in one run.

    python -m tests.bench.startup [--runs N] [--ykman PATH]

It makes a store with an account of five methods in a temporary folder, then runs each program in turn, several times, and
prints the medians of user and system CPU time of the whole process with their ratios. ykman comes from the package
yubikey-manager (it needs a compiler and libpcsclite-dev to install); without it that comparison is left out, and said so.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

RIVAL = '''
import typer
app = typer.Typer()

@app.command()
def status(json: bool = False) -> None:
    """Show the status."""
    print("{}")

@app.command()
def other() -> None:
    """Do something else."""

app()
'''


def cpu(command: list[str], environment: dict[str, str]) -> float:
    """Run a command and return the CPU seconds it took; its output is thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def an_account(home: Path) -> dict[str, str]:
    """Make an account with five methods under a folder and return the environment that finds it."""
    environment = os.environ | {"PASSLESS_HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}
    password = home / "password"
    password.write_text("a long enough sentence 4 nobody\n")
    make = [*PASSLESS, "account", "create", "ada", "--password-file", str(password), "--json"]
    subprocess.run(make, env=environment, check=True, stdout=subprocess.DEVNULL)
    for number in range(4):
        add_totp(environment, f"app {number}")
    return environment


def add_totp(environment: dict[str, str], name: str) -> None:
    """Add an authenticator app through the command line."""
    import json

    import pyotp

    begin = [*PASSLESS, "method", "add", "totp", "--name", name, "--begin", "--json"]
    begun = json.loads(subprocess.run(begin, env=environment, check=True, capture_output=True).stdout)
    code = pyotp.TOTP(begun["secret"]).at(datetime.now(UTC))
    finish = [*PASSLESS, "method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-", "--json"]
    subprocess.run(finish, env=environment, check=True, input=code.encode(), stdout=subprocess.DEVNULL)


PASSLESS = [str(Path(sys.executable).with_name("passless"))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--ykman", default=shutil.which("ykman"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rival = home / "rival.py"
        rival.write_text(RIVAL)
        environment = an_account(home)
        programs = {
            "passless status --json": [*PASSLESS, "status", "--json"],
            "passless status": [*PASSLESS, "status"],
            "passless --help": [*PASSLESS, "--help"],
            "two commands on Typer": [sys.executable, str(rival), "status"],
        }
        if chosen.ykman:
            programs["ykman --version"] = [chosen.ykman, "--version"]
        times: dict[str, list[float]] = {name: [] for name in programs}
        for run in range(chosen.runs + 1):
            for name, command in programs.items():
                took = cpu(command, environment)
                if run:  # the first warms the caches
                    times[name].append(took)
    report({name: statistics.median(taken) for name, taken in times.items()}, chosen.runs)


def report(medians: dict[str, float], runs: int) -> None:
    """Print the medians and the ratios that docs/benchmarks.md asks for."""
    print(f"CPU of a whole process, median of {runs} runs each, taken in turn")
    for name, median in medians.items():
        print(f"  {name:<24} {1000 * median:7.1f} ms")
    pairs = (
        ("passless status --json", "two commands on Typer", 1.35),
        ("passless status --json", "ykman --version", 0.4),
        ("passless status", "ykman --version", 0.5),
    )
    for one, other, bound in pairs:
        if other in medians:
            print(f"  {one} / {other}: {medians[one] / medians[other]:.2f} (asked: at most {bound})")
        else:
            print(f"  {one} / {other}: not measured, ykman is not installed")


if __name__ == "__main__":
    main()
