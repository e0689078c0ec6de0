"""Giving a relying party another secret, and saying where the one before stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.cli import plans, relying_parties
from passless.domain.party_kinds import PartyKind
from passless.domain.views import Applied, MadeRelyingParty, PlanView

if TYPE_CHECKING:
    from passless.cli.context import Run

INTO = "on its host, put the new secret in the place of the one before into"
OURS = "put it where the one before is kept for relying-party watch and test, and start watch again"


def make(run: Run, words: str) -> Applied | PlanView:
    """Give a relying party another secret, shown once."""
    found = relying_parties.find(run, words)
    plan = plans.new_relying_party_secret(found)
    if run.given.dry_run:
        return plan
    run.confirm(f'make a new secret for "{found.name}"? the one before is refused at once', plan=lambda: plan)
    made = run.attempt(lambda actor: run.directory.new_relying_party_secret(actor, found.id))
    return Applied(plan=plan, made=replace(made, then=where_it_goes(made)))


def where_it_goes(made: MadeRelyingParty) -> tuple[str, ...]:
    """Say where the secret before stands; each kind's program has it in a file of its own, or needs none."""
    match made.kind:
        case PartyKind.PAM:
            return (f"{INTO} the file that ends with .radius; until then nobody gets a second step", OURS)
        case PartyKind.SSH:
            return (f"{INTO} the file that ends with .curl; until then sshd gets no keys", OURS)
        case PartyKind.DOVECOT if made.introspects:
            return (f"{INTO} Dovecot's file with the address /oauth/introspect, then: doveadm reload", OURS)
        case PartyKind.DOVECOT:
            return (OURS,)
        case PartyKind.HTTP:
            return ("put it where the one before is kept for relying-party test; no proxy needs it",)
        case _:
            return ("give it to the program in the place of the one before; until then it signs nobody in",)
