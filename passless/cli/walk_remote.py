"""What is different in the first step of the walk-through where the account lives on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from passless.cli import accounts
from passless.cli.asking import NothingTyped
from passless.cli.elsewhere import server_of
from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.walking import Walk

NEW = "new"
MINE = "mine"
NO_WAY_IN = "Nothing signs you in? An operator can issue a temporary pass; another account: passless setup --account NAME"
OPEN = "open"  # what a server says where anybody may make an account


class NoInvitation(WrongUse):
    """Enter alone was pressed where a link is needed."""

    code = "invitation-needed"
    hint = "paste the whole link; who has none asks an operator of the server for one (Ctrl-C leaves)"
    default = "nothing was pasted"


class Invited(Struct, frozen=True, kw_only=True):
    """What lets somebody make an account: nothing where anybody may. `name` is the only one that it is good for, if any."""

    secret: Secret | None = None
    name: str = ""


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
    walk.talk.say(f'Sign in to "{printable(run.spoken_target)}" first.')
    while True:
        try:
            sign_in(run, Wish())
        except PasslessError as error:
            walk.talk.trouble(error)
            if not walk.talk.yes("Try again?"):
                walk.talk.aside(NO_WAY_IN)
                raise
        else:
            return


def invitation(walk: Walk) -> Invited:
    """Return the invitation that the server asks for, from its file or from the person; it is looked at at once."""
    run = walk.run
    if walk.wish.invitation is not None:
        return _looked_at(run, accounts.invitation_in(run, walk.wish.invitation))
    if not run.can_ask or server_of(run).greeting().sign_up == OPEN:
        return Invited()
    walk.talk.say("An account here needs an invitation: a link from an operator of the server.")
    while True:
        try:
            return _typed(walk)
        except (WrongUse, ProofNeeded) as error:
            if isinstance(error, NothingTyped) or error.code == "throttled":
                raise
            walk.talk.trouble(error)


def _typed(walk: Walk) -> Invited:
    typed = walk.talk.secret("Its link (it does not show)")
    if typed is None:
        raise NoInvitation
    return _looked_at(walk.run, accounts.invitation_of(walk.run, typed))


def _looked_at(run: Run, secret: Secret | None) -> Invited:
    if secret is None:
        return Invited()
    return Invited(secret=secret, name=run.directory.invited(secret).name)
