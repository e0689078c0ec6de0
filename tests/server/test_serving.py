"""The life of a server process: its beginning, its end, what stands in its way, and what it tells whoever supervises it."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cli.running import Passless
from tests.server.asking import PASSWORD, Caller
from tests.server.raw import connect, head, read_all, statuses
from tests.server.serving import a_server, home_in, start


@pytest.fixture
def passless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passless:
    """The host's own command line, in the home of the server."""
    return Passless(tmp_path / "home", monkeypatch)


def host_profile(folder: Path) -> None:
    """Let the host's command line reach the store that is served."""
    settings = home_in(folder) / "config" / "config.toml"
    settings.write_text(f'[profiles.local]\nstore = "sqlite:///{folder}/accounts.sqlite"\nvault_file = "{folder}/vault.key"\n')


def test_a_request_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    """SIGTERM in the middle of a body: the rest is read, the answer comes, nobody else is taken, and the end is a good one."""
    with a_server(tmp_path) as served:
        with Caller(served) as ada:
            ada.create()
        body = b'{"kind":"password","text":"stately otter lantern mosaic"}'
        sent = head(
            served,
            "POST /api/v1/accounts/ada/sign-in HTTP/1.1",
            ["Content-Type: application/json", f"Content-Length: {len(body)}"],
        )
        with connect(served) as slow, connect(served) as idle:
            slow.sendall(sent + body[:10])
            served.ask_to_stop()
            assert read_all(idle) == b""  # closed: the server has begun to stop
            slow.sendall(body[10:])
            assert statuses(read_all(slow)) == [200]
        served.await_end(0)
        with pytest.raises(OSError, match="refused"):
            connect(served)


def test_sigint_stops_it_as_well(tmp_path: Path) -> None:
    with a_server(tmp_path) as served:
        served.process.send_signal(2)
        served.await_end(0)


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with a_server(tmp_path):
            assert supervisor.recv(100) == b"READY=1"
        assert supervisor.recv(100) == b"STOPPING=1"


def test_what_it_writes_is_one_document_per_line(tmp_path: Path) -> None:
    """And neither a name, a body, a query nor a token is in it (must hold 1)."""
    with a_server(tmp_path) as served, Caller(served, name="very-private-name") as caller:
        caller.create()
        caller.get("/accounts?matching=looking-for-this")
        caller.get("/accounts/very-private-name")
        caller.get("/no-such-thing/secret-in-a-path", 404)
        served.stop()
    assert len(served.lines) == len(served.text.splitlines())
    for word in ("very-private-name", "looking-for-this", "secret-in-a-path", caller.token, PASSWORD):
        assert word not in served.text
    assert [line["route"] for line in served.requests()] == [
        "/api/v1/accounts",
        "/api/v1/accounts",
        "/api/v1/accounts/{account}",
        "",
    ]


def test_it_is_well_while_its_store_answers(tmp_path: Path) -> None:
    with a_server(tmp_path) as served:
        asking = http.client.HTTPConnection(*served.address, timeout=60)
        asking.request("GET", "/healthz", headers={"Host": "10.0.0.1"})  # whoever balances loads names no host of ours
        answer = asking.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        asking.close()


def test_figures_are_on_a_listener_of_their_own(tmp_path: Path) -> None:
    with a_server(tmp_path, "--metrics-listen", "127.0.0.1:0") as served, Caller(served) as caller:
        caller.create()
        caller.sign_in()
        caller.sign_in("wrong wrong wrong", 401)
        caller.get("/../../metrics", 404)
        asking = http.client.HTTPConnection(*served.metrics, timeout=60)
        asking.request("GET", "/metrics")
        text = asking.getresponse().read().decode()
        asking.close()
    assert 'passless_http_requests_total{method="POST",route="/api/v1/accounts",status="201"} 1' in text
    assert 'passless_sign_ins_total{kind="password",outcome="done"} 1' in text
    assert 'passless_sign_ins_total{kind="password",outcome="failed"} 1' in text
    assert "ada" not in text
    assert text.count('le="+Inf"') == text.count("_count{")


def test_it_listens_on_a_socket_for_the_proxy_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with a_server(tmp_path, "--listen", f"unix:{path}", "--url", "https://accounts.example.org") as served:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(str(path))
            headers = ["Connection: close", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"]
            connection.sendall(head(served, headers=headers))
            assert statuses(read_all(connection)) == [200]
        assert served.await_request(source="203.0.113.9")
        assert path.stat().st_mode & 0o777 == 0o660
        served.stop()
    assert not path.exists()


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost."""
    private_key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private_key, hashes.SHA256())
    )
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(private_key.private_bytes(serialization.Encoding.PEM, encoding, plain))
    return cert, key


def test_it_speaks_tls_itself(tmp_path: Path) -> None:
    cert, key = certificate_in(tmp_path)
    with a_server(tmp_path, "--tls-cert", str(cert), "--tls-key", str(key)) as served:
        assert served.url.startswith("https://localhost:")
        with Caller(served, verify=ssl.create_default_context(cafile=str(cert))) as caller:
            caller.create()
            answer = caller.ask("GET", "/accounts/me")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"]
        with socket.create_connection(served.address, timeout=60) as plain:
            plain.sendall(head(served))
            assert 200 not in statuses(read_all(plain))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--url", "http://accounts.example.org"], "bad-url"),
        (["--url", "https://accounts.example.org/path"], "bad-url"),
        (["--url", "https://user@accounts.example.org"], "bad-url"),
        (["--url", "https://accounts.example.org?x"], "bad-url"),
        (["--url", "https://192.0.2.7"], "bad-url"),
        (["--url", "ftp://accounts.example.org"], "bad-url"),
        (["--url", "accounts.example.org"], "bad-url"),
        (["--url", "https://"], "bad-url"),
        (["--url", "https://bücher.example"], "bad-url"),
        (["--url", "https://accounts.example.org"], "bad-serving"),
        (["--listen", "0.0.0.0:0"], "bad-serving"),
        (["--listen", "8080"], "bad-listen"),
        (["--listen", "127.0.0.1:99999"], "bad-listen"),
        (["--listen", "127.0.0.1:"], "bad-listen"),
        (["--listen", "unix:relative"], "bad-listen"),
        (["--store", "mysql://here"], "bad-serving"),
        (["--store", "sqlite://relative"], "bad-serving"),
        (["--trusted-proxy", "everybody"], "bad-network"),
        (["--trusted-proxy", "10.0.0.1/8"], "bad-network"),
        (["--tls-cert", "/nowhere"], "bad-serving"),
        (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "unreadable-file"),
        (["--tls-cert", "/etc/hostname", "--tls-key", "/etc/hostname"], "bad-serving"),
        (["--policy", "/nowhere"], "bad-policy"),
    ],
)
def test_what_cannot_be_served_is_told_and_makes_nothing(
    passless: Passless, tmp_path: Path, arguments: list[str], code: str
) -> None:
    given = ["--store", f"sqlite:///{tmp_path}/accounts.sqlite", "--listen", "127.0.0.1:0", *arguments]
    error = passless.json("serve", *given, status=2)
    assert error["code"] == code
    assert error["hint"]
    assert not (tmp_path / "accounts.sqlite").exists()


def test_a_place_that_is_taken_is_told(tmp_path: Path, passless: Passless) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        store = f"sqlite:///{tmp_path}/accounts.sqlite"
        error = passless.json("serve", "--store", store, "--listen", place, status=6)
        assert (error["code"], "--listen HOST:PORT" in error["hint"]) == ("cannot-listen", True)
        error = passless.json("serve", "--store", store, "--listen", "127.0.0.1:0", "--metrics-listen", place, status=6)
        assert (error["code"], "--metrics-listen HOST:PORT" in error["hint"]) == ("cannot-listen", True)


def test_the_store_stays_with_its_address(tmp_path: Path) -> None:
    """Another address is refused unless it is meant; keys and passkeys belong to the old one."""
    with a_server(tmp_path) as served:
        port = str(served.address[1])
    other = start(tmp_path, "--url", f"http://accounts.localhost:{port}")
    assert other.await_end() == 2
    assert "the store belongs to the server at" in other.text
    assert "--new-url" in other.text
    with a_server(tmp_path, "--url", f"http://accounts.localhost:{port}", "--new-url") as moved:
        assert moved.url == f"http://accounts.localhost:{port}"
    with a_server(tmp_path, "--url", f"http://accounts.localhost:{port}") as again:
        assert again.url == moved.url


def test_nobody_overrides_on_a_servers_store(tmp_path: Path, passless: Passless) -> None:
    """Must hold 9: whoever owns the file of a server's store is nobody's operator."""
    with a_server(tmp_path) as served, Caller(served) as ada:
        ada.create()
    host_profile(tmp_path)
    claim = ("--account", "ada", "--as-operator", "--reason", "mine", "--yes")
    assert passless.json("temporary-pass", "issue", *claim, status=5)["code"] in {"sign-in-needed", "not-an-operator"}
    assert passless.json("device", "lost", "phone", *claim, status=5)["code"] in {"sign-in-needed", "not-an-operator"}
    assert passless.json("status", "--account", "ada", status=5)["code"] == "sign-in-needed"


def test_a_lost_vault_key_is_told_at_the_start(tmp_path: Path) -> None:
    with a_server(tmp_path) as served, Caller(served) as ada:
        ada.create()
    (tmp_path / "vault.key").unlink()
    again = start(tmp_path, "--url", served.url)
    assert again.await_end() == 6
    assert "vault" in again.text
    assert not (tmp_path / "vault.key").exists()


def test_the_unit_for_systemd_is_one(tmp_path: Path) -> None:
    unit = Path(__file__).parents[2] / "examples" / "passless.service"
    text = unit.read_text()
    assert "Type=notify" in text
    checked = tmp_path / "passless.service"
    program = subprocess.run(["which", "systemd-analyze"], capture_output=True, check=False)
    if program.returncode:
        pytest.skip("systemd-analyze is not installed")
    checked.write_text(text.replace("/usr/local/bin/passless", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", str(checked)], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
