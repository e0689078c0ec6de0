"""One server, one Dovecot and somebody with app passwords, for all tests with it; 2.4 has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.strangers.mail.a_dovecot import Dovecot, need_dovecot
from tests.strangers.mail.people import Person
from tests.strangers.mail.world import MailWorld, a_mail_world


@pytest.fixture(scope="session")
def world() -> Iterator[MailWorld]:
    """A server with a mail server beside it."""
    need_dovecot()
    with a_mail_world() as made:
        made.make_account("ada", "--email", "ada@example.org")
        made.make_account("eve")
        made.register("--introspects")
        made.serve()
        made.start_dovecot()
        yield made


@pytest.fixture(scope="session")
def dovecot(world: MailWorld) -> Dovecot:
    """The mail server."""
    assert world.dovecot is not None
    return world.dovecot


@pytest.fixture(scope="session")
def ada(world: MailWorld) -> Person:
    """Somebody who may make app passwords."""
    return world.signed_in("ada")


@pytest.fixture(scope="session")
def eve(world: MailWorld) -> Person:
    """Somebody else."""
    return world.signed_in("eve")


@pytest.fixture(scope="session")
def bob(world: MailWorld) -> Person:
    """Who sends; wrong ones are counted for each name."""
    world.make_account("bob")
    return world.signed_in("bob")
