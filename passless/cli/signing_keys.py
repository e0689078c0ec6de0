"""The keys that sign what relying parties are told: what there is, and the next ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.actions import signing_keys
from passless.directories.local.parts_of import parts_of
from passless.domain.errors import WrongUse
from passless.domain.party_views import SigningKeyView

if TYPE_CHECKING:
    from passless.cli.context import Run

AT_ONCE = "replace the signing keys at once? people sign in anew to programs that hold what the old ones signed"


def show(run: Run, *, rotate: bool, at_once: bool) -> tuple[SigningKeyView, ...]:
    """Return the keys, with the next ones where these are asked for; the server itself makes them every 90 days."""
    if at_once and not rotate:
        raise WrongUse("nothing is replaced without --rotate", hint="passless relying-party keys --rotate --at-once")
    parts = parts_of(run.directory)
    if rotate and not run.given.dry_run:
        if at_once:
            run.confirm(AT_ONCE)
        parts.vault.key_id()  # where it is missing nothing is made
        signing_keys.rotate(parts, at_once=at_once, actor="owner", place=run.place)
    return signing_keys.look(parts)
