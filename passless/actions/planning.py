"""A request's plan: what it would do, without a fresh proof and without keeping anything."""

from __future__ import annotations

from datetime import datetime

from passless.actions import describing
from passless.actions.accounts import find
from passless.actions.changing import preview, problems_without_proofs
from passless.actions.parts import Parts
from passless.actions.requesting import build
from passless.actions.who import identify
from passless.domain.changes import type_of
from passless.domain.requests import Request
from passless.domain.safety.context import Problem, Rules
from passless.domain.safety.planning import Plan
from passless.domain.showing import problem_view, state_view
from passless.domain.views import EffectView, PlanView
from passless.ports.directory import Actor


def plan_request(parts: Parts, actor: Actor, target: str, request: Request) -> tuple[PlanView, tuple[Problem, ...]]:
    """Plan a request; return the plan and its problems, in which a missing proof is a warning."""
    now = parts.now()
    who = identify(parts, actor, find(parts, target, now).account, need_session=False)
    planned = preview(parts, who, build(parts, who, request, now, dry=True).wanted, now)
    found = problems_without_proofs(planned.problems)
    return plan_view(planned, parts.rules, now, found), found


def plan_view(plan: Plan, rules: Rules, now: datetime, found: tuple[Problem, ...] | None = None) -> PlanView:
    """Show a plan."""
    problems = plan.problems if found is None else found
    views = tuple(problem_view(problem) for problem in problems)
    return PlanView(
        change={"type": type_of(plan.change), **describing.details(plan.before, plan.change)},
        accepted=all(problem.severity != "refusal" for problem in views),
        problems=views,
        effects=tuple(EffectView(code=code, message=message) for code, message in describing.effects(plan)),
        before=state_view(plan.before, rules, now),
        after=state_view(plan.after, rules, now),
        due_at=plan.due_at,
    )
