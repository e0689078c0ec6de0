"""Posting a logout token to a program: to an address that was looked at, in time, following nobody, reading no body.

Operators register programs from elsewhere, and have no right on the server's host or in its network: what they register is
told only at addresses of the public internet.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from passless.domain.inner_addresses import is_public

TIME_LIMIT = 5.0  # seconds of one try
PORTS = {"https": 443, "http": 80}
INNER = "its name stands for an address inside this network; register it on the server's host"


class Answer(Struct, frozen=True):
    """The status of an answer, 0 where there was none, and what to say of it."""

    status: int
    said: str


async def post(uri: str, token: str, *, inwards: bool) -> Answer:
    """Post a logout token; `inwards`: it may be told at an address that is not public."""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            return await _post(uri, token, inwards=inwards)
    except (OSError, ValueError) as error:  # a time-out among them
        return Answer(0, type(error).__name__)


async def _post(uri: str, token: str, *, inwards: bool) -> Answer:
    found = await _addresses(uri)
    allowed = [one for one in found if inwards or is_public(one)]
    for address in allowed:
        answer = await _post_to(address, uri, token, TIME_LIMIT / len(allowed))
        if answer is not None:
            return answer  # else the next of its addresses: not every network has both kinds
    return Answer(0, "nobody answers there" if allowed else INNER)


async def _addresses(uri: str) -> tuple[str, ...]:
    """Return what an address's name stands for now."""
    named = urlsplit(uri)
    port = named.port or PORTS[named.scheme]
    found = await asyncio.get_running_loop().getaddrinfo(named.hostname, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


async def _post_to(address: str, uri: str, token: str, patience: float) -> Answer | None:
    """Post to one address by its number; the certificate must be of the name all the same. None where nobody is there.

    A connection is never used again: it could be one that another name was checked for.
    """
    import httpx

    named = urlsplit(uri)
    number = f"[{address}]" if ":" in address else address
    at = urlunsplit(named._replace(netloc=number if named.port is None else f"{number}:{named.port}"))
    checked_as = {"sni_hostname": named.hostname} if named.scheme == "https" else {}
    limits = httpx.Timeout(TIME_LIMIT, connect=patience)
    try:
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=_trusted(), timeout=limits) as http,
            http.stream(
                "POST", at, data={"logout_token": token}, headers={"Host": named.netloc}, extensions=checked_as
            ) as answer,
        ):
            return Answer(answer.status_code, f"it answered {answer.status_code}")
    except httpx.ConnectTimeout:
        return None
    except httpx.ConnectError as error:  # what is wrong with a certificate is one too
        return Answer(0, str(error)) if "certificate" in str(error).lower() else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(0, type(error).__name__)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
