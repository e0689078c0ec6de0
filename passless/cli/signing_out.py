"""Signing out: the session that ends is one of the account that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli import plans
from passless.cli.failures import Contradiction, NotSignedIn
from passless.domain.errors import Unavailable
from passless.output.results import SignedOut
from passless.ports.directory import Actor

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.domain.secret import Secret
    from passless.domain.views import PlanView


class SignedOutHereOnly(Unavailable):
    """The server could not be told; the session is forgotten here."""

    code = "signed-out-here-only"

    def __init__(self, error: Unavailable) -> None:
        super().__init__(
            f"signed out on this machine only: {error.message}",
            hint="the session there ends after an hour without use; sooner from elsewhere: passless session end",
        )


def sign_out(run: Run, *, everywhere: bool) -> SignedOut | PlanView:
    """End the session in use, or all of its account, and forget its token."""
    if run.given.dry_run:
        return plans.sign_out(run.view(), everywhere=everywhere)
    token = _token(run)
    if token is None:
        if everywhere:
            raise NotSignedIn(run.spoken_target)
        return SignedOut(ended=0)
    try:
        ended = run.directory.sign_out(Actor(token=token, place=run.place), everywhere=everywhere)
    except Unavailable as error:
        if not run.is_remote:
            raise
        run.tokens.forget(token)
        raise SignedOutHereOnly(error) from error
    run.tokens.forget(token)
    return SignedOut(ended=ended)


def _token(run: Run) -> Secret | None:
    """Return the token of the account that is meant, and of no other."""
    acting = run.actor.token
    if run.given.acting_as:
        if run.given.account and acting != run.tokens.token_of(_id(run, run.given.account)):
            raise Contradiction(f"--as {run.given.acting_as}", f"--account {run.given.account}")
        return acting
    named = run.given.account or run.settings.account
    return acting if named is None else run.tokens.token_of(_id(run, named))


def _id(run: Run, account: str) -> str:
    if run.is_remote:
        return run.tokens.id_of(account) or account
    return run.directory.read(run.looker, account).id
