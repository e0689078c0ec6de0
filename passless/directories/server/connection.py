"""One HTTP connection to one server: what is sent, what is tried again, and what counts as an answer.

Redirects are never followed, TLS is always verified, answers and time are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from time import sleep
from typing import TYPE_CHECKING

from msgspec import Struct

import passless
from passless.directories.server import failing
from passless.directories.server.errors import NotPassless, ServerTroubled, ServerUnreachable
from passless.ports import Clock, Entropy

if TYPE_CHECKING:
    import httpx

CONNECT_WITHIN = timedelta(seconds=5)  # ours: a server that is there answers sooner
ANSWER_WITHIN = timedelta(seconds=30)  # ours: a password's hash and a long list take seconds
ALL_WITHIN = timedelta(seconds=60)  # ours: for an answer that drips in
LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of 200 accounts has some 100 kB
TRIES = 4  # how often something is sent at most
FIRST_PAUSE = timedelta(milliseconds=200)  # doubled each time, half of it by chance
LONGEST_PAUSE = timedelta(seconds=3)  # a server that asks for more is told to the person instead
BUSY = frozenset({502, 503, 504})  # RFC 9110 §15.6.3 to §15.6.5: nobody did it, or nobody knows


class Received(Struct, frozen=True):
    """An answer, whatever its status."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def media_type(self) -> str:
        """What it says it is, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Connection:
    """Speaks HTTP to an origin; one client for the whole run, made at the first use."""

    def __init__(
        self,
        origin: str,
        *,
        clock: Clock,
        entropy: Entropy,
        ca: str | None = None,
        pause: Callable[[float], None] = sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.origin = origin
        self.clock_difference: timedelta | None = None  # the server's clock less ours, to the second
        self._clock = clock
        self._entropy = entropy
        self._ca = ca
        self._pause = pause
        self._transport = transport
        self._client: httpx.Client | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        repeatable: bool = False,
    ) -> Received:
        """Send a request and return the answer.

        Args:
            method: GET, POST or DELETE.
            path: with its leading slash, on the origin.
            params: the query.
            headers: more than what is always sent.
            content: the body.
            repeatable: sending it twice does nothing twice.
        """
        for tries_left in reversed(range(TRIES)):
            number = TRIES - tries_left
            try:
                received = self._send(method, path, params or {}, headers or {}, content)
            except ServerUnreachable as error:
                may_repeat = repeatable or error.code == failing.REFUSED
                if error.code == failing.TOO_SLOW or not (tries_left and may_repeat):
                    raise failing.as_unreachable(error) from error.__cause__
                self._pause(self._pause_before(number).total_seconds())
                continue
            wait = self._wait_for(received, number)
            if received.status in BUSY and repeatable and tries_left and wait <= LONGEST_PAUSE:
                self._pause(wait.total_seconds())
                continue
            return received
        raise ServerTroubled(f'the server at "{self.origin}" could not answer just now')  # pragma: no cover

    def new_key(self) -> str:
        """Return a new idempotency key."""
        return self._entropy(16).hex()

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _send(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], content: bytes | None
    ) -> Received:
        import httpx

        until = self._clock() + ALL_WITHIN
        try:
            with self._opened().stream(method, path, params=params, headers=headers, content=content) as response:
                self._note_clock(response.headers.get("date"))
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise NotPassless(f'the answer of "{self.origin}" is too large')
                    if self._clock() > until:
                        raise failing.too_slow(self.origin)
                return Received(response.status_code, bytes(body), response.headers)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise failing.in_our_words(error, self.origin) from error

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx

            is_secure = self.origin.startswith("https://")
            within = ANSWER_WITHIN.total_seconds()
            self._client = httpx.Client(
                base_url=self.origin,
                verify=failing.trusting(self._ca) if is_secure else True,
                timeout=httpx.Timeout(within, connect=CONNECT_WITHIN.total_seconds()),
                follow_redirects=False,
                trust_env=is_secure,  # a proxy never sees what goes to this machine in the clear
                headers={"User-Agent": f"passless/{passless.__version__}", "Accept-Encoding": "identity"},
                transport=self._transport,
            )
        return self._client

    def _note_clock(self, date: str | None) -> None:
        try:
            there = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if there.tzinfo is None:
            there = there.replace(tzinfo=UTC)
        self.clock_difference = there - self._clock().replace(microsecond=0)

    def _wait_for(self, received: Received, number: int) -> timedelta:
        """Return how long to wait before the next try: as long as the server says, else a little longer each time."""
        said = received.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit():
            return timedelta(seconds=int(said[:6]))
        try:
            return max(parsedate_to_datetime(said) - self._clock(), timedelta(0))
        except (ValueError, TypeError):
            return self._pause_before(number)

    def _pause_before(self, number: int) -> timedelta:
        longest: timedelta = FIRST_PAUSE * 2 ** (number - 1)
        by_chance = int.from_bytes(self._entropy(2), "big") / 0xFFFF
        return longest / 2 + longest / 2 * by_chance
