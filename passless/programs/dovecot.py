"""Dovecot: it asks passless on a unix socket whether an app password is right, and over HTTP what a token is good for.

The files are written beside Dovecot's own and included by hand, so that it is the operator who says when, and what else lets
people in. They are judged by `doveconf` of the Dovecot that is here, together with its whole configuration.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from passless.domain import names
from passless.domain.errors import Unavailable, WrongUse
from passless.programs import comparing, mail_socket
from passless.programs import dovecot_texts as texts
from passless.programs.dovecot_texts import Wanted
from passless.programs.setting_up import Finding, Setup, app_passwords, removal, step
from passless.programs.writing import SECRET_FILE, NewFile

FOLDER = Path("/etc/dovecot")
MAIN = "dovecot.conf"
CONFIG_FILE = (
    "CONFIG_FILE"  # in the environment: the configuration of another Dovecot than the usual one, as its programs read it
)
SOCKETS = "/run/passless"
UNIX = "unix:"
SAYS = {
    comparing.NAME: r'^# Written by passless for the relying party "(.*)": ',
    comparing.CLIENT_ID: r"^ *introspection_url = https?://([^:@/\s]+):",
    comparing.SECRET: r"^ *introspection_url = https?://[^:@/\s]+:([^@\s]+)@",
    comparing.SERVER: r"^ *introspection_url = https?://[^@\s]+@([^/\s]+)/",
    comparing.SOCKET: r"^(?:uri = proxy:(?:idle_msecs=[0-9]+:)?| +socket = )([^\s:]+)",
}
ANSWER_TIME = 20  # seconds for a program of Dovecot's
FIRST_WITHOUT_DICT = (2, 4)
PLAIN = re.compile(r"/[A-Za-z0-9/._-]*")  # a path that all of Dovecot's files read alike
MODULES, MODULES_ROOT = "/usr/lib/dovecot/modules", Path("/")
LUA = "libauthdb_lua.so"  # what lets Dovecot ask by a script
DEBUGS = re.compile(r"^auth_debug(_passwords)? = yes$", re.MULTILINE)
NOBODY_THERE = (0, 68)  # how `doveadm kick` ends; 68 where nobody of that name is connected


class NoDovecot(Unavailable):
    """There is no Dovecot here that could say what it takes."""

    code = "program-missing"
    hint = "run it where Dovecot is: passless relying-party configure NAME --server URL --secret-file FILE"


class NotEnded(Unavailable):
    """Dovecot did not end somebody's connections."""

    code = "not-ended"
    hint = (
        f"see whether Dovecot runs, and run it as root; for one with a configuration of its own: {CONFIG_FILE}=FILE passless …"
    )


def usual_folder() -> Path:
    """Return where Dovecot's configuration is."""
    return FOLDER


def check(setup: Setup) -> None:
    """Refuse what Dovecot could not read."""
    version()
    socket = socket_of(setup)
    if not socket.startswith(UNIX):
        raise WrongUse("Dovecot asks on a unix socket", hint="write it as --socket unix:/run/passless/NAME.sock")
    for path in (_path(socket), str(setup.folder or FOLDER)):
        if not PLAIN.fullmatch(path):
            raise WrongUse(f'Dovecot cannot be told of "{names.printable(path)}"', hint="use letters, digits and ._- in paths")


def files(setup: Setup) -> tuple[NewFile, ...]:
    """Return the files for the Dovecot that is here."""
    main, asking, looking = _paths(setup)
    wanted = _wanted(setup)
    if is_old():
        first = NewFile(main, texts.main_2_3(wanted, asking, looking))
        second, third = NewFile(asking, texts.asking_2_3(wanted)), texts.looking_2_3(wanted)
    else:
        first = NewFile(main, texts.main_2_4(wanted, asking, looking))
        second, third = NewFile(asking, texts.script_2_4()), texts.looking_2_4(wanted)
    return (first, second, NewFile(looking, third, SECRET_FILE)) if wanted.tokens else (first, second)


def findings(setup: Setup) -> tuple[Finding, ...]:
    """Have Dovecot read its whole configuration with the new files in it."""
    main, *_ = _paths(setup)
    named = os.environ.get(CONFIG_FILE)
    whole = Path(named) if named else FOLDER / MAIN
    includes = f"!include {main}\n"
    if (named or (setup.folder or FOLDER) == FOLDER) and whole.is_file():
        includes = f"!include {whole}\n{includes}"
    elif not is_old():
        number = ".".join(str(one) for one in (*version(), 0)[:3])
        includes = f"dovecot_config_version = {number}\ndovecot_storage_version = {number}\n{includes}"
    with tempfile.TemporaryDirectory() as folder:
        judged = Path(folder) / MAIN
        judged.write_text(includes, encoding="utf-8")
        done = _run(("doveconf", "-n", "-c", str(judged)))
    said = _last_line(done.stderr) or "Dovecot would take it"
    return (Finding(check="doveconf", ok=done.returncode == 0, message=said), *_log(setup, done.stdout), *_lua())


def in_use(setup: Setup) -> tuple[Finding, ...]:
    """See whether Dovecot's own configuration includes them, and ask on the socket as Dovecot does."""
    return (_included(setup), mail_socket.look_at(socket_of(setup)))


def socket_named(setup: Setup) -> str:
    """Return the socket that Dovecot asks on."""
    for path in _paths(setup)[:2]:
        if path.exists() and (found := re.search(SAYS[comparing.SOCKET], path.read_text(errors="replace"), re.MULTILINE)):
            return f"{UNIX}{found[1]}"
    return ""


def then(setup: Setup) -> tuple[str, ...]:
    """Say what is left to do."""
    main, *_ = _paths(setup)
    socket = socket_of(setup)
    listening = shlex.quote(f"{setup.party.name}={socket}?group=dovecot")
    watching = f"passless relying-party watch {setup.quoted_name} --server {setup.url} --secret-file {setup.quoted_secret_file}"
    return (
        step("start the server with the socket that Dovecot asks on:", f"passless serve … --socket {listening}"),
        step(f"at the end of {FOLDER / MAIN}:", f"!include {main}"),
        step("take out what else lets people in, on Debian this line of conf.d/10-auth.conf:", "!include auth-system.conf.ext"),
        "say where mail lies and whose files they are: mail_uid, mail_gid, mail_home, mail_location (2.4: mail_path)",
        step("have Dovecot read it:", "doveadm reload"),
        step("beside it, end connections with what let them in:", watching),
        "to send: Dovecot's own submission, and Postfix behind it; connections to Postfix itself are not ended",
        app_passwords(setup.party.services or ("imap", "smtp")),
    )


def undo(setup: Setup) -> tuple[str, ...]:
    """Say how all of it is undone."""
    main, *_ = paths = _paths(setup)
    written = paths if setup.party.introspects else paths[:2]
    return (
        step("take this line out of Dovecot's configuration, and put back what let people in before:", f"!include {main}"),
        step("have Dovecot read it:", "doveadm reload"),
        step("take the files away:", f"rm {' '.join(shlex.quote(str(one)) for one in written)}"),
        removal(setup),
    )


def end_connections(user: str, *, configuration: Path | None = None) -> None:
    """End somebody's running connections: forget what Dovecot remembers of them first, then throw them out.

    Args:
        user: what Dovecot was told that they are called (`mailboxes.mailbox_of`).
        configuration: of the Dovecot that is meant, where it is not the machine's own.
    Raises:
        NotEnded: Dovecot did not do it.
    """
    own = () if configuration is None else ("-c", str(configuration))
    _doveadm((*own, "auth", "cache", "flush", "--", user), (0,))
    if not _is_address(user):  # `kick` would throw out whoever is there, and no mailbox is called so
        _doveadm((*own, "kick", "--", user), NOBODY_THERE)


def end_everybody(*, configuration: Path | None = None) -> None:
    """End everybody's running connections; mail programs come back by themselves where they still may."""
    own = () if configuration is None else ("-c", str(configuration))
    _doveadm((*own, "auth", "cache", "flush"), (0,))
    _doveadm((*own, "kick", "*"), NOBODY_THERE)


def version() -> tuple[int, ...]:
    """Return the version of the Dovecot that is here; `NoDovecot` where there is none."""
    done = _run(("dovecot", "--version"))
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    if found is None:
        raise NoDovecot("Dovecot does not say which version it is")
    return tuple(int(one) for one in found.groups() if one)


def is_old() -> bool:
    """Tell whether it reads the configuration of 2.3."""
    return version()[:2] < FIRST_WITHOUT_DICT


def socket_of(setup: Setup) -> str:
    """Return the address of the socket, without the group that it is for."""
    return setup.socket.partition("?")[0] or f"{UNIX}{SOCKETS}/{_word(setup)}.sock"


def _wanted(setup: Setup) -> Wanted:
    main, asking, looking = _paths(setup)
    tokens = setup.party.introspects
    return Wanted(
        name=setup.party.name,
        main=main,
        beside=(asking, looking) if tokens else (asking,),
        socket=_path(socket_of(setup)),
        url=setup.url,
        client_id=setup.party.id,
        secret="" if setup.secret is None else setup.secret.reveal(),
        tokens=tokens,
    )


def _paths(setup: Setup) -> tuple[Path, Path, Path]:
    """Return where the main file, the one about asking and the one about tokens are."""
    folder, word = setup.folder or FOLDER, _word(setup)
    asking = f"passless-{word}-dict.conf.ext" if is_old() else f"passless-{word}.lua"
    return folder / f"passless-{word}.conf.ext", folder / asking, folder / f"passless-{word}-oauth2.conf.ext"


def _word(setup: Setup) -> str:
    return re.sub(r"[^a-z0-9]+", "-", names.key(setup.party.name)).strip("-") or "mail"


def _path(socket: str) -> str:
    return socket.removeprefix(UNIX)


def _included(setup: Setup) -> Finding:
    """Look into the configuration that Dovecot has: the one that is named, the one beside the files, or the machine's own."""
    main, asking, _ = _paths(setup)
    beside, named = main.parent / MAIN, os.environ.get(CONFIG_FILE)
    whole = Path(named) if named else beside if beside.is_file() else FOLDER / MAIN
    done = _run(("doveconf", "-n", "-c", str(whole)))
    if done.returncode != 0:
        return Finding(check="dovecot", ok=False, message=f"{whole}: {_last_line(done.stderr)}", hint="see doveconf -n")
    if str(asking) in done.stdout:
        return Finding(check="dovecot", ok=True, message=f"{whole} includes it")
    hint = f"at its end: !include {main}; then: doveadm reload; where Dovecot has another: {CONFIG_FILE}=FILE passless …"
    return Finding(check="dovecot", ok=False, message=f"{whole} does not include it yet", hint=hint)


def _log(setup: Setup, configuration: str) -> tuple[Finding, ...]:
    """Look whether Dovecot would log the secret by which it looks at tokens."""
    if not setup.party.introspects:
        return ()
    told = DEBUGS.search(configuration) is not None
    message = "with auth_debug Dovecot writes the secret and tokens into its log" if told else "auth_debug is off"
    return (Finding(check="log", ok=not told, message=message, hint="take it out, and reload Dovecot"),)


def _lua() -> tuple[Finding, ...]:
    """Look whether 2.4 has what its script needs."""
    if is_old():
        return ()
    folder = _run(("doveconf", "-h", "mail_plugin_dir")).stdout.strip() or MODULES
    found = (MODULES_ROOT / folder.lstrip("/") / "auth" / LUA).exists()
    hint = "install it, on Debian: apt-get install dovecot-auth-lua lua-socket"
    return (Finding(check="lua", ok=found, message="Dovecot runs Lua" if found else "Dovecot runs no Lua here", hint=hint),)


def _is_address(user: str) -> bool:
    try:
        ip_address(user)
    except ValueError:
        return False
    return True


def _doveadm(arguments: Sequence[str], good: Sequence[int]) -> None:
    done = _run(("doveadm", *arguments))
    if done.returncode not in good:
        raise NotEnded(f"doveadm says: {_last_line(done.stderr) or done.returncode}")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NoDovecot(f"{command[0]} is not on this machine")
    try:
        return subprocess.run(
            (program, *command[1:]), capture_output=True, text=True, errors="replace", check=False, timeout=ANSWER_TIME
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoDovecot(f"{command[0]} cannot be run") from error


def _last_line(text: str) -> str:
    return names.printable(text.strip().rpartition("\n")[2], at_most=300)
