"""The measuring of endings, with few; and that who waits takes nobody's place."""

from __future__ import annotations

from pathlib import Path

from passless.server.crowd import WORK_SHARE
from tests.bench.endings import to_many, to_the_program
from tests.server.serving import a_server
from tests.server.watching import register

MORE_THAN_MAY_BE_AT_WORK = WORK_SHARE + 50  # for one source


def test_endings_reach_the_program_and_many_who_listen_from_one_address(tmp_path: Path) -> None:
    with a_server(tmp_path, "--metrics-listen", "127.0.0.1:0") as served:
        made = register(tmp_path)
        assert len(to_the_program(tmp_path, served, 2)) == 2
        told = to_many(tmp_path, served, made, MORE_THAN_MAY_BE_AT_WORK)
        assert told.first <= told.last
