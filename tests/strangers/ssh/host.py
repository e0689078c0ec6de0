"""A host with a real sshd on the loopback, users of its own, and nothing in /etc but their names, which go again."""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Any

import pexpect
import pytest

from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import sshd as program
from passless.programs import sshd_sign_ins
from passless.programs.setting_up import Setup, set_up
from tests.strangers.needing import need

WITHIN = 30.0  # seconds that something may take on a busy machine
LOCK = Path(tempfile.gettempdir()) / "passless-tests-keys-user.lock"
MADE = b"made by tests"  # in the lock: the user goes with the last test
TOUCH = "Confirm user presence for key"
PAM_SERVICE = """\
auth required pam_deny.so
account required pam_unix.so
session required pam_unix.so
session required pam_env.so user_readenv=1
"""
SHELL_PROMPT = "here> "


def need_ssh() -> None:
    """Go on where a host can be made; a user of its own takes root."""
    if os.geteuid() != 0:
        pytest.skip("only root can make users and let sshd sign them in")
    for what, package in (("sshd", "openssh-server"), ("ssh", "openssh-client"), ("curl", "curl"), ("gcc", "gcc libc6-dev")):
        need(what if what != "sshd" else "/usr/sbin/sshd", install=f"apt-get install {package}")


@contextmanager
def keys_user() -> Iterator[None]:
    """Have the user that asks for keys, which several tests share; the last one takes it away if a test made it."""
    with LOCK.open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not _is_there():
            fcntl.flock(lock, fcntl.LOCK_EX)  # nobody holds it: there is no user that they would need
            if not _is_there():
                subprocess.run(program.MAKE_USER.split(), check=True, capture_output=True)
                lock.write(MADE)
                lock.flush()
            fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            yield
        finally:
            _let_go(lock)


def _is_there() -> bool:
    try:
        return pwd.getpwnam(program.USER) is not None
    except KeyError:
        return False


def _let_go(lock: IO[bytes]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    lock.seek(0)
    if lock.read() == MADE:
        subprocess.run(["userdel", program.USER], check=False, capture_output=True)
        lock.truncate(0)


@contextmanager
def user(name: str | None = None) -> Iterator[str]:
    """Have a user of this machine, with a home and a shell, for as long as the block."""
    made = name or f"plt{secrets.token_hex(4)}"
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", made], check=True, capture_output=True)
    try:
        yield made
    finally:
        subprocess.run(["userdel", "--remove", "--force", made], check=False, capture_output=True)


@contextmanager
def root_folder() -> Iterator[Path]:
    """Have a folder that is root's down from /, for sshd runs no program that others could replace."""
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it, and only its service makes it
    folder = Path(tempfile.mkdtemp(prefix="passless-test-", dir="/var/lib"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Host:
    """A running sshd, and what it writes; with `service` it asks PAM, where it is called so."""

    def __init__(self, folder: Path, snippet: Path, made: Any = None, service: str = "") -> None:
        self.folder = folder
        self.made = made  # what the command that set it up said
        self.keys = folder / "keys"
        self.keys.mkdir(exist_ok=True)
        self.port = _free_port()
        key, config = folder / "host_key", folder / "sshd_config"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        config.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {key}\nPidFile none\nUsePAM {'yes' if service else 'no'}\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile {self.keys}/%u\n"
            f"LogLevel VERBOSE\nInclude {snippet}\n"
        )
        public = (folder / "host_key.pub").read_text().rsplit(" ", 1)[0]
        self.known = folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}\n")
        self.lines: list[str] = []
        self._more = Condition()
        sshd = "/usr/sbin/sshd"
        if service:  # PAM knows sshd by the name that it was started by
            sshd = str(folder / service)
            Path(sshd).symlink_to("/usr/sbin/sshd")
        self.process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.await_line("Server listening")

    @property
    def text(self) -> str:
        """Everything that sshd wrote."""
        return "".join(self.lines)

    def await_line(self, words: str) -> str:
        """Return the first line with these words, as soon as there is one."""

        def found() -> str | None:
            return next((line for line in self.lines if words in line), None)

        with self._more:
            assert self._more.wait_for(lambda: found() is not None, WITHIN), f"sshd did not say {words!r}:\n{self.text}"
        line = found()
        assert line is not None
        return line

    def stop(self) -> None:
        """Stop listening; sessions go on."""
        self.process.terminate()
        self.process.wait(WITHIN)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                with self._more:
                    self.lines.append(line)
                    self._more.notify_all()


@contextmanager
def pam_service(patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have a service of PAM that is taken for sshd's; as in Debian's, people's own files add to what PAM says there."""
    name = f"passless-test-{secrets.token_hex(4)}"
    patch.setattr(sshd_sign_ins, "SERVICE", name)
    file = sshd_sign_ins.service_file()
    file.write_text(PAM_SERVICE)
    try:
        yield name
    finally:
        file.unlink()


def tell_sign_ins(script: Path, *, first: bool = True) -> None:
    """Do what the printed step says: the line is the first of PAM's file; else the last, as it must not be."""
    file, line = sshd_sign_ins.service_file(), f"{sshd_sign_ins.line(script)}\n"
    file.write_text(line + PAM_SERVICE if first else PAM_SERVICE + line)


@contextmanager
def elsewhere(url: str, service: str = "") -> Iterator[Host]:
    """Have a host whose files say that the server is somewhere else."""
    party = RelyingPartyView(
        id="abc",
        name="elsewhere",
        kind="ssh",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=False,
        created_at=datetime.now(UTC),
    )
    with keys_user(), root_folder() as folder:
        setup = Setup(party=party, url=url, secret=Secret("plc_none"), folder=folder)
        set_up(program, setup)
        running = Host(folder, folder / "passless-elsewhere.conf", service=service)
        try:
            yield running
        finally:
            running.stop()


class Client:
    """The real `ssh`, typed at; `key` is the file that names a key."""

    def __init__(self, host: Host, library: Path, user: str, key: Path, agent: str) -> None:
        options = (
            "-F none",
            f"-i {key}.pub" if agent != "none" else f"-i {key}",
            f"-p {host.port}",
            "-o IdentitiesOnly=yes",
            f"-o IdentityAgent={agent}",
            "-o PreferredAuthentications=publickey",
            f"-o UserKnownHostsFile={host.known}",
            f"-o SecurityKeyProvider={library}",
        )
        self._command = f"ssh {' '.join(options)} {user}@127.0.0.1"

    def begin(self, *, pin: str | None = None) -> pexpect.spawn:
        """Sign in, and return the session at its prompt."""
        if pin is None:
            return self.finish(self._spawn())
        return self.finish(self.begin_typing(), pin)

    def begin_typing(self) -> pexpect.spawn:
        """Sign in up to where the PIN is asked for."""
        session = self._spawn()
        session.expect("Enter PIN for")
        return session

    def finish(self, session: pexpect.spawn, pin: str | None = None) -> pexpect.spawn:
        """Return a session at its prompt."""
        if pin is not None:
            session.sendline(pin)
        session.expect(r"\$ ")
        session.sendline(f"PS1='{SHELL_PROMPT}'; unset HISTFILE")
        session.expect(SHELL_PROMPT)
        return session

    def refusal(self, *, pin: str | None = None) -> str:
        """Sign in where that is refused; return what ssh said."""
        session = self._spawn()
        if pin is not None and session.expect(["Enter PIN for", pexpect.EOF]) == 0:
            session.sendline(pin)
            session.expect(pexpect.EOF)
        elif pin is None:
            session.expect(pexpect.EOF)
        session.close()
        assert session.exitstatus == 255, session.before
        return str(session.before)

    def _spawn(self) -> pexpect.spawn:
        session = pexpect.spawn(self._command, timeout=WITHIN, encoding="utf-8", echo=False)
        session.delaybeforesend = None
        session.ptyproc.delayafterclose = session.ptyproc.delayafterterminate = 0.01
        return session


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
