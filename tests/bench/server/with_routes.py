"""`passless` with three routes more, for measuring: `python -m tests.bench.server.with_routes serve …`.

`POST /api/v1/bench/empty` answers an empty document, `GET /api/v1/bench/nothing` nothing at all, and the third, `POST
/api/v1/bench/app-password`, checks an app password as a mail server would have it. All go through everything that other routes
go through, and are done with others as sign-ins are.
"""

from __future__ import annotations

from msgspec import Struct

from passless.actions import app_password_check
from passless.cli.main import main
from passless.domain.secret import Secret
from passless.server import api
from passless.server.api.calls import Call, Said, operation


class Empty(Struct):
    """Nothing much."""

    kind: str


class Asked(Struct):
    """What a mail server knows."""

    account: str
    password: Secret
    service: str


class Right(Struct):
    """Whether it is right."""

    right: bool


@operation("POST", "/bench/empty", takes=Empty, gives=Right, is_open=True, is_short=lambda call, asked: True)
def empty(call: Call, asked: Empty) -> Said:
    """Answer at once."""
    return Said(value=Right(right=True))


@operation("GET", "/bench/nothing", status=204, is_open=True, is_short=lambda call, asked: True)
def nothing(call: Call) -> Said:
    """Answer at once, without a body, as a proxy is answered."""
    return Said(content=b"")


@operation("POST", "/bench/app-password", takes=Asked, gives=Right, is_open=True, is_short=lambda call, asked: True)
def check(call: Call, asked: Asked) -> Said:
    """Check an app password."""
    parts = call.site.parts
    app_password_check.check(
        parts, asked.account, asked.password, service=asked.service, place=call.actor.place, now=parts.now()
    )
    return Said(value=Right(right=True))


if __name__ == "__main__":
    api.OPERATIONS = (*api.OPERATIONS, empty, nothing, check)
    main()
