"""A link that lets one browser add one passkey to the account that a terminal is signed in to (security.md, "pairing link").

Nobody signs in in that browser, for a new account may have nothing to sign in with yet. What stands in the link is 256 random
bits, of which the store keeps the hash. The link is good once and for ten minutes, for the passkey that was asked for and for
nothing else, and only while the session that made it lasts and the proof that it was made with is fresh. The browser that
opens it is bound to the ceremony by its visit. The link stays while its ceremony is open, which ends with it: with its time,
its tries, its session, or as soon as there is another link or this one added its passkey. The passkey is added in the name of
the session, but proves nothing in it: that was elsewhere.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import attempts, enrolling, operators
from passless.actions.accounts import find_id
from passless.actions.ceremonies import binding
from passless.actions.changing import Kept
from passless.actions.parts import Parts
from passless.actions.reaching import reach
from passless.actions.who import SignInNeeded, Who, holds_on, identify, place_of
from passless.credentials.cose_keys import BadResponse
from passless.domain.account import Account
from passless.domain.ceremonies import PAIRING_LIFE, Ceremony, CeremonyId
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.methods import Kind, MethodId, Passkey
from passless.domain.recovery import Reporter
from passless.domain.requests import Answer, Enrol
from passless.domain.secret import Secret
from passless.domain.sessions import OF_PROGRAMS, Proof, SessionKind
from passless.domain.views import Begun, MadeEnrolLink
from passless.ports import AlreadyUsed, NoSuchAccount, Record, VersionMoved, Write
from passless.ports.directory import Actor

KIND = "enrol-link"  # of its record, whose key is the hash of what stands in the link
PREFIX = "ple_"  # what stands in a link: recognisable in a leak
PATH = "/enrol/here"  # of the page; what is secret stands behind #, which no server and no log gets
PURPOSE = "link-passkey"  # of its ceremony, which nothing but the page of the link finishes


MOST_TRIES = 5  # answers that one link may get; a browser that has trouble asks its person to begin again


class NotALink(ProofNeeded):
    """The link was never made, was used, its time is over, or its session ended; nothing says which."""

    code = "not-a-link"
    hint = "begin again in the terminal; a link is used once, within ten minutes"
    default = "this link was used already, or its time is over"


class OnlyPasskeys(WrongUse):
    """Other methods are added in the terminal."""

    code = "only-passkeys"
    hint = "add it in the terminal: passless method add KIND"
    default = "a link adds a passkey and nothing else"


class Link(Struct, frozen=True, kw_only=True):
    """What is kept of a link: `proofs` are those that the session had when it was made, `ceremony` is what it opened last."""

    account_id: str
    session_id: str
    expires_at: datetime
    proofs: tuple[Proof, ...] = ()
    ceremony: str = ""
    tries: int = 0
    name: str | None = None
    device: str | None = None


class Opened(Struct, frozen=True, kw_only=True):
    """What a browser is shown that opened a link: whose passkey it makes, and what the authenticator is asked.

    `taken` are devices that have a passkey already: another thing is not proposed the name of one.
    """

    account: str
    begun: Begun
    name: str = ""
    device: str = ""
    taken: tuple[str, ...] = ()


def make(parts: Parts, actor: Actor, target: str, request: Enrol) -> MadeEnrolLink:
    """Make a link, in the place of one that the account may have, and of what that one opened.

    Raises:
        Refused: the passkey could not be added; the proofs may be too old or too weak.
    """
    from passless.credentials.random_codes import new_token

    operators.check_server(parts)
    if request.kind is not Kind.PASSKEY:
        raise OnlyPasskeys
    now = parts.now()
    who = identify(parts, actor, reach(parts, actor, target, now).account)
    if who.session is None:
        raise SignInNeeded("sign in first")
    enrolling.check(parts, who, request, now)
    secret, ends_at = new_token(parts.entropy, prefix=PREFIX), now + PAIRING_LIFE
    kept = Link(
        account_id=who.account.id,
        session_id=who.session.id,
        expires_at=ends_at,
        proofs=who.session.proofs,
        name=request.name,
        device=request.device,
    )
    record = Record(kind=KIND, key=_key(secret), document=msgspec.json.encode(kept), account_id=who.account.id, ends_at=ends_at)
    before = tuple(parts.store.records(KIND, account_id=who.account.id))
    parts.store.commit(Write(at=now, updates=who.session, puts=(record,), drops=before))
    return MadeEnrolLink(link=Secret(f"{parts.origin}{PATH}#{secret.reveal()}"), expires_at=ends_at)


def open_link(parts: Parts, actor: Actor, secret: Secret) -> Opened:
    """Begin the ceremony of a link in the browser that opened it; no other browser can open it after that.

    Raises:
        NotALink: it is none, or not any more.
        Refused: the passkey could not be added any more.
    """
    now, record = parts.now(), parts.store.record(KIND, _key(secret))
    if record is None:
        raise NotALink
    link = _link(record)
    if link.ceremony or now >= link.expires_at:
        raise NotALink
    who = _who(parts, actor, _account(parts, link.account_id, now), link)
    return _opened(parts, actor, who, Enrol(kind=Kind.PASSKEY, name=link.name, device=link.device), now, record)


def open_again(parts: Parts, actor: Actor, ceremony_id: str, answer: Answer) -> Opened:
    """Begin anew in the same browser, after an answer that could not be taken.

    Raises:
        NotALink: nothing is open in this browser, or the link had as many tries as it has.
        Refused: the passkey could not be added any more.
    """
    ceremony, now = _ceremony(parts, actor, ceremony_id), parts.now()
    record = _record_of(parts, ceremony)
    link = _link(record)
    if link.tries >= MOST_TRIES:
        raise NotALink
    who = _who(parts, actor, _account(parts, ceremony.account_id, now), link)
    begun = _opened(parts, actor, who, Enrol(kind=Kind.PASSKEY), now, record, consumes=ceremony.id)
    return replace(begun, name=answer.name or "", device=answer.device or "")


def finish(parts: Parts, actor: Actor, ceremony_id: str, answer: Answer) -> tuple[Kept, MethodId]:
    """Add the passkey, in the name of the session that made the link.

    Raises:
        NotALink: nothing is open in this browser, or the session or the link ended meanwhile.
        Refused: the rules refuse it; the proof may have become too old.
    """
    ceremony = _ceremony(parts, actor, ceremony_id)
    record = _record_of(parts, ceremony)

    def who_acts(account: Account) -> Who:
        if _record_of(parts, ceremony).version != record.version:
            raise NotALink
        return _who(parts, actor, account, _link(record))

    try:
        return enrolling.finish(parts, actor, ceremony, answer, who_acts=who_acts, drops=(record,))
    except (BadResponse, enrolling.WrongAnswer) as error:
        account = _account(parts, ceremony.account_id, parts.now())
        attempts.note_failure(parts, account, actor, answer.kind, error, parts.now(), event="add-method")
        raise


def _opened(
    parts: Parts,
    actor: Actor,
    who: Who,
    request: Enrol,
    now: datetime,
    record: Record,
    *,
    consumes: CeremonyId | None = None,
) -> Opened:
    link, bound = _link(record), binding(actor, who.session)

    def keeps(begun: CeremonyId) -> Record:
        return replace(record, document=msgspec.json.encode(replace(link, ceremony=begun, tries=link.tries + 1)))

    try:
        begun = enrolling.begin_for(
            parts, who, request, now, purpose=PURPOSE, bound=bound, at_most=link.expires_at, consumes=consumes, keeps=keeps
        )
    except (AlreadyUsed, VersionMoved) as error:
        raise NotALink from error  # another browser was faster, or another link was made
    taken = tuple(one.device for one in who.account.methods if isinstance(one, Passkey) and one.device)
    return Opened(account=who.account.name, begun=begun, name=request.name or "", device=request.device or "", taken=taken)


def _link(record: Record) -> Link:
    return msgspec.json.decode(record.document, type=Link)


def _record_of(parts: Parts, ceremony: Ceremony) -> Record:
    """Return the link that opened a ceremony; `NotALink` where it is used up, or another took its place."""
    for record in parts.store.records(KIND, account_id=ceremony.account_id):
        link = _link(record)
        if link.ceremony == ceremony.id and parts.now() < link.expires_at:
            return record
    raise NotALink


def _ceremony(parts: Parts, actor: Actor, ceremony_id: str) -> Ceremony:
    """Return what a link began in this very browser (must hold 5)."""
    found = parts.store.ceremony(CeremonyId(ceremony_id))
    if found is None or found.purpose != PURPOSE or parts.now() >= found.expires_at or not actor.visit:
        raise NotALink
    visit = found.session_id.partition("/")[2]
    if not hmac.compare_digest(visit, binding(actor, None).partition("/")[2]):
        raise NotALink
    return found


def _account(parts: Parts, account_id: str, now: datetime) -> Account:
    try:
        return find_id(parts, account_id, now).account
    except NoSuchAccount as error:
        raise NotALink from error


def _who(parts: Parts, actor: Actor, account: Account, link: Link) -> Who:
    """Return whom the link stands for: the session that made it, while it lasts, with the proofs that it had then.

    The place is the browser's.
    """
    found = next((one for one in parts.store.sessions(account.id) if one.id == link.session_id), None)
    if found is None or found.is_expired(parts.now()) or found.kind in (*OF_PROGRAMS, SessionKind.TOKEN):
        raise NotALink
    if not holds_on(parts, found, account):
        raise NotALink
    return Who(
        account=account,
        session=found,
        reporter=Reporter.SELF,
        name=account.name,
        place=place_of(actor),
        proven=link.proofs,
    )


def _key(secret: Secret) -> str:
    return sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()
