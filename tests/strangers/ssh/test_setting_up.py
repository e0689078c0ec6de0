"""What `relying-party add --kind ssh` writes, as sshd judges it: refused without a way back, and then nothing is left."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from passless.domain.errors import PasslessError
from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import comparing, setting_up, sshd, sshd_sign_ins
from passless.programs.setting_up import Finding, NotTaken, Setup
from tests.cli.running import Passless
from tests.server.serving import a_server, keep_secret
from tests.strangers.ssh import host as hosts

SECRET = "plc_0123456789"
NOBODY_THERE = "http://127.0.0.1:1"
PAM_FILE = "auth required pam_deny.so\nsession required pam_env.so user_readenv=1\n"
USUAL = "AuthorizedKeysFile .ssh/authorized_keys\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that is root's, with sshd's own beginnings in it."""
    hosts.need_ssh()
    with hosts.keys_user(), hosts.root_folder() as made:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made / "host_key")], check=True)
        (made / "sshd_config.d").mkdir(mode=0o755)
        main(made, USUAL)
        yield made


def main(folder: Path, content: str, *, includes: bool = True) -> None:
    include = f"Include {folder}/sshd_config.d/*.conf\n" if includes else ""
    (folder / "sshd_config").write_text(f"{include}HostKey {folder}/host_key\n{content}")


def a_setup(folder: Path, url: str = NOBODY_THERE, name: str = "file server") -> Setup:
    party = RelyingPartyView(
        id="abc",
        name=name,
        kind="ssh",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=False,
        created_at=datetime.now(UTC),
    )
    return Setup(party=party, url=url, secret=Secret(SECRET), folder=folder / "sshd_config.d")


def refusal(setup: Setup) -> PasslessError:
    """Return why something cannot be set up; nothing of it is left."""
    assert setup.folder is not None
    with pytest.raises(PasslessError) as raised:
        check_and_set_up(setup)
    assert list(setup.folder.glob("passless-*")) == []
    return raised.value


def check_and_set_up(setup: Setup) -> None:
    setting_up.check(sshd, setup)
    setting_up.set_up(sshd, setup)


def run(setup: Setup, *arguments: str, user: str = sshd.USER) -> subprocess.CompletedProcess[str]:
    script = sshd.paths(setup)[1]
    return subprocess.run(["runuser", "-u", user, "--", str(script), *arguments], capture_output=True, text=True, check=False)


def test_it_is_taken_where_sshd_reads_it(folder: Path) -> None:
    setup = a_setup(folder)
    setting_up.check(sshd, setup)
    written = setting_up.set_up(sshd, setup)
    ends = (".curl", ".sh", "-signed-in.sh", ".conf")
    assert [Path(one).name for one in written.files] == [f"passless-file-server{end}" for end in ends]
    assert "Match" not in sshd.paths(setup)[0].read_text()
    assert any(str(path) in line for path in sshd.paths(setup) for line in written.undo)
    assert all(SECRET not in line for line in (*written.then, *written.undo))


def test_the_secret_is_that_users_to_read_and_nobody_elses(folder: Path) -> None:
    """Must hold 2."""
    setup = a_setup(folder)
    setting_up.set_up(sshd, setup)
    snippet, script, asking = sshd.paths(setup)
    assert [path.stat().st_mode & 0o777 for path in (asking, script, snippet)] == [0o640, 0o755, 0o644]
    assert asking.group() == sshd.USER
    assert SECRET in asking.read_text()
    assert SECRET not in script.read_text() + snippet.read_text()
    for user, may in ((sshd.USER, True), ("nobody", False), ("sshd", False)):
        read = subprocess.run(["runuser", "-u", user, "--", "cat", str(asking)], capture_output=True, check=False)
        assert (read.returncode == 0) is may


class TestRefusals:
    def test_without_a_way_back(self, folder: Path) -> None:
        main(folder, "AuthorizedKeysFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n")
        assert refusal(a_setup(folder)).code == "no-way-back"
        main(folder, "AuthorizedKeysFile none\nPasswordAuthentication yes\n")
        setting_up.check(sshd, a_setup(folder))

    def test_where_another_program_is_asked(self, folder: Path) -> None:
        main(folder, f"{USUAL}AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys %u\nAuthorizedKeysCommandUser nobody\n")
        assert refusal(a_setup(folder)).code == "asked-already"

    def test_where_sshd_takes_no_keys(self, folder: Path) -> None:
        main(folder, f"{USUAL}PubkeyAuthentication no\n")
        assert refusal(a_setup(folder)).code == "no-keys-taken"

    def test_where_sshd_does_not_read_it(self, folder: Path) -> None:
        main(folder, USUAL, includes=False)
        error = refusal(a_setup(folder))
        assert isinstance(error, NotTaken)
        assert "is not read" in error.message

    def test_where_sshd_is_broken_already(self, folder: Path) -> None:
        main(folder, "NoSuchWord yes\n")
        assert "does not take its configuration as it is" in refusal(a_setup(folder)).message

    def test_where_others_could_replace_the_script(self, folder: Path) -> None:
        (folder / "sshd_config.d").chmod(0o777)
        assert "others may change" in refusal(a_setup(folder)).message

    def test_where_sshd_says_nothing(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        hanging = tmp_path / "sshd"
        hanging.write_text("#!/bin/sh\nexec sleep 600\n")
        hanging.chmod(0o755)
        monkeypatch.setattr(sshd, "ASKING_TIME", 0.05)
        monkeypatch.setattr(sshd, "_find", lambda _: str(hanging))
        assert refusal(a_setup(folder)).message.endswith(f"{hanging} did not end within 0.05 seconds")
        monkeypatch.setattr(sshd, "_find", lambda _: str(tmp_path / "gone"))
        assert refusal(a_setup(folder)).message.endswith("No such file or directory")

    def test_where_sshd_takes_no_security_keys(self, folder: Path) -> None:
        main(folder, f"{USUAL}PubkeyAcceptedAlgorithms ssh-ed25519\n")
        assert "takes no signatures of sk-ecdsa" in refusal(a_setup(folder)).message

    def test_over_a_file_that_is_there(self, folder: Path) -> None:
        setting_up.set_up(sshd, a_setup(folder))
        with pytest.raises(PasslessError) as raised:
            setting_up.check(sshd, a_setup(folder))
        assert raised.value.code in ("file-in-the-way", "asked-already")

    def test_without_the_secret(self, folder: Path) -> None:
        error = refusal(replace(a_setup(folder), secret=None))
        assert (error.message, error.hint) == ("secret: there is none in the files", "give it: --secret-file FILE")

    def test_where_the_server_does_not_know_the_secret(self, folder: Path) -> None:
        with answering(401) as url:
            assert "error: 401" in refusal(a_setup(folder, url)).message


class TestTheScript:
    def test_the_machines_own_users_are_never_asked_about(self, folder: Path) -> None:
        setup = a_setup(folder)
        setting_up.set_up(sshd, setup)
        for user_id in ("0", "1", "999", "65534", "99999999999999999999"):
            asked = run(setup, "root", user_id)
            assert (asked.returncode, asked.stdout) == (0, ""), user_id
        for user_id in ("", "x", "-1", "1000x", "$(id)"):
            assert run(setup, "ada", user_id).returncode == 2

    def test_the_secret_and_the_user_are_in_no_argument_list(self, folder: Path) -> None:
        """Must hold 1."""
        with answering(200, b"a key\n") as url:
            setup = a_setup(folder, url)
            setting_up.set_up(sshd, setup)
            asked = run(setup, "somebody&user=x#%41 \u00e9", "1000")
        assert (asked.returncode, asked.stdout, asked.stderr) == (0, "a key\n", "")
        path, listed = Answering.asked[-1]
        assert parse_qs(path.removeprefix("/relying-parties/keys?")) == {"user": ["somebody&user=x#%41 \u00e9"]}
        assert any("curl" in one for one in listed)
        assert not any(SECRET in one for one in listed)

    def test_half_an_answer_is_none(self, folder: Path) -> None:
        with answering(500, b"sk-ecdsa half") as url:
            setup = a_setup(folder, NOBODY_THERE)
            setting_up.set_up(sshd, setup)
            script = sshd.paths(setup)[1]
            script.write_text(script.read_text().replace(NOBODY_THERE, url))
            asked = run(setup, "ada", "1000")
        assert (asked.returncode, asked.stdout) == (22, "")
        assert "error: 500" in asked.stderr

    def test_a_server_that_is_not_there_is_said(self, folder: Path) -> None:
        setup = a_setup(folder)
        setting_up.set_up(sshd, setup)
        asked = run(setup, "ada", "1000")
        assert (asked.returncode, asked.stdout) == (7, "")
        assert SECRET not in asked.stderr


def test_files_that_sshd_does_not_include_yet_are_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written beside sshd's own, they are tried, and are taken; whether sshd has them is another question."""
    monkeypatch.setattr(sshd, "FOLDER", folder / "sshd_config.d")
    (folder / "apart").mkdir(mode=0o755)
    setup = replace(a_setup(folder), folder=folder / "apart")
    snippet, script, _ = sshd.paths(setup)
    setting_up.set_up(sshd, setup)
    assert next(one.message for one in sshd.findings(setup)) == f"would ask {script}"
    not_yet, *_ = sshd.in_use(setup)
    assert (not_yet.ok, not_yet.message) == (False, f"{folder / 'sshd_config'} does not include it yet")
    assert f"Include {snippet}" in not_yet.hint
    main(folder, f"{USUAL}Include {snippet}\n")
    assert next((one.ok, one.message) for one in sshd.in_use(setup)) == (True, f"{folder / 'sshd_config'} asks {script}")
    main(folder, "NoSuchWord yes\n")
    assert [one.ok for one in sshd.in_use(setup) if one.check == "sshd"] == [False]


class TestTellingOfSignIns:
    """It is a choice, and takes PAM: a line that stands before whatever reads people's own files."""

    @pytest.fixture
    def setup(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
        monkeypatch.setattr(sshd_sign_ins, "PAM", tmp_path)
        (tmp_path / "sshd").write_text(PAM_FILE)
        main(folder, f"{USUAL}UsePAM yes\n")
        made = a_setup(folder)
        setting_up.set_up(sshd, made)
        return made

    @staticmethod
    def found(setup: Setup) -> Finding:
        (one,) = (one for one in sshd.in_use(setup) if one.check == "sign-ins")
        return one

    def test_the_line_is_a_step_with_its_way_back(self, setup: Setup) -> None:
        file, line = sshd_sign_ins.service_file(), sshd_sign_ins.line(sshd.telling_path(setup))
        assert f"for sign-ins in the audit trail, make this the first line of {file}:\n{line}" in sshd.then(setup)
        assert f"take this out, if it is in {file}:\n{line}" in sshd.undo(setup)
        assert line.startswith("session optional ")
        assert file.read_text() == PAM_FILE

    def test_where_the_line_is_not_nothing_is_wrong(self, setup: Setup) -> None:
        found = self.found(setup)
        assert (found.ok, found.tested, found.message) == (True, False, "not told")
        assert sshd_sign_ins.line(sshd.telling_path(setup)) in found.hint

    def test_where_it_is_first_they_are_told(self, setup: Setup) -> None:
        file, line = sshd_sign_ins.service_file(), sshd_sign_ins.line(sshd.telling_path(setup))
        file.write_text(f"# sshd\n\n{line.replace(' ', '  ')}\n{PAM_FILE}")
        found = self.found(setup)
        assert (found.ok, found.tested) == (True, True)

    def test_anywhere_else_people_could_have_it_tell_what_is_not_so(self, setup: Setup) -> None:
        file, line = sshd_sign_ins.service_file(), sshd_sign_ins.line(sshd.telling_path(setup))
        for content in (f"{PAM_FILE}{line}\n", f"{line}\n{PAM_FILE}{line}\n"):
            file.write_text(content)
            found = self.found(setup)
            assert (found.ok, "does not begin with" in found.message) == (False, True)

    def test_with_another_word_it_could_refuse_a_sign_in(self, setup: Setup) -> None:
        file, line = sshd_sign_ins.service_file(), sshd_sign_ins.line(sshd.telling_path(setup))
        file.write_text(f"{line.replace('optional', 'required')}\n{PAM_FILE}")
        assert self.found(setup).ok is False

    def test_without_pam_there_is_nothing_to_do(self, setup: Setup, folder: Path) -> None:
        main(folder, f"{USUAL}UsePAM no\n")
        found = self.found(setup)
        assert (found.ok, found.tested, found.message) == (True, False, "not told: sshd asks no PAM here (UsePAM no)")
        assert not any("pam_exec" in one for one in sshd.then(setup))
        sshd.telling_path(setup).unlink()  # and then it may go
        assert comparing.missing(sshd.files(setup)) == ()

    def test_a_server_that_takes_none_is_said_before_anything_stays(self, folder: Path, tmp_path: Path) -> None:
        main(folder, f"{USUAL}UsePAM yes\n")
        with answering(200) as url:  # to keys; nothing is posted there
            assert "telling of them failed" in refusal(a_setup(folder, url)).message

    def test_a_script_that_others_may_change_is_not_run(self, setup: Setup) -> None:
        sshd.telling_path(setup).chmod(0o777)
        assert [one.message for one in sshd.findings(setup) if not one.ok] == [
            f'others may change "{sshd.telling_path(setup)}", so it is not safe to run'
        ]


class Answering(BaseHTTPRequestHandler):
    """Answers everything alike, and looks at the argument lists of all processes meanwhile."""

    asked: list[tuple[str, list[str]]] = []  # noqa: RUF012
    status, content = 200, b""

    def do_GET(self) -> None:
        listed = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                listed.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        Answering.asked.append((self.path, listed))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def answering(status: int, content: bytes = b"") -> Iterator[str]:
    """Serve one answer; return where."""
    handler = type("One", (Answering,), {"status": status, "content": content})
    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        yield f"http://127.0.0.1:{server.server_address[1]}"


def test_a_host_is_set_up_with_its_secret_alone(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Added at the server for another machine, configured there by somebody whom the server does not know."""
    (tmp_path / "server").mkdir()
    with a_server(tmp_path / "server") as served:
        operator = Passless(served.home, monkeypatch)
        store = f"sqlite:///{served.home.parent / 'accounts.sqlite'}"
        operator.json("profile", "add", "here", "--store", store, "--vault", "file")
        operator.json("profile", "use", "here")
        made = operator.json("relying-party", "add", "file server", "--kind", "ssh", "--elsewhere")
        assert (made["written"], any("configure" in one for one in made["then"])) == ([], True)
        host = Passless(tmp_path / "host", monkeypatch)
        written = ("relying-party", "configure", "file server", "--server", served.url, "--secret-file", "-")
        where = ("--to", str(folder / "sshd_config.d"))
        assert host.json(*written, *where, typed="plc_wrong", status=5)["code"] == "wrong-secret"
        done = host.json(*written, *where, typed=keep_secret(made["secret"]))
        assert len(done["written"]) == 4
        assert run(a_setup(folder), "ada", "1000").returncode == 0
        monkeypatch.setenv("PASSLESS_HOME", str(served.home))
        looked = operator.json("relying-party", "test", "file server", "--server", served.url, *where)
        assert {one["check"] for one in looked} >= {"sshd", "algorithms", "server"}
        assert all(one["ok"] for one in looked)
