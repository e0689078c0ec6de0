"""A server whose store was put back from an old copy."""

from __future__ import annotations

from pathlib import Path

from tests.server.asking import Caller
from tests.server.serving import Served, a_server
from tests.stores.postgres import Cluster, cluster

HOST = "http://accounts.localhost:18443"


def notes(served: Served) -> list[str]:
    return [str(line["message"]) for line in served.lines if line["event"] == "note"]


def test_whoever_put_an_old_copy_back_says_so(tmp_path: Path) -> None:
    """Must hold 13: sessions of before are void, and it is said."""
    with a_server(tmp_path, "--url", HOST) as served, Caller(url=f"http://127.0.0.1:{served.address[1]}") as ada:
        ada.http.headers["Host"] = HOST.removeprefix("http://")
        ada.create()
        token = ada.token
    with a_server(tmp_path, "--url", HOST, "--restored") as served:
        assert [one for one in notes(served) if "an old copy of the store was put back" in one]
        assert [one for one in notes(served) if "nobody is an operator any more" in one]
        with Caller(url=f"http://127.0.0.1:{served.address[1]}") as ada:
            ada.http.headers["Host"] = HOST.removeprefix("http://")
            ada.token = token
            assert ada.get("/accounts/me", 401)["code"] == "sign-in-needed"
            ada.sign_in()


def test_a_host_that_joins_says_that_it_knows_of_no_old_copy(tmp_path: Path) -> None:
    """Must hold 13: where it cannot be known, the start says so."""
    with cluster() as running:
        check_joining(running, tmp_path)


def check_joining(running: Cluster, folder: Path) -> None:
    store = running.new_database()
    with a_server(folder, "--url", HOST, store=store) as served:
        assert not [one for one in notes(served) if "for the first time" in one]
    other = folder / "other"
    other.mkdir()
    (other / "vault.key").write_bytes((folder / "vault.key").read_bytes())
    (other / "vault.key").chmod(0o600)
    with a_server(other, "--url", HOST, store=store) as served:
        assert [one for one in notes(served) if "this host opens the store for the first time" in one]
    with a_server(other, "--url", HOST, store=store) as served:
        assert not notes(served)
