"""The sentences of the Directory contract, by what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from passless.domain.errors import PasslessError
from passless.domain.refused import Refused


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """Expect an error with one of these codes; a change that the rules refuse may have it among its problems."""
    with pytest.raises(PasslessError) as caught:
        yield
    error = caught.value
    found = {error.code}
    if isinstance(error, Refused):
        found |= {problem.code for problem in error.problems if problem.severity == "refusal"}
    assert found & set(codes), f"{found} instead of {codes}: {error}"
    assert error.hint
