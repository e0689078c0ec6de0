"""RADIUS on the loopback, for the PAM module of the server's own host (or of one that reaches it through a tunnel).

A packet is dealt with once: what it was answered is sent again to whoever sends it again (RFC 5080 §2.2.2). What was not made
with the secret is neither answered nor counted as anybody's guess. Nor is what has the authenticator of another packet: the
host makes a new one for each, and who saw one packet could put another password into it. While store or vault do not answer,
nothing is said, and the module says that the service cannot be reached.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address
from typing import cast

from litestar.concurrency import sync_to_thread
from msgspec import Struct

from passless.actions import relying_parties
from passless.domain.errors import PasslessError
from passless.domain.names import printable
from passless.domain.relying_parties import Client
from passless.private_files import reason
from passless.programs.radius_packets import ECHO, NO_ECHO, Asked, Attribute, BadPacket, Code, answer, read
from passless.server.batches import Batches
from passless.server.listening import CannotListen
from passless.server.log import Log
from passless.server.site import Site
from passless.server.sockets.host_conversation import USED, Conversation, NotFromHost, Reply, Stage
from passless.server.sockets.opening import BadSocket

SENT_AGAIN_FOR = 60.0  # seconds that an answer is kept; a module waits at most as long for one
MOST_KEPT = 4096  # answers; the oldest go first
MOST_USED = 65_536  # authenticators of the host's packets, which stand in no other packet; the oldest are forgotten first
MOST_AT_ONCE = 256  # packets that are dealt with; who comes then asks again
PATIENCE = 3.0  # seconds that somebody who presses Enter too early is waited for; less than TIMEOUT of `programs.pam`
LOOK_EVERY = 0.25  # seconds between two looks: whether somebody approved, and whether the host is registered as before

Address = tuple[str, int]


class Dealt(Struct):
    """A packet that came: from where, when, and what was answered, as soon as it is."""

    address: Address
    at: float
    answer: bytes | None = None


class Spoken(Struct, frozen=True):
    """With which host, with which secret, and what is said to it."""

    party: Client
    secret: bytes
    conversation: Conversation


def spoken_with(site: Site, party: Client) -> Spoken:
    """Return what is spoken with a host as it is registered; `NoSuchRelyingParty` where its secret is not kept."""
    secret = relying_parties.read_secret(site.parts, party).reveal().encode()
    return Spoken(party, secret, Conversation(site, party))


class Endpoint(asyncio.DatagramProtocol):
    """One open port."""

    def __init__(self, site: Site, log: Log, party: Client) -> None:
        self._site, self._log = site, log
        self._batches = Batches(site.parts.store)
        self._spoken = spoken_with(site, party)
        self._looked_at = -LOOK_EVERY
        self._looking = asyncio.Lock()
        self._dealt: OrderedDict[bytes, Dealt] = OrderedDict()
        self._used: OrderedDict[bytes, bytes] = OrderedDict()  # in which packet each authenticator stood
        self._tasks: set[asyncio.Task[None]] = set()
        self._passed_over = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is one without saying so

    def datagram_received(self, packet: bytes, address: Address) -> None:
        """Deal with a packet, once."""
        key = sha256(packet).digest()
        before = self._dealt.get(key)
        if before is not None:
            if before.answer is not None and before.address == address[:2]:
                self._send(before.answer, address)
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            return
        task = asyncio.create_task(self._take(packet, key, address[:2]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Answer nobody any more."""
        for task in self._tasks:
            task.cancel()
        if self._transport is not None:
            self._transport.close()

    async def _take(self, packet: bytes, key: bytes, address: Address) -> None:
        """Read a packet with the secret that the host has now, and answer it."""
        await self._follow()
        spoken = self._spoken
        try:
            asked = read(packet, spoken.secret)
            stage = spoken.conversation.stage_of(asked)
            self._use(asked.authenticator, key)
        except (BadPacket, NotFromHost) as error:
            self._pass_over(str(error))
            return
        if key not in self._dealt:  # it may have come twice meanwhile
            dealt = Dealt(address, asyncio.get_running_loop().time())
            self._keep(key, dealt)
            await self._answer(spoken, asked, stage, key, dealt)

    async def _follow(self) -> None:
        """See some times a second whether the host has another secret, or was added anew under its name."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now < self._looked_at + LOOK_EVERY:
                return
            self._looked_at = now
            with suppress(PasslessError):  # what is answered says so
                self._spoken = await sync_to_thread(self._as_now)

    def _as_now(self) -> Spoken:
        before = self._spoken
        party = relying_parties.as_now(self._site.parts, before.party)
        if party is None or (party.id, party.secret_hash) == (before.party.id, before.party.secret_hash):
            return before
        return spoken_with(self._site, party)

    async def _answer(self, spoken: Spoken, asked: Asked, stage: Stage | None, key: bytes, dealt: Dealt) -> None:
        try:
            reply = await self._reply(spoken.conversation, asked, stage)
        except PasslessError as error:
            self._log.line("warning", "second-step-unavailable", relying_party=spoken.party.id, code=error.code)
            self._dealt.pop(key, None)  # what is sent again is looked at again
            return
        except Exception as error:  # noqa: BLE001 - a fault is written down, and the host is told nothing
            self._log.fault(error, request_id=f"radius-{asked.identifier}")
            self._dealt.pop(key, None)
            return
        dealt.answer = answer(reply.code, asked, spoken.secret, _attributes(spoken.conversation, reply))
        self._send(dealt.answer, dealt.address)

    async def _reply(self, conversation: Conversation, asked: Asked, stage: Stage | None) -> Reply:
        """Return what is answered; who waits for an approval is told as soon as it is there, or that it is not."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while True:
            reply: Reply = await self._batches.do(lambda: conversation.reply(asked, stage))
            if not reply.waits or loop.time() + LOOK_EVERY >= until:
                return reply
            await asyncio.sleep(LOOK_EVERY)

    def _use(self, authenticator: bytes, key: bytes) -> None:
        """Note in which packet an authenticator stands; `NotFromHost` where it stood in another one."""
        if self._used.setdefault(authenticator, key) != key:
            raise NotFromHost(USED)
        if len(self._used) > MOST_USED:
            self._used.popitem(last=False)

    def _keep(self, key: bytes, dealt: Dealt) -> None:
        self._dealt[key] = dealt
        while len(self._dealt) > MOST_KEPT or next(iter(self._dealt.values())).at < dealt.at - SENT_AGAIN_FOR:
            self._dealt.popitem(last=False)

    def _send(self, packet: bytes, address: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet, address)

    def _pass_over(self, why: str) -> None:
        """Count what nobody with the secret sent; the first, the tenth, the hundredth are written down."""
        self._passed_over += 1
        if str(self._passed_over).strip("0") == "1":
            self._log.line(
                "warning", "packet-passed-over", relying_party=self._spoken.party.id, why=why, number=self._passed_over
            )


def _attributes(conversation: Conversation, reply: Reply) -> list[tuple[Attribute, bytes]]:
    if reply.code is not Code.CHALLENGE or reply.stage is None:
        return []
    return [
        (Attribute.REPLY_MESSAGE, reply.text.encode()),
        (Attribute.PROMPT, ECHO if reply.echo else NO_ECHO),
        (Attribute.STATE, conversation.state(reply.stage)),
    ]


class Port:
    """An endpoint, and where it is."""

    def __init__(self, address: str, endpoint: Endpoint) -> None:
        self.address = address
        self._endpoint = endpoint

    async def aclose(self) -> None:
        """Answer nobody any more."""
        self._endpoint.close()


async def open_at(site: Site, log: Log, party: Client, address: str) -> Port:
    """Begin to answer a host; `BadSocket` where the port is none of the loopback's, `CannotListen` where it is taken."""
    host, port = place_of(address)
    bound = _bound(host, port, address)
    try:
        endpoint = Endpoint(site, log, party)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: endpoint, sock=bound)
    except BaseException:
        bound.close()
        raise
    taken = transport.get_extra_info("sockname")[1]
    return Port(f"udp:[{host}]:{taken}" if ":" in host else f"udp:{host}:{taken}", endpoint)


def _bound(host: str, port: int, address: str) -> socket.socket:
    """Take a port; not by the loop, for what uvloop says of a port that is taken does not say why."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        found.setblocking(False)
        found.bind((host, port))
    except OSError as error:
        found.close()
        hint = "see who has it: ss --udp --listening --processes"
        raise CannotListen(f'"{printable(address)}" cannot be had: {reason(error)}', hint=hint) from error
    return found


def place_of(address: str) -> Address:
    """Read `udp:127.0.0.1:PORT` or `udp:[::1]:PORT`: the module's answers are worth no more than the way they take."""
    host, _, port = address.removeprefix("udp:").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    is_loopback = False
    with suppress(ValueError):
        is_loopback = ip_address(host).is_loopback
    if not (address.startswith("udp:") and is_loopback and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise BadSocket(f'"{printable(address)}" is no port of the loopback', hint="write it as udp:127.0.0.1:PORT")
    return host, int(port)
