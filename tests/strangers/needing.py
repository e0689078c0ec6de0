"""Other people's programs that a test needs: in CI they must be there, elsewhere the test says what is missing."""

from __future__ import annotations

import os
import shutil

import pytest


def need(what: str, *, install: str) -> None:
    """Go on where a program is there; otherwise skip, or fail under CI=true."""
    if shutil.which(what) is None:
        missing(what, install=install)


def missing(what: str, *, install: str) -> None:
    """Say that something is not there."""
    reason = f"{what} is missing; install it with: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
