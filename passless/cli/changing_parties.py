"""Changing what is registered of a relying party, and saying what is left to do at its program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.cli import configuring, relying_parties
from passless.cli.arguments import words
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.party_kinds import ON_HOST, PartyKind
from passless.domain.views import Applied, ChangedRelyingParty, PlanView
from passless.programs.setting_up import MODULES, step

if TYPE_CHECKING:
    from passless.cli.context import Run

WATCHED = frozenset({PartyKind.DOVECOT, PartyKind.PAM, PartyKind.SSH})  # kinds whose hosts run `relying-party watch`
HOLD_SECRETS = frozenset({PartyKind.PAM, PartyKind.SSH})  # kinds whose own files do


def wish(
    *,
    name: str | None,
    redirect_uris: Sequence[str] | None,
    added: Sequence[str] | None,
    removed: Sequence[str] | None,
    scopes: str | None,
    requires: str | None,
    services: str | None,
    after_sign_out: Sequence[str] | None,
    told_at: str | None,
    signed_with: str | None,
    groups: Sequence[str] | None,
) -> RelyingPartyChange:
    """Return what is asked for; an option that was left out changes nothing, and '' is none."""
    return RelyingPartyChange(
        name=name,
        redirect_uris=_each(redirect_uris),
        add_redirect_uris=tuple(added or ()),
        remove_redirect_uris=tuple(removed or ()),
        scopes=None if scopes is None else words(scopes),
        requires=requires,
        services=None if services is None else words(services),
        after_sign_out=_each(after_sign_out),
        told_of_endings_at=told_at,
        signed_with=signed_with,
        groups=_each(groups),
    )


def _each(said: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return what was said of an option that may be repeated."""
    return tuple(one for one in said if one) if said else None


def change(run: Run, name: str, wanted: RelyingPartyChange) -> Applied | PlanView:
    """Change a relying party, after its plan was shown."""
    found = relying_parties.find(run, name)
    plan = run.attempt(lambda actor: run.directory.plan_relying_party(actor, found.id, wanted))
    if run.given.dry_run:
        return plan
    if not plan.change.get("changes"):
        return Applied(plan=plan)
    run.confirm(f'change "{found.name}" like this?', plan=lambda: plan)
    applied = run.attempt(lambda actor: run.directory.change_relying_party(actor, found.id, wanted))
    made = applied.made
    if not isinstance(made, ChangedRelyingParty):
        return applied
    changes = applied.plan.change.get("changes") if applied.plan is not None else None
    fields = frozenset(changes) if isinstance(changes, dict) else frozenset()
    return replace(applied, made=replace(made, then=tuple(_left(made, fields, configuring.address_of(run, NOWHERE)))))


NOWHERE = configuring.Where()


def _left(made: ChangedRelyingParty, fields: frozenset[str], url: str) -> Iterator[str]:
    """Say what is left to do where a program, its files or what serves it still says what was before."""
    kind, name = PartyKind(made.kind), quote(made.name)
    in_files = {"name", "redirect_uris"} if kind is PartyKind.HTTP else {"name"}
    if kind in MODULES and fields & in_files:
        secret = " --secret-file FILE" if kind in HOLD_SECRETS or made.introspects else ""
        to = " --to DIR" if kind is PartyKind.HTTP else ""
        again = f"passless relying-party configure {name}{to} --server {url}{secret}"
        yield step(f"{_until(kind)} on its host, put them aside and write them anew:", again)
        yield step("see that none is left:", f"passless relying-party test {name} --to DIR --server {url}")
    if "name" in fields and kind in ON_HOST:
        yield step("name it like this when the server starts again:", f"passless serve … --socket {name}=ADDRESS")
    if "name" in fields and kind in WATCHED:
        yield step("and start this anew:", f"passless relying-party watch {name} --server {url} --secret-file FILE")
    if "redirect_uris" in fields and kind not in MODULES and made.redirect_uris:
        yield step("give the program its address to come back to, letter by letter:", *made.redirect_uris)


def _until(kind: PartyKind) -> str:
    if kind is PartyKind.HTTP:
        return "its proxies' files are still of before, and let nobody in by what is no more;"
    return "its program's files are still of before, and called by the name of then;"
