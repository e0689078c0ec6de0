"""What counts on hosts: one stolen factor makes no second one that opens them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passless.actions import hardware_keys, relying_parties, second_steps
from passless.actions.second_steps import OnHost
from passless.credentials.proofs import WrongProof
from passless.domain.methods import Kind
from passless.domain.relying_parties import Client
from passless.domain.secret import Secret
from tests.directories.person import Person
from tests.directories.security_key import SecurityKey
from tests.server.oauth.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_in(tmp_path)
    made.register("host", kind="pam", redirect_uris=())
    made.register("keys", kind="ssh", redirect_uris=())
    yield made
    made.close()


def party(world: World, name: str) -> Client:
    found = relying_parties.find_named(world.place.parts, name)
    assert found is not None
    return found


def try_code(world: World, code: Secret) -> None:
    second_steps.check_code(world.place.parts, OnHost(party=party(world, "host"), user="ada", service="sudo"), code)


def told(world: World) -> int:
    return len(hardware_keys.authorized_keys(world.place.parts, party(world, "keys"), "ada").lines)


def test_what_a_thief_of_the_password_adds_opens_no_host(world: World) -> None:
    """Added with one factor, to an account that is older than the wait; after the wait the owner had their time."""
    world.account("ada")
    world.place.clock.move(days=60)
    thief = Person(world.place, "ada", at="198.51.100.66")
    thief.with_password()
    app = thief.add_app()
    thief.add_key(SecurityKey(), Kind.SECURITY_KEY)
    with pytest.raises(WrongProof):
        try_code(world, app.fresh)
    assert told(world) == 0
    world.place.clock.move(days=31)
    try_code(world, app.fresh)
    assert told(world) == 1


def test_what_is_added_to_a_new_account_opens_hosts_at_once(world: World) -> None:
    ada = Person(world.place, "ada", token=world.account("ada").token)
    app = ada.add_app()
    ada.add_key(SecurityKey(), Kind.SECURITY_KEY)
    try_code(world, app.fresh)
    assert told(world) == 1


def test_what_is_added_with_two_proofs_opens_hosts_at_once(world: World) -> None:
    ada = Person(world.place, "ada", token=world.account("ada").token)
    first = ada.add_app()
    world.place.clock.move(days=60)
    again = ada.elsewhere()
    again.with_password()
    again.with_code(first)
    again.add_key(SecurityKey(), Kind.SECURITY_KEY)
    assert told(world) == 1
