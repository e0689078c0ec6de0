"""How results about this machine look: the vault, profiles, what works, the audit trail, programs, the walk-through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.text import Text

from passless.domain.audit import AuditEvent, AuditReport, Outcome
from passless.domain.legacy_apps import LegacyApp, Need
from passless.domain.views import StepView
from passless.output.drawing import Look, command, facts, listing, mark, safe, section, stack, when
from passless.output.human import list_of, picture, view
from passless.output.machine_results import (
    AccountExported,
    AccountImported,
    AccountsExported,
    AccountsImported,
    ChosenProfile,
    ProfileView,
    SetupDone,
    SetupPlan,
    VaultExported,
    VaultImported,
    VaultRotated,
    VaultStatus,
    Verdict,
)

OUTCOMES = {Outcome.DONE: "green", Outcome.REFUSED: "red", Outcome.FAILED: "red", Outcome.PENDING: "yellow"}
NEEDS = {
    Need.APP_PASSWORD: "an app password",
    Need.DEVICE_CODE: "a device code",
    Need.KEEP_PASSWORD: "the password",
    Need.BROWSER: "a browser",
    Need.KEY_OR_CODE: "a key or a code",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)")  # as `isoformat` writes it
DETAIL_LENGTH = 3  # details of an event that fit beside it
ALWAYS_SAID = ("reason", "ticket")  # why somebody did it, however much else there is to say


@list_of(Verdict)
def verdicts(items: Sequence[Verdict], look: Look) -> RenderableType:
    """Draw what works and what does not, each with what helps."""
    lines: list[tuple[RenderableType, ...]] = []
    for one in items:
        sign = Text("–", style="dim") if not one.tested else mark(good=one.ok)
        lines.append((sign, safe(one.check, "bold"), safe(one.message)))
        if one.hint:
            lines.append((Text(""), Text(""), safe(f"→ {one.hint}", "dim")))
    return listing(look, ("", "looked at", "found"), lines, nothing="")


@view.register
def vault_status(result: VaultStatus, look: Look) -> RenderableType:
    """Draw where the vault key is."""
    return facts(_vault_facts(result))


def _vault_facts(result: VaultStatus) -> Iterator[tuple[str, RenderableType]]:
    yield "vault key", Text.assemble(mark(good=result.ok), " ", safe(result.message))
    yield "kept in", safe(result.where)
    yield "keys", safe(", ".join(f"{key} (in use)" if key == result.current else key for key in result.keys) or "none")
    yield (
        "it seals",
        safe(
            _count(
                result.seals, "secret, of an authenticator app or the server", "secrets of authenticator apps and the server"
            )
        ),
    )
    yield "it checks", safe(_count(result.app_passwords, "app password", "app passwords"))
    if result.hint:
        yield "do", safe(result.hint, "cyan")
    elif result.ok:
        yield "copy it", command("passless vault export FILE")


@view.register
def vault_exported(result: VaultExported, look: Look) -> RenderableType:
    """Draw where a copy went."""
    if not result.file:
        return Text("a copy of the vault keys would be written")
    return stack(
        Text.assemble(mark(good=True), " the vault keys were copied to ", safe(result.file, "bold")),
        Text("Keep it away from this machine, and the passphrase away from it.", style="dim"),
    )


@view.register
def vault_imported(result: VaultImported, look: Look) -> RenderableType:
    """Draw which keys came back."""
    came = _count(len(result.added), "vault key", "vault keys") if result.added else "nothing new"
    verb = "came back" if result.applied else "would come back"
    lines = [Text.assemble(mark(good=not result.unreadable), f" {came} {verb}")]
    if result.unreadable:
        left = _count(result.unreadable, "secret still lacks its key", "secrets still lack their keys")
        lines.append(Text(left, style="yellow"))
    return stack(*lines)


@view.register
def vault_rotated(result: VaultRotated, look: Look) -> RenderableType:
    """Draw what a rotation did."""
    if not result.applied:
        return Text(
            f"the vault key would be replaced, and {_count(result.seals, 'secret', 'secrets')} sealed under the new one"
        )
    kept = None
    if result.kept:
        apps = _count(result.app_passwords, "app password", "app passwords")
        kept = Text(f"The old key stays for {apps}; revoke and make them again, then rotate once more.", style="yellow")
    return stack(
        Text.assemble(
            mark(good=True), f" the vault key was replaced; {_count(result.seals, 'secret was', 'secrets were')} moved"
        ),
        kept,
        Text.assemble(("Copies from before no longer do; make a new one: ", "dim"), command("passless vault export FILE")),
    )


@list_of(ProfileView)
def profiles(items: Sequence[ProfileView], look: Look) -> RenderableType:
    """Draw profiles, the chosen one marked."""
    lines = [
        (
            Text("●" if one.chosen else " ", style="green"),
            safe(one.name, "bold"),
            safe(one.address),
            safe(one.vault),
            safe(one.policy or "–"),
        )
        for one in items
    ]
    return listing(look, ("", "profile", "where", "vault key", "policy"), lines, nothing="there is no profile")


@view.register
def profile(result: ProfileView, look: Look) -> RenderableType:
    """Draw one profile."""
    lines = [
        ("profile", safe(f"{result.name}{' (chosen)' if result.chosen else ''}", "bold")),
        (result.place, safe(result.address)),
        ("sessions" if result.place == "server" else "vault key", safe(result.vault)),
        ("policy", safe(result.policy or "–")),
    ]
    if result.ca is not None:
        lines.append(("certificates", safe(result.ca)))
    if result.password_file is not None:
        lines.append(("password file", safe(result.password_file)))
    if result.server is not None:
        lines.append(("answers", safe(result.server.spoken)))
    return facts(tuple(lines))


@view.register
def chosen_profile(result: ChosenProfile, look: Look) -> RenderableType:
    """Draw what commands go to from now on."""
    if not result.applied:
        return profile(result, look)
    return Text.assemble(("✓ ", "green"), safe(f'commands go to "{result.name}" from now on: {result.address}'))


@list_of(AuditEvent)
def events(items: Sequence[AuditEvent], look: Look) -> RenderableType:
    """Draw what happened; whose account and who did it only where that is not one and the same person throughout."""
    has_accounts = len({one.account for one in items}) > 1
    has_actors = any(one.actor != one.account for one in items)
    columns = {
        "": lambda one: safe(one.seq, "dim"),
        "when (UTC)": lambda one: safe(f"{one.at:%Y-%m-%d %H:%M:%S}"),
        "account": lambda one: safe(one.account or "–"),
        "event": lambda one: safe(one.event, "bold"),
        "outcome": lambda one: safe(one.outcome, OUTCOMES.get(one.outcome, "")),
        "by": lambda one: safe(one.actor),
        "details": _details,
    }
    shown = [name for name in columns if (name != "account" or has_accounts) and (name != "by" or has_actors)]
    return listing(look, shown, [[columns[name](one) for name in shown] for one in items], nothing="nothing happened yet")


def _details(event: AuditEvent) -> Text:
    said = {name: _spoken(value) for name, value in event.details.items() if value}
    why = [f"{name} {said.pop(name)}" for name in ALWAYS_SAID if name in said]
    beside = [f"{name} {value}" for name, value in said.items()]
    return safe(", ".join((*beside[:DETAIL_LENGTH], *why)), "dim")


def _spoken(value: str) -> str:
    """Return a detail as people read it: a point in time to the minute."""
    if not MOMENT.fullmatch(value):
        return value
    try:
        return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return value


@view.register
def audit_report(result: AuditReport, look: Look) -> RenderableType:
    """Draw whether the trail is whole."""
    whole = "the trail is whole" if not result.unsigned else "the trail is whole, as far as it is signed"
    said = whole if result.intact else "the trail does not fit"
    return facts(_report_facts(result, said, look))


def _report_facts(result: AuditReport, said: str, look: Look) -> Iterator[tuple[str, RenderableType]]:
    yield "audit trail", Text.assemble(mark(good=result.intact), " ", safe(said))
    yield "events", safe(result.events)
    if result.first_broken is not None:
        yield "first broken", safe(f'event {result.first_broken} of "{result.account}"', "red")
    if result.truncated:
        yield "cut", Text("events that were signed or seen before are missing", style="red")
    yield "signed", _signed(result, look)
    yield "head", safe(result.head, "dim")


def _signed(result: AuditReport, look: Look) -> RenderableType:
    """Say how far the trail is signed, and what a cut behind that is worth."""
    if result.checkpoint_at is None:
        return safe("nothing yet: events that are cut off do not show")
    at = when(result.checkpoint_at, look.now)
    if not result.unsigned:
        return Text.assemble("all of them, ", at)
    newer = f"{result.unsigned} newer {'one is' if result.unsigned == 1 else 'ones are'} not signed yet"
    return Text.assemble(f"{result.events - result.unsigned} of them, ", at, f"; {newer}: what is cut off there does not show")


@list_of(LegacyApp)
def legacy_apps(items: Sequence[LegacyApp], look: Look) -> RenderableType:
    """Draw which programs need what."""
    lines = [(safe(one.name, "bold"), safe(NEEDS[one.need]), safe(one.advice, "dim"), safe(_through(one))) for one in items]
    return listing(look, ("program", "needs", "what to do", "through"), lines, nothing="")


def _through(app: LegacyApp) -> str:
    """Return the kinds of relying parties that a program can use, each once."""
    return ", ".join(dict.fromkeys(way.relying_party for way in app.ways)) or "–"


@view.register
def setup_plan(result: SetupPlan, look: Look) -> RenderableType:
    """Draw what the walk-through would do."""
    if not result.steps:
        return Text("there is nothing left to do", style="green")
    return section("What the walk-through would do", facts(_steps(result.steps)))


@view.register
def setup_done(result: SetupDone, look: Look) -> RenderableType:
    """Draw the account at the end, and what is left to do."""
    left = section("What is left", facts(_steps(result.left))) if result.left else None
    return stack(picture(result.status, look), left)


def _steps(steps: Sequence[StepView]) -> Iterator[tuple[str, RenderableType]]:
    for number, step in enumerate(steps, start=1):
        yield f"{number}.", safe(step.message + (" (if you like)" if step.optional else ""))
        yield "", command(step.command)


@view.register
def account_exported(result: AccountExported, look: Look) -> RenderableType:
    """Draw where an account was written to."""
    return Text.assemble(mark(good=True), ' "', safe(result.account), '" was written to ', safe(result.file, "bold"))


@view.register
def account_imported(result: AccountImported, look: Look) -> RenderableType:
    """Draw what came with an imported account, and what could not."""
    verb = "came in" if result.applied else "would come in"
    methods = _count(result.methods, "method", "methods")
    left_out = section("What could not come along", stack(*(safe(one) for one in result.left_out))) if result.left_out else None
    return stack(Text.assemble(mark(good=True), ' "', safe(result.account), f'" {verb}, with {methods}'), left_out)


@view.register
def accounts_exported(result: AccountsExported, look: Look) -> RenderableType:
    """Draw where the accounts were written to."""
    accounts = _count(result.accounts, "account", "accounts")
    if not result.applied:
        return Text(f"{accounts} would be written")
    behind = f"{_count(result.left_out, 'method', 'methods')} without a secret in it" if result.left_out else None
    return stack(
        Text.assemble(mark(good=True), f" {accounts} in ", safe(result.file, "bold")), None if behind is None else Text(behind)
    )


@view.register
def accounts_imported(result: AccountsImported, look: Look) -> RenderableType:
    """Draw how many accounts came in, and what of the others."""
    rows = (
        ("came in" if result.applied else "would come in", result.imported),
        ("already here", result.unchanged),
        ("already here, changed since", result.changed_here),
        ("taken by another account", result.taken),
        ("damaged", result.damaged),
        ("brought in before, by the run that was cut short", result.continued_after),
    )
    return facts((name, Text(str(count))) for name, count in rows if count or name.endswith("come in"))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
