"""A real sshd tells PAM which key let somebody in, and PAM's script the server: nobody waits for it, nobody lies to it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from passless.domain.account import AccountId
from passless.domain.use_state import Use
from passless.ports import Write
from passless.programs import sshd_sign_ins
from passless.programs.sshd_sign_ins import SIGN_INS
from passless.stores import open_store
from tests.cli.running import Passless
from tests.server.serving import Served, keep_secret
from tests.software_key import SoftwareKey
from tests.strangers.ssh import host as hosts
from tests.strangers.ssh.conftest import Desk
from tests.strangers.ssh.host import Host

Seat = Callable[..., Desk]
SCRIPT = "passless-pam-host-signed-in.sh"


@pytest.fixture(scope="module")
def telling(served: Served) -> Iterator[Host]:
    """Return a host whose PAM runs the script first, as the printed step says."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.enter_context(hosts.keys_user())
        folder = stack.enter_context(hosts.root_folder())
        service = stack.enter_context(hosts.pam_service(patch))
        operator = Passless(served.home, patch)
        store = f"sqlite:///{served.home.parent / 'accounts.sqlite'}"
        operator.json("profile", "add", "pam", "--store", store, "--vault", "file")
        operator.json("profile", "use", "pam")
        words = ("relying-party", "add", "pam host", "--kind", "ssh", "--to", str(folder), "--server", served.url)
        made = operator.json(*words)
        keep_secret(made["secret"])
        hosts.tell_sign_ins(folder / SCRIPT)
        running = Host(folder, folder / "passless-pam-host.conf", made, service)
        try:
            yield running
        finally:
            running.stop()


def signed_in(desk: Desk) -> list[dict[str, Any]]:
    """Return what the person's audit trail says of sign-ins by ssh."""
    desk.plug()
    events = desk.terminal.json("audit", "list")
    return [one for one in events if one["event"] == "sign-in-by-ssh"]


def account_id(desk: Desk) -> str:
    return str(desk.terminal.json("status")["id"])


def used_long_ago(served: Served, account: str, item: str) -> None:
    """Have a key lie in a drawer for a year."""
    folder, now = served.home.parent, datetime.now(UTC)
    store = open_store(folder / "accounts.sqlite", state=served.home / "state" / "stores", at=now)
    try:
        store.commit(Write(at=now, account_id=AccountId(account), uses=(Use(item=item, at=now - timedelta(days=365)),)))
    finally:
        store.close()


def test_the_person_sees_who_signed_in_where_with_which_key_and_when_it_was_used(
    telling: Host, served: Served, sits_down: Seat
) -> None:
    desk = sits_down(SoftwareKey())
    method = desk.add_key()
    desk.write_file()
    used_long_ago(served, account_id(desk), method["id"])
    desk.at(telling).begin().close()
    served.await_request(route=SIGN_INS, status=HTTPStatus.NO_CONTENT, account=account_id(desk))
    (event,) = signed_in(desk)
    assert (event["actor"], event["outcome"], event["place"]) == (desk.name, "done", "127.0.0.1")
    details = event["details"]
    assert (details["name"], details["key"], details["relying-party"]) == ("pam host", "blue key", telling.made["id"])
    (used,) = (one for one in desk.terminal.json("method", "list") if one["id"] == method["id"])
    assert used["last_used_at"] == event["at"]
    assert "sign-in-by-ssh" in desk.terminal("audit", "list").stdout


def test_what_people_write_into_their_own_environment_is_not_believed(telling: Host, served: Served, sits_down: Seat) -> None:
    """Debian's PAM reads ~/.pam_environment: what it says comes after sshd's words were told."""
    ada, bob = sits_down(SoftwareKey()), sits_down(SoftwareKey())
    for desk in (ada, bob):
        desk.plug()
        desk.add_key()
        desk.write_file()
    lies = {"SSH_AUTH_INFO_0": f"publickey {bob.public.rsplit(' ', 1)[0]}", "PAM_USER": bob.name, "PAM_RHOST": "192.0.2.1"}
    own = Path(f"~{ada.name}/.pam_environment").expanduser()
    own.write_text("".join(f'{name} DEFAULT="{value}"\n' for name, value in lies.items()))
    ada.plug()
    session = ada.at(telling).begin()
    session.sendline("echo PAM_RHOST is $PAM_RHOST")
    session.expect("PAM_RHOST is 192.0.2.1")  # PAM did read it
    session.close()
    served.await_request(route=SIGN_INS, status=HTTPStatus.NO_CONTENT, account=account_id(ada))
    (event,) = signed_in(ada)
    assert (event["actor"], event["place"]) == (ada.name, "127.0.0.1")
    assert signed_in(bob) == []


class Silent:
    """A server that takes questions, and answers when it is told to."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(hosts.WITHIN)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def question(self) -> tuple[socket.socket, str, dict[str, list[str]]]:
        """Return the next connection, the first line of what it asks, and its form; the answer is owed."""
        connection, _ = self._listening.accept()
        connection.settimeout(hosts.WITHIN)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = next((int(one[15:]) for one in head.decode().splitlines() if one.lower().startswith("content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65_536)
        return connection, head.decode().splitlines()[0], parse_qs(body.decode())

    def close(self) -> None:
        self._listening.close()


@contextmanager
def silent() -> Iterator[Silent]:
    made = Silent()
    try:
        yield made
    finally:
        made.close()


class TestNobodyWaits:
    def test_a_sign_in_is_over_before_the_server_has_answered(self, sits_down: Seat, tmp_path: Path) -> None:
        """Keys that are no security keys, which were let in before, are nobody's business."""
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            service = stack.enter_context(hosts.pam_service(patch))
            server = stack.enter_context(silent())
            host = stack.enter_context(hosts.elsewhere("http://127.0.0.1:1", service))
            script = host.folder / "passless-elsewhere-signed-in.sh"
            script.write_text(script.read_text().replace("http://127.0.0.1:1", server.url))
            hosts.tell_sign_ins(script)
            desk = sits_down(SoftwareKey())
            desk.add_key()
            desk.write_file()
            plain = tmp_path / "plain"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", plain], check=True)
            (host.keys / desk.name).write_text(f"{plain.with_suffix('.pub').read_text()}{desk.public}\n")
            with_key, desk.file = desk.file, plain
            desk.at(host).begin().close()
            desk.file = with_key
            session = desk.at(host).begin()
            session.sendline("id -un")
            session.expect(desk.name)
            connection, line, form = server.question()
            with connection:
                assert line == f"POST {SIGN_INS} HTTP/1.1"
                key = " ".join(desk.public.split()[:2])
                assert form == {"user": [desk.name], "key": [key], "from": ["127.0.0.1"]}
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            session.close()

    def test_it_goes_on_while_the_server_is_down_and_without_the_script(self, sits_down: Seat) -> None:
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            service = stack.enter_context(hosts.pam_service(patch))
            host = stack.enter_context(hosts.elsewhere("http://127.0.0.1:1", service))
            script = host.folder / "passless-elsewhere-signed-in.sh"
            hosts.tell_sign_ins(script)
            desk = sits_down(SoftwareKey())
            desk.add_key()
            desk.write_file()
            (host.keys / desk.name).write_text(f"{desk.public}\n")
            desk.at(host).begin().close()
            script.unlink()
            desk.at(host).begin().close()
            assert signed_in(desk) == []


class TestWhoElseRunsIt:
    def test_a_user_of_the_host_tells_nothing(self, telling: Host, served: Served, sits_down: Seat) -> None:
        desk = sits_down(SoftwareKey())
        desk.add_key()
        desk.write_file()
        script = telling.folder / SCRIPT
        key = " ".join(desk.public.split()[:2])
        said = {
            "PAM_TYPE": "open_session",
            "PAM_SERVICE": sshd_sign_ins.SERVICE,
            "PAM_USER": desk.name,
            "SSH_AUTH_INFO_0": f"publickey {key}",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        for user in (desk.name, "nobody"):
            command = ["runuser", "-u", user, "--", str(script)]
            assert subprocess.run([*command, sshd_sign_ins.TRY], capture_output=True, check=False).returncode != 0
            as_pam = subprocess.run(command, env=said, capture_output=True, text=True, check=False)
            assert (as_pam.returncode, as_pam.stdout, as_pam.stderr) == (0, "", "")
            read = subprocess.run(
                ["runuser", "-u", user, "--", "cat", str(telling.folder / "passless-pam-host.curl")],
                capture_output=True,
                check=False,
            )
            assert read.returncode != 0
        desk.at(telling).begin().close()  # of all that only this is told
        served.await_request(route=SIGN_INS, status=HTTPStatus.NO_CONTENT, account=account_id(desk))
        assert len(signed_in(desk)) == 1
