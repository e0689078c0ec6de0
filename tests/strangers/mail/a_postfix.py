"""Debian's Postfix, from a configuration and with a queue of its own; it asks Dovecot who may send."""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port
from tests.strangers.mail.a_dovecot import PATH, PATIENCE
from tests.strangers.needing import missing

INSTALL = "apt-get install postfix"
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/own
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mynetworks =
mydestination =
default_transport = discard:
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_sasl_auth_enable = yes
smtpd_delay_reject = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
"""
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{relay} inet n - n - - smtpd
  -o smtpd_authorized_xclient_hosts=127.0.0.1
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
discard unix - - n - - discard
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def need_postfix() -> None:
    """Go on where it is there; root is asked for with Dovecot."""
    if shutil.which("postfix", path=PATH) is None:
        missing("postfix", install=INSTALL)


class Postfix:
    """A running Postfix that throws away what it takes: from people at `port`, from Dovecot's submission at `relay`."""

    def __init__(self, folder: Path, sasl: Path, relay: int) -> None:
        self.folder = folder
        self.port = free_port()
        owner = pwd.getpwnam("postfix")
        for name in ("queue", "own"):
            (folder / name).mkdir(mode=0o755)
        os.chown(folder / "own", owner.pw_uid, owner.pw_gid)
        (folder / "main.cf").write_text(MAIN.format(folder=folder, sasl=sasl))
        (folder / "master.cf").write_text(SERVICES.format(port=self.port, relay=relay))
        self._said = (folder / "said").open("w+")
        self._process = subprocess.Popen(
            ["postfix", "-c", str(folder), "start-fg"],
            env=os.environ | {"PATH": PATH},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        try:
            self._await_greeting()
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        """What it logged."""
        path = self.folder / "log"
        return (self.folder / "said").read_text() + (path.read_text() if path.exists() else "")

    def logs(self, words: str, times: int = 1) -> bool:
        """Tell whether it logs something so often; that goes by way of another process, so it may come after the answer."""
        until = time.monotonic() + PATIENCE
        while (found := self.log.count(words) >= times) is False and time.monotonic() < until:
            time.sleep(0.05)  # nothing tells of a line in a file
        return found

    @contextmanager
    def smtp(self) -> Iterator[smtplib.SMTP]:
        """Connect as a mail program does that sends."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as smtp:
            smtp.ehlo("client.example.org")
            yield smtp

    def stop(self) -> None:
        """End it: the script that was started has a master of its own, which alone ends the rest."""
        stop = ["postfix", "-c", str(self.folder), "stop"]
        subprocess.run(stop, env=os.environ | {"PATH": PATH}, capture_output=True, check=False, timeout=PATIENCE)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _await_greeting(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with self.smtp():
                    return
            except OSError:
                time.sleep(0.05)  # it tells nobody when it is ready
        raise AssertionError(f"Postfix did not answer:\n{self.log}")
