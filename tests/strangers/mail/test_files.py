"""What passless writes for Dovecot, judged by the doveconf that is here."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import comparing, dovecot, setting_up
from tests.strangers.mail.a_dovecot import need_dovecot

START = (
    ""
    if not shutil.which("dovecot") or dovecot.is_old()
    else "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what stands for /etc/dovecot."""
    need_dovecot()
    monkeypatch.setattr(dovecot, "FOLDER", tmp_path)
    return tmp_path


def a_setup(*, introspects: bool, name: str = "mail") -> setting_up.Setup:
    party = RelyingPartyView(
        id="x",
        name=name,
        kind="dovecot",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=introspects,
        created_at=datetime.now(UTC),
    )
    return setting_up.Setup(party=party, url="https://passless.example", secret=Secret("plc_x"), socket="unix:/run/mail.sock")


def written(*, introspects: bool) -> setting_up.Written:
    return setting_up.set_up(dovecot, a_setup(introspects=introspects))


def test_tokens_are_refused_where_dovecot_would_log_the_secret(folder: Path) -> None:
    if not dovecot.is_old():
        pytest.skip("2.4 has another setting for it, which nobody looks at")
    (folder / "dovecot.conf").write_text("auth_debug = yes\n")
    with pytest.raises(setting_up.NotTaken, match="auth_debug"):
        written(introspects=True)
    assert [one.name for one in folder.iterdir()] == ["dovecot.conf"]
    written(introspects=False)


def test_names_with_any_letters_are_asked_about(folder: Path) -> None:
    done = written(introspects=True)
    assert "\nauth_username_chars =\n" in Path(done.files[0]).read_text()


def test_files_that_dovecot_does_not_include_yet_are_told_apart(folder: Path) -> None:
    """Dovecot would take them, which says nothing of whether it has them."""
    (folder / "dovecot.conf").write_text(START)
    done, setup = written(introspects=False), a_setup(introspects=False)
    assert next((one.ok, one.message) for one in dovecot.findings(setup)) == (True, "Dovecot would take it")
    not_yet, _ = dovecot.in_use(setup)
    assert (not_yet.ok, not_yet.message) == (False, f"{folder}/dovecot.conf does not include it yet")
    assert f"!include {done.files[0]}" in not_yet.hint
    (folder / "dovecot.conf").write_text(f"{START}!include {done.files[0]}\n")
    assert dovecot.in_use(setup)[0].ok
    (folder / "dovecot.conf").write_text("no_such_setting = yes\n")
    assert not dovecot.in_use(setup)[0].ok


def test_a_dovecot_with_a_configuration_of_its_own_is_named_in_the_environment(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Dovecot's own programs take it: CONFIG_FILE; without it whoever looks is told of that."""
    done, setup = written(introspects=False), a_setup(introspects=False)
    (folder / "dovecot.conf").write_text(START)
    own = tmp_path_factory.mktemp("second") / "second.conf"
    own.write_text(f"{START}!include {done.files[0]}\n")
    not_yet, _ = dovecot.in_use(setup)
    assert (not_yet.ok, "CONFIG_FILE=FILE" in not_yet.hint) == (False, True)
    monkeypatch.setenv("CONFIG_FILE", str(own))
    included, _ = dovecot.in_use(setup)
    assert (included.ok, included.message) == (True, f"{own} includes it")
    assert dovecot.findings(setup)[0].ok
    own.write_text("no_such_setting = yes\n")
    assert not dovecot.findings(setup)[0].ok
    assert "CONFIG_FILE=FILE" in dovecot.NotEnded.hint


def test_the_socket_is_the_one_that_the_files_name(folder: Path) -> None:
    written(introspects=False)
    assert dovecot.socket_named(replace(a_setup(introspects=False), socket="")) == "unix:/run/mail.sock"
    other = replace(a_setup(introspects=False), socket="unix:/run/other.sock")
    assert [one.message.partition(" is for ")[2] for one in comparing.findings(dovecot, other)] == [
        "another socket: /run/mail.sock, not /run/other.sock"
    ]


def test_files_of_another_client_id_or_for_another_server_are_told_and_so_is_a_secret_that_others_read(folder: Path) -> None:
    """Must hold 2."""
    done, setup = written(introspects=True), a_setup(introspects=True)
    assert [one.ok for one in comparing.findings(dovecot, setup)] == [True]
    other = replace(setup, party=replace(setup.party, id="y", name="Mail"), url="https://other.example", secret=Secret("plc_y"))
    Path(done.files[2]).chmod(0o644)
    said = [one.message.partition(" is ")[2] or one.message for one in comparing.findings(dovecot, other)]
    assert said == [
        f"others can read {done.files[2]}",
        'of another relying party: "mail", not "Mail"',
        "of another relying party: client id x, not y",
        "out of date: it holds another secret than --secret-file",
        "for another server: passless.example, not other.example",
    ]
