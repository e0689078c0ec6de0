"""Relying parties: registering them, finding them, and taking everything back that they were given."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice, takewhile

import msgspec

from passless.actions import naming, operators, sealed_records
from passless.actions.parts import Parts
from passless.actions.who import Acting, NotAnOperator, check_fresh, operating, place_of, reason_of
from passless.domain import names
from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import NotFound, WrongUse
from passless.domain.party_kinds import REACH, PartyKind, Requirement
from passless.domain.relying_parties import BadRedirectUri, BadRelyingParty, Client, NewRelyingParty, cleaned
from passless.domain.secret import Secret
from passless.domain.sessions import SessionId
from passless.domain.views import Ended, MadeRelyingParty, RelyingPartyView
from passless.ports import Record, VersionMoved, Write, item_as_it_was, item_of_record
from passless.ports.directory import Actor

CLIENTS = "oauth-client"  # the kind of record that is a client; its key is the client's id
GIVEN = "oauth-session"  # what was given to a client: CLIENT/SESSION
CONSENTS = "oauth-consent"  # what a person agreed to: CLIENT/ACCOUNT
COMMAND_LINE = "passless-cli"  # the id of the command line itself, which is known without being registered
SECRET_PREFIX = "plc_"  # a client's secret: recognisable in a leak
NO_ACCOUNT = AccountId("")  # whose a relying party is
SECRETS = "relying-party-secret"  # sealed records, by client id, for kinds whose protocol is spoken with the secret
READ_BACK = frozenset({PartyKind.PAM})  # RADIUS
ON_HOST = "register it on the server's host, or name an address of the public internet"
MOST_AT_ONCE = 200  # sessions that end in one transaction


class NoSuchRelyingParty(NotFound):
    """There is no such relying party."""

    code = "no-such-relying-party"
    hint = "see what there is: passless relying-party list"


class RelyingPartyTaken(WrongUse):
    """Another relying party has that name."""

    code = "name-in-use"
    hint = "choose another name, or see: passless relying-party list"


def add(parts: Parts, actor: Actor, new: NewRelyingParty) -> MadeRelyingParty:
    """Register a relying party; its secret is made here and shown once."""
    from passless.credentials.random_codes import new_token

    name, reason = changing(parts, actor, "add-relying-party")
    client = checked(parts, new)
    secret = None if new.public else new_token(parts.entropy, prefix=SECRET_PREFIX)
    hashed = None if secret is None else secret_hash(secret)
    client = msgspec.structs.replace(client, secret_hash=hashed, made_by=name)
    put = Record(kind=CLIENTS, key=client.id, document=msgspec.json.encode(client))
    entry = entry_of(parts, actor, name, "add-relying-party", client, reason)
    puts = (put,) if secret is None or client.kind not in READ_BACK else (put, _kept_secret(parts, client.id, secret))
    parts.store.commit(Write(at=client.created_at, puts=puts, events=(entry,)))
    if secret is not None and len(puts) > 1:
        sealed_records.settle(parts, SECRETS, client.id, secret.reveal().encode())
    shown = view(client)
    return MadeRelyingParty(**msgspec.structs.asdict(shown), secret=secret)


def new_secret(parts: Parts, actor: Actor, words: str) -> MadeRelyingParty:
    """Give a relying party another secret, shown once; the one before is good for nothing from now on, and all else stays.

    Raises:
        BadRelyingParty: it is public, and has none.
    """
    from passless.credentials.random_codes import new_token

    name, reason = changing(parts, actor, "new-relying-party-secret")
    client, record = registered(parts, words)
    if client.is_public:
        raise BadRelyingParty(f'"{client.name}" is public: it has no secret', hint="nothing has to be done")
    secret = new_token(parts.entropy, prefix=SECRET_PREFIX)
    after = msgspec.structs.replace(client, secret_hash=secret_hash(secret))
    puts = [msgspec.structs.replace(record, document=msgspec.json.encode(after))]
    if client.kind in READ_BACK:
        puts.append(_kept_secret(parts, client.id, secret, over=parts.store.record(SECRETS, client.id)))
    entry = entry_of(parts, actor, name, "new-relying-party-secret", client, reason)
    ended = (item_as_it_was(record),)  # an old copy of the store brings no old secret back
    parts.store.commit(Write(at=parts.now(), account_id=NO_ACCOUNT, puts=tuple(puts), ended=ended, events=(entry,)))
    if client.kind in READ_BACK:
        sealed_records.settle(parts, SECRETS, client.id, secret.reveal().encode())
    return MadeRelyingParty(**msgspec.structs.asdict(view(after)), secret=secret)


def checked(parts: Parts, new: NewRelyingParty) -> Client:
    """Return what would be registered, without a secret; else the error says what cannot be."""
    new = cleaned(new)
    check_free(parts, new.name)
    if new.told_of_endings_at and not parts.looks_in:
        check_told_at(new.told_of_endings_at)
    return Client(
        id=parts.new_id(),
        name=new.name,
        redirect_uris=new.redirect_uris,
        created_at=parts.now(),
        scopes=new.scopes,
        introspects=new.introspects,
        kind=PartyKind(new.kind),
        requires=Requirement(new.requires),
        services=new.services,
        after_sign_out=new.after_sign_out,
        told_of_endings_at=new.told_of_endings_at,
        signed_with=new.signed_with,
        groups=new.groups,
        made_on_host=parts.looks_in,
    )


def check_free(parts: Parts, name: str, *, own: str = "") -> None:
    """Refuse a name that another relying party has; `own` is the id of whoever may keep its own."""
    taken = any(one.id != own and names.are_same(one.name, name) for one in clients(parts))
    if taken or names.are_same(name, COMMAND_LINE):
        raise RelyingPartyTaken(f'there is a relying party "{name}" already')


def check_told_at(uri: str) -> None:
    """Refuse what leads into the network that the server stands in: an operator has no right there."""
    from passless.domain.inner_addresses import is_surely_inner

    if is_surely_inner(uri):
        raise BadRedirectUri(f'"{uri}" is inside the server\'s network', hint=ON_HOST)


def everyone(parts: Parts, actor: Actor) -> tuple[RelyingPartyView, ...]:
    """List the relying parties, in the order of their names."""
    overseer(parts, actor)
    return tuple(sorted((view(one) for one in clients(parts)), key=lambda one: names.key(one.name)))


def remove(parts: Parts, actor: Actor, words: str) -> Ended:
    """Forget a relying party by its id or name: its tokens end at once, and what people agreed to is gone with it."""
    name, reason = changing(parts, actor, "remove-relying-party")
    found, record = registered(parts, words)
    kept = parts.store.record(SECRETS, found.id)
    parts.store.commit(
        Write(
            at=parts.now(),
            account_id=NO_ACCOUNT,
            drops=(record,) if kept is None else (record, kept),
            ended=(item_of_record(CLIENTS, found.id),),
            events=(entry_of(parts, actor, name, "remove-relying-party", found, reason),),
        )
    )  # first, so that no new token is given meanwhile
    return Ended(ended=tuple(_end_all(parts, found.id)))


def clients(parts: Parts) -> Iterator[Client]:
    """Return every relying party that was registered."""
    return (msgspec.json.decode(one.document, type=Client) for one in parts.store.records(CLIENTS))


def find(parts: Parts, client_id: str) -> tuple[Client, Record] | None:
    """Return a registered relying party by its id, and its record to hold it to."""
    record = parts.store.record(CLIENTS, client_id)
    return None if record is None else (msgspec.json.decode(record.document, type=Client), record)


def given(client_id: str, session_id: str, account_id: str, ends_at: datetime) -> Record:
    """Return the record that says a session was given to a client, to be kept with the session."""
    return Record(kind=GIVEN, key=f"{client_id}/{session_id}", document=b"{}", account_id=account_id, ends_at=ends_at)


def given_to(parts: Parts, client_id: str) -> Iterator[Record]:
    """Return the records of every session that was given to a client; the key of each ends with the session."""
    front = f"{client_id}/"
    return takewhile(lambda one: one.key.startswith(front), parts.store.records(GIVEN, after=front))


def secret_hash(secret: Secret) -> bytes:
    """Return what is kept of a client's secret; 256 random bits need no slower hash (security.md)."""
    return sha256(secret.reveal().encode("utf-8", "surrogatepass")).digest()


def is_secret(client: Client, typed: Secret) -> bool:
    """Check a client's secret in constant time."""
    return hmac.compare_digest(secret_hash(typed), client.secret_hash or b"")


def read_secret(parts: Parts, client: Client) -> Secret:
    """Return the secret of a relying party whose protocol is spoken with it, for the server itself.

    Raises:
        NoSuchRelyingParty: none is kept.
    """
    record = parts.store.record(SECRETS, client.id)
    if record is None:
        raise NoSuchRelyingParty(
            f'the secret of "{client.name}" is not kept', hint=f"make another: passless relying-party new-secret {client.id}"
        )
    return Secret(sealed_records.opened(parts, record).decode())


def _kept_secret(parts: Parts, client_id: str, secret: Secret, *, over: Record | None = None) -> Record:
    version = 0 if over is None else over.version
    return sealed_records.sealed(parts, SECRETS, client_id, secret.reveal().encode(), version=version)


def find_named(parts: Parts, name: str) -> Client | None:
    """Return a relying party by its id or name, for the server itself."""
    return next((one for one in clients(parts) if one.id == name or names.are_same(one.name, name)), None)


def as_now(parts: Parts, before: Client) -> Client | None:
    """Return a relying party as it is registered now: it, or the one of its name and kind that was added in its place."""
    found = find(parts, before.id)
    if found is not None:
        return found[0]
    named = find_named(parts, before.name)
    return named if named is not None and named.kind is before.kind else None


def view(client: Client) -> RelyingPartyView:
    """Return what is shown of a relying party."""
    return RelyingPartyView(
        id=client.id,
        name=client.name,
        kind=client.kind,
        public=client.is_public,
        redirect_uris=client.redirect_uris,
        scopes=client.scopes,
        introspects=client.introspects,
        created_at=client.created_at,
        requires=client.requires,
        services=client.services,
        after_sign_out=client.after_sign_out,
        told_of_endings_at=client.told_of_endings_at,
        signed_with=client.signed_with,
        groups=client.groups,
        enforces=REACH[client.kind].enforces,
        cannot=REACH[client.kind].cannot,
    )


def registered(parts: Parts, words: str) -> tuple[Client, Record]:
    """Return a relying party by its id or name, and its record; `NoSuchRelyingParty` where there is none."""
    named = naming.one_of(clients(parts), words, NoSuchRelyingParty, "relying party")
    found = find(parts, named.id)
    if found is None:
        raise NoSuchRelyingParty(f'there is no relying party "{names.printable(words)}"')
    return found


def overseer(parts: Parts, actor: Actor) -> Acting | None:
    """Return who may, on a server an operator over all; None is whoever opened the store itself."""
    if parts.looks_in:
        return None
    acting = operating(parts, actor)
    if acting is None or acting.rights.over:
        raise NotAnOperator("only an operator over all accounts may do this")
    return acting


def changing(parts: Parts, actor: Actor, asked: str) -> tuple[str, str]:
    """Return the name of who changes something, and why; an operator always says it, and has just proven who they are.

    Who may not is written down (must hold 8); `asked` is the event that it would have been.
    """
    with operators.noting_refused(parts, actor, asked):
        acting = overseer(parts, actor)
        if acting is None:
            return "owner", "" if actor.operator is None else reason_of(parts, actor)
        reason = reason_of(parts, actor)
        check_fresh(parts, acting)
        return acting.account.name, reason


def _end_all(parts: Parts, client_id: str) -> Iterator[str]:
    """End every session that was given to a client, some at a time; what another process ends meanwhile is gone as well."""
    front = f"{client_id}/"
    for kind in (GIVEN, CONSENTS):
        while batch := _some(parts, kind, front):
            ids = tuple(SessionId(one.key.removeprefix(front)) for one in batch) if kind == GIVEN else ()
            try:
                parts.store.commit(Write(at=parts.now(), ends=ids, drops=batch))
            except VersionMoved:
                continue
            yield from ids


def _some(parts: Parts, kind: str, front: str) -> tuple[Record, ...]:
    found = takewhile(lambda one: one.key.startswith(front), parts.store.records(kind, after=front))
    return tuple(islice(found, MOST_AT_ONCE))


def entry_of(parts: Parts, actor: Actor, name: str, event: str, client: Client, reason: str) -> AuditEntry:
    """Return what stands in the audit trail of somebody's doing with a relying party."""
    details = {"relying-party": client.id, "name": client.name}
    if reason:
        details["reason"] = reason
    return AuditEntry(at=parts.now(), actor=name, event=event, outcome=Outcome.DONE, place=place_of(actor), details=details)
