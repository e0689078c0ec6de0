"""Reading, checking and writing out the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from passless.cli import outside_files
from passless.directories.local.parts_of import parts_of
from passless.domain.audit import AuditEvent, AuditReport
from passless.domain.errors import CannotDoThat, WrongUse
from passless.output import json

if TYPE_CHECKING:
    from passless.cli.context import Run

CHECKPOINT = "checkpoint"


def events(run: Run, *, since: timedelta | None, everybody: bool) -> Iterator[AuditEvent]:
    """Stream the trail of the account acted on, or of all."""
    if everybody and run.given.account:
        raise WrongUse("--all and --account ask for different things", hint="leave one of them out")
    target = None if everybody else run.looked_at
    return run.directory.events(run.actor, target, since=run.now() - since if since else None)


def verify(run: Run, head: str | None) -> AuditReport:
    """Check the trail, also against a checkpoint that somebody kept."""
    kept = None if head is None else outside_files.read(head, what=CHECKPOINT)
    return parts_of(run.directory).store.verify(head=kept)


def keep_head(run: Run, path: str | None) -> None:
    """Write the last signed checkpoint of the trail to a file."""
    if path is None:
        return
    outside_files.may_write(run, path)
    outside_files.write(path, signed_head(run), what=CHECKPOINT)


def signed_head(run: Run) -> bytes:
    """Sign where the trail stands now, and return what was signed."""
    store = parts_of(run.directory).store
    checkpoint = getattr(store, "checkpoint", None)
    if checkpoint is None:
        raise CannotDoThat("this store signs no checkpoints")
    checkpoint(at=run.now())
    folder = run.settings.folders.state / "stores" / store.id / CHECKPOINT
    return outside_files.read(str(folder), what=CHECKPOINT)


def print_all(run: Run, found: Iterable[AuditEvent]) -> None:
    """Write each event as one line of JSON, as it comes; as one array where one document is asked for."""
    if run.json:
        json.print_each(found)
        return
    for event in found:
        json.print_one(event)
