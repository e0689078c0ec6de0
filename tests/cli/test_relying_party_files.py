"""`relying-party test`: whose the files of a program are, which are missing, and what could not be tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from passless.programs import proxies
from tests.cli.running import Passless

SITE = "https://app.example/.passless/callback"
NEW_SITE = "https://new.example/.passless/callback"
SERVER = ("--server", "https://localhost")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for files, on a machine without a single proxy."""
    monkeypatch.setattr(proxies, "SYSTEM", "")
    monkeypatch.setenv("PATH", "")
    made = tmp_path / "files"
    made.mkdir()
    return made


def add(anna: Passless, folder: Path, *more: str) -> dict[str, Any]:
    made = anna.json("relying-party", "add", "wiki", "--kind", "http", *SERVER, "--redirect-uri", SITE, *more)
    assert isinstance(made, dict)
    return made


def seen(anna: Passless, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    """Return what is said but of the server, which is not there."""
    result = anna("relying-party", "test", "wiki", *arguments, "--json")
    assert result.status == status, result.stdout + result.stderr
    return [one for one in result.json if one["check"] != "server"]


def wrong(anna: Passless, *arguments: str) -> list[tuple[str, str]]:
    """Return what is wrong, which ends the run with 6."""
    return [(one["check"], one["message"]) for one in seen(anna, *arguments, status=6) if not one["ok"]]


class TestWhoseTheyAre:
    def test_those_that_were_written_for_it_are_its_own(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder), "--socket", "http://127.0.0.1:8080")
        found = {one["check"]: one for one in seen(anna, "--to", str(folder))}
        assert found["files"]["ok"]
        assert found["traefik"]["tested"] is False

    def test_those_of_one_that_was_removed_and_added_anew_are_not(self, anna: Passless, folder: Path) -> None:
        """Must hold 2: snippets that hide the cookie of another client id would give this one's to the site."""
        was = add(anna, folder, "--to", str(folder))
        text = (folder / "passless-wiki-nginx-http.conf").read_text()
        (folder / "passless-wiki-nginx-http.conf").write_text(f"{text}# passless-site-{was['id']}\n")
        anna.json("relying-party", "remove", "wiki", "--yes")
        made = add(anna, folder, "--elsewhere")
        (said,) = wrong(anna, "--to", str(folder))
        assert said[1].endswith(f"is of another relying party: client id {was['id']}, not {made['id']}")
        (one,) = [one for one in seen(anna, "--to", str(folder), status=6) if not one["ok"]]
        assert f"passless relying-party configure wiki --to {folder}" in one["hint"]

    def test_those_for_another_server_another_socket_or_another_site_are_not(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        asked = ("--to", str(folder), "--server", "https://other.localhost", "--socket", "http://127.0.0.1:9")
        messages = [message for check, message in wrong(anna, *asked) if check == "files"]
        assert [message.partition(" is for ")[2] for message in messages] == [
            "another server: localhost, not other.localhost",
            "another socket: https://localhost, not http://127.0.0.1:9",
        ]
        traefik = folder / "passless-wiki-traefik.yaml"
        traefik.write_text(traefik.read_text().replace("app.example", "old.example"))
        assert ("files", f"{traefik.name} is for another site: old.example, not app.example") in wrong(
            anna, "--to", str(folder)
        )

    def test_those_of_a_name_that_is_written_alike_are_not(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        for path in folder.iterdir():
            path.write_text(path.read_text().replace('"wiki"', '"Wiki!"').replace("/auth/wiki", "/auth/abcdefgh"))
        messages = [message for _, message in wrong(anna, "--to", str(folder))]
        assert any(message.endswith('another relying party: "Wiki!", not "wiki"') for message in messages)
        assert any(message.endswith("it asks /auth/abcdefgh, not /auth/wiki") for message in messages)


class TestWhatWasChanged:
    """`relying-party set` changes no file: it says which are of before, and `test` finds them."""

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (("--add-redirect-uri", NEW_SITE), "is of before: it knows nothing of the site new.example"),
            (("--redirect-uri", NEW_SITE), "is for another site: app.example, not new.example"),
            (("--name", "Wiki"), ""),
            (("--require", "two-factors"), ""),
        ],
        ids=["one more", "another", "spelled otherwise", "asks more"],
    )
    def test_files_of_before_are_told_from_new_ones(
        self, anna: Passless, folder: Path, more: tuple[str, ...], message: str
    ) -> None:
        made = add(anna, folder, "--to", str(folder))
        done = anna.json("relying-party", "set", "wiki", *more, "--yes")
        assert done["id"] == made["id"]
        if not message:
            seen(anna, "--to", str(folder), status=0 if "--require" in more else 6)
            return
        again, look = done["then"]
        assert "passless relying-party configure wiki --to DIR" in again
        assert "passless relying-party test wiki --to DIR" in look
        assert any(said.endswith(message) for _, said in wrong(anna, "--to", str(folder)))
        for path in folder.iterdir():
            path.unlink()
        anna.json("relying-party", "configure", "wiki", "--to", str(folder), *SERVER)
        seen(anna, "--to", str(folder))

    def test_files_that_are_called_by_another_name_are_not_its_own(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        anna.json("relying-party", "set", "wiki", "--name", "handbook", "--yes")
        found = anna("relying-party", "test", "handbook", "--to", str(folder), "--json")
        assert found.status == 6
        assert f"none of them is in {folder}" in [one["message"] for one in found.json]


class TestMissing:
    def test_half_a_configuration_does_not_work(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        (folder / "passless-wiki-nginx-server.conf").unlink()
        assert [check for check, _ in wrong(anna, "--to", str(folder))] == ["files"]

    def test_an_empty_file_is_none(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        (folder / "passless-wiki-nginx-server.conf").write_text("")
        assert any(message.endswith("is not there, or empty") for _, message in wrong(anna, "--to", str(folder)))

    def test_the_snippets_of_a_proxy_that_nobody_has_may_go(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--to", str(folder))
        for path in folder.glob("*freeradius*"):
            path.unlink()
        found = {one["check"]: one for one in seen(anna, "--to", str(folder))}
        assert (found["freeradius"]["ok"], found["freeradius"]["tested"]) == (True, False)

    def test_none_at_all_is_wrong_only_where_they_were_said_to_be(self, anna: Passless, folder: Path) -> None:
        add(anna, folder, "--elsewhere")
        assert [one["tested"] for one in seen(anna) if one["check"] == "files"] == [False]
        assert wrong(anna, "--to", str(folder)) == [("files", f"none of them is in {folder}")]
        nowhere = folder / "nowhere"
        (said,) = [one for one in seen(anna, "--to", str(nowhere), status=6) if not one["ok"]]
        assert (said["message"], said["hint"]) == (f"there is no folder {nowhere}", "say where they were written: --to DIR")


def test_people_see_no_tick_where_nothing_was_tested(anna: Passless, folder: Path) -> None:
    add(anna, folder, "--elsewhere")
    lines = anna("relying-party", "test", "wiki").stdout.splitlines()
    assert [line[0] for line in lines if line.split()[1:2] in (["files"], ["registered"])] == ["✓", "–"]
