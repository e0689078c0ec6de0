"""What a client tries that no browser sends, and what has to work all the same: the same at every proxy."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from tests.strangers.needing import need
from tests.strangers.web.echo import said_by
from tests.strangers.web.guarded import FORGED, SLOW, Guarded, basic

TO_THE_END = "to the end"
BIG = 3_000_000  # bytes; far more than the server itself takes, and than proxies keep in memory
H2C = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA"}
# which of these a site takes for /private/page differs; no proxy may take them for anything else than it hands on
AROUND = (
    "/public/../private/page",
    "/public/./../private/page",
    "/public//../private/page",
    "/public/%2e%2e/private/page",
    "/public/x/%2E./../../private/page",
    "/open/../private/page",
    "//private/page",
    "/./private/page",
    "/%70rivate/page",
    "/private%2fpage",
    "/private;x/page",
    "/private?",
    "/private",
    "/public/..%2fprivate/page",
    "/public/%2e%2e%2fprivate/page",
    "/%2fprivate/page",
)


def raw(guarded: Guarded, request: str, **headers: str) -> str:
    """Send a request as it is written, and return the answer."""
    return _exchange(guarded, request, {"Connection": "close", **headers})


def check_that_none_goes_around(guarded: Guarded) -> None:
    """Whatever it is that stands for /private: nobody gets there unasked."""
    assert raw(guarded, "GET /public/page").startswith("HTTP/1.1 200")
    for path in AROUND:
        answer = raw(guarded, f"GET {path}")
        assert answer.split()[1] in {"400", "401", "404"}, f"{path}: {answer}"


def check_that_other_methods_are_asked_about(guarded: Guarded) -> None:
    """Neither a preflight nor a method that nobody knows comes in unasked, and only who opens a page is sent away."""
    more = {"Accept": "text/html", "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PROPFIND", "TRACE", "CONNECT", "PRI", "get"):
        for claimed in ("GET", "DELETE"):
            answer = raw(guarded, f"{method} /page", **more, **{"X-Forwarded-Method": claimed})
            assert answer.split()[1] in {"400", "401", "405", "501"} | ({"302"} if method in {"GET", "HEAD"} else set()), answer
            assert "The site" not in answer


def check_what_the_site_is_told_of_its_host(guarded: Guarded, secret: str) -> None:
    """A site that shares a program with others by their hosts is not chosen by who was let in to another one."""
    own = urlsplit(guarded.site).netloc
    known = basic("ada", secret)
    for request, host in (
        (f"GET {guarded.site}/page", "other.example"),
        (f"GET {guarded.site}/page", f"other.example:{guarded.outer}"),
        ("GET /page", own),
    ):
        answer = raw(guarded, request, Host=host, **known, **{"X-Forwarded-Host": "third.example"})
        assert answer.startswith("HTTP/1.1 200"), answer
        headers = dict(said_by(answer)["headers"])
        assert headers["host"].partition(":")[0] == own.partition(":")[0], answer
        assert "example" not in headers["host"] + headers["x-forwarded-host"]
    for host in ("127.0.0.1.", "127.0.0.1.:443", "127.0.0.1:1", f"127.0.0.1:{guarded.outer}", "127.0.0.1@other.example"):
        assert "The site" not in raw(guarded, "GET /page", Host=host)


def check_what_a_client_says_of_itself(guarded: Guarded, secret: str) -> None:
    """Over HTTP/1.1 as no library writes it, and over HTTP/2."""
    known = basic("ada", secret)
    for name in ("REMOTE_USER", "remote.user", "Remote-User", "Passless-Method", "pASSLESS_aMR"):
        for more in (f"{name}: root", f"{name}:root\r\n{name}: root", f"{name}:\troot"):
            answer = raw(guarded, f"GET /page HTTP/1.1\r\n{more}", **known)
            assert "root" not in answer, answer
            assert "ada" in answer
        for more in (f"{name} : root", f" {name}: root", f"X: y\r\n {name}: root", f"X: y\n{name}\t: root"):
            answer = raw(guarded, f"GET /page HTTP/1.1\r\n{more}", **known)
            said = dict(said_by(answer)["headers"]) if answer.startswith("HTTP/1.1 200") else {}
            assert {value for key, value in said.items() if value == "root"} == set(), answer
    need("curl", install="apt-get install curl")
    spoken = [f"-H{name}: {value}" for name, value in {**FORGED, **known, "X-Forwarded-Host": "evil.example"}.items()]
    run = subprocess.run(
        [
            "curl",
            "-sS",
            "--http2",
            "--cacert",
            str(guarded.cert),
            "-w",
            "HTTP/%{http_version}",
            *spoken,
            f"{guarded.site}/page",
        ],
        capture_output=True,
        text=True,
        timeout=SLOW,
        check=False,
    )
    assert run.stdout.endswith("HTTP/2"), run.stdout + run.stderr
    headers = dict(said_by(run.stdout)["headers"])
    assert headers["remote-user"] == "ada"
    assert not {"root", "evil.example", "203.0.113.66"} & set(headers.values()), headers


def check_that_two_readings_are_one(guarded: Guarded, secret: str) -> None:
    """A second request hidden in the first one's body is a body, or refused (RFC 9112 §6.1)."""
    hidden = "GET /page HTTP/1.1\r\nHost: x\r\nRemote-User: root\r\n\r\n"
    last = "GET /page?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for more in (
        {"Content-Length": "4", "Transfer-Encoding": "chunked"},
        {"Content-Length": "5", "Transfer-Encoding": "xchunked"},
        {"Transfer-Encoding": "chunked, identity"},
    ):
        sent = {**basic("ada", secret), **more}
        answer = _exchange(guarded, "POST /page", sent, f"0\r\n\r\n{hidden}{last}", until=TO_THE_END)
        assert "root" not in answer, answer


def check_that_it_goes_on_with_a_websocket_alone(guarded: Guarded, secret: str) -> None:
    """What comes after another upgrade is asked about by nobody, and could say whose it is by itself."""
    socket_ = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA=="}
    answer = _exchange(guarded, "GET /page", {**basic("ada", secret), **socket_}, until="ada two", then="one\ntwo\n")
    assert answer.startswith("HTTP/1.1 101"), answer
    assert "ada one" in answer
    for nobody in ({}, basic("ada", "wrong")):
        assert _exchange(guarded, "GET /page", {**nobody, **socket_, "Accept": "*/*"}).split()[1] == "401"
    for other in (
        "h2c",
        "H2C",
        "H2C, websocket",
        "websocket,h2c",
        "websocket\r\nUpgrade: h2c",
        "h2c\r\nUpgrade: websocket",
        "TLS/1.0",
    ):
        sent = {**basic("ada", secret), **H2C, "Upgrade": other}
        answer = _exchange(guarded, "GET /page", sent, until="HTTP/1.1 101", by_length=True)
        went_on = answer.startswith("HTTP/1.1 101") and answer.lower().count("upgrade: websocket\r\n") == 1
        assert went_on or (answer.split()[1] in {"200", "400", "418"} and '"upgrade"' not in answer), f"{other}: {answer}"


def check_that_bodies_pass(guarded: Guarded, secret: str) -> None:
    """As long as it is, with its length and without, and only of who may come in."""
    body = os.urandom(BIG)

    def pieces() -> Iterator[bytes]:
        for start in range(0, BIG, 100_000):
            yield body[start : start + 100_000]

    with guarded.browser(**basic("ada", secret)) as script:
        for content in (body, pieces()):
            answer = script.post(f"{guarded.site}/page?a=b", content=content)
            assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
            said = said_by(answer.text)
            assert (said["method"], said["path"], said["length"]) == ("POST", "/page?a=b", BIG)
            assert said["body"] == hashlib.sha256(body).hexdigest()
            assert dict(said["headers"])["remote-user"] == "ada"
        answer = script.put(f"{guarded.site}/page", content=b"expected", headers={"Expect": "100-continue"})
        assert said_by(answer.text)["length"] == len("expected")
    assert "The site" not in _exchange(guarded, "POST /page", {"Content-Length": str(BIG), "Expect": "100-continue"})


def _exchange(
    guarded: Guarded,
    request: str,
    headers: dict[str, str],
    more: str = "",
    *,
    until: str = "",
    by_length: bool | None = None,
    then: str = "",
) -> str:
    """Send a head and a body, `then` more; the answer is whole when the words are there, or (`by_length`) all of its body."""
    ends = by_length if by_length is not None else not until
    line = request if "HTTP/1.1" in request else f"{request} HTTP/1.1"
    lines = (line, *(f"{name}: {value}" for name, value in ({"Host": urlsplit(guarded.site).netloc} | headers).items()))
    sent = "\r\n".join((*lines, "", more)).encode("latin-1")
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", guarded.outer), SLOW) as plain,
        guarded.tls.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        suppress(ConnectionResetError, BrokenPipeError),
    ):  # who refuses a request need not read the rest of it
        secure.sendall(sent)
        while not (_says(answer, until) or (ends and _is_whole(answer))) and (piece := secure.recv(65_536)):
            answer += piece
            if then and b"\r\n\r\n" in answer:
                secure.sendall(then.encode())
                then = ""
    return answer.decode("latin-1")


def _says(answer: bytes, words: str) -> bool:
    return bool(words) and b"\r\n\r\n" in answer and words.encode() in answer


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
    return length is not None and len(body) >= int(length)
