"""A real sshd asks a real `passless serve` which security keys let a user in, and a real ssh signs with them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from select import select

import pexpect
import pytest
from fido2.ctap2 import Ctap2
from fido2.hid import CtapHidDevice

from passless.credentials.ssh_keys import private_file, ssh_key
from passless.programs.ending import ends_of
from passless.programs.sshd_sessions import coming, end_sessions, users
from tests.server.serving import Served
from tests.server.watching import watching
from tests.software_key import EDDSA, ES256, Model, SoftwareKey
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.conftest import Desk, answer_to
from tests.strangers.ssh.host import Host

PIN = "4711"
Seat = Callable[..., Desk]


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
def test_the_key_of_the_account_signs_in_by_ssh(host: Host, sits_down: Seat, algorithm: int) -> None:
    desk = sits_down(SoftwareKey(model=Model(algorithms=[algorithm])))
    desk.add_key()
    written = desk.write_file()
    assert (written["application"], written["verify_required"]) == ("localhost", False)
    session = desk.at(host).begin()
    session.sendline("id -un")
    session.expect(desk.name)
    assert set(desk.held.asked) == {"localhost"}


def test_what_is_written_is_a_key_to_ssh_keygen_and_nobody_elses_to_read(host: Host, sits_down: Seat) -> None:
    desk = sits_down(SoftwareKey())
    method = desk.add_key()
    written = desk.write_file()
    said = subprocess.run(["ssh-keygen", "-y", "-f", desk.file], capture_output=True, text=True, check=True).stdout
    assert said.split()[:2] == written["public_key"].split() == Path(f"{desk.file}.pub").read_text().split()[:2]
    assert said.split()[2] == f"passless-{method['id']}"
    assert desk.file.stat().st_mode & 0o777 == 0o600


class TestUserVerification:
    def test_a_key_with_a_pin_signs_in_with_its_pin(self, host: Host, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey(pin=PIN), pin=PIN)
        desk.add_key()
        assert desk.write_file()["verify_required"] is True
        desk.at(host).begin(pin=PIN).close()
        assert f"verify-required {desk.public}" in answer_to(host, desk.name)

    def test_its_touch_alone_does_not(self, host: Host, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey(pin=PIN), pin=PIN)
        desk.add_key()
        desk.write_file()
        seen = desk.seen()
        key = ssh_key(seen.public_key, seen.rp_id)
        desk.file.write_bytes(private_file(key, seen.rp_id, seen.credential_id, verify=False, comment="without"))
        desk.at(host).refusal()
        assert desk.held.asked == ["localhost"]  # it did sign: sshd said no
        host.await_line("user verification requirement not met")


class TestWhatIsNotTheirs:
    def test_another_users_key_is_refused(self, host: Host, sits_down: Seat) -> None:
        ada, bob = sits_down(SoftwareKey()), sits_down(SoftwareKey())
        for desk in (ada, bob):
            desk.plug()
            desk.add_key()
            desk.write_file()
        assert "Permission denied" in bob.at(host, ada.name).refusal()
        bob.at(host).begin().close()

    def test_a_key_of_theirs_at_another_server_is_refused(self, host: Host, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey())
        desk.add_key()
        made = Ctap2(next(CtapHidDevice.list_devices())).make_credential(
            sha256(b"").digest(),
            {"id": "elsewhere.example", "name": "another server"},
            {"id": b"ada", "name": desk.name},
            [{"type": "public-key", "alg": ES256}],
        )
        found = made.auth_data.credential_data
        assert found is not None
        from fido2 import cbor

        key = ssh_key(cbor.encode(dict(found.public_key)), "elsewhere.example")
        desk.file.write_bytes(private_file(key, "elsewhere.example", found.credential_id, verify=False, comment="x"))
        desk.file.chmod(0o600)
        assert "Permission denied" in desk.at(host).refusal()


class TestGone:
    def test_a_removed_key_is_refused_from_then_on(self, host: Host, sits_down: Seat) -> None:
        """Must hold 7."""
        desk = sits_down(SoftwareKey())
        desk.add_key()
        desk.write_file()
        desk.at(host).begin().close()
        desk.terminal.json("method", "remove", "blue key", "--yes")
        assert "Permission denied" in desk.at(host).refusal()
        assert answer_to(host, desk.name) == ""

    def test_a_lost_one_too(self, host: Host, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey())
        desk.add_key("--device", "key ring")
        desk.write_file()
        assert desk.public in answer_to(host, desk.name)
        desk.terminal.json("device", "lost", "key ring", "--yes")
        assert "Permission denied" in desk.at(host).refusal()

    def test_the_sessions_of_one_user_end_and_no_others(self, host: Host, sits_down: Seat) -> None:
        ada, bob = sits_down(SoftwareKey()), sits_down(SoftwareKey())
        sessions = []
        for desk in (ada, ada, bob):
            desk.plug()
            if not desk.file.exists():
                desk.add_key()
                desk.write_file()
            sessions.append(desk.at(host).begin())
        sessions[0].sendline("sh -c 'echo as $$; exec sleep 600'")
        sessions[0].expect(r"as (\d+)")
        sleeping = os.pidfd_open(int(sessions[0].match[1]))
        assert end_sessions("root") == end_sessions("nobody") == end_sessions("no such user") == 0
        assert end_sessions(ada.name) == 2
        for ended in sessions[:2]:
            ended.expect(pexpect.EOF)
        sessions[2].sendline("id -un")
        sessions[2].expect(bob.name)
        assert select([sleeping], [], [], hosts.WITHIN)[0] == [sleeping]  # it has ended
        os.close(sleeping)
        assert end_sessions(ada.name) == 0


class TestSigningInWhileItEnds:
    """sshd asks for keys, and then may wait for a PIN, a touch or a code: what ended meanwhile has let them in."""

    def test_a_session_that_was_beginning_ends_too_and_none_that_begins_afterwards(self, host: Host, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey(pin=PIN), pin=PIN)
        desk.add_key()
        desk.write_file()
        meanwhile = desk.at(host).begin_typing()
        done = ends_of("ssh", introspects=False).of(desk.name)
        assert (done.text, done.ok) == ("", True)
        assert done.later is not None
        again = done.later()
        assert again.later is not None  # nobody has typed the PIN yet
        assert coming(desk.name)
        assert not any(coming("somebody") & coming(desk.name))
        desk.at(host).finish(meanwhile, PIN)
        afterwards = desk.at(host).begin(pin=PIN)
        done = again.later()
        assert (done.text, done.later) == ("1 ssh session ended", None)
        meanwhile.expect(pexpect.EOF)
        afterwards.sendline("id -un")
        afterwards.expect(desk.name)
        assert users() == tuple(sorted({*users(), desk.name}))

    def test_who_nobody_watched_for_days_is_looked_up(
        self, host: Host, served: Served, sits_down: Seat, tmp_path: Path
    ) -> None:
        ada, bob = sits_down(SoftwareKey()), sits_down(SoftwareKey())
        sessions = []
        for desk in (ada, bob):
            desk.plug()
            desk.add_key()
            desk.write_file()
            sessions.append(desk.at(host).begin())
        ada.plug()
        ada.terminal.json("method", "remove", "blue key", "--yes")
        (tmp_path / "secret").write_text(host.made["secret"])
        days_ago = (datetime.now(UTC) - timedelta(days=3)).timestamp()
        place = tmp_path / "program" / "state" / "watching" / f"{host.made['id']}.json"
        place.parent.mkdir(parents=True)
        for folder in place.parents[:3]:
            folder.chmod(0o700)
        place.write_text(json.dumps({"cursor": f"{int(days_ago * 1e6)}.00000000.0."}))
        place.chmod(0o600)
        with watching(tmp_path, served.url, words=host.made["id"], secret=tmp_path / "secret") as watched:
            watched.await_note("looked up for")
            assert watched.await_line(account=ada.name)["done"] == "1 ssh session ended"
            sessions[0].expect(pexpect.EOF)
            assert all(one["account"] != bob.name for one in watched.lines)
        sessions[1].sendline("id -un")
        sessions[1].expect(bob.name)


class TestServerDown:
    def test_keys_in_files_go_on_and_the_rest_is_refused(self, sits_down: Seat, tmp_path: Path) -> None:
        with hosts.elsewhere("http://127.0.0.1:1") as host:
            desk = sits_down(SoftwareKey())
            desk.add_key()
            desk.write_file()
            assert "Permission denied" in desk.at(host).refusal()
            assert "failed, status 7" in host.await_line("AuthorizedKeysCommand")
            plain = tmp_path / "plain"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", plain], check=True)
            (host.keys / desk.name).write_text(plain.with_suffix(".pub").read_text())
            desk.file = plain
            desk.at(host).begin().close()


def test_an_agent_signs_with_it_as_well(host: Host, sits_down: Seat, tmp_path: Path) -> None:
    """An agent signs for an RP ID that is not ssh's own where what it signs is a sign-in by ssh, and this is one."""
    desk = sits_down(SoftwareKey())
    desk.add_key()
    desk.write_file()
    with agent(tmp_path / "agent") as around:
        command = ["ssh-add", "-S", str(desk.library), str(desk.file)]
        subprocess.run(command, env=around, check=True, capture_output=True)
        desk.at(host, agent=around["SSH_AUTH_SOCK"]).begin().close()
    assert desk.held.asked == ["localhost"]


@contextmanager
def agent(socket: Path) -> Iterator[dict[str, str]]:
    """Run an agent that may load any provider here."""
    running = subprocess.Popen(["ssh-agent", "-D", "-P", "/*", "-a", str(socket)], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        running.stdout.readline()  # it says where it is once it listens
        yield os.environ | {"SSH_AUTH_SOCK": str(socket)}
    finally:
        running.terminate()
        running.wait()
        assert running.stdout is not None
        running.stdout.close()
