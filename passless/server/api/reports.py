"""What would be, what is left to do, what does not hold to a policy, and what happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

import msgspec

from passless import wire
from passless.domain.audit import AuditEvent
from passless.domain.errors import WrongUse
from passless.domain.policy import Finding
from passless.domain.policy_check import checked
from passless.domain.safety.next_steps import Step
from passless.domain.views import WhatIfView
from passless.server.api import paging
from passless.server.api.calls import Call, Parameter, Said, operation

ACCOUNT = Parameter(name="account", about="Only the events of this account.", schema={"type": "string", "maxLength": 256})
SINCE = Parameter(
    name="since", about="Only events from then on.", schema={"type": "string", "format": "date-time", "maxLength": 40}
)


class BadTime(WrongUse):
    """A time that is none."""

    code = "bad-time"
    hint = "write it as 2030-12-31T23:59:59Z"
    default = "that is no time"


@operation("POST", "/accounts/{account}/what-if", takes=wire.WhatIfBody, gives=tuple[WhatIfView, ...])
def what_if(call: Call, asked: wire.WhatIfBody) -> Said:
    """Work out what a loss would leave."""
    return Said(value=call.site.directory.what_if(call.actor, call.target, asked.lost))


@operation("POST", "/accounts/{account}/next-steps", takes=wire.NextStepsBody, gives=tuple[Step, ...])
def next_steps(call: Call, asked: wire.NextStepsBody) -> Said:
    """Say what is left to do towards a goal."""
    return Said(value=call.site.directory.next_steps(call.actor, call.target, asked.goal, asked.at_hand))


@operation("POST", "/accounts/{account}/notices/seen", takes=wire.SeenBody, status=204)
def seen(call: Call, asked: wire.SeenBody) -> Said:
    """Note that notices were shown."""
    call.site.directory.seen(call.actor, call.target, asked.notices)
    return Said(content=b"")


@operation("POST", "/check", takes=wire.CheckBody, gives=wire.Page[Finding], parameters=(paging.LIMIT,))
def check(call: Call, asked: wire.CheckBody) -> Said:
    """Hold accounts against a policy."""
    policy, limit = checked(asked.policy), paging.limit_of(call)
    after = paging.name_after(asked.cursor)
    if asked.targets:
        found = list(call.site.directory.check(call.actor, policy, asked.targets))
        return Said(value=wire.Page(items=tuple(found)))
    return Said(value=_whole_accounts(call.site.directory.check(call.actor, policy, (), after=after), limit))


@operation("GET", "/events", gives=wire.Page[AuditEvent], parameters=(ACCOUNT, SINCE, *paging.PAGED))
def events(call: Call) -> Said:
    """Read the audit trail, of one account or of all."""
    target, after = call.query.get("account"), paging.place_after(call.query.get("cursor"))
    limit, since = paging.limit_of(call), _time(call.query.get("since"))
    own = call.own if target == "me" else target
    found = call.site.directory.events(call.actor, own, since=since, after=after)
    return Said(value=paging.page(found, limit, paging.place_of))


def _whole_accounts(findings: Iterator[Finding], limit: int) -> wire.Page[Finding]:
    """Return a page that ends between two accounts, so that the next one begins behind a name."""
    found: list[Finding] = []
    for name, of_one in groupby(findings, key=lambda one: one.account):
        if len(found) >= limit:
            return wire.Page(items=tuple(found), next=paging.name_of(found[-1].account))
        found += of_one
        del name
    return wire.Page(items=tuple(found))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return msgspec.convert(text, datetime).astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise BadTime from error
