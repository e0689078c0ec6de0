"""The programs of a host that people sign in to: sshd and ssh, sudo, login; with service files and settings of their own."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import pexpect
import pytest

from tests.free_ports import free_port
from tests.linux.host import PAM, PATIENCE, Host, Somebody, run
from tests.strangers.needing import need

REST = "account required pam_unix.so\nsession required pam_unix.so\n"
SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
AuthenticationMethods {methods}
UseDNS no
LoginGraceTime 60
"""


class Sshd:
    """An sshd on a port of the loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def ssh(self, person: Somebody, *options: str) -> pexpect.spawn[str]:
        """Begin to sign in."""
        settings = ("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "NumberOfPasswordPrompts=1", "LogLevel=ERROR")
        given = [part for one in settings for part in ("-o", one)]
        command = ["-F", "none", "-p", str(self.port), *options, *given, f"{person.name}@127.0.0.1", "echo in as $(id -un)"]
        return pexpect.spawn("ssh", command, timeout=PATIENCE, encoding="utf-8", env={**os.environ, "SSH_AUTH_SOCK": ""})


@contextmanager
def an_sshd(folder: Path, auth: str, methods: str) -> Iterator[Sshd]:
    """Run an sshd whose sign-in is that of a service file, which it finds by the name that it is called by."""
    need("/usr/sbin/sshd", install="apt-get install openssh-server")
    name = f"passless-sshd-{secrets.token_hex(4)}"
    service, link, port = PAM / name, folder / name, free_port()
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
    (folder / "config").write_text(SSHD.format(port=port, folder=folder, methods=methods))
    Path("/run/sshd").mkdir(exist_ok=True)
    link.symlink_to("/usr/sbin/sshd")
    service.write_text(auth + REST)
    command = [str(link), "-D", "-e", "-f", str(folder / "config")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "Server listening" in line:
                break
        else:
            raise AssertionError(f"sshd did not start: {said}")
        yield Sshd(folder, port)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
        service.unlink()


def a_key(folder: Path, person: Somebody) -> Path:
    """Make a key for ssh that sshd takes for a person."""
    key = folder / f"key-{person.name}"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    home = Path(f"~{person.name}").expanduser()
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    run("chown", "-R", person.name, str(home / ".ssh"))
    return key


@contextmanager
def a_sudoer(host: Host, person: Somebody) -> Iterator[pexpect.spawn[str]]:
    """Let a person be root by sudo, whose sign-in is that of a service file of its own, and begin."""
    need("sudo", install="apt-get install sudo")
    service = host.a_service(f"@include {host.service}\n{REST}")
    rules = Path("/etc/sudoers.d") / f"passless-{secrets.token_hex(4)}"
    rules.write_text(f"Defaults:{person.name} pam_service={service}, passwd_tries=1\n{person.name} ALL=(ALL) ALL\n")
    rules.chmod(0o440)
    try:
        command = ["-u", person.name, "--", "sudo", "-k", "id", "-un"]
        yield pexpect.spawn("runuser", command, timeout=PATIENCE, encoding="utf-8", cwd="/")
    finally:
        rules.unlink()


def a_login(host: Host, person: Somebody) -> pexpect.spawn[str]:
    """Begin to sign in by login, in a namespace of its own, where its service file is another one."""
    service = PAM / host.a_service(f"@include {host.service}\n{REST}")
    inside = f"mount --bind {quote(str(service))} /etc/pam.d/login && exec login {quote(person.name)}"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("no mount namespace can be made here, in which login has another service file")
    return pexpect.spawn("unshare", ["--mount", "sh", "-c", inside], timeout=PATIENCE, encoding="utf-8")
