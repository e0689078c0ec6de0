"""One host for all tests of sign-in on Linux."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.linux.host import Host, need_root


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    need_root()
    found = Host(tmp_path_factory.mktemp("host"))
    try:
        with found.serving():
            yield found
    finally:
        found.close()
