"""A real sshd with the ssh client, a real sudo and a real login, typed at as people type."""

from __future__ import annotations

from pathlib import Path

import pexpect

from passless.programs.pam import NOT_THERE
from passless.programs.waiting_for_approval import NOT_FOR_SSHD
from tests.linux.host import APPROVAL_PROMPT, CODE_PROMPT, LOCAL_PASSWORD, PASSWORD_PROMPT, Host
from tests.linux.services import a_key, a_login, a_sudoer, an_sshd


def said_at_the_end(child: pexpect.spawn[str]) -> str:
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before).strip()


def test_ssh_asks_for_the_password_and_a_code(host: Host, tmp_path: Path) -> None:
    ada = host.somebody().joins()
    with an_sshd(tmp_path, f"@include {host.service}\n", "keyboard-interactive") as sshd:
        child = sshd.ssh(ada)
        child.expect(PASSWORD_PROMPT)
        child.sendline(LOCAL_PASSWORD)
        child.expect(CODE_PROMPT)
        child.sendline(ada.code())
        assert said_at_the_end(child) == f"in as {ada.name}"
        (step,) = [one for one in ada.events() if one["event"] == "second-step"]
        assert step["place"] == "127.0.0.1"  # as sshd says where they come from

        child = sshd.ssh(ada)
        child.expect(PASSWORD_PROMPT)
        child.sendline(LOCAL_PASSWORD)
        child.expect(CODE_PROMPT)
        child.sendline(ada.wrong_code())
        assert "Permission denied" in said_at_the_end(child)


def test_ssh_with_the_file_for_who_cannot_type_says_so_at_once(host: Host, tmp_path: Path) -> None:
    """sshd shows words together with a question only, or at the end."""
    ada = host.somebody().joins()
    with an_sshd(tmp_path, f"@include {host.service}-wait\n", "keyboard-interactive") as sshd:
        child = sshd.ssh(ada, "-o", "LogLevel=INFO")
        child.expect(PASSWORD_PROMPT)
        child.sendline(LOCAL_PASSWORD)
        said = " ".join(said_at_the_end(child).split())
        assert NOT_FOR_SSHD in said
        assert "Permission denied" in said


def test_ssh_asks_for_a_key_and_a_code_or_an_approval(host: Host, tmp_path: Path) -> None:
    ada, bob = host.somebody().joins(), host.somebody().joins()
    with an_sshd(tmp_path, f"@include {host.service}-code\n", "publickey,keyboard-interactive") as sshd:
        child = sshd.ssh(ada, "-i", str(a_key(tmp_path, ada)))
        child.expect(CODE_PROMPT)
        child.sendline(ada.code())
        assert said_at_the_end(child) == f"in as {ada.name}"

        child = sshd.ssh(bob, "-i", str(a_key(tmp_path, bob)))
        child.expect(CODE_PROMPT)
        child.sendline("")
        child.expect(APPROVAL_PROMPT)
        bob.answers(str(child.match.group(2)))
        assert "from 127.0.0.1" in bob.asked or "Asked from 127.0.0.1" in bob.asked
        child.sendline("")
        assert said_at_the_end(child) == f"in as {bob.name}"

        child = sshd.ssh(ada)  # without the key nothing is asked
        assert "Permission denied (publickey)" in said_at_the_end(child)


def test_sudo_asks_for_the_password_and_a_code(host: Host) -> None:
    ada = host.somebody().joins()
    for code, said in ((ada.wrong_code(), "incorrect password attempt"), (ada.code(), "root")):
        with a_sudoer(host, ada) as child:
            child.expect(PASSWORD_PROMPT)
            child.sendline(LOCAL_PASSWORD)
            child.expect(CODE_PROMPT)
            child.sendline(code)
            assert said in said_at_the_end(child)


def test_login_asks_for_the_password_and_an_approval(host: Host) -> None:
    ada = host.somebody().joins()
    child = a_login(host, ada)
    child.expect(PASSWORD_PROMPT)
    child.sendline(LOCAL_PASSWORD)
    child.expect(CODE_PROMPT)
    child.sendline("")
    child.expect(APPROVAL_PROMPT)
    ada.answers(str(child.match.group(2)))
    child.sendline("")
    child.expect(r"\$ ")
    child.sendline("echo in as $(id -un); exit")
    assert f"in as {ada.name}" in said_at_the_end(child)


def test_while_the_server_is_down_ssh_and_sudo_let_nobody_in(host: Host, tmp_path: Path) -> None:
    ada = host.somebody().joins()
    key, only_code = a_key(tmp_path, ada), f"@include {host.service}-code\n"
    with an_sshd(tmp_path, only_code, "publickey,keyboard-interactive") as sshd, a_sudoer(host, ada) as sudo:
        host.served.stop()
        with host.in_a_hurry():
            ssh = sshd.ssh(ada, "-i", str(key))
            sudo.expect(PASSWORD_PROMPT)
            sudo.sendline(LOCAL_PASSWORD)
            assert "Permission denied" in said_at_the_end(ssh)  # sshd shows nothing where it asked for nothing
            assert NOT_THERE in " ".join(said_at_the_end(sudo).split())
        host.serve_on()
        ssh = sshd.ssh(ada, "-i", str(key))
        ssh.expect(CODE_PROMPT)
        ssh.sendline(ada.code())
        assert said_at_the_end(ssh) == f"in as {ada.name}"
