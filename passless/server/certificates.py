"""The server's own certificate: read at the start, and again where its files changed, without anybody noticing.

Connections that are open keep the one they began with. What cannot be used, such as a new certificate whose key is not there
yet, changes nothing; it is looked at again when the files change once more, or when SIGHUP says so.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.private_files import UnreadableFile, reason
from passless.server.log import Log

LOOK_EVERY = timedelta(seconds=30)  # ours; certbot and its like renew weeks before the end
SIGNAL = getattr(signal, "SIGHUP", None)  # Windows has none

Seen = tuple[tuple[int, int, int], ...]  # what tells one state of the files from another


class BadCertificate(WrongUse):
    """A certificate that cannot be used."""

    code = "bad-serving"
    hint = "give PEM files: the certificate with its chain, and its key without a passphrase"


class Certificate(Struct, frozen=True, kw_only=True):
    """Where a certificate and its key are."""

    cert: str
    key: str

    def check(self) -> None:
        """Read both, and let go of them again.

        Raises:
            UnreadableFile: one of them cannot be read.
            BadCertificate: they are none, or do not fit each other.
        """
        self.load_into(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let whoever connects from now on see it."""
        for path in (self.cert, self.key):
            try:
                Path(path).read_bytes()
            except (OSError, ValueError) as error:
                raise UnreadableFile(f'"{printable(path)}" cannot be read: {reason(error)}') from error
        try:
            context.load_cert_chain(self.cert, self.key, password=lambda: "")
        except (ssl.SSLError, OSError) as error:
            raise BadCertificate("the certificate and the key do not fit each other, or are none") from error

    def seen(self) -> Seen:
        """Return what tells whether the files were changed."""
        found = []
        for path in (self.cert, self.key):
            with suppress(OSError):
                now = Path(path).stat()
                found.append((now.st_mtime_ns, now.st_ino, now.st_size))
        return tuple(found)


class Renewal:
    """Watches a certificate for the context that connections are taken with."""

    def __init__(self, certificate: Certificate, context: ssl.SSLContext, log: Log) -> None:
        self._certificate = certificate
        self._context = context
        self._log = log
        self._seen = certificate.seen()
        self._asked = asyncio.Event()

    async def watch(self) -> None:
        """Take a new certificate as soon as it is there, until the server ends."""
        loop = asyncio.get_running_loop()
        if SIGNAL is not None:
            with suppress(ValueError, RuntimeError, NotImplementedError):  # only the main thread hears signals
                loop.add_signal_handler(SIGNAL, self._asked.set)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LOOK_EVERY.total_seconds())
            was_asked = self._asked.is_set()
            self._asked.clear()
            self.look(was_asked=was_asked)

    def look(self, *, was_asked: bool = False) -> None:
        """Load the certificate where its files changed since it was looked at, or somebody asks."""
        seen = self._certificate.seen()
        if seen == self._seen and not was_asked:
            return
        self._seen = seen
        try:
            self._certificate.check()  # first elsewhere: half of a certificate would stop every connection
            self._certificate.load_into(self._context)
        except (UnreadableFile, BadCertificate) as error:
            self._log.line("warning", "certificate", loaded=False, message=error.message, hint=error.hint)
            return
        self._log.line("info", "certificate", loaded=True)
