"""Relying parties: programs that sign people in against this server."""

from __future__ import annotations

from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty, RelyingPartyView
from passless.domain.views import Ended
from passless.server.api import documents, paging
from passless.server.api.calls import Call, Said, operation
from passless.wire import Page


@operation("GET", "/relying-parties", gives=Page[RelyingPartyView], parameters=paging.PAGED)
def list_relying_parties(call: Call) -> Said:
    """List the relying parties (operators)."""
    return Said(value=paging.part(call.site.directory.relying_parties(call.actor), call, lambda one: one.id))


@operation("POST", "/relying-parties", takes=NewRelyingParty, gives=MadeRelyingParty, status=201)
def add_relying_party(call: Call, new: NewRelyingParty) -> Said:
    """Add a relying party; its secret is shown once (operators)."""
    return Said(value=call.site.directory.add_relying_party(call.actor, new))


@operation("POST", "/relying-parties/{relying_party}/secret", gives=MadeRelyingParty, status=201)
def renew_relying_party_secret(call: Call) -> Said:
    """Give a relying party another secret, shown once; the one before is refused from now on (operators)."""
    return Said(value=call.site.directory.new_relying_party_secret(call.actor, call.part("relying_party")))


@operation("POST", "/relying-parties/{relying_party}/plan", takes=RelyingPartyChange, gives=documents.Planned)
def plan_relying_party(call: Call, change: RelyingPartyChange) -> Said:
    """Say what changing a relying party would do, and what of it would end; nothing is kept (operators)."""
    return documents.outcome(call.site.directory.plan_relying_party(call.actor, call.part("relying_party"), change))


@operation("POST", "/relying-parties/{relying_party}/apply", takes=RelyingPartyChange, gives=documents.ChangedParty)
def change_relying_party(call: Call, change: RelyingPartyChange) -> Said:
    """Change a relying party: what is left out stays. What was given under looser rules ends (operators)."""
    return documents.outcome(call.site.directory.change_relying_party(call.actor, call.part("relying_party"), change))


@operation("DELETE", "/relying-parties/{relying_party}", gives=Ended)
def remove_relying_party(call: Call) -> Said:
    """Remove a relying party: it can sign nobody in any more (operators)."""
    return Said(value=call.site.directory.remove_relying_party(call.actor, call.part("relying_party")))
