"""What a code or a device code is exchanged for: a session, opened in the same transaction that uses the code up.

The command line gets one to act as the person, a relying party one that says who somebody is (`actions.granting`).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from passless.actions import consents, granting, relying_parties
from passless.actions.accounts import Found, find_id
from passless.actions.parts import Parts
from passless.domain.account import Account
from passless.domain.secret import Secret
from passless.domain.sessions import Session
from passless.ports import NoSuchAccount, Record, VersionMoved, Write
from passless.server.oauth import codes, devices
from passless.server.oauth.clients import KnownClient
from passless.server.oauth.recording import entry_of
from passless.server.site import Site

TRIES = 8  # of a transaction that others came in between


class Grant(Struct, frozen=True, kw_only=True):
    """What is given: to whom, out of which session, under which scope."""

    client: KnownClient
    scope: str
    place: str
    source: Session
    by_device: bool = False


def for_code(site: Site, client: KnownClient, held: codes.Held, place: str) -> dict[str, Any] | None:
    """Give what a code stands for; None where it was used meanwhile, or the session that agreed has ended."""
    for _ in range(TRIES):
        code = held.code
        found, source = whose(site.parts, code.account_id, code.browser)
        if found is None or source is None or not _may_give(client, source):
            return None
        grant = Grant(client=client, scope=code.scope, place=place, source=source)
        session, token = _session(site.parts, found.account, grant)
        try:
            _open(site.parts, found, grant, session, puts=(codes.used(held, session.id, session.expires_at),))
        except VersionMoved:
            again = codes.again(site.parts, held)
            if again is None:
                return None
            held = again
            continue
        return _told(site.parts, found, grant, session, token)
    raise VersionMoved


def for_device(site: Site, client: KnownClient, waiting: devices.Waiting, place: str) -> dict[str, Any] | None:
    """Give what an approved device code stands for; None where another request was faster, or who approved signed out."""
    for _ in range(TRIES):
        device = waiting.device
        found, source = whose(site.parts, device.account_id, device.approved_in)
        if found is None or source is None or not granting.says_who(source):
            return None
        grant = Grant(client=client, scope=device.scope, place=place, source=source, by_device=True)
        session, token = _session(site.parts, found.account, grant)
        try:
            _open(site.parts, found, grant, session, drops=(waiting.record,))
        except VersionMoved:
            again = devices.again(site.parts, waiting)
            if again is None:
                return None
            waiting = again
            continue
        return _told(site.parts, found, grant, session, token)
    raise VersionMoved


def whose(parts: Parts, account_id: str, line: str) -> tuple[Found | None, Session | None]:
    """Return the account, and the session in which somebody agreed, where it still holds."""
    now = parts.now()
    try:
        found = find_id(parts, account_id, now)
    except NoSuchAccount:
        return None, None
    methods = {method.id for method in found.account.methods}
    for session in parts.store.sessions(found.account.id):
        opened = {proof.method for proof in session.proofs if proof.method is not None}
        if session.line == line and not session.is_expired(now) and opened <= methods:
            return found, session
    return found, None


def _may_give(client: KnownClient, source: Session) -> bool:
    return client.is_command_line or granting.says_who(source)


def _session(parts: Parts, account: Account, grant: Grant) -> tuple[Session, Secret]:
    """Make the session that is given, and its token."""
    if not grant.client.is_command_line:
        scopes, client_id = tuple(grant.scope.split()), grant.client.get_client_id()
        return granting.for_client(parts, account, grant.source, client=client_id, scopes=scopes, place=grant.place)
    give = granting.for_device if grant.by_device else granting.from_browser
    return give(parts, account, grant.source, place=grant.place)


def _open(
    parts: Parts,
    found: Found,
    grant: Grant,
    session: Session,
    *,
    puts: tuple[Record, ...] = (),
    drops: tuple[Record, ...] = (),
) -> None:
    """Open the session, in one transaction with what it was given for."""
    account, client_id = found.account, grant.client.get_client_id()
    details = {"kinds": session.kind, "client": client_id, "name": grant.client.client.name, "session": session.id}
    if not grant.client.is_command_line:
        puts = (*puts, relying_parties.given(client_id, session.id, account.id, session.expires_at))
    parts.store.commit(
        Write(
            at=session.created_at,
            account_id=account.id,
            expected=found.version,
            opens=session,
            updates=grant.source,  # which has not ended, nor changed, since it was read
            puts=puts,
            drops=drops,
            events=(entry_of(account, grant.place, "sign-in", session.created_at, details),),
        )
    )


def _told(parts: Parts, found: Found, grant: Grant, session: Session, token: Secret) -> dict[str, Any] | None:
    """Return what the client gets; one that was removed, or that the person put out, while this was done gets nothing."""
    if not _still_wanted(parts, found.account, grant):
        parts.store.commit(Write(at=parts.now(), ends=(session.id,)))
        return None
    told: dict[str, Any] = {
        "access_token": token.reveal(),
        "token_type": "Bearer",
        "expires_in": int((session.expires_at - parts.now()).total_seconds()),
    }
    if grant.scope:
        told["scope"] = grant.scope
    if grant.client.is_command_line:
        told |= {"account": found.account.name, "account_id": found.account.id}
    return told


def _still_wanted(parts: Parts, account: Account, grant: Grant) -> bool:
    """Tell whether a client is still registered, and by a code still agreed to; a device code is agreed to once."""
    if grant.client.is_command_line:
        return True
    client_id = grant.client.get_client_id()
    if relying_parties.find(parts, client_id) is None:
        return False
    return grant.by_device or consents.covers(parts, account.id, client_id, grant.scope)
