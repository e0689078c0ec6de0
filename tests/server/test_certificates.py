"""A server's own certificate: renewed without a restart, and looked at by `passless doctor`."""

from __future__ import annotations

import signal
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from passless.cli import server_health
from passless.server.certificates import Certificate, Renewal
from passless.server.log import Log
from tests.cli.running import Passless
from tests.server.asking import Caller
from tests.server.serving import Served, a_server
from tests.server.test_serving import certificate_in


def serial_in(cert: Path) -> int:
    return x509.load_pem_x509_certificate(cert.read_bytes()).serial_number


def serial_at(served: Served) -> int:
    """Return the number of the certificate that who connects now is shown."""
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(served.address).encode()).serial_number


def renew(folder: Path, cert: Path, key: Path) -> None:
    """Put a new certificate in the place of the old one, as certbot does."""
    folder.mkdir()
    for made, place in zip(certificate_in(folder), (cert, key), strict=True):
        made.replace(place)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_new_certificate_needs_no_restart(tmp_path: Path) -> None:
    cert, key = certificate_in(tmp_path)
    with (
        a_server(tmp_path, "--tls-cert", str(cert), "--tls-key", str(key)) as served,
        Caller(served, verify=ssl.create_default_context(cafile=str(cert))) as ada,
    ):
        ada.create()
        before = serial_at(served)
        renew(tmp_path / "new", cert, key)
        served.process.send_signal(signal.SIGHUP)
        assert served.await_line("certificate")["loaded"] is True
        assert (serial_at(served), before != serial_in(cert)) == (serial_in(cert), True)
        assert ada.get("/accounts/me")["account"] == "ada"  # over the connection that was open


class Handshakes:
    """A context that is watched, and what was logged."""

    def __init__(self, cert: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        certificate = Certificate(cert=str(cert), key=str(key))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.load_into(self.context)
        self.said: list[dict[str, Any]] = []
        log = Log(lambda: datetime.now(UTC))
        monkeypatch.setattr(log, "line", lambda level, event, **said: self.said.append({"level": level, **said}))
        self.renewal = Renewal(certificate, self.context, log)

    def serial(self) -> int:
        """Shake hands in memory, and return the number of the certificate that was shown."""
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
        client = asking.wrap_bio(to_client, to_server)
        server = self.context.wrap_bio(to_server, to_client, server_side=True)
        for side in (client, server, client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        shown = client.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return certificate_in(tmp_path)


@pytest.fixture
def watched(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Handshakes:
    return Handshakes(*files, monkeypatch)


def test_files_that_did_not_change_are_left_alone(watched: Handshakes) -> None:
    watched.renewal.look()
    assert watched.said == []
    watched.renewal.look(was_asked=True)
    assert watched.said == [{"level": "info", "loaded": True}]


def test_files_that_changed_are_taken(watched: Handshakes, files: tuple[Path, Path], tmp_path: Path) -> None:
    before = watched.serial()
    renew(tmp_path / "new", *files)
    watched.renewal.look()
    assert watched.serial() == serial_in(files[0]) != before


def test_half_of_a_new_certificate_stops_nobody(watched: Handshakes, files: tuple[Path, Path], tmp_path: Path) -> None:
    """Between the two files of a renewal, and where one is broken or gone, the old certificate goes on."""
    before, (cert, key) = watched.serial(), files
    (tmp_path / "new").mkdir()
    new_cert, new_key = certificate_in(tmp_path / "new")
    new_cert.replace(cert)
    watched.renewal.look()
    assert watched.serial() == before
    assert watched.said[-1]["loaded"] is False
    watched.renewal.look()
    assert len(watched.said) == 1  # said once
    key.unlink()
    watched.renewal.look()
    assert (watched.serial(), len(watched.said)) == (before, 2)
    new_key.replace(key)
    watched.renewal.look()
    assert watched.serial() == serial_in(cert) != before
    cert.write_text("nothing")
    watched.renewal.look()
    assert watched.serial() != before
    assert str(watched.said[-1]["hint"]).startswith("give PEM files")


def test_doctor_says_how_long_a_certificate_is_good(files: tuple[Path, Path], tmp_path: Path, passless: Passless) -> None:
    """And warns two weeks before: this one is good for a day."""
    cert, key = files
    with a_server(tmp_path, "--tls-cert", str(cert), "--tls-key", str(key)) as served:
        passless.json("profile", "add", "work", "--server", served.url, "--ca-file", str(cert), "--vault", "file")
        ends = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
        assert server_health.certificate_end(served.url, str(cert)) == ends.replace(microsecond=0)
        (found,) = (one for one in passless("doctor", "--profile", "work", "--json").json if "certificate" in one["message"])
        assert (found["check"], found["ok"]) == ("server", False)
        assert found["message"] == f"its certificate is good until {ends:%Y-%m-%d} (0 days)"
        assert found["hint"] == "tell whoever runs the server to renew it"
        passless.now -= timedelta(days=20)
        (found,) = (one for one in passless("doctor", "--profile", "work", "--json").json if "certificate" in one["message"])
        assert found["ok"] is True


@pytest.fixture
def passless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passless:
    return Passless(tmp_path / "elsewhere", monkeypatch)
