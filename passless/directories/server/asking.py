"""The ways of asking a server: reading, asking what changes nothing, telling once, and lists page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from passless import wire
from passless.directories.server import answers
from passless.directories.server.answers import API_VERSION, Repeated
from passless.directories.server.connection import Connection
from passless.directories.server.errors import AnswerLost, ForeignOrigin, NotPassless, OtherVersion
from passless.domain.account import Version
from passless.domain.errors import PasslessError, ProofNeeded
from passless.domain.names import BadName
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.requests import Answer, CeremonyRequest, Request
from passless.domain.views import Applied, Begun, Outcome, SecondProofNeeded, SignedIn, Waits
from passless.ports import NoSuchAccount
from passless.ports.directory import NOBODY, Actor

T = TypeVar("T")
API = "/api/v1"
NEW_ACCOUNTS = "/accounts"
FEW_PAGES, MANY_PAGES = (
    1_000,
    100_000,
)  # of a list that is kept as a whole, and of one that is streamed; a hundred things on each


def quoted(word: str) -> str:
    """Return a word as one segment of a path, whatever is in it."""
    written = quote(word, safe="", errors="replace")
    return written.replace(".", "%2E") if set(word) <= {"."} else written


def account_path(target: str, what: str = "") -> str:
    """Return the path of an account, or of something of it."""
    if not target:
        raise NoSuchAccount('there is no account ""')
    return f"/accounts/{quoted(target)}{f'/{what}' if what else ''}"


class Asking:
    """Sends documents and reads what comes back, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._greeting: wire.About | None = None

    def greeting(self) -> wire.About:
        """Return what the server says of itself, asked once."""
        if self._greeting is None:
            origin = self._connection.origin
            content = self._received("GET", "/", NOBODY, repeatable=True)
            try:
                found = wire.decode(content, wire.About)
            except wire.NotUnderstood as error:
                raise NotPassless(f'what answers at "{origin}" is no passless server') from error
            if found.api != API_VERSION:
                raise OtherVersion(
                    f'the server at "{origin}" is passless {found.version}, which speaks version {found.api} of the interface; '
                    f"this one speaks {API_VERSION}"
                )
            self._greeting = found
        return self._greeting

    def read(self, path: str, actor: Actor, kind: type[T], query: Mapping[str, str] | None = None) -> T:
        """Read a document."""
        return self._decoded(self._received("GET", path, actor, query=query, repeatable=True), kind)

    def ask(self, path: str, actor: Actor, question: Any) -> bytes:
        """Send a question that changes nothing however often it is asked."""
        return self._received("POST", path, actor, content=_written(question), repeatable=True)

    def ask_for(self, path: str, actor: Actor, question: Any, kind: type[T]) -> T:
        """Send a question and read its answer."""
        return self._decoded(self.ask(path, actor, question), kind)

    def tell(self, path: str, actor: Actor, told: Any) -> bytes:
        """Send what must not be sent twice."""
        return self._received("POST", path, actor, content=_written(told))

    def tell_for(self, path: str, actor: Actor, told: Any, kind: type[T]) -> T:
        """Send what must not be sent twice and read what came of it."""
        return self._decoded(self.tell(path, actor, told), kind)

    def begun(self, path: str, actor: Actor, request: CeremonyRequest) -> Begun:
        """Begin a ceremony; `ForeignOrigin` where a key would sign for somebody else."""
        begun = self._understood(self.tell(path, actor, request), wire.decode_begun)
        self.check_origin(begun.origin)
        return begun

    def delete(self, path: str, actor: Actor, kind: type[T]) -> T:
        """Ask for something to be stopped, and read what was."""
        return self._decoded(self._received("DELETE", path, actor), kind)

    def once(self, path: str, actor: Actor, told: Any, kind: type[T]) -> T:
        """Send what is done once, however often it had to be sent."""
        return self._unless_lost(self._keyed(path, actor, told), lambda content: wire.decode(content, kind))

    def apply(self, path: str, actor: Actor, request: Request, version: Version | None) -> Applied | Waits:
        """Send a change that is done once, and only to the account that was looked at where its version is named."""
        matched = {} if version is None else {"If-Match": f'"{version}"'}
        content = self._keyed(path, actor, request, matched)
        return self._unless_lost(content, lambda found: wire.decode_applied(found, request))

    def changed(self, path: str, actor: Actor, change: RelyingPartyChange) -> Applied:
        """Send a change of a relying party and read what it is from now on."""
        applied = self._understood(self.tell(path, actor, change), lambda found: wire.decode_applied(found, change))
        if not isinstance(applied, Applied):
            raise self._foreign_answer()
        return applied

    def outcome(self, path: str, actor: Actor, answer: Answer) -> Outcome:
        """Send an answer to a ceremony and read what came of it."""
        content = self.tell(path, actor, answer)
        outcome = self._understood(content, wire.decode_outcome)
        if isinstance(outcome, SecondProofNeeded):
            self.check_origin(outcome.origin)
        return outcome

    def signed_in(self, path: str, actor: Actor, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Send a proof and read the session that began, or what is asked next."""
        outcome = self.outcome(path, actor, answer)
        if not isinstance(outcome, SignedIn | SecondProofNeeded):
            raise self._foreign_answer()
        return outcome

    def pages(
        self, path: str, actor: Actor, kind: type[T], query: Mapping[str, str] | None = None, *, most: int = FEW_PAGES
    ) -> Iterator[T]:
        """Stream a list; the next page is asked for when it is needed."""

        def ask(cursor: str | None) -> wire.Page[T]:
            more = {} if cursor is None else {"cursor": cursor}
            return self.read(path, actor, wire.Page[kind], {**(query or {}), **more})  # type: ignore[valid-type]

        return self._streamed(ask, most)

    def posted_pages(self, path: str, actor: Actor, question: Mapping[str, Any], kind: type[T]) -> Iterator[T]:
        """Stream a list whose question is a document."""

        def ask(cursor: str | None) -> wire.Page[T]:
            return self.ask_for(path, actor, {**question, "cursor": cursor}, wire.Page[kind])  # type: ignore[valid-type]

        return self._streamed(ask, MANY_PAGES)

    def check_origin(self, named: str | None) -> None:
        """Make sure that a key signs for this server and nobody else."""
        if named is not None and named != self._connection.origin:
            raise ForeignOrigin(self._connection.origin, named)

    def _streamed(self, ask: Callable[[str | None], wire.Page[T]], most: int) -> Iterator[T]:
        """Go from page to page; `NotPassless` where that comes to no end, whatever the server says."""
        cursors: dict[str | None, None] = {None: None}
        while len(cursors) <= most:
            page = ask(next(reversed(cursors)))
            yield from page.items
            if page.next is None:
                return
            if not page.items or page.next in cursors:
                break
            cursors[page.next] = None
        raise NotPassless(f'the list of "{self._connection.origin}" never ends')

    def _keyed(self, path: str, actor: Actor, told: Any, headers: Mapping[str, str] | None = None) -> bytes:
        if actor.token is None and path != NEW_ACCOUNTS:
            return self._received("POST", path, actor, content=_written(told), headers=headers)  # keys belong to sessions
        keyed = {"Idempotency-Key": self._connection.new_key(), **(headers or {})}
        return self._received("POST", path, actor, content=_written(told), headers=keyed, repeatable=True)

    def _received(
        self,
        method: str,
        path: str,
        actor: Actor,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> bytes:
        connection = self._connection
        received = connection.send(
            method,
            API + path,
            params=query,
            content=content,
            headers={**_headers(actor, has_body=content is not None), **(headers or {})},
            repeatable=repeatable,
        )
        try:
            return answers.expect_document(received, connection.origin, had_token=actor.token is not None)
        except ProofNeeded as error:
            answers.about_clock(error, connection.clock_difference)
            raise

    def _decoded(self, content: bytes, kind: type[T]) -> T:
        return self._understood(content, lambda found: wire.decode(found, kind))

    def _understood(self, content: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(content)
        except wire.NotUnderstood as error:
            raise self._foreign_answer() from error

    def _unless_lost(self, content: bytes, decode: Callable[[bytes], T]) -> T:
        """Read an answer; one that was sent again lacks what is shown once."""
        try:
            return decode(content)
        except wire.NotUnderstood as error:
            if _is_repeated(content):
                raise AnswerLost from error
            raise self._foreign_answer() from error

    def _foreign_answer(self) -> PasslessError:
        """Return why an answer is not understood: another version, or no passless at all."""
        greeting = self.greeting()  # raises where that explains it
        return OtherVersion(
            f'the answer of "{self._connection.origin}" (passless {greeting.version}) is not understood by this version'
        )


def _written(document: Any) -> bytes:
    try:
        return wire.encode(document)
    except UnicodeEncodeError as error:
        raise BadName("there is something in it that is no text") from error


def _is_repeated(content: bytes) -> bool:
    try:
        return wire.decode(content, Repeated).repeated
    except wire.NotUnderstood:
        return False


def _headers(actor: Actor, *, has_body: bool) -> dict[str, str]:
    """Say who asks, and why where they act for somebody else."""
    headers = {"Accept": "application/json, application/problem+json"}
    if has_body:
        headers["Content-Type"] = "application/json"
    if actor.token is not None:
        headers["Authorization"] = f"Bearer {quote(actor.token.reveal(), safe='-._~+/=', errors='replace')}"  # RFC 6750 §2.1
    if actor.operator is not None:
        headers["Passless-Reason"] = quote(actor.operator.reason, safe="", errors="replace")
        if actor.operator.ticket:
            headers["Passless-Ticket"] = quote(actor.operator.ticket, safe="", errors="replace")
    return headers
