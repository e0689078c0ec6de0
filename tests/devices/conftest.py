"""Keys plugged in for one test, and a computer without others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from passless.devices.keys import SecurityKeys
from tests.software_key import SoftwareKey, plugged_in

Plug = Callable[..., None]


@pytest.fixture
def keys(tmp_path: Path) -> SecurityKeys:
    """Return the reader under test, on a computer without devices of its own."""
    return SecurityKeys(sysfs=tmp_path / "sys", dev=tmp_path / "dev", platform="linux")


@pytest.fixture
def plug() -> Iterator[Plug]:
    """Return what plugs software keys in until the test ends."""
    with ExitStack() as stack:

        def plug_in(*keys: SoftwareKey) -> None:
            stack.enter_context(plugged_in(*keys))

        yield plug_in
