"""A host of its own, with no store, no profile of a server and nobody signed in: the relying party's secret is enough there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passless.programs import proxies
from tests.cli.running import Passless
from tests.free_ports import free_port
from tests.linux.host import need_root
from tests.server.serving import Served, a_server
from tests.strangers.registering import registered

SITE = "https://app.example/.passless/callback"
KINDS = {
    "pam": ("--elsewhere",),
    "ssh": ("--elsewhere",),
    "http": ("--elsewhere", "--redirect-uri", SITE, "--require", "two-factors"),
    "oidc": ("--redirect-uri", "https://app.example/back", "--sign-with", "ES256"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server that answers, whose relying parties run elsewhere."""
    with a_server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passless:
    return Passless(tmp_path / "host", monkeypatch)


def made(served: Served, kind: str) -> dict[str, Any]:
    return registered(served, f"my {kind}", *KINDS[kind], kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_said_and_everything_is_looked_at(served: Served, host: Passless, kind: str) -> None:
    there = made(served, kind)
    about = (f"my {kind}", "--server", served.url, "--secret-file", "-")
    again = host.json("relying-party", "configure", *about, "--steps", typed=there["secret"])
    assert (again["id"], bool(again["then"])) == (there["id"], True)
    looked = host.json("relying-party", "test", *about, typed=there["secret"])
    assert {"registered", "server", "secret", "endings"} <= {one["check"] for one in looked if one["tested"]}
    assert all(one["ok"] for one in looked)
    for command in (("test",), ("configure",), ("configure", "--steps")):
        refused = host.json("relying-party", command[0], *about, *command[1:], typed="plc_wrong", status=5)
        assert refused["code"] == "wrong-secret"


def test_files_are_as_those_of_a_store(served: Served, host: Passless, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server says of a relying party is all that its files are made of."""
    monkeypatch.setattr(proxies, "SYSTEM", "")
    there = registered(served, "wiki", *KINDS["http"], kind="http")
    (tmp_path / "files").mkdir()
    where = ("wiki", "--server", served.url, "--to", str(tmp_path / "files"))
    done = host.json("relying-party", "configure", *where, "--secret-file", "-", typed=there["secret"])
    assert len(done["written"]) > 1
    assert any("app.example" in Path(one).read_text() for one in done["written"])
    monkeypatch.setenv("PATH", "")
    looked = host.json("relying-party", "test", *where, "--secret-file", "-", typed=there["secret"])
    assert [one["ok"] for one in looked if one["check"] == "files"] == [True]


def test_pam_is_set_up_by_it(served: Served, host: Passless, tmp_path: Path) -> None:
    need_root()
    there = registered(served, "far host", "--elsewhere", kind="pam")
    where = ("far host", "--server", served.url, "--to", str(tmp_path), "--secret-file", "-")
    done = host.json("relying-party", "configure", *where, "--way-back", "a console", typed=there["secret"])
    assert {Path(one).name for one in done["written"]} >= {"passless-far-host", "passless-far-host.radius"}
    looked = host("relying-party", "test", *where, "--json", typed=there["secret"])
    assert [one["check"] for one in looked.json if not one["ok"]] == ["socket"], "nothing serves it"
    assert looked.status == 6


def test_a_server_that_is_down_is_said_to_be(host: Passless) -> None:
    server = ("--server", f"http://localhost:{free_port()}")
    for command in (("test",), ("configure",), ("configure", "--steps")):
        asked = ("relying-party", command[0], "wiki", *server, "--secret-file", "-", *command[1:])
        refused = host.json(*asked, typed="plc_any", status=6)
        assert refused["message"].startswith("nothing listens at")
        without = host.json("relying-party", command[0], "wiki", *server, *command[1:], status=2)
        assert (without["code"], "--secret-file FILE" in without["hint"]) == ("secret-needed", True)
