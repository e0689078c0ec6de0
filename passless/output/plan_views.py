"""How plans and their outcomes look."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from passless.domain.views import Applied, PlanView, StateView, Waits
from passless.output.account_views import problems
from passless.output.drawing import Look, facts, safe, section, spoken, stack
from passless.output.human import picture, view


@view.register
def plan(result: PlanView, look: Look) -> RenderableType:
    """Draw what a change would do, and whether the rules accept it."""
    verdict = Text("would be accepted", style="green") if result.accepted else Text("would be refused", style="bold red")
    if result.accepted and result.due_at is not None:
        verdict = Text(f"would wait, and happen {spoken(result.due_at, look.now)}", style="yellow")
    return stack(
        facts([("plan", safe(_name(result), "bold")), ("verdict", verdict)]),
        section("What it would do", _effects(result)) if result.effects else None,
        section("Before and after", _difference(result.before, result.after)) if result.before != result.after else None,
        section("Look at", problems(result.problems)) if result.problems else None,
    )


@view.register
def applied(result: Applied, look: Look) -> RenderableType:
    """Draw what was done and what was made."""
    warnings = result.plan.problems if result.plan is not None else ()
    return stack(
        Text.assemble(("✓ ", "green"), safe(f"done: {_name(result.plan)}" if result.plan is not None else "done")),
        _effects(result.plan) if result.plan is not None and result.plan.effects else None,
        section("Look at", problems(warnings)) if warnings else None,
        picture(result.made, look) if result.made is not None else None,
    )


@view.register
def waits(result: Waits, look: Look) -> RenderableType:
    """Draw what waits."""
    due = spoken(result.pending.due_at, look.now)
    return stack(
        Text(f"it waits, and happens {due}; until then everything keeps working", style="yellow"),
        facts(
            [
                ("what", safe(result.pending.message)),
                ("due", safe(f"{result.pending.due_at:%Y-%m-%d %H:%M} UTC")),
                ("cancel with", safe(f"passless recover cancel --waiting {result.pending.id}", "cyan")),
            ]
        ),
        section("Why", problems(result.plan.problems)) if result.plan.problems else None,
    )


def _name(result: PlanView) -> str:
    return str(result.change.get("type", "")).replace("-", " ")


def _effects(result: PlanView) -> RenderableType:
    return facts(("•", safe(effect.message)) for effect in result.effects)


def _difference(before: StateView, after: StateView) -> RenderableType:
    pairs = (
        ("passwordless", _on(before.passwordless), _on(after.passwordless)),
        ("two-step", _on(before.two_step), _on(after.two_step)),
        ("methods", str(len(before.methods)), str(len(after.methods))),
        ("ways in", str(len(before.ways_in)), str(len(after.ways_in))),
        ("state", before.state, after.state),
    )
    return facts((name, Text(f"{old} → {new}", style="bold")) for name, old, new in pairs if old != new)


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"
