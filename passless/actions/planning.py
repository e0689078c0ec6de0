"""A request's plan: what it would do, without a fresh proof and without keeping anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from passless.actions import accounts, describing, naming, operators, tokens
from passless.actions.building import build
from passless.actions.changing import Wanted, preview, problems_without_proofs
from passless.actions.parts import Parts
from passless.actions.reading import look
from passless.actions.who import Who
from passless.domain import names, reserved_names
from passless.domain.changes import AddMethod, type_of
from passless.domain.methods import PHONE, Credential, Kind, MethodId, RpId, SecurityKey, Totp
from passless.domain.requests import (
    ApproveRecovery,
    EndSessions,
    Enrol,
    GrantOperator,
    NewAccount,
    NewToken,
    Request,
    RevokeOperator,
    RevokeToken,
    SetGroups,
)
from passless.domain.safety.context import Problem, Rules
from passless.domain.safety.planning import Plan
from passless.domain.safety.proof_rules import only_looks
from passless.domain.sealed import KeyId, Sealed
from passless.domain.showing import problem_view, state_view
from passless.domain.views import EffectView, PlanView, ProblemView
from passless.ports.directory import Actor

AMONG_OPERATORS = (GrantOperator, RevokeOperator, SetGroups, ApproveRecovery)  # what only a server's store has


def plan_request(parts: Parts, actor: Actor, target: str, request: Request) -> PlanView:
    """Plan a request; a missing proof is a warning in it."""
    now = parts.now()
    if isinstance(request, AMONG_OPERATORS):
        operators.check_server(parts)
    who = _who(parts, actor, target, request, now)
    operators.check_may_ask(parts, who, request, now, dry=True)
    if isinstance(request, EndSessions | NewToken | RevokeToken):
        _check_named(parts, who, request, now)
        return _no_change(who, request, parts.rules, now, problems_without_proofs(tuple(_in_the_way(parts, who, request, now))))
    planned = preview(parts, who, build(parts, who, request, now, dry=True).wanted, now)
    return plan_view(planned, parts.rules, now, problems_without_proofs(planned.problems))


def _who(parts: Parts, actor: Actor, target: str, request: Request, now: datetime) -> Who:
    if isinstance(request, GrantOperator) and request.first:
        operators.check_host(parts)
        return operators.first(parts, actor, accounts.find(parts, target, now).account, now)[0]
    return look(parts, actor, target, "status", equals=isinstance(request, RevokeOperator))[1]


def enrolment_problems(parts: Parts, actor: Actor, target: str, request: Enrol) -> tuple[ProblemView, ...]:
    """Tell what the adding of a method would come to, by planning the weakest method that could come of it."""
    now = parts.now()
    _, who = look(parts, actor, target, "status")
    if request.name is not None:
        naming.fresh_method_name(who.account, request.name, chosen=True)
    if request.device is not None:
        naming.known_device(who.account, request.device)
    planned = preview(parts, who, Wanted(changes=(AddMethod(method=_weakest(parts, request, now)),)), now)
    return tuple(problem_view(problem) for problem in problems_without_proofs(planned.problems))


def _weakest(parts: Parts, request: Enrol, now: datetime) -> Totp | SecurityKey:
    method_id = MethodId(parts.new_id())
    if request.kind is Kind.TOTP:
        return Totp(id=method_id, name="", device=PHONE, added_at=now, seed=Sealed(key=KeyId(""), box=b""))
    blank = Credential(id=b"", public_key=b"", rp_id=parts.rules.rp_id or RpId(""))
    verified = request.kind is Kind.PASSKEY
    return SecurityKey(id=method_id, name="", device=PHONE, added_at=now, credential=blank, user_verified=verified)


def check_new_account(new: NewAccount, *, is_remote: bool) -> None:
    """Check what was typed for a new account, as its making does, and raise the same; `is_remote` is at a server."""
    name = names.clean_account(new.name)
    if is_remote and new.invitation is None:
        reserved_names.check_chosen(name)
    shown = names.clean(new.display_name, what="display name") if new.display_name else ""
    address = accounts.clean_address(new.email) if new.email else ""
    if new.password is not None:
        from passless.credentials.passwords import check_new_password

        words = [word for word in (name, shown, address) if word]
        check_new_password(new.password, stands_alone=True, context_words=words)


def _check_named(parts: Parts, who: Who, request: EndSessions | NewToken | RevokeToken, now: datetime) -> None:
    """Look up what a request names, and check what it asks for, as carrying it out does."""
    match request:
        case EndSessions():
            open_now = tokens.people_of(parts, who.account.id, now)
            if not request.all and all(one.id != request.session for one in open_now):
                raise naming.NoSuchSession(f'there is no session "{names.printable(request.session or "")}"')
        case NewToken():
            tokens.checked(parts, who.account, request, now)
        case RevokeToken():
            naming.one_of(tokens.tokens_of(parts, who.account.id, now), request.token, naming.NoSuchToken, "token")


def _in_the_way(parts: Parts, who: Who, request: EndSessions | NewToken | RevokeToken, now: datetime) -> Iterator[Problem]:
    """Return what the rules say of what is no change to the account."""
    leaves = isinstance(request, EndSessions) and who.session is not None and request.session == who.session.id
    if not leaves:
        yield from only_looks(who.context(now))
    if isinstance(request, NewToken):
        yield from tokens.problems_of(parts, who, now)


def _no_change(
    who: Who, request: EndSessions | NewToken | RevokeToken, rules: Rules, now: datetime, problems: tuple[Problem, ...]
) -> PlanView:
    """Plan what ends sessions or makes a token: the account itself stays as it is."""
    match request:
        case EndSessions():
            everything = "every session ends, and every token of a machine"
            change, effect = "end-session", everything if request.all else "the session ends"
        case NewToken():
            change, effect = "create-token", "a machine may read what the token's rights name"
        case RevokeToken():
            change, effect = "revoke-token", "the token stops working"
    state = state_view(who.account, rules, now)
    effects = (EffectView(code=change, message=effect),)
    views = tuple(problem_view(problem) for problem in problems)
    accepted = all(problem.severity != "refusal" for problem in views)
    return PlanView(change={"type": change}, accepted=accepted, problems=views, effects=effects, before=state, after=state)


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
