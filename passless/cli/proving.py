"""Signing in from the terminal: which method, and its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.domain.views import SignedIn

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.methods import Kind


def sign_in(run: Run, kind: Kind | None) -> SignedIn:
    """Sign in to the account acted on, asking for what is missing."""
    raise NotImplementedError
