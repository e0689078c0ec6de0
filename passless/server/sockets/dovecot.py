"""A unix socket on which Dovecot asks who somebody is, in its dict protocol.

Who may connect may guess app passwords as fast as the server looks them up, so the socket is for Dovecot alone: 0660, of the
group that the address names (`unix:/path?group=dovecot`), else of the group that its folder gives.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from functools import partial
from pathlib import Path
from typing import cast

from passless.domain.names import printable
from passless.domain.relying_parties import Client
from passless.private_files import reason
from passless.server import listening
from passless.server.batches import Batches
from passless.server.listening import CannotListen, Place
from passless.server.log import Log
from passless.server.own_loop import OwnLoop
from passless.server.site import Site
from passless.server.sockets import dict_protocol
from passless.server.sockets.dict_protocol import HELLO, ITERATE, LOOK_UP, NOT_THERE, BadLine, not_now
from passless.server.sockets.mail_answers import LATER, Asking, answer
from passless.server.sockets.opening import BadSocket

UNIX = "unix:"
FLAG = "--socket NAME="  # what stands before the address
GROUP = "group="
MOST_WAITING = 256  # questions of one connection that are not answered yet; then it is not listened to for a while
NO_LISTS = "people are not listed here"


async def open_at(site: Site, log: Log, party: Client, address: str) -> OpenedSocket:
    """Begin to answer Dovecot."""
    path, group = place_of(address)
    place = Place(path=path)
    listens = listening.listen(place, flag=FLAG)
    try:
        if group:
            _give(path, group)
        answering = Answering(site, log, party)
        own = OwnLoop(f"passless {party.name}")
        try:
            server = await own.do(_serve(answering, listens))
        except BaseException:
            await own.aclose(answering.close)
            raise
    except BaseException:
        listens.close()
        listening.leave(place)
        raise
    return OpenedSocket(f"{UNIX}{path}", Path(path), server, answering, own)


async def _serve(answering: Answering, listens: socket.socket) -> asyncio.Server:
    return await asyncio.get_running_loop().create_unix_server(lambda: Connection(answering), sock=listens)


def _give(path: str, group: str) -> None:
    """Let a group open the socket, where it is not that group's already: a server under systemd may not ask for that."""
    import grp  # which Windows has not

    whose = f'"{printable(path)}" cannot be for the group "{printable(group)}"'
    try:
        number = grp.getgrnam(group).gr_gid
        if Path(path).stat().st_gid != number:
            os.chown(path, -1, number)
    except LookupError as error:
        raise CannotListen(
            f"{whose}: there is none", hint="the group is the one that Dovecot runs as; see: getent group"
        ) from error
    except OSError as error:
        hint = f"the server's user has to be in that group, or be root: usermod --append --groups {printable(group)} USER"
        raise CannotListen(f"{whose}: {reason(error)}", hint=hint) from error


def place_of(address: str) -> tuple[str, str]:
    """Return the path of a socket, and the group that it is for."""
    path, question, rest = address.removeprefix(UNIX).partition("?")
    group = rest.removeprefix(GROUP)
    if not address.startswith(UNIX) or (question and (group == rest or not group)):
        hint = "write it as NAME=unix:/run/passless/NAME.sock or NAME=unix:/run/passless/NAME.sock?group=dovecot"
        raise BadSocket(f'"{printable(address)}" is no socket for a mail server', hint=hint)
    return path, group


class OpenedSocket:
    """A socket that is answered until it is closed."""

    def __init__(self, address: str, path: Path, server: asyncio.Server, answering: Answering, own: OwnLoop) -> None:
        self.address = address
        self._path = path
        self._server = server
        self._answering = answering
        self._own = own

    async def aclose(self) -> None:
        """Answer nobody any more; Dovecot takes that for a passing fault and comes back."""
        await self._own.aclose(self._end)
        listening.leave(Place(path=str(self._path)))

    def _end(self) -> None:
        self._server.close()
        self._answering.close()


class Answering:
    """What all connections share: whom they ask, and in which batches. It is used on the loop of its own alone."""

    def __init__(self, site: Site, log: Log, party: Client) -> None:
        self.open: set[Connection] = set()
        self._site = site
        self._log = log
        self._party = party
        self._asking = Asking(site, party)
        self._batches = Batches(site.parts.store, in_place=True)

    def ask(self, key: bytes) -> asyncio.Future[bytes] | None:
        """Return what will be the answer; None where nothing of ours is asked for."""
        asked = dict_protocol.question(key)
        if asked is None:
            return None
        return self._batches.do(partial(answer, self._site, self._asking, asked))

    def outcome(self, done: asyncio.Future[bytes]) -> bytes:
        """Return the line of an answer that is there; what went wrong is never a no."""
        if done.cancelled():
            return not_now(LATER)
        error = done.exception()
        if error is not None:
            self._log.fault(error, request_id=f"socket {self._party.name}")
            return not_now(LATER)
        return done.result()

    def close(self) -> None:
        """End every connection."""
        for connection in tuple(self.open):
            connection.end()


class Connection(asyncio.Protocol):
    """One connection of Dovecot: lines come in, and answers go out in their order."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._greeted = False
        self._is_heard = True  # what is answered is read, or fits into the buffers on the way
        self._answers: deque[asyncio.Future[bytes] | bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take what can be written to."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._answering.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what nobody waits for any more; a check that was begun is finished all the same."""
        self._answering.open.discard(self)
        self._answers.clear()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Read the whole lines of what came."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        if len(self._unread) > dict_protocol.LONGEST_LINE:
            self.end()
        for line in lines:
            if self._transport is None or self._transport.is_closing():
                return
            self._take(line)
        self._write()
        self._listen()

    def pause_writing(self) -> None:
        """Take no questions from who reads no answers."""
        self._is_heard = False
        self._listen()

    def resume_writing(self) -> None:
        """Go on where the answers are read again."""
        self._is_heard = True
        self._listen()

    def end(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _take(self, line: bytes) -> None:
        kind = line[:1]
        if not self._greeted:
            self._greeted = kind == HELLO
            if not self._greeted:
                self.end()
        elif kind == LOOK_UP:
            self._look_up(line)
        elif kind == ITERATE:
            self._answers.append(not_now(NO_LISTS))
        else:
            self.end()  # it wants to change something, or is not Dovecot

    def _look_up(self, line: bytes) -> None:
        try:
            asked = self._answering.ask(dict_protocol.key_of(line))
        except BadLine:
            self.end()
            return
        self._answers.append(NOT_THERE if asked is None else asked)
        if asked is not None:
            asked.add_done_callback(self._write)

    def _write(self, _: object = None) -> None:
        """Write every answer whose turn it is."""
        ready = []
        while self._answers:
            first = self._answers[0]
            if isinstance(first, asyncio.Future):
                if not first.done():
                    break
                first = self._answering.outcome(first)
            ready.append(first)
            self._answers.popleft()
        if ready and self._transport is not None:
            self._transport.write(b"".join(ready))
            self._listen()

    def _listen(self) -> None:
        """Read questions as long as there is room for them here, and for answers at the other end; else not for now."""
        if self._transport is None or self._transport.is_closing():
            return
        has_room = self._is_heard and len(self._answers) <= MOST_WAITING
        if has_room and not self._transport.is_reading():
            self._transport.resume_reading()
        elif not has_room and self._transport.is_reading():
            self._transport.pause_reading()
