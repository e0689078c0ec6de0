"""What is different in the first step of the walk-through where the account lives on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli import accounts
from passless.cli.elsewhere import server_of
from passless.domain.errors import CannotDoThat, PasslessError, ProofNeeded
from passless.domain.names import printable
from passless.domain.secret import Secret

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.walking import Walk

NEW = "new"
MINE = "mine"


def known(run: Run, wanted: str) -> str | None:
    """Return an account that is known on this machine; of others only their owners know whether they are there."""
    return wanted if run.tokens.id_of(wanted) is not None else None


def choose(walk: Walk) -> str | None:
    """Ask whether there is an account already; None for a new one."""
    options = ((NEW, "make a new account"), (MINE, "I have one; sign in to it"))
    if walk.wish.invitation is not None or walk.talk.choose("Do you have an account there?", options) == NEW:
        return None
    return walk.talk.until_right(lambda: walk.talk.line("Account name"))


def signed_in(walk: Walk) -> None:
    """Have the person sign in where they are not, or no longer: a server shows nothing before."""
    from passless.cli.proving import Wish, sign_in

    run = walk.run
    try:
        if run.directory.read(run.actor, run.target).session is not None:
            return
    except ProofNeeded:
        if not run.can_ask:
            raise
    walk.talk.say("Sign in to it first.")
    while True:
        try:
            sign_in(run, Wish())
        except PasslessError as error:
            walk.talk.trouble(error)
            if not walk.talk.yes("Try again?"):
                raise
        else:
            return


def invitation(walk: Walk) -> Secret | None:
    """Return the invitation that the server asks for, from its file or from the person."""
    run = walk.run
    if walk.wish.invitation is not None:
        return accounts.invitation_in(run, walk.wish.invitation)
    match server_of(run).greeting().sign_up:
        case "invitation" if run.can_ask:
            return walk.talk.until_right(lambda: _typed(walk))
        case "operator":
            raise CannotDoThat(
                f'accounts at "{printable(run.profile.address)}" are made by its operators',
                hint="ask one of them for an account, then: passless sign-in",
                code="no-sign-up",
            )
        case _:
            return None


def _typed(walk: Walk) -> Secret | None:
    typed = walk.talk.secret("The link of your invitation (it does not show)")
    return None if typed is None else accounts.invitation_of(walk.run, typed)
