"""What Traefik is told, and what it says of it.

It reads a file only when it runs: it is started with a copy and a router that uses it, asked, and ended. It listens on the
loopback alone, for a second, in a folder that is gone afterwards, and sends nothing anywhere.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from passless.programs.proxies_texts import MISTAKEN, TOLD, Guarded

SHOWN = ("Authorization", "Cookie")  # what the site may see of these, the server says (`shown` in the question)
FIRST = 1_000_000  # before every router whose rule is shorter than this
LOOPBACK = "127.0.0.1"
TRIED = "passless-tried"  # the router of the test's own
PAUSE = 0.05  # seconds between questions
PATIENCE = 5.0  # seconds that it may take to answer one
ATTEMPTS = 3  # somebody else may take a port that was free
TAKEN_PORT = "address already in use"
RAW = "/api/rawdata"


def snippet(site: Guarded) -> str:
    """Return a dynamic configuration for Traefik's file provider.

    What the site may see of cookies and of `Authorization` comes with the answer: Traefik itself cannot take one cookie away.
    """
    front = f"{site.slug}-passless"
    taken = "\n".join(f"          - {name}" for name in (*TOLD, *SHOWN))
    forged = "\n".join(f'          {name}: ""' for name in MISTAKEN)
    return f"""# passless: "{site.name}", for Traefik's file provider; the site's router has the middleware {front}@file
http:
  middlewares:
    {front}:
      chain:
        middlewares:
          - {front}-forged
          - {front}-asked
    {front}-forged:
      headers:
        customRequestHeaders:
{forged}
    {front}-asked:
      forwardAuth:
        address: "{site.upstream}{site.path}?sign-in=yes&shown=yes"
        trustForwardHeader: false
        authResponseHeaders:
{taken}
{_own(site, front) if site.origins else ""}\
  # Where the site's own router names entryPoints or tls options, these have to name the same.
  # "upgrade" refuses who would go on in HTTP/2 on the same connection: nobody would ask about that.
  routers:
{"".join(_routers(site, front))}"""


def _own(site: Guarded, front: str) -> str:
    return f"""    {front}-own:
      replacePathRegex:
        regex: "^/\\\\.passless/(.*)"
        replacement: "{site.path}/$1"
    {front}-host:
      headers:
        customRequestHeaders:
          Host: "{site.host}"
  services:
    {front}:
      loadBalancer:
        servers:
          - url: "{site.upstream}"
"""


def _routers(site: Guarded, front: str) -> Iterator[str]:
    """Return what hands `/.passless/` of the site to the server, and what refuses who would pass by the questions."""
    hosts = " || ".join(f"Host(`{urlsplit(one).hostname}`)" for one in site.origins or (site.url,))
    for more, tls in (("", "      tls: {}\n"), ("-plain", "")):
        if site.origins:
            yield f"""    {front}-own{more}:
      rule: "PathPrefix(`/.passless/`) && ({hosts})"
      priority: {FIRST}
      middlewares:
        - {front}-own
        - {front}-host
      service: {front}
{tls}"""
        # Traefik takes "h2c" away alone, and hands it on in a list with others
        yield f"""    {front}-upgrade{more}:
      rule: "HeaderRegexp(`Upgrade`, `(?i)h2c|http/|tls/`) && ({hosts})"
      priority: {FIRST + 1}
      service: noop@internal
{tls}"""


class Silent(Exception):
    """It did not say anything of its file."""


def complaints(program: str, file: Path, middleware: str, patience: float) -> tuple[str, ...]:
    """Return what Traefik has against a file, used as a router of its owner would use it; nothing where it takes it.

    Raises:
        Silent: it ended, or said nothing for as long as `patience`, in seconds.
        OSError: it could not be started.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _complaints(program, file, middleware, patience)
        except Silent as error:
            if TAKEN_PORT not in str(error) or attempt == ATTEMPTS - 1:
                raise
    raise Silent


def _complaints(program: str, file: Path, middleware: str, patience: float) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="passless-") as folder:
        log, port = Path(folder, "log"), _free_port()
        static = _written(Path(folder), file, middleware, port)
        with log.open("wb") as said:
            # Without a file of its own it would take the one of this machine, and listen where that says.
            running = subprocess.Popen([program, f"--configFile={static}"], cwd=folder, stdout=said, stderr=said)
        try:
            return _asked(running, log, port, patience)
        finally:
            running.kill()
            running.wait()


def _asked(running: subprocess.Popen[bytes], log: Path, port: int, patience: float) -> tuple[str, ...]:
    until = time.monotonic() + patience
    while running.poll() is None and time.monotonic() < until:
        wrong = tuple(_errors(log))
        found = _raw(port)
        if f"{TRIED}@file" in found.get("routers", {}):
            return tuple(_wrong(found)) or tuple(_errors(log))
        if wrong and not any(TAKEN_PORT in one for one in wrong):
            return wrong
        time.sleep(PAUSE)
    raise Silent(" ".join(_errors(log)))


def _raw(port: int) -> Mapping[str, Any]:
    """Return what it made of its files; nothing before it has read them."""
    asking = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    try:
        asking.request("GET", RAW)
        answer = asking.getresponse()
        found = json.loads(answer.read()) if answer.status == 200 else {}
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        asking.close()
    return found if isinstance(found, dict) else {}


def _wrong(found: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("middlewares", "routers", "services"):
        for name, one in found.get(kind, {}).items():
            if name.endswith("@file") and (one.get("error") or one.get("status") != "enabled"):
                yield f"{name}: {' '.join(one.get('error') or [str(one.get('status'))])}"


def _errors(log: Path) -> Iterator[str]:
    """Return what it noted as errors; a line that is no JSON is one that it ended with."""
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if not line.endswith("\n"):  # it is writing it
            continue
        try:
            noted = json.loads(line)
        except ValueError:
            yield line.strip()
            continue
        if isinstance(noted, dict) and noted.get("level") in {"error", "fatal", "panic"}:
            yield f"{noted.get('message', '')} {noted.get('error', '')}".strip()


def _written(folder: Path, file: Path, middleware: str, port: int) -> Path:
    """Write what it is started with, as JSON, which is YAML as well."""
    read = folder / "read"
    read.mkdir()
    shutil.copyfile(file, read / "snippet.yaml")
    uses = {"rule": "Path(`/`)", "middlewares": [f"{middleware}@file"], "service": "noop@internal"}
    (read / "tried.yaml").write_text(json.dumps({"http": {"routers": {TRIED: uses}}}))
    static = folder / "static.yaml"
    static.write_text(
        json.dumps(
            {
                "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
                "log": {"level": "ERROR", "format": "json"},
                "api": {"insecure": True, "dashboard": False},  # on the entry point of this name alone
                "entryPoints": {
                    "traefik": {"address": f"{LOOPBACK}:{port}"},
                    "web": {"address": f"{LOOPBACK}:0"},
                },
                "providers": {"providersThrottleDuration": "0s", "file": {"directory": str(read), "watch": False}},
            }
        )
    )
    return static


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as free:
        port: int = free.getsockname()[1]
        return port
