"""A server, a site behind somebody's proxy, and who asks for its pages; everything on ports and in folders of its own."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from passless.programs.proxies_texts import radiusd
from tests.free_ports import free_port
from tests.server import test_serving
from tests.server.asking import Caller
from tests.server.serving import Served, start
from tests.strangers.mail.people import Person
from tests.strangers.needing import missing
from tests.strangers.registering import on_host
from tests.strangers.web.echo import Echo, said_by

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has them
SLOW = 60  # seconds that a program may take to listen on a busy machine
FORGED = {
    "Remote-User": "root",
    "Passless-Method": "session",
    "Passless-Account-Id": "root",
    "Remote_User": "root",
    "Remote.User": "root",
    "Passless.Account.Id": "root",
    "passless_account.id": "root",
    "Passless-Account_Id": "root",
    "Passless_Auth-Time": "1",
    "Passless_Acr": "2",
    "X-Forwarded-For": "203.0.113.66",
}
# every cookie of passless that a browser may hold at a site, some of them of a relying party that was removed since
OURS = (
    "__Host-passless-site-z5224nkh",
    "passless-site-k3snm7m6",
    "__Host-passless-going-z5224nkh-a",
    "passless-going-k3snm7m6-c",
    "__Host-passless-session",
    "passless-session",
    "__Host-passless-visit",
)
THEIRS = ("theirs=1", "__Host-session=2", "my-passless-site-x=3", "passless=4")


class Guarded:
    """One server, one site at another origin and one at the server's own, and the people who come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inner, self.front, self.outer = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{self.front}"
        self.site = f"https://127.0.0.1:{self.outer}"
        self.cert, self.key = certificate_in(folder)
        self.tls = ssl.create_default_context(cafile=str(self.cert))
        self.people: list[Person] = []
        self.served = self.serve()
        self.backend = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()

    def serve(self) -> Served:
        """Start the server, known to people behind its proxy."""
        where = ("--listen", f"127.0.0.1:{self.inner}", "--url", self.url, "--trusted-proxy", "127.0.0.1/32")
        return start(self.folder, *where).await_ready()

    @property
    def upstream(self) -> str:
        """Where proxies reach the server."""
        return f"http://127.0.0.1:{self.inner}"

    def register(self, name: str, *more: str) -> Path:
        """Register a site and have its snippets written, which each program takes; return their folder."""
        folder = self.folder / f"{name}-snippets"
        folder.mkdir()
        made = on_host(
            self.served,
            *("relying-party", "add", name, "--kind", "http", "--to", str(folder), "--socket", self.upstream),
            *more,
        )
        assert len(made["written"]) == 7
        assert made["undo"]
        return folder

    def person(self, name: str) -> Person:
        """Return somebody who has two-step on; they asked the server from its own machine."""
        options = {"Host": urlsplit(self.url).netloc, "X-Forwarded-Proto": "https"}
        caller = Caller(url=self.upstream, name=name, headers=options)
        caller.create()
        person = Person(caller)
        self.people.append(person)
        return person

    def browser(self, *, at: str = "127.0.0.1", **headers: str) -> httpx.Client:
        """Return a browser without an engine, or a script, somewhere on this machine."""
        transport = httpx.HTTPTransport(verify=self.tls, local_address=at)
        return httpx.Client(transport=transport, headers=headers, timeout=SLOW)

    def stop_serving(self) -> None:
        """Let the server be down."""
        self.served.stop()

    def close(self) -> None:
        """End everything."""
        for person in self.people:
            person.caller.http.close()
        self.backend.shutdown()
        self.backend.server_close()
        if self.served.process.poll() is None:
            self.served.stop()


def seen(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that the site got; each once."""
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
    found = said_by(answer.text)["headers"]
    headers: dict[str, str] = dict(found)
    assert len(headers) == len(found), found
    taken_for = [name for name in headers if re.split("[-_.]", name)[0] in {"remote", "passless"} and re.search("[_.]", name)]
    assert not taken_for, "many programs take Remote_User for Remote-User, and some Remote.User"
    return headers


def cookies() -> tuple[str, ...]:
    """Return what browsers may send: no cookies of passless, those alone, and those between others in every place."""
    ours = [f"{name}=pls_secret{number}" for number, name in enumerate(OURS)]
    between = [one for pair in zip(ours, (*THEIRS, "a=5", "b=6", "c=7"), strict=True) for one in pair]
    return (
        "; ".join(THEIRS),
        "; ".join(ours),
        "; ".join((*ours, *THEIRS)),
        "; ".join((*THEIRS, *ours)),
        "; ".join(between),
        "; ".join(reversed(between)),
        ";".join(between),
    )


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for the server's name and the site's address."""
    both = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    real = x509.SubjectAlternativeName
    x509.SubjectAlternativeName = lambda _: both  # type: ignore[assignment,misc]
    try:
        return test_serving.certificate_in(folder)
    finally:
        x509.SubjectAlternativeName = real  # type: ignore[misc]


@contextmanager
def running(*command: str, ports: tuple[int, ...] = (), log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program until the block ends; it listens on the ports before that begins."""
    with log.open("ab") as written, subprocess.Popen(command, stdout=written, stderr=written, env=environment) as process:
        try:
            for port in ports:
                _await(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(SLOW)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # it tells nobody when it is ready
    raise AssertionError(log.read_text())


@contextmanager
def nginx(guarded: Guarded, snippets: dict[str, Path], settings: str) -> Iterator[Path]:
    """Run nginx in front of the server and of the site, with the snippets; yields its access log."""
    program = shutil.which("nginx", path=PATH)
    if program is None:
        missing("nginx", install="apt-get install nginx-light")
    folder = guarded.folder / "nginx"
    folder.mkdir()
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    included = "".join(f"include {path}/passless-{name}-nginx-http.conf;" for name, path in snippets.items())
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log info; events {{}}\n"
        f"http {{ {temporary} access_log {folder}/access.log;\n"
        f"ssl_certificate {guarded.cert}; ssl_certificate_key {guarded.key}; {included}\n{settings}\n}}\n"
    )
    command = (str(program), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    with running(*command, ports=(guarded.front, guarded.outer), log=folder / "error.log"):
        yield folder / "access.log"


def front(guarded: Guarded, more: str = "") -> str:
    """Return nginx's server in front of passless itself, as docs/server.md shows it."""
    return (
        f"server {{ listen 127.0.0.1:{guarded.front} ssl; {more}\n"
        f"location / {{ proxy_pass {guarded.upstream}; proxy_set_header Host $http_host;"
        " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"
        ' proxy_http_version 1.1; proxy_set_header Connection ""; } }\n'
    )


def site(guarded: Guarded, snippets: Path, name: str) -> str:
    """Return nginx's server of the guarded site, of which a part is open to everybody; it takes WebSockets."""
    behind = f"proxy_pass http://127.0.0.1:{guarded.backend.server_port};"
    more = (
        "client_max_body_size 0; proxy_http_version 1.1;"
        f" proxy_set_header Upgrade $passless_{name}_upgrade; proxy_set_header Connection $passless_{name}_connection;"
    )
    return (
        f"server {{ listen 127.0.0.1:{guarded.outer} ssl http2; underscores_in_headers on;\n"
        f"include {snippets}/passless-{name}-nginx-server.conf;\n"
        f"location = /open {{ {behind} }} location /public/ {{ {behind} }}\n"
        f"location / {{ include {snippets}/passless-{name}-nginx-location.conf; {more} {behind} }} }}\n"
    )


@contextmanager
def freeradius(guarded: Guarded, snippets: Path, name: str) -> Iterator[Radius]:
    """Run FreeRADIUS with the snippets and nothing of /etc."""
    program = shutil.which("freeradius", path=PATH)
    if program is None or shutil.which("radclient") is None or not Path("/usr/lib/freeradius/rlm_rest.so").exists():
        missing("freeradius with rlm_rest", install="apt-get install freeradius freeradius-rest freeradius-utils")
    folder, port = guarded.folder / "radius", free_port()
    folder.mkdir()
    front = f"{snippets}/passless-{name}-freeradius"
    library, dictionary = Path("/usr/lib/freeradius"), "/usr/share/freeradius"
    files = (Path(f"{front}-module"),), (Path(f"{front}-site"),)
    (folder / "radiusd.conf").write_text(radiusd(folder, library, *files, server=f"passless_{name}", port=port))
    (folder / "clients.conf").write_text("client here {\n\tipaddr = 127.0.0.1\n\tsecret = testing123\n}\n")
    (folder / "dictionary").write_text(f"$INCLUDE {dictionary}/dictionary\n")
    log = folder / "log"
    command = (str(program), "-f", "-d", str(folder), "-D", dictionary, "-l", str(log))
    with running(*command, log=folder / "said"):
        radius = Radius(port)
        while (
            radius.ask("nobody", "nothing", retries=1, patience=0.5) == "nothing"
        ):  # it listens for datagrams: only an answer says that it is there
            pass
        yield radius


class Radius:
    """A switch that asks FreeRADIUS who may come in."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, name: str, password: str, *, retries: int = 3, patience: float = 5) -> str:
        """Return what it says: accept, reject, or nothing."""
        quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in (name, password)]
        asked = f'User-Name = "{quoted[0]}"\nUser-Password = "{quoted[1]}"\n'
        done = subprocess.run(
            ["radclient", "-x", "-t", str(patience), "-r", str(retries), f"127.0.0.1:{self._port}", "auth", "testing123"],
            input=asked,
            capture_output=True,
            text=True,
            check=False,
        )
        if "Access-Accept" in done.stdout:
            return "accept"
        return "reject" if "Access-Reject" in done.stdout else "nothing"


@contextmanager
def caddy(guarded: Guarded, snippets: Path, name: str) -> Iterator[None]:
    """Run Caddy in front of the server and of the site."""
    program = shutil.which("caddy", path=PATH)
    if program is None:
        missing("caddy", install="apt-get install caddy")
    folder = guarded.folder / "caddy"
    folder.mkdir()
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https off\n\tskip_install_trust\n}\n"
        f"https://localhost:{guarded.front} {{\n\ttls {guarded.cert} {guarded.key}\n\treverse_proxy {guarded.upstream}\n}}\n"
        f"https://127.0.0.1:{guarded.outer} {{\n\ttls {guarded.cert} {guarded.key}\n"
        f"\troute {{\n\t\thandle /public/* {{\n\t\t\treverse_proxy http://127.0.0.1:{guarded.backend.server_port}\n\t\t}}\n"
        f"\t\timport {snippets}/passless-{name}.caddy\n"
        f"\t\treverse_proxy http://127.0.0.1:{guarded.backend.server_port}\n\t}}\n}}\n"
    )
    home = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = (str(program), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))
    with running(*command, ports=(guarded.front, guarded.outer), log=folder / "log", environment=home):
        yield
