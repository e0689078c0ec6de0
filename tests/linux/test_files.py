"""The files that `relying-party add --kind pam` writes: what they say, where, and when none are written."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import pytest

from passless.programs import pam, roots_alone, way_back
from tests.cli.running import Passless
from tests.linux.host import need_root

SERVER = "https://id.example"


def a_key(kind: str, *parts: bytes) -> str:
    """Return a public key as it stands in a file (RFC 4253 §6.6); nobody has the other half."""
    content = b"".join(len(one).to_bytes(4, "big") + one for one in (kind.encode(), *parts))
    return f"{kind} {base64.b64encode(content).decode()}"


ED25519 = a_key("ssh-ed25519", b"k" * 32)
USUAL = {  # what sshd -T says of an sshd that lets root in by key
    "pubkeyauthentication": "yes",
    "permitrootlogin": "without-password",
    "authenticationmethods": "any",
    "pubkeyacceptedalgorithms": "ssh-ed25519,sk-ssh-ed25519@openssh.com,rsa-sha2-512,rsa-sha2-256",
}


@pytest.fixture
def passless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passless:
    need_root()  # whose alone the folder has to be
    found = Passless(tmp_path / "home", monkeypatch)
    found.account()
    return found


def add(passless: Passless, folder: Path, *more: str, name: str = "The Host", status: int = 0) -> Any:
    arguments = ("relying-party", "add", name, "--kind", "pam", "--server", SERVER, "--to", str(folder), *more)
    return passless.json(*arguments, status=status)


def test_three_services_are_written_and_the_secret_apart_for_root_alone(passless: Passless, tmp_path: Path) -> None:
    """Must hold 2."""
    made = add(passless, tmp_path, "--way-back", "a console", "--socket", "udp:127.0.0.1:18120")
    assert [Path(one).name for one in made["written"]] == [
        "passless-the-host.radius",
        "passless-the-host",
        "passless-the-host-code",
        "passless-the-host-wait",
    ]
    secret, *services = (Path(one) for one in made["written"])
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text().splitlines()[-1] == f"127.0.0.1:18120 {made['secret']} 5"
    for service in services:
        lines = [line for line in service.read_text().splitlines() if not line.startswith("#")]
        assert made["secret"] not in service.read_text()
        assert all(line.split("\t")[0] == "auth" for line in lines)
        assert not any(word in line.split("\t")[1] for line in lines for word in ("sufficient", "optional"))
    assert any('passless serve … --socket "The Host"=udp:127.0.0.1:18120' in one for one in made["then"])
    assert any(str(secret) in one for one in made["undo"])


def test_a_secret_that_others_read_and_a_file_that_is_broken_or_gone_are_told(passless: Passless, tmp_path: Path) -> None:
    """Must hold 2; the socket that is asked is the one that stands in the file."""
    made = add(passless, tmp_path, "--way-back", "a console", "--socket", "udp:127.0.0.1:9")
    secret, service, *_ = (Path(one) for one in made["written"])
    looks = ("relying-party", "test", "The Host", "--to", str(tmp_path), "--server", SERVER, "--json")

    def wrong() -> dict[str, str]:
        result = passless(*looks)
        assert result.status == 6
        return {one["message"]: one["hint"] for one in result.json if not one["ok"] and one["check"] != "server"}

    secret.chmod(0o644)
    assert wrong()[f"others can read {secret}"] == f"chmod 600 {secret}"
    assert any("udp:127.0.0.1:9 " in message for message in wrong())
    secret.write_text(secret.read_text().replace(made["secret"], "plc_old"))
    (tmp_path / "now").write_text(made["secret"])
    (tmp_path / "now").chmod(0o600)
    result = passless(*looks, "--secret-file", str(tmp_path / "now"))
    assert f"{secret.name} is out of date: it holds another secret than --secret-file" in result.stdout
    assert made["secret"] not in result.stdout
    assert "plc_old" not in result.stdout
    secret.write_text("broken\n")
    service.unlink()
    assert set(wrong()) == {
        f"others can read {secret}",
        f"{service} is not there, or empty",
        f"{secret.name} is broken: it names no socket",
    }


def test_a_server_that_is_not_on_the_loopback_is_refused(passless: Passless, tmp_path: Path) -> None:
    for address in ("0.0.0.0:1812", "192.0.2.1:1812", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:1812 x", "[::2]:1812"):
        refused = add(passless, tmp_path, "--way-back", "a console", "--socket", f"udp:{address}", status=2)
        assert refused["code"] == "bad-socket"
    assert passless.json("relying-party", "list") == []


def test_nothing_is_made_without_a_way_back(passless: Passless, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_back, "sshd_settings", dict)
    error = add(passless, tmp_path, status=2)
    assert error["code"] == "no-way-back"
    assert "--way-back" in error["hint"]
    assert passless.json("relying-party", "list") == []
    assert list(tmp_path.glob("passless-*")) == []


@pytest.fixture(scope="module")
def listening() -> Iterator[str]:
    """Something that says that it is an sshd, on every address of this machine."""

    class Greeting(BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")

    with TCPServer(("127.0.0.1", 0), Greeting) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"0.0.0.0:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("said", "key", "is_back"),
    [
        ({}, ED25519, True),
        ({"permitrootlogin": "no"}, ED25519, False),
        ({"pubkeyauthentication": "no"}, ED25519, False),
        ({"authenticationmethods": "publickey,keyboard-interactive"}, ED25519, False),
        ({}, f"# {ED25519}", False),
        ({}, "", False),
        ({"allowusers": "ada"}, ED25519, False),
        ({"allowgroups": "staff"}, ED25519, False),
        ({"denyusers": "root"}, ED25519, False),
        ({"denygroups": "root"}, ED25519, False),
        ({}, f'expiry-time="20200101" {ED25519}', False),
        ({}, f'from="192.0.2.1" {ED25519}', False),
        ({}, a_key("sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:"), True),
        ({}, "ssh-ed25519 AAAAC3Nza", False),
        ({}, "ssh-rsa AAAA broken", False),
        ({}, a_key("ssh-dss", b"\x7f" * 128, b"\x7f" * 20, b"\x7f" * 128, b"\x7f" * 128), False),
        ({}, a_key("ssh-rsa", b"\1\0\1", b"\x7f" * 256), True),
        ({"requiredrsasize": "2048"}, a_key("ssh-rsa", b"\1\0\1", b"\x7f" * 128), False),
        ({}, a_key("ssh-rsa", b"\1\0\1", b"\x7f" * 64), False),
        ({"pubkeyacceptedalgorithms": "ssh-ed25519"}, a_key("ssh-rsa", b"\1\0\1", b"\x7f" * 256), False),
        ({"listenaddress": "127.0.0.1:1 [::]:1"}, ED25519, False),
    ],
)
def test_a_key_of_root_that_sshd_takes_is_a_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listening: str, said: dict[str, str], key: str, is_back: bool
) -> None:
    (tmp_path / "keys").write_text(key + "\n")
    need_root()
    usual = {**USUAL, "listenaddress": f"[::]:1 {listening}"}
    monkeypatch.setattr(way_back, "sshd_settings", lambda: {**usual, "authorizedkeysfile": str(tmp_path / "keys"), **said})
    assert way_back.root_has_key() is is_back


def test_a_file_of_keys_that_others_can_change_is_no_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listening: str
) -> None:
    """sshd takes none of it (StrictModes), or anybody's key."""
    need_root()
    (tmp_path / "keys").write_text(ED25519)
    said = {**USUAL, "listenaddress": listening, "authorizedkeysfile": str(tmp_path / "keys")}
    monkeypatch.setattr(way_back, "sshd_settings", lambda: said)
    assert way_back.root_has_key()
    for changed, mode in ((tmp_path / "keys", 0o666), (tmp_path, 0o777)):
        was = changed.stat().st_mode
        changed.chmod(mode)
        assert not way_back.root_has_key()
        said["strictmodes"] = "no"
        assert way_back.root_has_key()
        del said["strictmodes"]
        changed.chmod(was)


def test_a_file_that_is_there_stays_as_it_is(passless: Passless, tmp_path: Path) -> None:
    (tmp_path / "passless-the-host-code").write_text("mine")
    assert add(passless, tmp_path, "--way-back", "a console", status=2)["code"] == "file-in-the-way"
    assert [one.name for one in tmp_path.glob("passless-*")] == ["passless-the-host-code"]
    assert (tmp_path / "passless-the-host-code").read_text() == "mine"
    assert passless.json("relying-party", "list") == []


def test_without_the_module_or_the_program_that_tests_it_nothing_is_made(
    passless: Passless, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pam, "MODULE", "pam_gone.so")
    assert "libpam-radius-auth" in add(passless, tmp_path, "--way-back", "a console", status=6)["hint"]
    monkeypatch.undo()
    monkeypatch.setenv("PASSLESS_HOME", str(passless.home))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "pamtester" in add(passless, tmp_path, "--way-back", "a console", status=6)["hint"]


def test_nothing_is_written_that_runs_as_root_what_others_could_change(
    passless: Passless, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.touch()
    python.chmod(0o775)
    monkeypatch.setattr(sys, "executable", str(python))
    made = add(passless, tmp_path, "--way-back", "a console")
    assert [Path(one).name for one in made["written"]] == [
        "passless-the-host.radius",
        "passless-the-host",
        "passless-the-host-code",
    ]
    assert not (tmp_path / "passless-the-host-wait").exists()
    assert any(one.startswith("passless-the-host-wait was not written") for one in made["then"])


@pytest.mark.parametrize(("mode", "owner"), [(0o755, 12345), (0o775, 0)], ids=["another's", "a group's"])
def test_nobody_but_root_can_say_who_the_server_is(passless: Passless, tmp_path: Path, mode: int, owner: int) -> None:
    """PAM goes on reading the file there, and whoever can put another in its place lets everybody in."""
    folder = tmp_path / "above" / "files"
    folder.mkdir(parents=True)
    for theirs in (folder, folder.parent):
        made = add(passless, folder, "--way-back", "a console")
        theirs.chmod(mode)
        os.chown(theirs, owner, 0)
        looked = passless("relying-party", "test", "The Host", "--to", str(folder), "--json")
        assert looked.status == 6
        assert any(f'others than root can change "{theirs}"' in one["message"] for one in looked.json if not one["ok"])
        for written in made["written"]:
            Path(written).unlink()
        passless.json("relying-party", "remove", "The Host", "--yes")
        refused = add(passless, folder, "--way-back", "a console", status=2)
        assert (refused["code"], str(theirs) in refused["message"]) == ("not-roots-alone", True)
        theirs.chmod(0o755)
        os.chown(theirs, 0, 0)
    assert passless.json("relying-party", "list") == []


def test_a_service_file_that_names_what_others_can_change_is_told(passless: Passless, tmp_path: Path) -> None:
    made = add(passless, tmp_path, "--way-back", "a console")
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 0)
    service = Path(made["written"][1])
    service.write_text(service.read_text().replace(made["written"][0], f"{tmp_path}/theirs/passless-the-host.radius"))
    looked = passless("relying-party", "test", "The Host", "--to", str(tmp_path), "--json")
    assert any(f'"{tmp_path}/theirs"' in one["message"] for one in looked.json if not one["ok"])


@pytest.mark.parametrize("name", ["a folder", "a[b]", "a#b", "a\\b"])
def test_a_folder_that_pam_reads_as_something_else_is_refused(passless: Passless, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert "PAM reads no" in add(passless, tmp_path / name, "--way-back", "a console", status=2)["message"]


def test_what_others_could_change_is_found_behind_links_and_above(tmp_path: Path) -> None:
    """Each folder above, and each link on the way: whoever can change one of them puts another Python in its place."""
    need_root()
    safe = Path(sys.base_prefix) / "bin"
    top = tmp_path / "venv"
    (top / "bin").mkdir(parents=True)
    (top / "bin" / "python").symlink_to("../elsewhere/python")
    (top / "elsewhere").mkdir()
    (top / "elsewhere" / "python").touch(mode=0o755)
    assert roots_alone.first_of_others([safe]) is None
    assert roots_alone.first_of_others([top / "bin" / "python"]) is None
    elsewhere = top / "elsewhere"
    elsewhere.chmod(0o1777)  # nobody else takes root's Python away there, as in /tmp; but anybody may put something beside it
    assert roots_alone.first_of_others([top / "bin" / "python"]) is None
    assert roots_alone.first_of_others([elsewhere]) == elsewhere
    for mode, owner in ((0o775, 0), (0o755, 12345)):
        elsewhere.chmod(mode)
        os.chown(elsewhere, owner, 0)
        found = roots_alone.first_of_others([top / "bin" / "python"])
        assert found is not None
        assert found.resolve() == elsewhere


def test_what_a_pth_file_names_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of somebody else's on an interpreter's path is read at each sign-in, by root."""
    need_root()
    named = tmp_path / "named"
    named.mkdir()
    (named / "sitecustomize.py").touch()
    venv.create(tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    monkeypatch.setattr(
        sysconfig, "get_paths", lambda: dict.fromkeys(("stdlib", "platstdlib", "purelib", "platlib"), str(packages))
    )
    assert roots_alone.of_python(python) is None
    (packages / "project.pth").write_text(f"{named}\n")
    for theirs in (named, named / "sitecustomize.py"):
        roots_alone.of_python.cache_clear()
        assert roots_alone.of_python(python) is None
        os.chown(theirs, 12345, 0)
        roots_alone.of_python.cache_clear()
        assert roots_alone.of_python(python) == theirs
        os.chown(theirs, 0, 0)
    roots_alone.of_python.cache_clear()
    broken = tmp_path / "broken"
    broken.touch(mode=0o755)
    assert roots_alone.of_python(str(broken)) == broken


def test_it_is_said_that_a_name_is_what_counts(passless: Passless, tmp_path: Path) -> None:
    """Also where nothing is written, and for sshd's keys; a mail server's users are no users of a host."""
    for number, (kind, says) in enumerate((("pam", True), ("ssh", True), ("dovecot", False))):
        made = passless.json("relying-party", "add", f"elsewhere {number}", "--kind", kind, "--elsewhere")
        assert any("account of a user's name" in one for one in made["then"]) is says


def test_the_name_means_nothing_to_pam(passless: Passless, tmp_path: Path) -> None:
    made = add(passless, tmp_path, "--way-back", "a console", name="../../etc/x y\\z $(id)")
    assert all(Path(one).parent == tmp_path for one in made["written"])
    assert {Path(one).suffix for one in made["written"]} == {"", ".radius"}


def test_what_pam_does_not_take_is_gone_again(passless: Passless, monkeypatch: pytest.MonkeyPatch) -> None:
    need_root()
    monkeypatch.setattr(pam, "OPTIONS", "conf=/nowhere skip_passwd force_prompt")
    error = passless.json(
        "relying-party", "add", "gone again", "--kind", "pam", "--server", SERVER, "--way-back", "the tests", status=6
    )
    assert error["code"] == "configuration-not-taken"
    assert [*pam.FOLDER.glob("*gone-again*"), *pam.SECRETS.glob("*gone-again*")] == []
    assert passless.json("relying-party", "list") == []
