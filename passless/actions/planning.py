"""A request's plan: what it would do, without a fresh proof and without keeping anything."""

from __future__ import annotations

from datetime import datetime

from passless.actions import describing
from passless.actions.changing import preview, problems_without_proofs
from passless.actions.parts import Parts
from passless.actions.reading import look
from passless.actions.requesting import build
from passless.actions.who import Who
from passless.domain.changes import type_of
from passless.domain.requests import EndSessions, NewToken, Request, RevokeToken
from passless.domain.safety.context import Problem, Rules
from passless.domain.safety.planning import Plan
from passless.domain.showing import problem_view, state_view
from passless.domain.views import EffectView, PlanView
from passless.ports.directory import Actor


def plan_request(parts: Parts, actor: Actor, target: str, request: Request) -> PlanView:
    """Plan a request; a missing proof is a warning in it."""
    now = parts.now()
    _, who = look(parts, actor, target, "status")
    if isinstance(request, EndSessions | NewToken | RevokeToken):
        return _no_change(who, request, parts.rules, now)
    planned = preview(parts, who, build(parts, who, request, now, dry=True).wanted, now)
    return plan_view(planned, parts.rules, now, problems_without_proofs(planned.problems))


def _no_change(who: Who, request: EndSessions | NewToken | RevokeToken, rules: Rules, now: datetime) -> PlanView:
    """Plan what ends sessions or makes a token: the account itself stays as it is."""
    match request:
        case EndSessions():
            change, effect = "end-session", "every session ends" if request.all else "the session ends"
        case NewToken():
            change, effect = "create-token", "a machine may read what the token's rights name"
        case RevokeToken():
            change, effect = "revoke-token", "the token stops working"
    state = state_view(who.account, rules, now)
    effects = (EffectView(code=change, message=effect),)
    return PlanView(change={"type": change}, accepted=True, problems=(), effects=effects, before=state, after=state)


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
