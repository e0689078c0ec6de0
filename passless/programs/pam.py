"""Sign-in on Linux: service files for PAM that ask passless for the second step, and this host's secret in a file of its own.

New files only, which nothing points at: `common-auth` and whatever else is there stays as it is, and it is for whoever owns
the machine to point a service at them, once they have tested them. `pam_radius_auth.so` is of the FreeRADIUS project.
`skip_passwd` lets the server begin, `force_prompt` keeps the password of the module before it from the server,
`prompt_attribute` hides what is typed.

Whatever fails ends the sign-in (`requisite`, `default=die`), since what is missing then keeps everybody out, while
`sufficient` or `optional` would let everybody in without the second step; and since who does not know the password is not
asked for a code, so that strangers cannot use up anybody's tries. The price is a locked door while the server is down, and
so none is made without a way back.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from passless.domain import names
from passless.domain.errors import Unavailable, WrongUse
from passless.programs import comparing, roots_alone, way_back
from passless.programs.setting_up import Finding, Setup, removal, step
from passless.programs.writing import SECRET_FILE, NewFile

FOLDER = Path("/etc/pam.d")
SECRETS = Path("/etc")
SOCKET = "udp:127.0.0.1:1812"  # RFC 2865 §3, the port of RADIUS
MODULE = "pam_radius_auth.so"
MODULE_FOLDERS = ("/lib/*/security", "/usr/lib/*/security", "/lib/security", "/lib64/security", "/usr/lib64/security")
TIMEOUT = 5  # seconds that the module waits for each answer; from 3 to 60. Nobody waits longer where the server is down
OPTIONS = "skip_passwd force_prompt prompt_attribute"
NOT_THERE = (
    "The server that checks the second step does not answer now. Nothing was wrong with what you typed; try again later."
)
SAYS = {
    comparing.NAME: r'^# (?:How this machine asks passless \(|passless \()"(.*)"\)',
    comparing.SECRET: r"^(?:[0-9.]+|\[[0-9a-f:]+\]):[0-9]+ (\S+) ",
    comparing.SOCKET: r"^([0-9.]+:[0-9]+|\[[0-9a-f:]+\]:[0-9]+) ",
}
WAITS = "-wait"  # how the service is called whose file is not always written
STRANGER = "passless-nobody"  # whom the tests try to sign in; no local user
LONGEST_TEST = 40  # seconds
REFUSALS = (  # what pamtester says where a service file works and nobody is let in
    "Authentication failure",
    "Authentication service cannot retrieve authentication info",  # the server is not there yet
    "Conversation error",  # it asked for a code, and nobody typed
    "User not known to the underlying authentication module",
    "Have exhausted maximum number of retries for service",
)
PLAIN = re.compile(r"/[A-Za-z0-9/._-]*")  # a path that PAM reads as one word
SERVER_NAMED = re.compile(r"\bconf=(\S+)")  # in a service file: where the server and the secret stand


class ProgramMissing(Unavailable):
    """Something of Debian's that the service files, or their test, need."""

    code = "program-missing"


class NoWayBack(WrongUse):
    """Nobody could get in any more while the server is down."""

    code = "no-way-back"
    default = "nobody could sign in to this machine while the server is down: root has no key that surely lets in by ssh"
    hint = (
        "give root a key for ssh that sshd takes, without options (PermitRootLogin prohibit-password, no AllowUsers and its"
        " like, sshd runs);"
        " or say what you have instead, such as a console that stays as it is: --way-back TEXT"
    )


class NotRootsAlone(WrongUse):
    """Somebody else could say who the server is, and what it is asked with: they would be everybody's second step."""

    code = "not-roots-alone"
    hint = "write where root alone can change every folder on the way, such as /etc/passless: --to DIR; or leave --to out"


class BadAddress(WrongUse):
    """No address that a PAM module on this host can ask."""

    code = "bad-socket"
    hint = "write it as udp:127.0.0.1:PORT, the same as for: passless serve --socket NAME=udp:127.0.0.1:PORT"


def usual_folder() -> Path:
    """Return where PAM looks for services."""
    return FOLDER


def check(setup: Setup) -> None:
    """Refuse what could not be tested, and what could lock everybody out."""
    _server(setup)
    if not any(found for folder in MODULE_FOLDERS for found in Path("/").glob(f"{folder[1:]}/{MODULE}")):
        raise ProgramMissing(f"{MODULE} is not there", hint="apt-get install libpam-radius-auth")
    if shutil.which("pamtester") is None:
        raise ProgramMissing("pamtester is not there, which tests the files", hint="apt-get install pamtester")
    if not PLAIN.fullmatch(str(_folder(setup))):
        raise WrongUse("PAM reads no file's name with spaces or signs in it", hint="write elsewhere: --to DIR")
    if (others := roots_alone.first_of_others((_folder(setup), _secret_file(setup)))) is not None:
        raise NotRootsAlone(_of_others(others))
    if not setup.way_back and not way_back.root_has_key():
        raise NoWayBack


def files(setup: Setup) -> tuple[NewFile, ...]:
    """Return the service files, and the module's own with the secret in it."""
    folder, slug, name = _folder(setup), _slug(setup), names.printable(setup.party.name)
    secret = "" if setup.secret is None else setup.secret.reveal()
    held = SECRET_TEXT.format(name=name, server=_server(setup), secret=secret, timeout=TIMEOUT)
    services = {slug: PASSWORD_TEXT, f"{slug}-code": CODE_TEXT}
    if others_change() is None:
        services[f"{slug}{WAITS}"] = WAIT_TEXT
    texts = {
        file: text.format(name=name, file=file, slug=slug, module=_module(setup), waiting=_waiting(setup))
        for file, text in services.items()
    }
    return (
        NewFile(_secret_file(setup), held, SECRET_FILE),
        *(NewFile(folder / file, text, together=WAITS if file == f"{slug}{WAITS}" else "") for file, text in texts.items()),
    )


SECRET_TEXT = """\
# How this machine asks passless ("{name}") for the second step. Root's alone: whoever reads it can pose as the server.
# server secret timeout
{server} {secret} {timeout}
"""

PASSWORD_TEXT = """\
# passless ("{name}"): the password of this machine, then a code or an approval on another device.
# For a service, in its file, in the place of "@include common-auth":   @include {file}
auth	requisite	pam_unix.so
{module}
"""

CODE_TEXT = """\
# passless ("{name}"): a code or an approval alone, for what has checked something else first, such as sshd a public key.
# For a service, in its file, in the place of "@include common-auth":   @include {file}
{module}
"""


WAIT_TEXT = """\
# passless ("{name}"): the password of this machine, then an approval on another device, for what shows words and takes none.
# It shows a code and an address and waits. Not for sshd, which shows nothing before it asks something: {slug}-code is.
# For a service, in its file, in the place of "@include common-auth":   @include {file}
auth	requisite	pam_unix.so
{waiting}
"""


def findings(setup: Setup) -> tuple[Finding, ...]:
    """Have PAM itself try the files with somebody who is nobody: they are to be refused, and by nothing that is missing."""
    return tuple(_findings(setup))


def in_use(setup: Setup) -> tuple[Finding, ...]:
    """Ask the server as the module does, for somebody who is nobody."""
    return (_answers(setup),)


def socket_named(setup: Setup) -> str:
    """Return the server's socket, as the module's file names it."""
    from passless.programs import waiting_for_approval

    try:
        where = waiting_for_approval.read(_secret_file(setup))
    except (FileNotFoundError, ValueError):
        return ""
    return f"udp:[{where.host}]:{where.port}" if ":" in where.host else f"udp:{where.host}:{where.port}"


def _answers(setup: Setup) -> Finding:
    from passless.programs import waiting_for_approval

    address = socket_named(setup)
    if not address:
        message = f'{_secret_file(setup)} has no line "SERVER SECRET TIMEOUT"'
        return Finding(check="socket", ok=False, message=message)
    if waiting_for_approval.is_answered(_secret_file(setup), STRANGER):
        return Finding(check="socket", ok=True, message=f"{address} asks for a second step")
    hint = f"serve it: passless serve … --socket {_quoted(names.printable(setup.party.name))}={address}"
    return Finding(check="socket", ok=False, message=f"nothing answers at {address} with this secret", hint=hint)


def then(setup: Setup) -> tuple[str, ...]:
    """Say what is left to do."""
    file, name = _slug(setup), names.printable(setup.party.name)
    put = 'in the place of "@include common-auth"'
    others = others_change()
    left_out = f"{file}-wait was not written: it would run as root what others than root can change, {others}"
    services = " ".join(shlex.quote(str(one.path)) for one in files(setup) if one.path != _secret_file(setup))
    placed = step(f"put the service files where PAM looks for them; {_secret_file(setup)} stays:", f"cp {services} {FOLDER}/")
    by_code = ("UsePAM yes", "KbdInteractiveAuthentication yes")
    return (
        *(() if others is None else (left_out,)),
        *(() if _folder(setup) == FOLDER else (placed,)),
        step("serve it:", f"passless serve … --socket {_quoted(name)}={_socket(setup)}"),
        step("keep a root shell open, and test it before anything points at it:", f"pamtester {file} USER authenticate"),
        step(f"sudo: in /etc/pam.d/sudo {put} (login: the same in /etc/pam.d/login):", f"@include {file}"),
        step(f"sshd, password and code: in /etc/pam.d/sshd {put}:", f"@include {file}"),
        step("and in sshd_config:", *by_code, "AuthenticationMethods keyboard-interactive"),
        step(f"or sshd, public key and code: in /etc/pam.d/sshd {put}:", f"@include {file}-code"),
        step("and in sshd_config:", *by_code, "AuthenticationMethods publickey,keyboard-interactive"),
        step("the way back, at the end of sshd_config:", "Match User root", "    AuthenticationMethods publickey"),
        step("see whether sshd takes it, before it reads it:", "sshd -t"),
    )


def undo(setup: Setup) -> tuple[str, ...]:
    """Say how all of it is undone."""
    file, written = _slug(setup), [one.path for one in files(setup)]
    copied = [FOLDER / one.name for one in written if one != _secret_file(setup)] if _folder(setup) != FOLDER else []
    return (
        step('put "@include common-auth" back in the place of each of these:', f'grep "include {file}" /etc/pam.d/*'),
        "take AuthenticationMethods out of sshd_config",
        step("take the files away:", "rm " + " ".join(shlex.quote(str(one)) for one in (*written, *copied))),
        removal(setup),
    )


def _believed(setup: Setup) -> Iterator[Path]:
    """Return what PAM goes by: the service files that are there, and the files of the module that they name."""
    yield _secret_file(setup)
    for one in files(setup):
        if one.path != _secret_file(setup) and one.path.exists():
            yield one.path
            yield from map(Path, SERVER_NAMED.findall(one.path.read_text(errors="replace")))


def _of_others(path: Path) -> str:
    return f'others than root can change "{path}", and be the second step of everybody with it'


def _findings(setup: Setup) -> Iterator[Finding]:
    if (of_others := roots_alone.first_of_others(_believed(setup))) is not None:
        yield Finding(check="files", ok=False, message=_of_others(of_others), hint=NotRootsAlone.hint)
    if _folder(setup) != FOLDER:
        yield Finding(check="services", ok=True, message=f"not tested: PAM looks for them in {FOLDER} alone", tested=False)
        return
    name, wrong = _slug(setup), "no password\n"
    tried = {name: wrong, f"{name}-code": ""}  # asked for a code, nothing is said: it is no guess
    others = others_change()
    waits = FOLDER / f"{name}{WAITS}"
    if waits.exists() and others is None:
        tried[waits.name] = wrong
    elif waits.exists():
        message = f"it runs as root what others than root can change, {others}"
        yield Finding(check=waits.name, ok=False, message=message, hint=f"rm {waits}")
    running = {service: _pamtester(service) for service in tried}  # at once: each may wait for the server
    for service, process in running.items():
        said = _spoken(process, tried[service])
        is_refused = process.returncode != 0 and any(one in said for one in REFUSALS)
        yield Finding(check=service, ok=is_refused, message=said, hint="see the log of PAM: journalctl -t pamtester")


def _pamtester(service: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["pamtester", service, STRANGER, "authenticate"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _spoken(process: subprocess.Popen[str], typed: str) -> str:
    try:
        said, _ = process.communicate(typed, timeout=LONGEST_TEST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "it does not end"
    return names.printable(" ".join(said.split()), at_most=200)


def _module(setup: Setup) -> str:
    return f"""\
# Whatever fails ends here, and where the server does not answer that is told first; only a right answer gets to the last line.
auth	[success=1 authinfo_unavail=bad default=die]	{MODULE} conf={_secret_file(setup)} {OPTIONS}
auth	[default=die]	pam_exec.so quiet stdout /bin/echo {NOT_THERE}
auth	required	pam_permit.so"""


def _waiting(setup: Setup) -> str:
    command = f"{sys.executable} -I -m passless.programs.waiting_for_approval {_secret_file(setup)}"
    return f"""\
# pam_exec calls every failure a fault of the system: what it did not let through is refused by a word of PAM's own.
auth	[success=1 default=ignore]	pam_exec.so quiet seteuid stdout {command}
auth	requisite	pam_deny.so
auth	required	pam_permit.so"""


def others_change() -> Path | None:
    """Return what others than root can change of what the -wait file runs as root; None where there is nothing."""
    return roots_alone.of_python(sys.executable)


def _folder(setup: Setup) -> Path:
    return setup.folder or FOLDER


def _secret_file(setup: Setup) -> Path:
    folder = _folder(setup)
    return (SECRETS if folder == FOLDER else folder) / f"{_slug(setup)}.radius"


def _slug(setup: Setup) -> str:
    """Return the name of the service: letters, digits and dashes, so that nothing of it means anything to PAM."""
    return "passless-" + (re.sub(r"[^a-z0-9]+", "-", names.key(setup.party.name)).strip("-") or "host")


def _socket(setup: Setup) -> str:
    return setup.socket or SOCKET


def _server(setup: Setup) -> str:
    """Return the server as the module's file names it; `BadAddress` where it is no port of the loopback."""
    found = re.fullmatch(r"udp:(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})", _socket(setup))
    if found is None or int(found[2]) > 65535:
        raise BadAddress(f'"{names.printable(_socket(setup))}" is no port of the loopback')
    return f"{found[1]}:{found[2]}"


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
