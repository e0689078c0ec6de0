"""OpenSSH's server: it asks passless which security keys let a user in, beside the keys that it has in files.

Four files: what sshd reads, the script that it runs as a user of its own, for that user what curl needs to ask (the secret is
in no argument list), and what PAM may run when somebody is in (`sshd_sign_ins`). Nothing that lets people in now is taken away:
when passless is not there, keys in files still are.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passless.domain import names
from passless.domain.errors import Unavailable, WrongUse
from passless.programs import comparing, sshd_sign_ins
from passless.programs.setting_up import Finding, Setup, removal, step
from passless.programs.writing import NewFile

FOLDER = Path("/etc/ssh/sshd_config.d")  # what Debian's, Fedora's and Arch's sshd_config include
MAIN, SNIPPETS = "sshd_config", "sshd_config.d"
USER = "passless-keys"  # whom the script runs as; it owns nothing and reads one file
MAKE_USER = f"useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin {USER}"
SECRET_MODE, SCRIPT_MODE = 0o640, 0o755
PATIENCE = 5  # seconds that sshd waits for an answer, beside its own LoginGraceTime
ASKING_TIME = 20  # seconds for sshd to judge a configuration
FAILED = -1  # of what did not end by itself; no program ends so
FIRST_PERSON = 1000  # user id: those below are the machine's own (login.defs, UID_MIN)
NOBODY = 65534  # user id that stands for none
NO_CONNECTION = (5, 6, 7, 28)  # how curl ends when nobody answers: no name, no connection, too late
PLAIN = re.compile(r"/[A-Za-z0-9/._-]*")  # a path that sshd, sh and curl read alike
SAYS = {
    comparing.CLIENT_ID: r'^user = "([^:"]+):',
    comparing.SECRET: r'^user = "[^:"]+:(.*)"$',
    comparing.SERVER: r"--url '?(https?://[^ ']+)/relying-parties/",
}
KEYS = "/relying-parties/keys"
NEEDED = ("sk-ecdsa-sha2-nistp256@openssh.com", "sk-ssh-ed25519@openssh.com")


class NotHere(Unavailable):
    """Something that this needs is not on this machine."""

    code = "program-missing"
    hint = "see: passless relying-party add --help"


class NoWayBack(WrongUse):
    """A configuration after which nobody might get in while the server is down."""

    code = "no-way-back"
    hint = "let sshd read keys in files too (AuthorizedKeysFile), and put yours there, before passless is asked"


class AskedAlready(WrongUse):
    """Another program is asked for keys already."""

    code = "asked-already"
    hint = "sshd asks one program only; take that line out of its configuration first"


def usual_folder() -> Path:
    """Return where sshd's snippets are."""
    return FOLDER


def check(setup: Setup) -> None:
    """Refuse what cannot work here, and what leaves no way in while the server is down."""
    if os.geteuid() != 0:
        raise NotHere("sshd runs no program that is not root's", hint="run it as root")
    for program, package in (("sshd", "openssh-server"), ("curl", "curl")):
        if _find(program) is None:
            raise NotHere(f"{program} is not on this machine", hint=f"install it, on Debian: apt-get install {package}")
    if _user() is None:
        raise NotHere(f'the script needs a user of its own, "{USER}"', hint=f"make it: {MAKE_USER}")
    if not PLAIN.fullmatch(str(setup.folder or FOLDER)):
        raise WrongUse("sshd reads no program's name with spaces or signs in it", hint="write elsewhere: --to DIR")
    with _whole(setup, with_ours=False) as path:
        judged = _judged(path)
        if judged.returncode != 0:
            found = _not_taken(judged)
            raise NotHere(f"sshd does not take its configuration as it is: {found.message}", hint=found.hint or NotHere.hint)
        said = _effective(path)
    if said.get("authorizedkeyscommand", "none") != "none":
        raise AskedAlready(f"sshd asks {names.printable(said['authorizedkeyscommand'])} for keys already")
    if said.get("pubkeyauthentication") == "no":
        raise WrongUse("sshd takes no keys at all here", hint="set PubkeyAuthentication yes", code="no-keys-taken")
    others = ("passwordauthentication", "kbdinteractiveauthentication", "gssapiauthentication", "hostbasedauthentication")
    if said.get("authorizedkeysfile", "none") == "none" and all(said.get(one, "no") == "no" for one in others):
        raise NoWayBack("with no keys in files and nothing else, nobody gets in here while the server is down")


def files(setup: Setup) -> tuple[NewFile, ...]:
    """Return the snippet, the script, what curl reads, and what PAM runs, which may be left out."""
    snippet, script, asking = paths(setup)
    group = _user()
    telling = sshd_sign_ins.script(asking, url=setup.url, user=USER, first_person=FIRST_PERSON, nobody=NOBODY)
    return (
        NewFile(asking, _asking(setup), SECRET_MODE, group=None if group is None else group.pw_gid),
        NewFile(script, _script(setup, asking), SCRIPT_MODE),
        NewFile(telling_path(setup), telling, SCRIPT_MODE, together=sshd_sign_ins.CHECK),
        NewFile(snippet, _snippet(setup, script)),
    )


def paths(setup: Setup) -> tuple[Path, Path, Path]:
    """Return where the snippet, the script and what curl reads are."""
    folder = setup.folder or FOLDER
    name = "passless-" + (re.sub(r"[^a-z0-9]+", "-", names.key(setup.party.name)).strip("-") or "host")
    return folder / f"{name}.conf", folder / f"{name}.sh", folder / f"{name}.curl"


def telling_path(setup: Setup) -> Path:
    """Return where the script is that tells of sign-ins."""
    script = paths(setup)[1]
    return script.with_name(f"{script.stem}-signed-in.sh")


def findings(setup: Setup) -> tuple[Finding, ...]:
    """Have sshd read its whole configuration, and the script ask for somebody, as the user that it will run as."""
    return tuple(_findings(setup))


def in_use(setup: Setup) -> tuple[Finding, ...]:
    """See whether sshd's own configuration includes them, where that was not judged already, and whether sign-ins are told."""
    main = _main(setup)
    found = () if main is not None else tuple(_findings_of(FOLDER.parent / MAIN, setup))
    return (*found, sshd_sign_ins.in_use(telling_path(setup), asks_pam=_asks_pam(setup)))


def socket_named(setup: Setup) -> str:
    """Return nothing: it asks over HTTP."""
    return ""


def then(setup: Setup) -> tuple[str, ...]:
    """Say what is left to do."""
    snippet, script, _ = paths(setup)
    include = () if snippet.parent == FOLDER else (step("in sshd_config, before any Match:", f"Include {snippet}"),)
    watching = f"passless relying-party watch {setup.quoted_name} --server {setup.url} --secret-file {setup.quoted_secret_file}"
    return (
        *include,
        step("stay signed in, and have sshd read it (elsewhere than on Debian its unit is sshd):", "systemctl reload ssh"),
        step("see which keys let ada in:", f"runuser -u {USER} -- {script} ada {FIRST_PERSON}"),
        step("people write the file that ssh needs:", "passless method ssh-key KEY --to ~/.ssh/id_passless"),
        *(_pam_step("for sign-ins in the audit trail, make this the first line of", setup) if _asks_pam(setup) else ()),
        step("let this run as root, so that keys that are removed or lost end running sessions too:", watching),
    )


def undo(setup: Setup) -> tuple[str, ...]:
    """Say how all of it goes again."""
    return (
        *(() if paths(setup)[0].parent == FOLDER else (step("take this out of sshd_config:", f"Include {paths(setup)[0]}"),)),
        *_pam_step("take this out, if it is in", setup),
        step("take the files away:", "rm " + " ".join(str(path) for path in (*paths(setup), telling_path(setup)))),
        step("have sshd read what is left:", "systemctl reload ssh"),
        step("take away the script's user, unless another file uses it:", f"userdel {USER}"),
        removal(setup),
    )


def _pam_step(sentence: str, setup: Setup) -> tuple[str, ...]:
    """Return a step about PAM's file for sshd, where there is one; telling of sign-ins is a choice."""
    path = sshd_sign_ins.service_file()
    return (step(f"{sentence} {path}:", sshd_sign_ins.line(telling_path(setup))),) if path.is_file() else ()


def _findings(setup: Setup) -> Iterator[Finding]:
    with _whole(setup, with_ours=True) as path:
        first, *others = _findings_of(path, setup)
    yield first
    if not (first.ok or others):
        return
    if _main(setup) is not None:  # a trial says nothing of what sshd takes otherwise
        yield from others
    script, telling = paths(setup)[1], telling_path(setup)
    unsafe = tuple(_unsafe(script, *(one for one in (telling,) if one.exists())))
    yield from unsafe
    asked = _asked(setup)
    yield asked
    if asked.ok and asked.tested and not unsafe and telling.exists() and _asks_pam(setup):
        yield from _told(telling)


def _findings_of(path: Path, setup: Setup) -> Iterator[Finding]:
    """Have sshd read a configuration: its own, or one to try."""
    judged = _judged(path)
    if judged.returncode != 0:
        yield _not_taken(judged)
        return
    said = _effective(path)
    yield _command(path, setup, said.get("authorizedkeyscommand", "none"))
    missing = [one for one in NEEDED if one not in said.get("pubkeyacceptedalgorithms", "").split(",")]
    taken = "takes signatures of security keys" if not missing else f"takes no signatures of {missing[0]}"
    yield Finding(check="algorithms", ok=not missing, message=taken, hint="" if not missing else "see PubkeyAcceptedAlgorithms")


def _command(path: Path, setup: Setup, asked: str) -> Finding:
    """Say whom sshd asks for keys by a configuration."""
    snippet, script, _ = paths(setup)
    is_its_own = path.name == MAIN and path.parent in (FOLDER.parent, snippet.parent.parent)
    if asked.startswith(f"{script} "):
        return Finding(check="sshd", ok=True, message=f"{path} asks {script}" if is_its_own else f"would ask {script}")
    if _main(setup) is None:
        hint = f"in it, before any Match: Include {snippet}; then: systemctl reload ssh (elsewhere: sshd)"
        return Finding(check="sshd", ok=False, message=f"{path} does not include it yet", hint=hint)
    message = f"asks {names.printable(asked)}: what was written here is not read"
    return Finding(
        check="sshd", ok=False, message=message, hint=f'sshd_config has no "Include {script.parent}/*.conf" before that'
    )


def _not_taken(judged: subprocess.CompletedProcess[str]) -> Finding:
    said = names.printable(judged.stderr.strip().rpartition("\n")[2] or "it does not say why", at_most=200)
    hint = "make it, as starting sshd does: mkdir -p /run/sshd" if "privilege separation" in said else ""
    return Finding(check="sshd", ok=False, message=said, hint=hint)


def _unsafe(*scripts: Path) -> Iterator[Finding]:
    """Look as sshd does before it runs a program, and PAM does not: root's alone to change, and each folder above it too."""
    for path in (*scripts, *scripts[0].parents):
        there = path.stat()
        if there.st_uid != 0 or there.st_mode & 0o022:
            hint = "write elsewhere, such as /etc/ssh: --to DIR"
            yield Finding(check="script", ok=False, message=f'others may change "{path}", so it is not safe to run', hint=hint)
            return


def _asked(setup: Setup) -> Finding:
    """Ask for somebody who is nobody, as sshd will; a server that is not up yet is none of the program's faults."""
    _, script, asking = paths(setup)
    if ':"\n' in asking.read_text():
        return Finding(check="secret", ok=False, message="there is none in the files", hint="give it: --secret-file FILE")
    asked = _run("runuser", "-u", USER, "--", str(script), USER, str(FIRST_PERSON))
    if asked.returncode == 0:
        return Finding(check="server", ok=True, message="answers")
    if asked.returncode in NO_CONNECTION:
        return Finding(check="server", ok=True, message="does not answer yet", hint="start it: passless serve", tested=False)
    said = names.printable(asked.stderr.strip().rpartition("\n")[2], at_most=200)
    return Finding(check="server", ok=False, message=f"asking it failed: {said}", hint="see whether the secret is right")


def _told(script: Path) -> Iterator[Finding]:
    """Tell of nobody, as of people when PAM runs it; whether PAM does is looked at later (`in_use`)."""
    told = _run(str(script), sshd_sign_ins.TRY)
    if told.returncode != 0:
        said = names.printable(told.stderr.strip().rpartition("\n")[2], at_most=200)
        hint = "see whether the server is as new as this passless"
        yield Finding(check=sshd_sign_ins.CHECK, ok=False, message=f"telling of them failed: {said}", hint=hint)


def _asking(setup: Setup) -> str:
    secret = "" if setup.secret is None else setup.secret.reveal()
    scheme = setup.url.partition(":")[0]
    lines = (
        f"# Written by passless: how {USER} asks which keys let a user in, and tells of sign-ins. It holds a secret.",
        f'user = "{setup.party.id}:{secret}"',
        f'proto = "={scheme}"',
        "fail",
        "silent",
        "show-error",
        f"connect-timeout = {PATIENCE - 2}",
        f"max-time = {PATIENCE}",
        "max-filesize = 1048576",
    )
    return "\n".join((*lines, ""))


def _script(setup: Setup, asking: Path) -> str:
    return f"""#!/bin/sh
# Written by passless: sshd asks which security keys let the user $1, whose id is $2, in to this host.
# Nobody but people: the machine's own users, root first, have their keys in files.
case $2 in '' | *[!0-9]*) exit 2 ;; esac
[ "${{#2}}" -le 10 ] && [ "$2" -ge {FIRST_PERSON} ] && [ "$2" -ne {NOBODY} ] || exit 0
{{
    said=$(printf '%s' "$1" | curl -q --config {shlex.quote(str(asking))} \
        --get --url {shlex.quote(setup.url + KEYS)} --data-urlencode user@- 2>&1 >&3)
    status=$?
}} 3>&1
if [ "$status" -ne 0 ]; then
    echo "$said" >&2
    logger -t passless-keys -p auth.warning "no keys for user id $2: $said" 2>/dev/null
fi
exit "$status"
"""


def _snippet(setup: Setup, script: Path) -> str:
    return (
        "# Written by passless: the security keys of people's accounts let them in, beside the keys in files.\n"
        f"AuthorizedKeysCommand {script} %u %U\n"
        f"AuthorizedKeysCommandUser {USER}\n"
    )


@contextmanager
def _whole(setup: Setup, *, with_ours: bool) -> Iterator[Path]:
    """Give sshd's whole configuration; where the files are elsewhere, one that has nothing but them."""
    snippet, main = paths(setup)[0], _main(setup)
    if main is not None:
        yield main
        return
    with tempfile.TemporaryDirectory(prefix="passless-") as folder:
        key, path = Path(folder) / "key", Path(folder) / MAIN
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        path.write_text(f"HostKey {key}\n" + (f"Include {snippet}\n" if with_ours else ""))
        yield path


def _main(setup: Setup) -> Path | None:
    """Return sshd's configuration that includes all of a folder's files; None where the files are elsewhere."""
    folder = paths(setup)[0].parent
    main = folder.parent / MAIN
    return main if folder.name == SNIPPETS and main.is_file() else None


def _judged(path: Path) -> subprocess.CompletedProcess[str]:
    return _run(str(_find("sshd")), "-t", "-f", str(path))


def _effective(path: Path) -> dict[str, str]:
    """Return what sshd makes of a configuration: each setting once, in small letters; nothing where it cannot read it."""
    said = _run(str(_find("sshd")), "-T", "-f", str(path), "-C", "user=nobody,host=localhost,addr=127.0.0.1")
    return dict(line.split(" ", 1) for line in reversed(said.stdout.splitlines()) if " " in line)


def _asks_pam(setup: Setup) -> bool:
    """Tell whether sshd asks PAM, by its own configuration."""
    return _find("sshd") is not None and _effective(_main(setup) or FOLDER.parent / MAIN).get("usepam") == "yes"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program; what does not end in time, or cannot be run, failed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=ASKING_TIME)
    except subprocess.TimeoutExpired:
        why = f"{command[0]} did not end within {ASKING_TIME} seconds"
    except OSError as error:
        why = f"{command[0]}: {error.strerror}"
    return subprocess.CompletedProcess(command, FAILED, stdout="", stderr=why)


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None
