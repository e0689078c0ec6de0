"""A store that is a server's: it remembers its address, from which the RP ID of its keys and passkeys follows."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions.catching_up import catch_up
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import WrongUse
from passless.domain.methods import RpId, credential_of
from passless.domain.names import printable
from passless.domain.safety.context import Rules
from passless.ports import Record, Store, Write

KIND = KEY = "site"  # the record that says so
LOCALHOST = "localhost"


class BadUrl(WrongUse):
    """An address that a server cannot have."""

    code = "bad-url"
    hint = "write it as https://accounts.example.org, without a path; plain http is for localhost only"


class AnotherUrl(WrongUse):
    """The store belongs to a server at another address."""

    code = "another-url"


class Served(Struct, frozen=True, kw_only=True):
    """What a server's store remembers."""

    url: str

    @property
    def rp_id(self) -> RpId:
        """The relying party of its keys and passkeys: the host alone (WebAuthn L3 §5.1.2)."""
        return RpId(urlsplit(self.url).hostname or "")


class Moved(Struct, frozen=True, kw_only=True):
    """What another address does: how many keys and passkeys stop working, on how many accounts, and who is left without."""

    methods: int
    accounts: int


def origin_of(url: str) -> str:
    """Return an address in its normal form; `BadUrl` where a server cannot have it."""
    shown = f'"{printable(url, at_most=200)}"'
    if not url.isascii() or any(character.isspace() or not character.isprintable() for character in url):
        raise BadUrl(f"{shown} is no address: write a name with other letters in its ASCII form (xn--…)")
    try:
        split = urlsplit(url.lower())
        port = split.port
    except ValueError as error:
        raise BadUrl(f"{shown} is no address") from error
    host = split.hostname or ""
    if split.scheme not in {"http", "https"} or not host or "%" in host or port == 0:
        raise BadUrl(f"{shown} is no address")
    if split.path not in {"", "/"} or split.query or split.fragment or "@" in split.netloc or "?" in url or "#" in url:
        raise BadUrl(f"{shown} is more than a host and a port")
    if split.scheme == "http" and not is_localhost(host):
        raise BadUrl(f"{shown} is plain http, which carries secrets in the open")
    if ":" in host or host.rpartition(".")[2].isdecimal():
        raise BadUrl(f"{shown} is an address in numbers, for which no key or passkey can be made", hint="use a name")
    usual = 443 if split.scheme == "https" else 80
    return f"{split.scheme}://{host}" if port in {None, usual} else f"{split.scheme}://{host}:{port}"


def is_localhost(host: str) -> bool:
    """Tell whether a name is always this machine (RFC 6761 §6.3)."""
    return host == LOCALHOST or host.endswith(f".{LOCALHOST}")


def served_as(store: Store) -> Served | None:
    """Return the address of the server that a store belongs to; nothing where it is an embedded one."""
    record = store.record(KIND, KEY)
    return None if record is None else msgspec.json.decode(record.document, type=Served)


def serve_as(store: Store, url: str, *, at: datetime, rules: Rules, move: bool) -> Moved | None:
    """Make a store a server's, at an address; return what that changed where it had another.

    Raises:
        AnotherUrl: it has another address, and nobody said that it moves.
    """
    record, served = store.record(KIND, KEY), Served(url=url)
    moved: Moved | None = None
    events: tuple[AuditEntry, ...] = ()
    if record is not None:
        before = msgspec.json.decode(record.document, type=Served)
        if before == served:
            return None
        moved = elsewhere(store, served, rules, at)
        if not move:
            raise AnotherUrl(
                f"the store belongs to the server at {before.url}, not {url}",
                hint=f"serve it there, or move it with --new-url: {_loss(moved)}",
            )
        events = (_entry(before.url, url, at),)
    else:
        moved = elsewhere(store, served, rules, at)
    document, fresh = msgspec.json.encode(served), record or Record(kind=KIND, key=KEY, document=b"")
    store.commit(Write(at=at, puts=(replace(fresh, document=document),), events=events))
    return moved


def _entry(before: str, url: str, at: datetime) -> AuditEntry:
    details = {"url": url, "url_before": before}
    return AuditEntry(at=at, actor="owner", event="move-server", outcome=Outcome.DONE, details=details)


def elsewhere(store: Store, served: Served, rules: Rules, now: datetime) -> Moved:
    """Count the keys and passkeys that were made for another address, and so do not work at this one."""
    methods = accounts = 0
    for stored in store.accounts():
        account = catch_up(stored.account, rules, now).account
        found = [one for one in map(credential_of, account.methods) if one is not None and one.rp_id != served.rp_id]
        methods, accounts = methods + len(found), accounts + bool(found)
    return Moved(methods=methods, accounts=accounts)


def _loss(moved: Moved) -> str:
    if not moved.methods:
        return "every method goes on working"
    return f"{moved.methods} keys and passkeys of {moved.accounts} accounts then work no more"
