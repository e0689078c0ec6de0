"""schemathesis judges the interface: no fault, and no answer that the description does not promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from passless.server.api import OPERATIONS
from passless.server.api.description import describe
from tests.server.asking import PASSWORD, Caller
from tests.server.serving import Served, a_server

EXAMPLES = 12  # for each operation, with and without a session
PACE = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

interface = schemathesis.openapi.from_dict(msgspec.json.decode(msgspec.json.encode(describe(OPERATIONS))))
operations = [found.ok() for found in interface.get_all_operations()]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_server(tmp_path_factory.mktemp("schemathesis"), "--trusted-proxy", "127.0.0.1") as running:
        yield running
    assert running.line("fault") is None


class Somebody:
    """Somebody whose session is made anew when what was asked ended it."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._number = 0
        self.token = ""

    def headers(self) -> dict[str, str]:
        with Caller(self._served, name=f"judge-{self._number}") as caller:
            if self.token:
                caller.token = self.token
                if caller.ask("GET", "/accounts/me").status_code == 200:
                    return {"Authorization": f"Bearer {self.token}"}
            self._number += 1
            caller.name = f"judge-{self._number}"
            caller.http.headers["X-Forwarded-For"] = f"203.0.113.{self._number % 250}"  # who makes so many has to wait
            caller.create(PASSWORD)
            self.token = caller.token
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="module")
def somebody(served: Served) -> Somebody:
    return Somebody(served)


@pytest.mark.parametrize("operation", operations, ids=lambda one: one.label)
def test_strangers_get_what_is_described(operation: Any, served: Served) -> None:
    """No fault, and nothing that is not described, whatever somebody without a session sends."""

    @PACE
    @given(case=operation.as_strategy())
    def judge(case: Any) -> None:
        _ask(case, base_url=served.url)

    judge()


@pytest.mark.parametrize("operation", operations, ids=lambda one: one.label)
def test_a_person_gets_what_is_described(operation: Any, served: Served, somebody: Somebody) -> None:
    """No fault, and nothing that is not described, whatever somebody sends about their own account."""

    @PACE
    @given(case=operation.as_strategy())
    def judge(case: Any) -> None:
        if "account" in (case.path_parameters or {}):
            case.path_parameters["account"] = "me"
        _ask(case, base_url=served.url, headers=somebody.headers())

    judge()


def _ask(case: Any, **options: Any) -> None:
    answer = case.call_and_validate(excluded_checks=list(_left_out()), **options)
    assert answer.status_code < 500 or answer.status_code == 501, answer.text  # what it cannot do it may say


def _left_out() -> Iterator[Any]:
    """Return the checks of other questions: what is accepted is told by the rules, not by the description alone."""
    for name in ("not_a_server_error", "positive_data_acceptance", "ignored_auth"):
        if name in CHECKS.get_all_names():
            yield CHECKS.get_one(name)
