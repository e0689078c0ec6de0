"""What a code, a device code or a refresh token is exchanged for: a session, opened in the same transaction that uses it up.

The command line gets one to act as the person, a relying party one that says who somebody is (`actions.granting`), and where it
speaks OpenID Connect an id_token beside it. Whoever proved less than a relying party requires is not told of, whenever they
agreed.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import consents, granting, relying_parties
from passless.actions.accounts import Found, find_id
from passless.actions.parts import Parts
from passless.domain.account import Account, AccountId
from passless.domain.audit import AuditEntry
from passless.domain.safety.assurance import assurance
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionKind
from passless.ports import NoSuchAccount, Record, VersionMoved, Write
from passless.server.oauth import codes, devices, refreshing
from passless.server.oauth.clients import KnownClient
from passless.server.oauth.recording import entry_of
from passless.server.openid import given, id_tokens
from passless.server.openid.claims import OFFLINE, OPENID
from passless.server.openid.id_tokens import Said
from passless.server.site import Site

TRIES = 8  # of a transaction that others came in between


class Grant(Struct, frozen=True, kw_only=True):
    """What is given: to whom, out of which session, under which scope.

    `line` is the browser's session that is named in the id_token; empty where none is. `sent_to` is the address that a code
    went to.
    """

    client: KnownClient
    scope: str
    place: str
    source: Session
    by_device: bool = False
    line: str = ""
    sent_to: str = ""
    said: Said = Said()

    @property
    def is_openid(self) -> bool:
        """Whether an id_token is given."""
        return self.client.speaks_openid and OPENID in self.scope.split()

    @property
    def goes_on(self) -> bool:
        """Whether a refresh token is given."""
        return self.is_openid and OFFLINE in self.scope.split()


def for_code(site: Site, client: KnownClient, held: codes.Held, place: str) -> dict[str, Any] | None:
    """Give what a code stands for; None where it was used meanwhile, or the session that agreed has ended."""
    for _ in range(TRIES):
        code = held.code
        found, source = whose(site.parts, code.account_id, code.browser)
        if found is None or source is None or not _may_give(site.parts, client, found.account, source):
            return None
        sent_to = code.redirect_uri
        grant = Grant(
            client=client, scope=code.scope, place=place, source=source, line=source.line, sent_to=sent_to, said=code.said
        )
        giving = Giving(site, found, grant)
        try:
            giving.keep(uses=held)
        except VersionMoved:
            giving.take_back()
            again = codes.again(site.parts, held, place)
            if again is None:
                return None
            held = again
            continue
        return giving.told()
    raise VersionMoved


def for_device(site: Site, client: KnownClient, waiting: devices.Waiting, place: str) -> dict[str, Any] | None:
    """Give what an approved device code stands for; None where another request was faster, or who approved signed out."""
    for _ in range(TRIES):
        device = waiting.device
        found, source = whose(site.parts, device.account_id, device.approved_in)
        if found is None or source is None or not granting.says_who(source):
            return None
        if not _may_give(site.parts, client, found.account, source):
            return None
        giving = Giving(site, found, Grant(client=client, scope=device.scope, place=place, source=source, by_device=True))
        try:
            giving.keep(drops=(waiting.record,))
        except VersionMoved:
            giving.take_back()
            again = devices.again(site.parts, waiting)
            if again is None:
                return None
            waiting = again
            continue
        return giving.told()
    raise VersionMoved


def for_refresh(
    site: Site, client: KnownClient, held: refreshing.HeldFamily, place: str, scope: str | None
) -> dict[str, Any] | None:
    """Give what a refresh token stands for, and the next one; None where it was used meanwhile, or what it hangs on is over."""
    for _ in range(TRIES):
        parts, family = site.parts, held.family
        found, source = whose(parts, family.account_id, family.session)
        if found is None or source is None or not _is_enough(parts, client, found.account, source):
            return None
        if family.line and not consents.covers(parts, found.account.id, family.client_id, family.scope):
            return None
        asked = scope.split() if scope else family.scope.split()
        narrowed = " ".join(one for one in family.scope.split() if one in asked)
        by_device = not family.line
        grant = Grant(
            client=client, scope=narrowed, place=place, source=source, by_device=by_device, line=family.line, said=family.said
        )
        giving = Giving(site, found, grant, goes_on=held)
        try:
            giving.keep()
        except VersionMoved:
            again = refreshing.again(parts, held, place)
            if again is None:
                return None
            held = again
            continue
        return giving.told()
    raise VersionMoved


class Giving:
    """One thing that is given: everything of it is made, and signed, before anything is kept."""

    def __init__(self, site: Site, found: Found, grant: Grant, *, goes_on: refreshing.HeldFamily | None = None) -> None:
        self.site, self.parts, self.found, self.grant = site, site.parts, found, grant
        self.client_id = grant.client.get_client_id()
        self.family: Session | None = None
        self.refresh_token, self.refresh_record = "", None
        account = found.account
        session, self.token = _session(self.parts, account, grant)
        if goes_on is not None:
            self.refresh_token, self.refresh_record = refreshing.following(self.parts, goes_on)
        elif grant.goes_on:
            scopes = tuple(grant.scope.split())
            self.family = granting.for_offline(
                self.parts, account, grant.source, client=self.client_id, scopes=scopes, place=grant.place
            )
            session = replace(session, came_of=self.family.line)
            self.refresh_token, self.refresh_record = refreshing.first(
                self.parts, self.client_id, self.family, scope=grant.scope, line=grant.line, said=grant.said
            )
        self.session = session
        self.id_token = self._id_token() if grant.is_openid else ""

    @property
    def lasting(self) -> Session:
        """What lasts of it: that with which it goes on, else the session itself."""
        source = self.grant.source
        return self.family or (source if source.kind is SessionKind.OFFLINE else self.session)

    def keep(self, *, uses: codes.Held | None = None, drops: tuple[Record, ...] = ()) -> None:
        """Open the sessions; the last transaction is the one that uses up what it is given for."""
        found, grant, session, family = self.found, self.grant, self.session, self.family
        if family is not None:
            self.parts.store.commit(
                Write(at=session.created_at, account_id=found.account.id, expected=found.version, opens=family)
            )
        lasting = self.lasting
        puts = [] if self.refresh_record is None else [self.refresh_record]
        if uses is not None:
            puts.append(codes.used(uses, lasting.id, lasting.expires_at))
        if not grant.client.is_command_line:
            for one in (session, family):
                if one is not None:
                    puts.append(relying_parties.given(self.client_id, one.id, found.account.id, one.expires_at))
        if self.id_token and grant.client.client.told_of_endings_at and grant.source.line == grant.line:
            puts.append(given.in_session(grant.client.client, grant.source, lasting, session.created_at))
        self.parts.store.commit(
            Write(
                at=session.created_at,
                account_id=found.account.id,
                expected=found.version,
                opens=session,
                updates=self._source_seen(),  # which has not ended, nor changed, since it was read
                puts=tuple(puts),
                drops=drops,
                events=(self._entry(),),
            )
        )

    def take_back(self) -> None:
        """End what was opened of something that could not be given."""
        if self.family is not None:
            self.parts.store.commit(Write(at=self.parts.now(), ends=(self.family.id,)))

    def told(self) -> dict[str, Any] | None:
        """Return what the client gets; one that was removed, or that the person put out, while this was done gets nothing."""
        parts, grant, session, account = self.parts, self.grant, self.session, self.found.account
        if not _still_wanted(parts, account, grant):
            ends = (session.id,) if self.family is None else (session.id, self.family.id)
            details = {"client": self.client_id, "sessions": ",".join(ends)}
            entry = entry_of(account, grant.place, "end-session", parts.now(), details)
            parts.store.commit(Write(at=parts.now(), ends=ends, events=(entry,)))
            return None
        told: dict[str, Any] = {
            "access_token": self.token.reveal(),
            "token_type": "Bearer",
            "expires_in": int((session.expires_at - parts.now()).total_seconds()),
        }
        if grant.scope:
            told["scope"] = grant.scope
        if self.id_token:
            told["id_token"] = self.id_token
        if self.refresh_token:
            told["refresh_token"] = self.refresh_token
        if grant.client.is_command_line:
            told |= {"account": account.name, "account_id": account.id}
        return told

    def _id_token(self) -> str:
        client, account, grant = self.grant.client.client, self.found.account, self.grant
        token = self.token.reveal()
        lasting = self.lasting.id
        return id_tokens.make(
            self.site, client, account, self.session, token, line=grant.line, lasting=lasting, said=grant.said
        )

    def _source_seen(self) -> Session:
        source = self.grant.source
        return replace(source, seen_at=self.session.created_at) if source.kind is SessionKind.OFFLINE else source

    def _entry(self) -> AuditEntry:
        session, grant = self.session, self.grant
        details = {"kinds": session.kind, "client": self.client_id, "name": grant.client.client.name, "session": session.id}
        account, place, at = self.found.account, grant.place, session.created_at
        if grant.source.kind is SessionKind.OFFLINE:
            return entry_of(account, place, "renew-client", at, details)
        return entry_of(account, place, "sign-in", at, details)


def whose(parts: Parts, account_id: str, line: str) -> tuple[Found | None, Session | None]:
    """Return the account, and the session in which somebody agreed, where it still holds."""
    now = parts.now()
    try:
        found = find_id(parts, AccountId(account_id), now)
    except NoSuchAccount:
        return None, None
    methods = {method.id for method in found.account.methods}
    for session in parts.store.sessions(found.account.id):
        opened = {proof.method for proof in session.proofs if proof.method is not None}
        if session.line == line and not session.is_expired(now) and opened <= methods:
            return found, session
    return found, None


def _may_give(parts: Parts, client: KnownClient, account: Account, source: Session) -> bool:
    return client.is_command_line or (granting.says_who(source) and _is_enough(parts, client, account, source))


def _is_enough(parts: Parts, client: KnownClient, account: Account, source: Session) -> bool:
    """Tell whether the person proved as much as the relying party requires by now."""
    return assurance(account, source.proofs, parts.rules, parts.now()) >= client.requires


def _session(parts: Parts, account: Account, grant: Grant) -> tuple[Session, Secret]:
    """Make the session that is given, and its token."""
    if not grant.client.is_command_line:
        scopes, client_id = tuple(grant.scope.split()), grant.client.get_client_id()
        return granting.for_client(parts, account, grant.source, client=client_id, scopes=scopes, place=grant.place)
    give = granting.for_device if grant.by_device else granting.from_browser
    return give(parts, account, grant.source, place=grant.place)


def _still_wanted(parts: Parts, account: Account, grant: Grant) -> bool:
    """Tell whether a client is still registered for what it gets, and by a code still agreed to; a device's is, once."""
    if grant.client.is_command_line:
        return True
    client_id = grant.client.get_client_id()
    found = relying_parties.find(parts, client_id)
    if found is None or not _may_have(parts, KnownClient(found[0]), account, grant):
        return False
    return grant.by_device or consents.covers(parts, account.id, client_id, grant.scope)


def _may_have(parts: Parts, client: KnownClient, account: Account, grant: Grant) -> bool:
    """Tell whether a client that may have been changed meanwhile would be given this: its scope, there, for these proofs."""
    allowed = (client.get_allowed_scope(grant.scope) or "").split()
    is_there = not grant.sent_to or client.check_redirect_uri(grant.sent_to)
    return is_there and set(grant.scope.split()) <= set(allowed) and _is_enough(parts, client, account, grant.source)
