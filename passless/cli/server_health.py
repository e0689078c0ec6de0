"""How the server of a profile is doing, as it is seen from here: version, clock, certificate, and the session there."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from passless.cli.elsewhere import server_of
from passless.domain.errors import PasslessError
from passless.domain.names import printable
from passless.output.machine_results import ServerSeen, Verdict

if TYPE_CHECKING:
    from passless.cli.context import Run

SOON = timedelta(days=14)  # ours: time enough to renew a certificate
CONNECT_WITHIN = 5.0  # seconds


def look(run: Run) -> Iterator[Verdict]:
    """Ask the server who it is; what cannot be looked at then is left out."""
    from passless.directories.server.answers import clock_hint
    from passless.directories.server.errors import LOOK

    server = server_of(run)
    try:
        found = server.greeting()
    except PasslessError as error:
        yield Verdict(check="server", ok=False, message=error.message, hint=error.hint.removesuffix(f"; {LOOK}"))
        return
    is_itself = found.url == server.origin
    seen = ServerSeen(name=printable(found.name), version=printable(found.version), sign_up=found.sign_up)
    about = f"{seen.spoken} answers at {server.origin}"
    yield Verdict(
        check="server",
        ok=is_itself,
        message=about if is_itself else f"{about}; it says its address is {printable(found.url, at_most=200)}",
        hint="" if is_itself else "keys and browsers work only there: passless profile set NAME --server URL",
    )
    apart = clock_hint(server.clock_difference)
    yield Verdict(
        check="server",
        ok=apart is None,
        message=apart or "its clock and the one here agree",
        hint="" if apart is None else "set the clock by the network: timedatectl set-ntp true",
    )
    if server.origin.startswith("https://"):
        yield from _certificate(run, server.origin)
    yield _session(run)


def _certificate(run: Run, origin: str) -> Iterator[Verdict]:
    """Say until when the certificate is good; that it is trusted is known by now."""
    ends = certificate_end(origin, run.profile.ca)
    if ends is None:
        return
    left = ends - run.now()
    yield Verdict(
        check="server",
        ok=left > SOON,
        message=f"its certificate is good until {ends:%Y-%m-%d} ({max(left.days, 0)} days)",
        hint="" if left > SOON else "tell whoever runs the server to renew it",
    )


def certificate_end(origin: str, ca: str | None) -> datetime | None:
    """Return when a server's certificate expires; None where it does not say, as behind a proxy of one's own."""
    from passless.directories.server.failing import trusting

    address = urlsplit(origin)
    try:
        with (
            socket.create_connection((address.hostname or "", address.port or 443), timeout=CONNECT_WITHIN) as plain,
            trusting(ca).wrap_socket(plain, server_hostname=address.hostname) as secured,
        ):
            found = secured.getpeercert() or {}
    except OSError:
        return None
    until = found.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if isinstance(until, str) else None


def _session(run: Run) -> Verdict:
    account = run.tokens.chosen
    if account is None or (token := run.tokens.token_of(account)) is None:
        return Verdict(check="session", ok=True, message="nobody is signed in there", hint="passless sign-in")
    from passless.ports.directory import Actor

    name = printable(run.tokens.name_of(account) or account)
    try:
        view = server_of(run).read(Actor(token=token, place=run.place), account)
    except PasslessError as error:
        return Verdict(
            check="session", ok=False, message=f'the session of "{name}" does not hold: {error.message}', hint=error.hint
        )
    until = "" if view.session is None else f" until {view.session.expires_at:%Y-%m-%d %H:%M} UTC"
    return Verdict(check="session", ok=True, message=f'"{name}" is signed in{until}')
