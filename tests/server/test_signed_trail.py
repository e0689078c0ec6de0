"""The audit trail of a server: signed while it runs, and when it stops."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from passless.domain.audit import AuditReport
from passless.stores import open_store
from tests.server.asking import Caller
from tests.server.serving import a_server, home_in

MOVED = "--new-url"  # the port is another one each time


def checked(folder: Path) -> AuditReport:
    """Check the trail of a server's store, as its host can at any time."""
    path, state = folder / "accounts.sqlite", home_in(folder) / "state" / "stores"
    with closing(open_store(path, state=state, at=datetime.now(UTC))) as store:
        return store.verify()


def test_a_server_signs_when_it_stops_and_one_that_was_killed_when_it_is_back(tmp_path: Path) -> None:
    """Must hold 8: nothing that a server wrote stays unsigned for long."""
    with a_server(tmp_path, MOVED) as served, Caller(served) as caller:
        caller.create()
    stopped = checked(tmp_path)
    assert (stopped.intact, stopped.unsigned) == (True, 0)
    with a_server(tmp_path, MOVED) as served, Caller(served) as caller:
        caller.sign_in()
        served.kill()
        left = checked(tmp_path)
    assert left.intact
    assert left.unsigned > 0
    with a_server(tmp_path, MOVED):
        pass
    back = checked(tmp_path)
    assert (back.intact, back.unsigned) == (True, 0)
