"""Whether root surely gets in by ssh with a key, whatever PAM says: the way back where a second step cannot be asked for.

What sshd is told is looked at, a key that is there and that sshd takes, and sshd itself, which has to answer now. Where sshd is
told whom to let in by patterns, nothing is sure.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from pwd import getpwnam

from passless.programs import roots_alone

RESTRICTIONS = ("allowusers", "denyusers", "allowgroups", "denygroups")  # patterns of sshd, which are not read here
PLAIN_KEY = re.compile(r"((?:sk-)?(?:ssh|ecdsa)-\S+) +AAAA")  # without options, such as an end, an address or another command
SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}  # algorithms of a key's type, where they are called otherwise
SHORTEST_RSA = "1024"  # bits, where sshd does not say (RequiredRSASize); an sshd that does not know the word takes no shorter
SSHD_PATIENCE = 2.0  # seconds that sshd may take to say that it is there
LONGEST_ANSWER = 40  # seconds for a program of OpenSSH's
ROOT_BY_KEY = ("yes", "prohibit-password", "without-password")  # values of PermitRootLogin


def root_has_key() -> bool:
    """Tell whether root surely gets in by ssh with a key."""
    said = sshd_settings()
    by_key = said.get("pubkeyauthentication") == "yes" and said.get("permitrootlogin") in ROOT_BY_KEY
    if not by_key or said.get("authenticationmethods", "any") not in ("any", "publickey"):
        return False
    if any(said.get(one) for one in RESTRICTIONS) or not any(map(_is_sshd, said.get("listenaddress", "").split())):
        return False
    home = Path(getpwnam("root").pw_dir)
    files = [home / one.replace("%h", str(home)).replace("%u", "root") for one in said["authorizedkeysfile"].split()]
    return any(_has_key(file, said) for file in files)


def sshd_settings() -> dict[str, str]:
    """Return what sshd would do with root; nothing where there is none, or it says nothing."""
    sshd = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
    if sshd is None:
        return {}
    found: dict[str, str] = {}
    said = _said([sshd, "-T", "-C", "user=root,host=localhost,addr=127.0.0.1"])
    for key, _, value in (line.partition(" ") for line in said.splitlines()):
        found[key] = f"{found[key]} {value}" if key in found else value
    return found


def _is_sshd(address: str) -> bool:
    """Tell whether sshd answers at an address that it listens on; a word that is no address is none."""
    host, _, port = address.rpartition(":")
    try:
        at = ip_address(host.strip("[]"))
        here = at if not at.is_unspecified else "127.0.0.1" if at.version == 4 else "::1"
        with socket.create_connection((str(here), int(port)), timeout=SSHD_PATIENCE) as asked:
            return asked.recv(4) == b"SSH-"
    except (OSError, ValueError):
        return False


def _has_key(file: Path, said: Mapping[str, str]) -> bool:
    """Tell whether a file has a key that sshd takes; one that others can change is none, as sshd itself says (StrictModes)."""
    if said.get("strictmodes") != "no" and roots_alone.first_of_others((file,)) is not None:
        return False
    with suppress(OSError, UnicodeDecodeError):
        return any(_is_taken(line, said) for line in file.read_text().splitlines())
    return False


def _is_taken(line: str, said: Mapping[str, str]) -> bool:
    found = PLAIN_KEY.match(line)
    if found is None:
        return False
    taken = said.get("pubkeyacceptedalgorithms", "").split(",")
    if not any(one in taken for one in SIGNATURES.get(found[1], (found[1],))):
        return False
    bits = _said(["ssh-keygen", "-l", "-f", "-"], typed=f"{line}\n").partition(" ")[0]
    return bits.isdigit() and (found[1] not in SIGNATURES or int(bits) >= int(said.get("requiredrsasize", SHORTEST_RSA)))


def _said(command: list[str], *, typed: str = "") -> str:
    try:
        return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=LONGEST_ANSWER, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
