"""What works on this machine."""

from __future__ import annotations

from typer import Context

from passless.cli import diagnosing
from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Anywhere
from passless.output.machine_results import Verdict

app = single()


@app.command("doctor", cls=Anywhere)
def doctor(ctx: Context) -> None:
    """What works on this machine: keyring, keys and their permissions, clock, store, versions. Changes nothing."""
    run = current(ctx)
    found = diagnosing.Found(diagnosing.everything(run))
    run.show_each(found, of=Verdict)
    found.check()
