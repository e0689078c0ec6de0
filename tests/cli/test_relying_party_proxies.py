"""`relying-party add --kind http --to DIR`: snippets for proxies, which each program takes where it is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shlex import quote

import msgspec.yaml
import pytest

from passless.programs import proxies
from passless.programs.proxies_texts import VARIABLES_HASH
from tests.cli.running import Passless
from tests.strangers.needing import need

SERVER = ("--server", "https://localhost")
SITE = "https://app.example/.passless/callback"
INNER = ("--socket", "http://127.0.0.1:8080")
ODD = 'Wiki "$x" {y} \\ #z; ${jndi} `id` %{User-Name} Straße'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "snippets"
    made.mkdir()
    return made


def add(passless: Passless, folder: Path, *more: str, name: str = "wiki", status: int = 0) -> object:
    return passless.json("relying-party", "add", name, "--kind", "http", "--to", str(folder), *SERVER, *more, status=status)


@pytest.mark.parametrize(
    ("name", "more", "socket"),
    [
        ("wiki", (), INNER),
        ("wiki", ("--redirect-uri", SITE), ()),
        (ODD, (), ()),
        (ODD, ("--redirect-uri", SITE), INNER),
    ],
    ids=["here", "elsewhere", "odd here", "odd elsewhere"],
)
def test_the_snippets_are_written_and_taken_and_hold_no_secret(
    anna: Passless, folder: Path, name: str, more: tuple[str, ...], socket: tuple[str, ...]
) -> None:
    made = add(anna, folder, *more, *socket, name=name)
    assert isinstance(made, dict)
    assert sorted(made["written"]) == sorted(map(str, folder.iterdir()))
    assert len(made["written"]) == (7 if more or socket else 6)
    assert made["then"]
    assert made["undo"][-1] == f"forget it:\npassless relying-party remove {quote(name)}"
    for path in map(Path, made["written"]):
        text = path.read_text()
        assert made["secret"] not in text
        assert path.stat().st_mode & 0o777 == 0o644
        assert ODD not in "".join(line for line in text.splitlines() if not line.startswith("#"))


def test_where_nginx_warns_it_is_said_what_ends_it(anna: Passless, folder: Path) -> None:
    """Whether its table of variables is full depends on their names, and a setting for it may stand once."""
    need("nginx", install="apt-get install nginx-light")
    add(anna, folder, "--redirect-uri", SITE)
    found = {one["check"]: one for one in anna("relying-party", "test", "wiki", "--to", str(folder), "--json").json}
    command = proxies._nginx(folder, {path.name.removeprefix("passless-wiki"): path for path in folder.iterdir()})

    def warns() -> bool:
        asked = subprocess.run(["nginx", *command], capture_output=True, text=True, check=True)
        return "variables_hash" in asked.stderr

    assert found["nginx"]["ok"]
    assert (VARIABLES_HASH in found["nginx"]["message"]) is warns()
    whole = folder / "nginx.conf"
    whole.write_text(whole.read_text().replace("http {", f"http {{ {VARIABLES_HASH}", 1))
    assert not warns()


def test_traefik_takes_away_what_a_client_says_of_itself_before_it_asks_and_the_password_after(
    anna: Passless, folder: Path
) -> None:
    add(anna, folder, "--redirect-uri", SITE)
    said = msgspec.yaml.decode((folder / "passless-wiki-traefik.yaml").read_text())["http"]["middlewares"]
    first, asks = (said[name] for name in said["wiki-passless"]["chain"]["middlewares"])
    forged = first["headers"]["customRequestHeaders"]
    assert {"Remote_User", "Remote.User", "Passless_Acr", "Passless_Account-Id", "Passless-Account.Id"} <= set(forged)
    assert set(forged.values()) == {""}  # Traefik deletes what is empty
    assert asks["forwardAuth"]["trustForwardHeader"] is False
    assert asks["forwardAuth"]["address"] == "https://localhost/auth/wiki?sign-in=yes&shown=yes"
    assert {"Remote-User", "Passless-Account-Id", "Authorization", "Cookie"} <= set(asks["forwardAuth"]["authResponseHeaders"])


def test_traefik_asks_where_it_reaches_the_server_and_names_it_as_people_do(anna: Passless, folder: Path) -> None:
    add(anna, folder, "--redirect-uri", SITE, *INNER)
    said = msgspec.yaml.decode((folder / "passless-wiki-traefik.yaml").read_text())["http"]
    assert said["middlewares"]["wiki-passless-asked"]["forwardAuth"]["address"].startswith("http://127.0.0.1:8080/auth/wiki?")
    assert said["middlewares"]["wiki-passless-host"]["headers"]["customRequestHeaders"] == {"Host": "localhost"}
    assert said["services"]["wiki-passless"]["loadBalancer"]["servers"] == [{"url": "http://127.0.0.1:8080"}]
    own = [one for name, one in said["routers"].items() if name.startswith("wiki-passless-own")]
    assert [("tls" in one, one["rule"]) for one in own] == [
        (True, "PathPrefix(`/.passless/`) && (Host(`app.example`))"),
        (False, "PathPrefix(`/.passless/`) && (Host(`app.example`))"),
    ]


def test_traefik_guards_a_site_at_the_servers_own_address_only_where_it_reaches_the_server_itself(
    anna: Passless, folder: Path
) -> None:
    """Through itself Traefik would ask about the page of the question, and not about the site's."""
    made = add(anna, folder)
    assert isinstance(made, dict)
    assert not list(folder.glob("*traefik*"))
    (told,) = (line for line in made["then"] if line.startswith("Traefik"))
    assert "--socket" in told
    made = add(anna, folder, *INNER, name="here")
    assert isinstance(made, dict)
    (path,) = folder.glob("*traefik*")
    said = msgspec.yaml.decode(path.read_text())["http"]
    assert [name for name in said["routers"] if "own" in name] == []
    assert any(line.endswith("here-passless@file") for line in made["then"])


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("caddy", "no_such_directive\n"),
        ("traefik", "http: {middlewares: {wiki-passless: {forwardAuth: {adress: x}}}}\n"),
        ("traefik", "http: {middlewares: {wiki-passless: {chain: {middlewares: [nowhere]}}}}\n"),
        ("traefik", "http: {routers: {}}\n"),
        ("traefik", "http: [\n"),
    ],
    ids=["caddy", "unknown field", "nothing in a chain", "no middleware", "no YAML"],
)
def test_a_program_that_does_not_take_its_snippet_leaves_nothing(
    anna: Passless, folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, text: str
) -> None:
    need(program, install="bash tests/run")
    module, name = (proxies.traefik, "snippet") if program == "traefik" else (proxies.texts, program)
    monkeypatch.setattr(module, name, lambda _: text)
    refused = add(anna, folder, "--redirect-uri", SITE, status=6)
    assert isinstance(refused, dict)
    assert (refused["code"], refused["message"].partition(":")[0]) == ("configuration-not-taken", program)
    assert list(folder.iterdir()) == []
    assert anna.json("relying-party", "list") == []


def test_what_was_made_of_a_file_by_hand_is_judged_too(anna: Passless, folder: Path) -> None:
    need("traefik", install="bash tests/run")
    add(anna, folder, "--redirect-uri", SITE)
    asked = ("relying-party", "test", "wiki", "--to", str(folder), "--json")
    found = {one["check"]: one for one in anna(*asked).json}
    assert (found["traefik"]["ok"], found["traefik"]["tested"]) == (True, True), found
    path = folder / "passless-wiki-traefik.yaml"
    path.write_text(path.read_text().replace("Host(`app", "Hots(`app"))
    found = {one["check"]: one for one in anna(*asked).json}
    assert found["traefik"]["ok"] is False
    assert "unsupported function: Hots" in found["traefik"]["message"]


def test_nothing_is_written_unasked_and_never_over_anything(anna: Passless, folder: Path) -> None:
    made = anna.json("relying-party", "add", "other", "--kind", "http", *SERVER)
    assert made["written"] == []
    (folder / "passless-wiki.caddy").write_text("somebody's work")
    assert add(anna, folder, status=2)["code"] == "file-in-the-way"  # type: ignore[index]
    assert (folder / "passless-wiki.caddy").read_text() == "somebody's work"


@pytest.mark.parametrize(
    "socket",
    [
        "unix:/run/x",
        "127.0.0.1:80",
        "http://",
        "http://x/y",
        "http://x?y",
        "ftp://x",
        "http://a b",
        "http://x\n;",
        "http://u@x;}",
    ],
)
def test_what_no_proxy_reaches_is_refused(anna: Passless, folder: Path, socket: str) -> None:
    assert add(anna, folder, "--socket", socket, status=2)["code"] == "bad-socket"  # type: ignore[index]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "uri", ["https://app.example/", "https://app.example/x/.passless/callback", "https://app.example/.passless/callback?x=y"]
)
def test_a_site_comes_back_at_one_address(anna: Passless, uri: str) -> None:
    assert (
        anna.json("relying-party", "add", "x", "--kind", "http", "--redirect-uri", uri, status=2)["code"] == "bad-redirect-uri"
    )
