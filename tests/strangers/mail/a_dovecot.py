"""Debian's Dovecot, from a configuration of its own on ports of its own; nothing of /etc is read."""

from __future__ import annotations

import imaplib
import os
import poplib
import pwd
import shutil
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port
from tests.strangers.needing import missing, need

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has it
INSTALL = "apt-get install dovecot-core dovecot-imapd dovecot-pop3d dovecot-submissiond"
OWNER = "nobody"  # whose files the mail is, where the tests are root's
PATIENCE = 60.0  # seconds for it to begin and to end
COMMON = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
auth_verbose = yes
ssl = no
protocols = imap pop3 submission
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_trusted = yes
hostname = mail.example.org
listen = 127.0.0.1
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}/mail/%u
mail_location = maildir:~/Maildir
disable_plaintext_auth = no
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = 0
  }}
}}
service auth {{
  unix_listener sasl {{
    mode = 0666
  }}
}}
{more}
"""


def need_dovecot() -> None:
    """Go on where it is there and may be run; otherwise say what is missing."""
    if shutil.which("dovecot", path=PATH) is None:
        missing("dovecot", install=INSTALL)
    need("doveadm", install=INSTALL)
    if os.geteuid() != 0:
        missing("root, who alone starts Dovecot", install="run it as root")


class Dovecot:
    """A running Dovecot: where it answers, what it logged, and its end."""

    def __init__(self, folder: Path, *, more: str, common: str = COMMON, path: str = PATH) -> None:
        self.folder = folder
        self.imap_port, self.pop3_port, self.submission_port = free_port(), free_port(), free_port()
        self.relay_port = free_port()
        self.configuration = folder / "dovecot.conf"
        owner = pwd.getpwnam(OWNER)
        (folder / "mail").mkdir(mode=0o755)
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
        self.configuration.write_text(
            common.format(
                folder=folder,
                owner=owner.pw_uid,
                group=owner.pw_gid,
                imap=self.imap_port,
                pop3=self.pop3_port,
                relay=self.relay_port,
                more=more,
                submission=self.submission_port,
            )
        )
        self._said = (folder / "said").open("w+")
        self._process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(self.configuration)],
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        self._await_greeting()

    @property
    def log(self) -> str:
        """What it logged."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    @property
    def sasl(self) -> Path:
        """The socket where Postfix asks."""
        return self.folder / "run" / "sasl"

    def imap(self) -> imaplib.IMAP4:
        """Connect as a mail program does."""
        return imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE)

    def pop3(self) -> poplib.POP3:
        """Connect as an older mail program does."""
        return poplib.POP3("127.0.0.1", self.pop3_port, timeout=PATIENCE)

    @contextmanager
    def submission(self) -> Iterator[smtplib.SMTP]:
        """Connect as a mail program does that sends, to Dovecot itself."""
        with smtplib.SMTP("127.0.0.1", self.submission_port, timeout=PATIENCE) as smtp:
            smtp.ehlo("client.example.org")
            yield smtp

    def stop(self) -> None:
        """End it and everything that it began."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        self._said.close()

    def _await_greeting(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                said = (self.folder / "said").read_text()
                raise AssertionError(f"Dovecot did not start:\n{said}{self.log}")
            try:
                self.imap().shutdown()
                return
            except OSError:
                time.sleep(0.02)  # it tells nobody when it is ready
        self.stop()
        raise AssertionError(f"Dovecot did not answer:\n{self.log}")
