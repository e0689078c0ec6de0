"""Accounts: finding and making them, at a glance, and every change to one."""

from __future__ import annotations

import re
from typing import Any

from passless import wire
from passless.actions.planning import enrolment_problems as problems_of
from passless.domain.account import Version
from passless.domain.errors import WrongUse
from passless.domain.requests import Enrol, NewAccount, Request
from passless.domain.views import AccountSummary, AccountView, ProblemView, SignedIn
from passless.server.api import documents, paging
from passless.server.api.calls import Call, Parameter, Said, operation

ETAG = re.compile(r'"([0-9]{1,18})"')
IF_MATCH = Parameter(
    name="If-Match",
    about="The `ETag` of the account that was looked at.",
    schema={"type": "string", "pattern": '^("[0-9]{1,18}"|\\*)$'},
    place="header",
)
MATCHING = Parameter(name="matching", about="What the name contains.", schema={"type": "string", "maxLength": 256})


class BadVersion(WrongUse):
    """An If-Match that names no version."""

    code = "bad-version"
    hint = "send the ETag of the account as it was read"
    default = "If-Match names no version of an account"


@operation("GET", "/accounts", gives=wire.Page[AccountSummary], parameters=(MATCHING, *paging.PAGED))
def list_accounts(call: Call) -> Said:
    """List accounts: all of them for an operator, else one's own."""
    after = paging.name_after(call.query.get("cursor"))
    found = call.site.directory.find(call.query.get("matching", ""), call.actor, after=after)
    return Said(value=paging.page(found, paging.limit_of(call), lambda one: paging.name_of(one.account)))


@operation("POST", "/accounts", takes=NewAccount, gives=SignedIn, status=201, is_open=True, repeats=True)
def create_account(call: Call, new: NewAccount) -> Said:
    """Make an account and sign it in."""
    made = call.site.directory.create(call.actor, new)
    return Said(value=made, account_id=made.account_id)


@operation("GET", "/accounts/{account}", gives=AccountView)
def read_account(call: Call) -> Said:
    """Read an account at a glance."""
    view = call.site.directory.read(call.actor, call.target)
    return Said(value=view, headers={"ETag": f'"{view.version}"'}, account_id=view.id)


@operation("POST", "/accounts/{account}/plan", takes=Request, gives=documents.Planned)
def plan(call: Call, request: Any) -> Said:
    """Work out what a request would do; nothing is kept."""
    return documents.outcome(call.site.directory.plan(call.actor, call.target, request))


@operation("POST", "/accounts/{account}/apply", takes=Request, gives=documents.Changed, parameters=(IF_MATCH,), repeats=True)
def apply(call: Call, request: Any) -> Said:
    """Carry out a request."""
    version = version_of(call.headers.get("if-match"))
    return documents.outcome(call.site.directory.apply(call.actor, call.target, request, version=version))


@operation("POST", "/accounts/{account}/enrolment-problems", takes=Enrol, gives=tuple[ProblemView, ...])
def enrolment_problems(call: Call, request: Enrol) -> Said:
    """Say what would stand in the way of adding a method."""
    return Said(value=problems_of(call.site.parts, call.actor, call.target, documents.here(request)))


def version_of(header: str | None) -> Version | None:
    """Return the version that an `If-Match` asks for; nothing where any will do."""
    if header is None or header.strip() == "*":
        return None
    found = ETAG.fullmatch(header.strip())
    if found is None:
        raise BadVersion
    return Version(int(found[1]))
