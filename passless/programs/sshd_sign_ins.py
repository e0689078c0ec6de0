"""Telling the server that a security key let somebody in: sshd knows that, and says it to PAM (`SSH_AUTH_INFO_0`).

PAM runs a script of ours as root when a session begins. It ends at once, and tells the server in the background: no sign-in
waits for it, and none fails by it. What it believes is PAM's environment, which some hosts (Debian's) let people add to in a
file of their own further down (`pam_env user_readenv`). So the line stands before everything else, where only sshd spoke.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from passless.programs.setting_up import Finding

PAM = Path("/etc/pam.d")
SERVICE = "sshd"  # what sshd is called at PAM
CHECK = "sign-ins"  # what a finding is called
TRY = "--try"  # has the script tell of nobody, and wait for the answer
SIGN_INS = "/relying-parties/sign-ins"


def service_file() -> Path:
    """Return PAM's file for sshd."""
    return PAM / SERVICE


def line(script: Path) -> str:
    """Return the line that stands first in PAM's file; `optional`, so whatever comes of it, the sign-in goes on."""
    return f"session optional pam_exec.so quiet type=open_session {script}"


def in_use(script: Path, *, asks_pam: bool) -> Finding:
    """Say whether sign-ins are told: it is a choice, but not to have the line where people could have it say what is not so."""
    path, wanted = service_file(), line(script).split()
    lines = [one.split() for one in _lines(path)]
    mine = [number for number, one in enumerate(lines) if str(script) in one]
    if not asks_pam:
        return Finding(check=CHECK, ok=True, message="not told: sshd asks no PAM here (UsePAM no)", tested=False)
    if not mine:
        return Finding(
            check=CHECK, ok=True, message="not told", hint=f"make this the first line of {path}: {line(script)}", tested=False
        )
    if mine != [0]:
        hint = "make it the first line: what stands before it may read people's own files"
        return Finding(check=CHECK, ok=False, message=f"{path} does not begin with the line that tells of them", hint=hint)
    if lines[0] != wanted:
        return Finding(check=CHECK, ok=False, message=f"{path} begins with another line", hint=f"write it so: {line(script)}")
    return Finding(check=CHECK, ok=True, message=f"{path} runs {script}")


def _lines(path: Path) -> list[str]:
    """Return the lines of PAM's file that say something."""
    try:
        said = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [one for one in map(str.strip, said.splitlines()) if one and not one.startswith("#")]


def script(asking: Path, *, url: str, user: str, first_person: int, nobody: int) -> str:
    """Return the script: `user` may use the secret in `asking`, and those below `first_person` are the machine's own users."""
    return f"""#!/bin/sh
# Written by passless: PAM runs this as root when sshd let somebody in. It tells the server with which security key, in the
# background. It is to stand first in {service_file()}: what PAM reads further down may be people's own files.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
tell() {{
    said=$(printf '%s' "$1" | env -i PATH="$PATH" setpriv --reuid={user} --regid={user} --clear-groups \\
        curl -q --config {shlex.quote(str(asking))} --url {shlex.quote(url + SIGN_INS)} \\
        --data-urlencode user@- --data-urlencode "key=$2" --data-urlencode "from=$3" 2>&1) && return
    status=$?
    echo "$said" >&2
    return "$status"
}}
[ "$1" != {TRY} ] || {{ tell {user} none none; exit; }}
[ "$PAM_TYPE" = open_session ] && [ "$PAM_SERVICE" = {SERVICE} ] || exit 0
{{
    person=$(id -u -- "$PAM_USER") && [ "$person" -ge {first_person} ] && [ "$person" -ne {nobody} ] || exit 0
    while read -r how kind key _; do
        case "$how $kind" in "publickey sk-"*) ;; *) continue ;; esac
        said=$(tell "$PAM_USER" "$kind $key" "$PAM_RHOST" 2>&1) ||
            logger -t {user} -p auth.warning "a sign-in of user id $person by ssh was not told: $said"
    done <<END
$SSH_AUTH_INFO_0
END
}} </dev/null >/dev/null 2>&1 &
"""
