"""Holding accounts against a policy file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Context, Exit, Option

from passless.cli.context import Run, current
from passless.cli.failures import MissingInput
from passless.cli.lazy import single
from passless.cli.options import Reading
from passless.domain.errors import WrongUse
from passless.output.reports import CheckReport, ReportFormat, print_report
from passless.policy_file import read_policy

FOUND = 8  # cli.md, "Exit status": `check` found violations

app = single()


@app.command("check", cls=Reading)
def check(
    ctx: Context,
    policy: Annotated[Path | None, Option("--policy", metavar="FILE", help="The policy; else the profile's own.")] = None,
    everybody: Annotated[bool, Option("--all", help="Check every account.")] = False,
    look: Annotated[ReportFormat | None, Option("--format", help="How the report looks.")] = None,
) -> None:
    """Hold accounts against a policy file: exit status 8 when something is found."""
    run = current(ctx)
    shown = chosen_look(run, look)
    report = make_report(run, policy, everybody=everybody)
    print_report(report, shown)
    if not report.ok:
        raise Exit(FOUND)


def chosen_look(run: Run, look: ReportFormat | None) -> ReportFormat:
    """Return the format that was asked for; `--json` asks for one document of JSON."""
    if look is None:
        return ReportFormat.JSON if run.json else ReportFormat.TEXT
    if run.given.json and look in (ReportFormat.TEXT, ReportFormat.JUNIT):
        raise WrongUse(f"--json and --format {look} ask for different things", hint="leave one of them out")
    return look


def make_report(run: Run, policy: Path | None, *, everybody: bool) -> CheckReport:
    """Check one account or all of them."""
    if everybody and run.given.account:
        raise WrongUse("--all and --account ask for different things", hint="leave one of them out")
    path = policy or (Path(run.profile.policy) if run.profile.policy else None)
    if path is None:
        raise MissingInput("the policy file", "--policy FILE")
    held_to = read_policy(path)
    targets = () if everybody else (run.looked_at,)
    findings = tuple(run.directory.check(run.actor, held_to, targets))
    return CheckReport(
        policy=str(path),
        accounts=tuple(one.account for one in run.directory.find()) if everybody else (_name(run),),
        findings=findings,
        checked_at=run.now(),
    )


def _name(run: Run) -> str:
    """Return the name of the account acted on, which may have been chosen by its id."""
    return run.tokens.name_of(run.target) or run.target
