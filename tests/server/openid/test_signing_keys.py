"""The keys that sign: the next is published before it signs, the last as long as something that it signed may be shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from joserfc import jws
from msgspec.structs import replace

from passless.actions import sealed_records, signing_keys
from passless.actions.sealed_records import SealedDocument
from passless.actions.signing_keys import KEPT_AFTER, PUBLISHED_BEFORE, SIGNS_FOR
from passless.directories.local import vault_care
from passless.domain.sealed import KeyId, Sealed
from passless.domain.views import SignedIn
from passless.ports import Write
from passless.ports.directory import Actor
from tests.directories.place import Place, on_disk, reopened
from tests.server.oauth.test_code_flow import password
from tests.server.oauth.world import World
from tests.server.openid.relying import Relying, keys, read


def published(world: World) -> list[str]:
    return [str(one.kid) for one in keys(world).keys if one.key_type == "RSA"]


def signs(world: World, wiki: Relying) -> str:
    """Return which key signs now."""
    signed_in = world.site.directory.sign_in(Actor(place="203.0.113.7"), "ada", password())
    assert isinstance(signed_in, SignedIn)
    token = wiki.tokens(world.browser(signed_in))["id_token"]
    assert read(world, token)["aud"] == wiki.id
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def test_a_key_is_replaced_with_age_and_every_program_can_follow(world: World) -> None:
    wiki, _ = Relying(world), world.account()
    first = signs(world, wiki)
    world.place.clock.move(seconds=(SIGNS_FOR - PUBLISHED_BEFORE).total_seconds())
    assert published(world)[0] == first
    (_, second) = published(world)
    assert signs(world, wiki) == first
    world.place.clock.move(seconds=PUBLISHED_BEFORE.total_seconds())
    assert signs(world, wiki) == second
    assert published(world) == [first, second]
    world.place.clock.move(seconds=(KEPT_AFTER - timedelta(seconds=1)).total_seconds())
    assert published(world) == [first, second]
    world.place.clock.move(seconds=1)
    assert published(world) == [second]


def test_a_server_that_slept_for_a_year_signs_with_what_it_has_and_makes_the_next(world: World) -> None:
    wiki, _ = Relying(world), world.account()
    first = signs(world, wiki)
    world.place.clock.move(days=400)
    assert signs(world, wiki) == first
    assert len(published(world)) == 2


def test_one_that_somebody_has_is_good_for_nothing_from_now_on(world: World) -> None:
    wiki, _ = Relying(world), world.account()
    stolen = signs(world, wiki)
    signing_keys.rotate(world.place.parts, at_once=True, actor="owner", place="")
    assert stolen not in published(world)
    assert signs(world, wiki) in published(world)
    assert [one.event for one in world.place.store.events()].count("new-signing-key") == 4


def test_threads_and_processes_that_begin_at_once_agree(world: World) -> None:
    parts = world.place.parts
    with ThreadPoolExecutor(6) as all_of_them:
        found = list(all_of_them.map(lambda _: str(signing_keys.published(parts)), range(6)))
    assert len(set(found)) == 1


@pytest.fixture
def disk(tmp_path: object) -> Place:
    return on_disk(tmp_path)  # type: ignore[arg-type]


def test_the_vault_key_may_be_replaced(disk: Place) -> None:
    """What is sealed under the old key moves, is counted, and signs as before in a process that knew the old one."""
    before = signing_keys.published(disk.parts)
    signing_keys.signing(disk.parts, "RS256")
    other = reopened(disk.folder, at=disk.clock.now, seed=3)
    assert sum(vault_care.count_use(other.store).seals.values()) == 2
    done = vault_care.rotate(other.store, other.vault, other.clock)
    assert (done.seals, len(done.forgotten)) == (2, 1)
    vault_care.check_readable(other.store, other.vault)
    other.close()
    assert signing_keys.published(disk.parts) == before
    signing_keys._private.cache_clear()
    assert signing_keys.signing(disk.parts, "RS256").kid == before["keys"][0]["kid"]
    disk.close()


def test_a_key_that_is_made_while_the_vault_key_is_replaced_comes_under_the_new_one(disk: Place) -> None:
    disk.vault.key_id()
    other = reopened(disk.folder, at=disk.clock.now, seed=3)
    vault_care.rotate(other.store, other.vault, other.clock)
    signing_keys.published(disk.parts)
    current = other.vault.key_id()
    assert {sealed_records.key_of(one) for one in sealed_records.everything(other.store)} == {current}
    vault_care.check_readable(other.store, other.vault)
    other.close()
    disk.close()


def test_a_key_whose_vault_key_is_lost_says_so_and_a_new_one_is_made_by_command(world: World) -> None:
    """Must hold 14: nothing is signed and no code is used up; the account signs in as before."""
    wiki, ada = Relying(world), world.account()
    browser = world.browser(ada)
    code = wiki.code(browser)
    parts = world.place.parts
    published(world)
    for record in tuple(parts.store.records(signing_keys.KIND)):
        document = msgspec.json.decode(record.document, type=SealedDocument)
        lost = replace(document, seal=Sealed(key=KeyId("lost"), box=document.seal.box))
        parts.store.commit(Write(at=parts.now(), puts=(replace(record, document=msgspec.json.encode(lost)),)))
    assert [one.readable for one in signing_keys.look(parts)] == [False, False]
    answer = wiki.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "lost" in answer.json()["error_description"]
    assert world.site.directory.sign_in(Actor(place="203.0.113.7"), "ada", password())
    signing_keys.rotate(parts, at_once=True, actor="owner", place="")
    assert wiki.exchange(code).status_code == 200
