"""Dovecot 2.4 of Debian 13, in a root of its own: its programs are run inside, and folders of it are seen from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.strangers.mail.a_dovecot import PATH
from tests.strangers.mail.world import gone
from tests.strangers.needing import missing

ROOT = Path(os.environ.get("PASSLESS_TEST_TRIXIE", "/var/cache/passless-tests/trixie"))
PACKAGES = "dovecot-core,dovecot-imapd,dovecot-pop3d,dovecot-auth-lua,lua-socket"
ATTEMPTS = 3  # at fetching it
PAUSE = 10.0  # seconds more before each of them
PROGRAMS = ("dovecot", "doveconf", "doveadm")
DONE = "passless-tests-done"  # a file that says that the root is whole
INSTALL = "apt-get install debootstrap; the rest is fetched once, as root, from Debian's mirror"
COMMON = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
auth_verbose = yes
ssl = no
protocols = imap pop3
listen = 127.0.0.1
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}/mail/%{{user}}
mail_driver = maildir
mail_path = ~/Maildir
auth_allow_cleartext = yes
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
{more}
"""


def need_trixie() -> None:
    """Have the root there, fetched at the first time; otherwise say why it is not."""
    if (ROOT / DONE).exists():
        return
    if os.geteuid() != 0:
        missing("a root with Debian 13, which root makes", install=INSTALL)
    if shutil.which("debootstrap", path=PATH) is None:
        missing("debootstrap", install=INSTALL)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", str(ROOT)]
    for again in range(ATTEMPTS):
        time.sleep(PAUSE * again)  # a mirror that failed is asked again a while later
        shutil.rmtree(ROOT, ignore_errors=True)
        ROOT.mkdir(parents=True)
        done = subprocess.run(command, env=os.environ | {"PATH": PATH}, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
    else:
        missing(f"Debian 13, which said: {done.stdout[-300:]}{done.stderr[-300:]}", install=INSTALL)
    (ROOT / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    (ROOT / DONE).touch()


@contextmanager
def a_folder() -> Iterator[Path]:
    """Make a folder that has the same name inside of the root and outside."""
    inside = Path(tempfile.mkdtemp(prefix="passless-mail-", dir=ROOT / "tmp"))
    inside.chmod(0o755)
    outside = Path("/tmp") / inside.name
    outside.symlink_to(inside)
    try:
        yield outside
    finally:
        outside.unlink()
        gone(inside)


def programs_in(folder: Path) -> str:
    """Return a PATH on which Dovecot's programs are those of the root."""
    folder.mkdir()
    for name in PROGRAMS:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec chroot {ROOT} /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin {name} "$@"\n')
        program.chmod(0o755)
    return f"{folder}:{PATH}"
