"""nginx, Caddy, Traefik and FreeRADIUS, which ask `GET /auth/NAME` whether somebody may come in: snippets to be included.

They are written where `--to` says and nowhere else: a web server's own files are somebody's work. Each judges its own
where it is installed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.domain.party_kinds import Requirement
from passless.domain.relying_parties import SITE_CALLBACK
from passless.programs import comparing, traefik
from passless.programs import proxies_texts as texts
from passless.programs.proxies_texts import Guarded
from passless.programs.setting_up import Finding, Setup, app_passwords, removal, step
from passless.programs.writing import NewFile

TEST_TIME = 30  # seconds that a program may take to read its configuration
UPSTREAM = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
PROGRAMS = ("nginx", "caddy", "freeradius", "traefik")  # each has files of its own, which are there or not
UNUSED_PORT = 18120  # that FreeRADIUS is told in a test, and does not open
LONGEST_SAID = 400  # characters of what a program said
NOT_HERE = "no file for it: for a site at the server's own address it has to reach the server itself, by --socket http://127.0.0.1:PORT"
NOT_INSTALLED = "not tested: it is not on this machine"
NO_SOCKET = (
    "Traefik: where it is in front of the server too, write the files with --socket http://127.0.0.1:PORT: it tells the server "
    "nothing of the site when it asks it through itself"
)
TAKEN = "would take its snippets"
HASH_WARNING = f", and warns of variables_hash: put {texts.VARIABLES_HASH} into http"
NOT_WRITTEN = "its snippets are not there"
SAYS = {
    comparing.NAME: r'^# passless: "(.*)", for ',
    comparing.CLIENT_ID: r"passless-site-([a-z0-9]{8})\b",
    comparing.PATH: r"/auth/([A-Za-z0-9._-]+)",
    comparing.SERVER: r'\bHost:? "?([A-Za-z0-9.:\[\]-]+)',
    comparing.SOCKET: r'\b(?:proxy_pass |address: ")(https?://[^/;\s]+)/auth/',
    comparing.SITE: r"\bHost\(`([^`]+)`\)",
}
SYSTEM = "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin"


class NoUpstream(WrongUse):
    """An address at which no proxy reaches the server."""

    code = "bad-socket"
    hint = "write it as http://127.0.0.1:PORT, or leave it out: then proxies use the server's public address"


def usual_folder() -> Path:
    """Return a folder that is never there: nothing is written unasked, for each proxy has its own place for it."""
    return Path("/nonexistent/passless-proxies")


def check(setup: Setup) -> None:
    """Refuse an address of the server that a proxy cannot use."""
    guarded(setup)


def files(setup: Setup) -> tuple[NewFile, ...]:
    """Return the snippets; none of them holds a secret."""
    site, folder = guarded(setup), setup.folder or usual_folder()
    written = {
        f"passless-{site.slug}-nginx-http.conf": texts.nginx_http(site),
        f"passless-{site.slug}-nginx-server.conf": texts.nginx_server(site),
        f"passless-{site.slug}-nginx-location.conf": texts.nginx_location(site),
        f"passless-{site.slug}.caddy": texts.caddy(site),
        f"passless-{site.slug}-freeradius-module": texts.freeradius_module(site),
        f"passless-{site.slug}-freeradius-site": texts.freeradius_site(site),
    }
    if _has_traefik(site):
        written[f"passless-{site.slug}-traefik.yaml"] = traefik.snippet(site)
    start = f"passless-{site.slug}"
    return tuple(
        NewFile(folder / name, content, together=next(one for one in PROGRAMS if name.startswith(one, len(start) + 1)))
        for name, content in written.items()
    )


def findings(setup: Setup) -> tuple[Finding, ...]:
    """Have each program read its snippets, in a folder that is gone afterwards."""
    written = files(setup)
    paths = {file.path.name.removeprefix(f"passless-{guarded(setup).slug}"): file.path for file in written}
    commands: dict[str, Callable[[Path], Sequence[str]]] = {
        "nginx": lambda folder: _nginx(folder, paths),
        "caddy": lambda folder: _caddy(folder, paths),
        "freeradius": lambda folder: _freeradius(folder, paths, guarded(setup)),
    }
    here = {file.together for file in written if file.path.exists()}
    if "traefik" in here:
        judged = _traefik(paths["-traefik.yaml"], guarded(setup))
    else:
        judged = _untested("traefik", NOT_WRITTEN if _has_traefik(guarded(setup)) else NOT_HERE)
    return (
        *(_asked(one, command) if one in here else _untested(one, NOT_WRITTEN) for one, command in commands.items()),
        judged,
    )


def in_use(setup: Setup) -> tuple[Finding, ...]:
    """Say nothing: where a proxy includes them is its own business, and there are many ways."""
    return ()


def socket_named(setup: Setup) -> str:
    """Return where the proxies reach the server."""
    for file in files(setup):
        if file.path.exists() and (found := re.search(SAYS[comparing.SOCKET], file.path.read_text(errors="replace"))):
            return found[1]
    return ""


def then(setup: Setup) -> tuple[str, ...]:
    """Say where each snippet is included."""
    site, folder = guarded(setup), setup.folder or usual_folder()
    front = f"{folder}/passless-{site.slug}"
    origins = ", ".join(site.origins) or site.url
    placed = (
        step("Traefik: put this file into the folder of its file provider,", f"{front}-traefik.yaml"),
        step("and give the site's router the middleware", f"{site.slug}-passless@file"),
        *(() if setup.socket else (NO_SOCKET,)),
    )
    linked = (("module", "mods-enabled"), ("site", "sites-enabled"))
    links = (f"ln -s {shlex.quote(f'{front}-freeradius-{one}')} /etc/freeradius/3.0/{there}/" for one, there in linked)
    here = step(
        f"browsers sign in only to what is at {site.url} itself; a site elsewhere is given its address by",
        f"passless relying-party set {setup.quoted_name} --redirect-uri https://HOST{SITE_CALLBACK}",
    )
    return (
        *(() if site.origins else (here,)),
        step("nginx: in http", f"include {front}-nginx-http.conf;"),
        step(f"nginx: in the server of {origins}", f"include {front}-nginx-server.conf;"),
        step("nginx: in every location that is guarded", f"include {front}-nginx-location.conf;"),
        step('Caddy: in a "route" of the site, before everything that answers:', f"import {front}.caddy"),
        *(placed if _has_traefik(site) else (f"Traefik: {NOT_HERE}",)),
        step("FreeRADIUS (its folder is Debian's):", *links),
        step("the server: let it believe the proxy where its clients are:", "passless serve … --trusted-proxy ADDRESS"),
        *((app_passwords(setup.party.services),) if setup.party.requires == Requirement.ANY else ()),
    )


def undo(setup: Setup) -> tuple[str, ...]:
    """Say how all of it goes again."""
    paths = " ".join(shlex.quote(str(file.path)) for file in files(setup))
    return (
        "take the lines that include the files out of the proxies, and have each read its files again",
        step("take the files away:", f"rm {paths}"),
        removal(setup),
    )


def guarded(setup: Setup) -> Guarded:
    """Return what the snippets are made of; `NoUpstream` where the server's address for proxies is none."""
    upstream = setup.socket or setup.url
    if not UPSTREAM.fullmatch(upstream):
        raise NoUpstream(f'no proxy reaches the server at "{printable(upstream)}"')
    return Guarded(
        name=setup.party.name,
        client_id=setup.party.id,
        url=setup.url,
        upstream=upstream,
        origins=tuple(uri.removesuffix(SITE_CALLBACK) for uri in setup.party.redirect_uris),
    )


def _asked(program: str, command: Callable[[Path], Sequence[str]]) -> Finding:
    """Ask a program about its snippet."""
    found = _installed(program)
    if found is None:
        return _untested(program, NOT_INSTALLED)
    with tempfile.TemporaryDirectory(prefix="passless-") as folder:
        arguments = [found, *command(Path(folder))]
        try:
            done = subprocess.run(
                arguments, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TEST_TIME, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Finding(check=program, ok=False, message=f"it did not answer: {type(error).__name__}")
    if done.returncode == 0:
        return Finding(check=program, ok=True, message=TAKEN + (HASH_WARNING if "variables_hash" in done.stderr else ""))
    return Finding(check=program, ok=False, message=_last_words(done.stderr + done.stdout))


def _traefik(path: Path, site: Guarded) -> Finding:
    """Run Traefik with its file, and ask it."""
    found = _installed("traefik")
    if found is None:
        return _untested("traefik", NOT_INSTALLED)
    try:
        wrong = traefik.complaints(found, path, f"{site.slug}-passless", TEST_TIME)
    except (OSError, traefik.Silent) as error:
        words = printable(str(error), at_most=LONGEST_SAID) or type(error).__name__
        return Finding(check="traefik", ok=False, message=f"it did not answer: {words}")
    if wrong:
        return Finding(check="traefik", ok=False, message=printable(" ".join(wrong), at_most=LONGEST_SAID))
    return Finding(check="traefik", ok=True, message=TAKEN)


def _installed(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=SYSTEM)


def _has_traefik(site: Guarded) -> bool:
    """Tell whether Traefik can guard it: one in front of the server itself would ask of the wrong site there."""
    return bool(site.origins) or site.upstream != site.url


def _untested(program: str, why: str) -> Finding:
    return Finding(check=program, ok=True, message=why, tested=False)


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if any(word in line.lower() for word in ("emerg", "error", "failed"))] or lines[-1:]
    return printable(" ".join(wrong) or "it said nothing", at_most=LONGEST_SAID)


def _nginx(folder: Path, paths: dict[str, Path]) -> Sequence[str]:
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} include {paths['-nginx-http.conf']};\n"
        f"server {{ listen unix:{folder}/socket; include {paths['-nginx-server.conf']};\n"
        f"location / {{ include {paths['-nginx-location.conf']}; proxy_pass http://127.0.0.1:9; }} }} }}\n"
    )
    return ["-t", "-q", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _caddy(folder: Path, paths: dict[str, Path]) -> Sequence[str]:
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https off\n}\n"
        f"http://127.0.0.1:9 {{\n\troute {{\n\t\timport {paths['.caddy']}\n\t\trespond ok\n\t}}\n}}\n"
    )
    return ["validate", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def _freeradius(folder: Path, paths: dict[str, Path], site: Guarded) -> Sequence[str]:
    library = next((one for one in map(Path, texts.FREERADIUS_LIBRARIES) if one.is_dir()), Path("/usr/lib/freeradius"))
    dictionary = next((one for one in map(Path, texts.FREERADIUS_DICTIONARIES) if one.is_dir()), Path("/usr/share/freeradius"))
    modules, sites = (paths["-freeradius-module"],), (paths["-freeradius-site"],)
    server = f"passless_{site.word}"
    (folder / "radiusd.conf").write_text(texts.radiusd(folder, library, modules, sites, server=server, port=UNUSED_PORT))
    (folder / "clients.conf").write_text("")
    (folder / "dictionary").write_text(f"$INCLUDE {dictionary}/dictionary\n")
    return ["-C", "-d", str(folder), "-D", str(dictionary), "-l", "stdout"]
