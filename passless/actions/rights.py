"""Making and unmaking operators, setting groups, approving recoveries: only on a server's store."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from passless.actions import accounts, among_operators, operators
from passless.actions.among_operators import AmongOperators
from passless.actions.changing import Kept, Wanted, carry_out
from passless.actions.parts import Parts
from passless.actions.reaching import reach
from passless.actions.who import Who, identify
from passless.domain.account import Account, Version
from passless.domain.requests import GrantOperator, RevokeOperator
from passless.ports.directory import Actor


def change(parts: Parts, actor: Actor, target: str, request: AmongOperators, *, version: Version | None = None) -> Kept:
    """Carry out what only operators ask for; the first operator is made by whoever opened the store on its host.

    Raises:
        NotOnAServer: an embedded store has no operators.
        OnTheHost, NotTheFirst: the first operator is not made here, or not any more.
        NotAnOperator, NotBelow, OperatorProofNeeded, BadReason: whoever asks may not.
    """
    operators.check_server(parts)
    if isinstance(request, GrantOperator) and request.first:
        return _make_first(parts, actor, target, request, version)
    equals = isinstance(request, RevokeOperator)

    def look(now: datetime) -> accounts.Found:
        return reach(parts, actor, target, now, equals=equals)

    def build(who: Who, now: datetime) -> Wanted:
        operators.check_may_ask(parts, who, request, now)
        return among_operators.wanted(parts, who, request, now)

    def who_acts(account: Account) -> Who:
        return identify(parts, actor, account, equals=equals)

    return carry_out(parts, actor, look, build, version=version, who_acts=who_acts)


def _make_first(parts: Parts, actor: Actor, target: str, request: GrantOperator, version: Version | None) -> Kept:
    operators.check_host(parts)

    def look(now: datetime) -> accounts.Found:
        return accounts.find(parts, target, now)

    def build(who: Who, now: datetime) -> Wanted:
        _, record = operators.first(parts, actor, who.account, now)
        return replace(among_operators.wanted(parts, who, request, now), puts=(record,), notes={"first": "yes"})

    def who_acts(account: Account) -> Who:
        return operators.first(parts, actor, account, parts.now())[0]

    return carry_out(parts, actor, look, build, version=version, who_acts=who_acts)
