"""A profile whose store is on PostgreSQL, added on the host of a server as docs/server.md and docs/moving.md say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.cli.running import PASSWORD, Passless
from tests.server.serving import Served, keep_secret
from tests.stores.postgres import Cluster, cluster, name_in

DATABASE_PASSWORD = keep_secret("correct horse battery")
PASSPHRASE = "seven quiet herons fold 19 maps"
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """Return a database server that asks everybody for a password, but for the tests' own user."""
    with cluster(fsync="off") as server:
        server.execute(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{DATABASE_PASSWORD}'")
        (server.folder / "cluster" / "pg_hba.conf").write_text("local all tests trust\nlocal all all scram-sha-256\n")
        server.restart("fast")
        yield server


class Place(Struct, frozen=True):
    """A fresh database, and the file with its user's password."""

    url: str
    password_file: str
    server: Cluster

    def tables(self) -> Any:
        """Return how many tables it has."""
        return self.server.execute(TABLES, name_in(self.url))[0][0]


@pytest.fixture
def place(guarded: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a database that nothing else lets in to."""
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    file = tmp_path / "database-password"
    file.write_text(f"{DATABASE_PASSWORD}\n")
    file.chmod(0o600)
    return Place(guarded.new_database().replace("tests@", "guarded@"), str(file), guarded)


def config(passless: Passless) -> str:
    return (passless.home / "config" / "config.toml").read_text()


def test_the_first_operator_of_a_server_on_postgresql_is_made_on_its_host(passless: Passless, place: Place) -> None:
    """Must hold 1: the password of the database is remembered as the name of a file, and is seen nowhere."""
    of_store = ("--store", place.url, "--password-file", place.password_file)
    server = Served(*of_store, "--listen", "127.0.0.1:0", home=passless.home).await_ready()
    try:
        assert "lock and key" not in server.text
        made = passless.json("profile", "add", "here", *of_store)
        assert (made["applied"], made["address"], made["password_file"]) == (True, place.url, place.password_file)
        here = ("--profile", "here")
        passless.json("account", "create", "anna", "--password-file", "-", *here, typed=PASSWORD)
        passless.json("operator", "add", "anna", "--first", "--yes", *here)
        assert passless.json("audit", "verify", *here)["intact"] is True
        assert place.password_file in passless("profile", "show", "here").stdout
        assert DATABASE_PASSWORD not in config(passless) + server.text
    finally:
        server.stop()


def test_a_profile_makes_its_store_with_the_first_account(passless: Passless, place: Place) -> None:
    passless.json("profile", "add", "here", "--store", place.url, "--password-file", place.password_file)
    assert place.tables() == 0
    assert not (passless.home / "state" / "stores").exists()
    passless("account", "create", "anna", "--no-password", "--profile", "here")
    assert [one["account"] for one in passless.json("account", "list", "--profile", "here")] == ["anna"]


def test_all_accounts_move_from_sqlite_to_postgresql(anna: Passless, place: Place, tmp_path: Path) -> None:
    anna.totp()
    anna.json("sign-in", "--with", "password", "--password-file", "-", typed=PASSWORD)
    anna.json("profile", "add", "new", "--store", place.url, "--password-file", place.password_file, "--vault", "file")
    passphrase, copy = tmp_path / "passphrase", str(tmp_path / "everybody.copy")
    passphrase.write_text(PASSPHRASE)
    opens = ("--passphrase-file", str(passphrase), "--reason", "moving to PostgreSQL")
    assert anna("account", "export", "--all", copy, *opens, "--json").status == 0
    done = anna("account", "import", "--all", copy, *opens, "--profile", "new", "--json")
    assert done.status == 0, done
    assert '"imported":1' in done.stdout
    signed_in = anna(
        "sign-in", "--with", "password", "--password-file", "-", "--account", "anna", "--profile", "new", typed=PASSWORD
    )
    assert signed_in.status == 0, signed_in
    assert anna.json("audit", "verify", "--profile", "new")["intact"] is True


def test_libpq_s_own_password_file_is_used_where_none_is_named(
    passless: Passless, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "pgpass"
    own.write_text(f"*:*:*:guarded:{DATABASE_PASSWORD}\n")
    own.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(own))
    assert passless.json("profile", "add", "here", "--store", place.url)["password_file"] is None
    assert passless("account", "create", "anna", "--no-password", "--profile", "here").status == 0


def test_a_place_that_lets_nobody_in_is_told_and_not_kept(passless: Passless, place: Place, tmp_path: Path) -> None:
    before, wrong = config(passless), tmp_path / "wrong"
    wrong.write_text("wrong horse")
    database, password = name_in(place.url), ("--password-file", place.password_file)
    for url, more, code, said in (
        (place.url, ("--password-file", str(wrong)), "store-unavailable", "password authentication failed"),
        (place.url, (), "store-unavailable", "no password supplied"),
        (place.url.replace(database, "nowhere"), password, "store-unavailable", '"nowhere" does not exist'),
        ("postgresql://guarded@127.0.0.1:1/passless", password, "store-unavailable", "refused"),
        (f"postgresql://guarded@/x?host={tmp_path}", password, "store-unavailable", "No such file"),
        (place.url, ("--password-file", str(tmp_path / "gone")), "unreadable-file", "there is no password file"),
    ):
        for dry in ((), ("--dry-run",)):
            result = passless("profile", "add", "here", "--store", url, *more, *dry, "--json")
            assert (result.error["code"], said in result.error["message"]) == (code, True), result
            assert result.status == (2 if code == "unreadable-file" else 6)
            assert "wrong horse" not in result.stderr
            assert DATABASE_PASSWORD not in result.stderr
    assert config(passless) == before
    assert place.tables() == 0


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:s3cret@db/name",
        "postgresql://ada@db/name?password=s3cret",
        "postgresql://ada@db/",
        "postgresql://[x/y",
    ],
)
def test_an_address_that_holds_a_password_or_is_none_is_status_2_and_not_repeated(passless: Passless, url: str) -> None:
    """Must hold 1."""
    before = config(passless)
    error = passless.json("profile", "add", "here", "--store", url, status=2)
    assert error["code"] == "wrong-store-url"
    assert "s3cret" not in str(error)
    assert config(passless) == before


def test_a_profile_is_changed_only_to_what_lets_in(passless: Passless, place: Place, tmp_path: Path) -> None:
    passless.json("profile", "add", "here", "--store", place.url, "--password-file", place.password_file)
    before = config(passless)
    assert passless("profile", "set", "here", "--password-file", "").status == 6
    assert config(passless) == before
    copy = tmp_path / "copy"
    copy.write_text(DATABASE_PASSWORD)
    assert passless.json("profile", "set", "here", "--password-file", str(copy))["password_file"] == str(copy)
    moved = passless.json("profile", "set", "here", "--store", f"sqlite:///{tmp_path}/a.sqlite", "--yes")
    assert moved["password_file"] is None


def test_doctor_says_whether_the_database_lets_this_user_in(passless: Passless, place: Place) -> None:
    passless.json("profile", "add", "here", "--store", place.url, "--password-file", place.password_file)

    def store() -> Any:
        (one,) = (one for one in passless("doctor", "--profile", "here", "--json").json if one["check"] == "store")
        return one

    assert "lets this user in" in store()["message"]
    Path(place.password_file).write_text("wrong horse")
    assert (store()["ok"], "password authentication failed" in store()["message"]) == (False, True)


def test_a_database_of_a_newer_passless_is_not_kept(passless: Passless, place: Place) -> None:
    of_store = ("--store", place.url, "--password-file", place.password_file)
    passless.json("profile", "add", "here", *of_store)
    passless("account", "create", "anna", "--no-password", "--profile", "here")
    place.server.execute("UPDATE store SET schema_version = 99", name_in(place.url))
    assert "newer" in passless.json("profile", "add", "there", *of_store, status=6)["message"]
    assert [one["name"] for one in passless.json("profile", "list")] == ["local", "here"]
