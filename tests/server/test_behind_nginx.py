"""The server behind nginx, set up as docs/server.md shows it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.ports.directory import Actor
from tests.free_ports import free_port
from tests.server.asking import PASSWORD, Caller
from tests.server.serving import a_server, keep_secret
from tests.server.test_serving import certificate_in
from tests.server.watching import on_host
from tests.strangers.needing import missing

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has it


@contextmanager
def nginx(folder: Path, port: int, upstream: str) -> Iterator[None]:
    """Run nginx with the server block of the page, at another port and in front of another upstream."""
    shown = re.search(r"^server \{\n.*?^\}$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert shown is not None
    cert, key = certificate_in(folder)
    block = shown[0].replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("accounts.example.org", "localhost")
    block = block.replace("/etc/ssl/accounts.pem", str(cert)).replace("/etc/ssl/accounts.key", str(key))
    block = block.replace("http://127.0.0.1:8080", f"http://unix:{upstream}:").replace("$host;", "$http_host;")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{block}\n}}\n"
    )
    user = ["-g", "user root;"] if os.geteuid() == 0 else []  # the socket is ours
    program = shutil.which("nginx", path=PATH) or "nginx"
    with subprocess.Popen([program, "-p", str(folder), "-c", str(settings), *user], stderr=subprocess.PIPE) as running:
        try:
            _await_port(port, running)
            yield
        finally:
            running.terminate()
            running.communicate()


def _await_port(port: int, running: subprocess.Popen[bytes]) -> None:
    while running.poll() is None:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # it tells nobody when it is ready
    assert running.stderr is not None
    raise AssertionError(running.stderr.read().decode())


def test_people_reach_it_through_nginx_and_nobody_forges_where_they_are(tmp_path: Path) -> None:
    if shutil.which("nginx", path=PATH) is None:
        missing("nginx", install="apt-get install nginx-light")
    port, listen = free_port(), tmp_path / "socket"
    with (
        a_server(tmp_path, "--listen", f"unix:{listen}", "--url", f"https://localhost:{port}") as served,
        nginx(tmp_path, port, str(listen)),
        Caller(
            url=served.url,
            verify=ssl.create_default_context(cafile=str(tmp_path / "cert.pem")),
            headers={"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"},
        ) as ada,
    ):
        ada.create()
        ada.add_app()
        events = ada.get("/events?account=me")["items"]
        assert {one["place"] for one in events} == {"127.0.0.1"}
        assert ada.get("/")["url"] == served.url
        with on_host(tmp_path) as directory:  # nobody gives themselves such a name
            made = directory.create(Actor(), NewAccount(name="a/b", password=Secret(PASSWORD)))
        ada.token = keep_secret(made.token.reveal())
        assert ada.get("/accounts/a%2Fb")["account"] == "a/b"
