"""A real sshd asks a real `passless serve` which security keys let a user in, and a real ssh signs with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.software_key import EDDSA, ES256, Model, SoftwareKey
from tests.strangers.ssh.conftest import Desk
from tests.strangers.ssh.host import Host

PIN = "4711"
Seat = Callable[..., Desk]


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
def test_the_key_of_the_account_signs_in_by_ssh(host: Host, sits_down: Seat, algorithm: int) -> None:
    desk = sits_down(SoftwareKey(model=Model(algorithms=[algorithm])))
    desk.add_key()
    written = desk.write_file()
    assert written["application"] == "localhost"
    session = desk.at(host).begin()
    session.sendline("id -un")
    session.expect(desk.name)
    assert set(desk.held.asked) == {"localhost"}
