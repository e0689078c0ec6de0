"""Short work of many requests in one transaction: who is told what, and when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from passless.domain.account import AccountId
from passless.domain.audit import Outcome
from passless.domain.errors import PasslessError
from passless.ports import StoreUnavailable
from passless.server import batches as batches_module
from passless.server.batches import LARGEST, Batches
from passless.server.counting import counting
from passless.server.metrics import Metrics
from tests.builders import an_account
from tests.fakes.memory_store import MemoryStore
from tests.stores.builders import a_session, a_write, an_entry, create, kept
from tests.stores.test_together import commits_of

ADA = AccountId("ada")


def done(batches: Batches, *works: Callable[[], Any]) -> list[Any]:
    """Ask for several things at the same moment; return what came of each."""

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(batches.do, works), return_exceptions=True)

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("in_place", [False, True])
def test_what_comes_in_together_is_kept_together(folder: Path, in_place: bool) -> None:
    with closing(create(folder)) as store:
        kept(store, an_account())
        before = commits_of(store)
        works = [lambda name=name: store.commit(a_write(opens=a_session(name))) for name in ("one", "two", "three")]
        assert done(Batches(store, in_place=in_place), *works) == [None] * 3
        assert len(store.sessions(ADA)) == 3
        assert commits_of(store) == before + 1


def test_what_comes_in_meanwhile_is_the_next_batch(folder: Path) -> None:
    with closing(create(folder)) as store:
        batches, goes_on, met = Batches(store), threading.Event(), list[str]()

        async def two() -> None:
            first = batches.do(lambda: met.append("first" if goes_on.wait(60) else ""))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            second = batches.do(lambda: met.append("second"))
            goes_on.set()
            await asyncio.gather(first, second)

        asyncio.run(two())
        assert met == ["first", "second"]


@pytest.mark.parametrize("in_place", [False, True])
def test_what_goes_wrong_with_one_is_its_own(folder: Path, in_place: bool) -> None:
    def refused() -> None:
        raise PasslessError("not that")

    def broken() -> None:
        raise ZeroDivisionError

    with closing(create(folder)) as store:
        kept(store, an_account())
        found = done(Batches(store, in_place=in_place), refused, lambda: store.commit(a_write(opens=a_session())), broken)
        assert [type(one) for one in found] == [PasslessError, type(None), ZeroDivisionError]
        assert len(store.sessions(ADA)) == 1


class FullStore(MemoryStore):
    """A store whose disk is full at the end of every block."""

    def __init__(self) -> None:
        super().__init__()
        self.keeps_together = True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Fail at the end."""
        yield
        raise StoreUnavailable("the disk is full")


@pytest.mark.parametrize("in_place", [False, True])
def test_nobody_is_told_of_what_is_not_on_the_disk(in_place: bool) -> None:
    """Must hold 10: an answer is given when what it tells of is kept, and not before."""
    store, metrics = FullStore(), Metrics()
    counted = counting(store, metrics)
    signed_in = a_write(events=(an_entry("sign-in", details={"kinds": "passkey"}),))
    found = done(Batches(counted, in_place=in_place), lambda: counted.commit(signed_in), lambda: "read")
    assert [str(one) for one in found] == ["the disk is full"] * 2
    assert "sign_ins_total{" not in metrics.text()


def test_sign_ins_that_are_kept_together_are_counted(folder: Path) -> None:
    with closing(create(folder)) as store:
        metrics = Metrics()
        counted = counting(store, metrics)
        signed_in = a_write(events=(an_entry("sign-in", details={"kinds": "passkey"}),))
        done(Batches(counted), *[lambda: counted.commit(signed_in)] * 3)
        assert f'passless_sign_ins_total{{kind="passkey",outcome="{Outcome.DONE}"}} 3' in metrics.text()


def test_in_place_no_thread_is_woken_and_more_than_a_batch_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handing a batch to a thread and back costs more than the batch."""
    monkeypatch.delattr(batches_module, "get_asyncio_executor")
    with closing(create(folder)) as store:
        works = [threading.get_ident] * (2 * LARGEST + 1)
        assert done(Batches(store, in_place=True), *works) == [threading.get_ident()] * len(works)


class BrokenStore(FullStore):
    """A store that nobody thought of."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Fail as nothing does that was foreseen."""
        raise ZeroDivisionError
        yield


@pytest.mark.parametrize("in_place", [False, True])
def test_whatever_goes_wrong_nobody_waits_for_ever_and_the_next_are_answered(in_place: bool) -> None:
    batches = Batches(BrokenStore(), in_place=in_place)
    for _ in range(2):
        assert [type(one) for one in done(batches, lambda: 1, lambda: 2)] == [ZeroDivisionError] * 2


@pytest.mark.parametrize("in_place", [False, True])
def test_a_store_with_many_writers_has_a_thread_for_each(in_place: bool) -> None:
    store, met = MemoryStore(), threading.Barrier(2, timeout=60)
    assert sorted(done(Batches(store, in_place=in_place), met.wait, met.wait)) == [0, 1]


@pytest.fixture(name="folder")
def a_folder(tmp_path: Path) -> Path:
    """A folder for a store."""
    return tmp_path
