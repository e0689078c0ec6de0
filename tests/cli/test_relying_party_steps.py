"""What is left to do with a new relying party: where its secret belongs, and steps whose commands can be copied."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from passless.output.drawing import Steps
from tests.cli.running import Passless
from tests.linux.host import need_root

SERVER = ("--server", "https://localhost")
URI = "https://app.example/callback"
APP = ("relying-party", "add", "App", "--kind", "oidc", "--redirect-uri", URI)
COMMAND = "rm /etc/a/file/of/a/long/name /etc/another/file/of/a/long/name /etc/one/more"


@pytest.fixture
def site(anna: Passless, tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "snippets").mkdir()
    return ("relying-party", "add", "wiki", "--kind", "http", "--to", str(tmp_path / "snippets"), *SERVER)


def test_sentences_are_folded_and_commands_are_not_broken() -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, force_terminal=True, no_color=True)
    sentence = "a sentence that is longer than the terminal is wide, with/a/path/that/is/not/torn in it:"
    console.print(Steps("Next", (f"{sentence}\n{COMMAND}", "second")), crop=False)
    lines = [line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") for line in out.getvalue().splitlines()]
    assert f"     {COMMAND}" in lines
    assert lines[1:3] == ["Next", "  1. a sentence that is longer than the"]
    assert lines[-1] == "  2. second"
    assert all(len(line) <= 40 for line in lines if COMMAND not in line)
    assert any(line.strip().startswith("with/a/path/that/is/not/torn") for line in lines)


class TestTheSecret:
    def test_it_is_kept_in_a_file_and_not_shown(self, anna: Passless, site: tuple[str, ...], tmp_path: Path) -> None:
        kept = tmp_path / "wiki.secret"
        made = anna.json(*site, "--secret-to", str(kept))
        assert (made["secret"], made["secret_in"]) == (None, str(kept))
        assert kept.stat().st_mode & 0o777 == 0o600
        found = anna.json("relying-party", "test", "wiki", "--secret-file", str(kept))
        assert [one["ok"] for one in found if one["check"] == "secret"] == [True]

    def test_where_it_cannot_be_kept_nothing_is_registered(self, anna: Passless, tmp_path: Path) -> None:
        kept = tmp_path / "secret"
        kept.write_text("somebody's")
        assert anna.json(*APP, "--secret-to", str(kept), status=2)["code"] == "file-in-the-way"
        assert kept.read_text() == "somebody's"
        nowhere = anna.json(*APP, "--secret-to", str(tmp_path / "no" / "secret"), status=6)
        assert (nowhere["code"], nowhere["hint"]) == ("cannot-write-there", f"make it: mkdir -p {tmp_path / 'no'}")
        assert anna.json(*APP, "--public", "--secret-to", str(tmp_path / "new"), status=2)["code"] == "bad-relying-party"
        assert anna.json("relying-party", "list") == []

    def test_it_goes_with_files_that_are_not_taken(
        self, anna: Passless, site: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if shutil.which("caddy") is None:
            pytest.skip("caddy is missing; install it with: apt-get install caddy")
        monkeypatch.setattr("passless.programs.proxies_texts.caddy", lambda _: "no_such_directive\n")
        assert anna.json(*site, "--secret-to", str(tmp_path / "secret"), status=6)["code"] == "configuration-not-taken"
        assert not (tmp_path / "secret").exists()
        assert anna.json("relying-party", "list") == []


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, OSError])
def test_whoever_stops_it_while_programs_are_asked_leaves_nothing(
    anna: Passless, site: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: type[BaseException]
) -> None:
    def ask(_: object) -> None:
        raise stopped

    with monkeypatch.context() as patch:
        patch.setattr("passless.programs.proxies.findings", ask)
        assert anna(*site, "--secret-to", str(tmp_path / "secret")).status != 0
    assert not (tmp_path / "secret").exists()
    assert not list((tmp_path / "snippets").iterdir())
    assert anna.json("relying-party", "list") == []


class TestSteps:
    def test_a_dry_run_shows_the_files_and_the_steps(self, anna: Passless, site: tuple[str, ...], tmp_path: Path) -> None:
        planned = anna.json(*site, "--dry-run")
        assert planned["applied"] is False
        assert not list((tmp_path / "snippets").iterdir())
        made = anna.json(*site)
        assert [one["path"] for one in planned["files"]] == made["written"]
        assert {one["mode"] for one in planned["files"]} == {"0644"}
        assert (planned["then"], planned["undo"]) == (made["then"], made["undo"])

    def test_configure_has_a_dry_run(self, anna: Passless, tmp_path: Path) -> None:
        anna.json("relying-party", "add", "wiki", "--kind", "http", *SERVER)
        planned = anna.json("relying-party", "configure", "wiki", "--to", str(tmp_path), *SERVER, "--dry-run")
        assert (planned["applied"], planned["plan"]) == (False, None)
        assert not list(tmp_path.glob("passless-*"))
        assert planned["files"]

    def test_they_are_shown_again(self, anna: Passless, site: tuple[str, ...], tmp_path: Path) -> None:
        made = anna.json(*site)
        again = anna.json("relying-party", "configure", "wiki", "--steps", "--to", str(tmp_path / "snippets"), *SERVER)
        assert {name: again[name] for name in ("written", "then", "undo")} == {
            name: made[name] for name in ("written", "then", "undo")
        }

    def test_a_program_of_others_is_said_what_it_has_to_be_given(self, anna: Passless) -> None:
        made = anna.json(*APP, *SERVER)
        text = "\n".join(made["then"])
        for said in ("https://localhost/.well-known/openid-configuration", made["id"], URI):
            assert said in text.splitlines()
        assert made["secret"] not in text
        assert anna.json("relying-party", "configure", "App", "--steps", *SERVER)["then"] == made["then"]

    def test_a_secret_is_named_by_its_whole_path(self, anna: Passless, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Steps are done in other folders than the one that they were printed in, by services too."""
        monkeypatch.chdir(tmp_path)
        made = anna.json(*APP, *SERVER, "--secret-to", "app.secret")
        assert made["secret_in"] == str(tmp_path / "app.secret")
        again = anna.json("relying-party", "configure", "App", "--steps", *SERVER, "--secret-file", "app.secret")
        for steps in (made["then"], again["then"]):
            assert any(f"--secret-file {tmp_path / 'app.secret'}" in one for one in steps)

    def test_files_elsewhere_than_pam_looks_are_put_there(self, anna: Passless, tmp_path: Path) -> None:
        need_root()
        more = ("--way-back", "a console", "--to", str(tmp_path), *SERVER)
        made = anna.json("relying-party", "add", "host", "--kind", "pam", *more)
        (placed,) = (one for one in made["then"] if "\ncp " in one)
        assert placed.endswith(" /etc/pam.d/")
        assert f"{tmp_path}/passless-host.radius " not in placed.partition("\n")[2]
        assert "/etc/pam.d/passless-host-code" in "\n".join(made["undo"])

    def test_one_name_is_used_for_it_throughout(self, anna: Passless, site: tuple[str, ...]) -> None:
        shown = anna(*site).stdout
        assert shown.count("passless relying-party remove") == 1
        assert "passless relying-party remove wiki" in shown
        assert "No proxy needs it" not in shown  # off a terminal the secret stands alone


class TestWhatCannotBeMeant:
    def test_a_forgotten_address_is_refused(self, anna: Passless) -> None:
        for kind in ("oidc", "oauth"):
            refused = anna.json("relying-party", "add", "App", "--kind", kind, status=2)
            assert (refused["code"], "--redirect-uri" in refused["hint"]) == ("bad-relying-party", True)
        assert anna.json("relying-party", "list") == []
        made = anna.json("relying-party", "add", "tv", "--kind", "oauth", "--device-codes", *SERVER)
        assert any("device_authorization" in one for one in made["then"])
        anna.json("relying-party", "add", "api", "--kind", "oauth", "--introspects")
        anna.json(*APP, "--device-codes", status=2)
        anna.json("relying-party", "add", "mail", "--kind", "dovecot", "--device-codes", status=2)

    @pytest.mark.parametrize("option", [("--to", "/tmp"), ("--socket", "udp:127.0.0.1:1812"), ("--way-back", "x")])
    def test_elsewhere_takes_nothing_for_files_here(self, anna: Passless, option: tuple[str, str]) -> None:
        refused = anna.json("relying-party", "add", "x", "--kind", "pam", "--elsewhere", *option, status=2)
        assert option[0] in refused["message"]
        made = anna.json("relying-party", "add", "x", "--kind", "pam", "--elsewhere", *SERVER)
        assert any(one.endswith("--server https://localhost --secret-file FILE") for one in made["then"])

    @pytest.mark.parametrize("service", ["x y", "a/b", "ü", "x" * 33])
    def test_a_service_is_one_that_an_app_password_can_be_for(self, anna: Passless, service: str) -> None:
        refused = anna.json("relying-party", "add", "w", "--kind", "http", "--service", service, status=2)
        assert refused["code"] == "bad-relying-party"

    def test_a_name_that_is_no_service_makes_one(self, anna: Passless) -> None:
        assert anna.json("relying-party", "add", "A/b c!", "--kind", "http")["services"] == ["a-b-c"]

    def test_a_folder_that_is_not_there_is_said_to_be_missing(self, anna: Passless, tmp_path: Path) -> None:
        to = ("--to", str(tmp_path / "nowhere"), *SERVER)
        refused = anna.json("relying-party", "add", "w", "--kind", "http", *to, status=6)
        assert refused["hint"] == f"make it: mkdir -p {tmp_path / 'nowhere'}"


def test_who_removes_one_hears_what_stays(anna: Passless) -> None:
    anna.json("relying-party", "add", "w", "--kind", "http")
    shown = anna("relying-party", "remove", "w", "--yes").stdout
    assert "stay on its host" in shown
    assert "ended: 0" not in shown
