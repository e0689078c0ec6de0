"""Inviting people to a server: a link that makes one account, once, for some days.

What stands in the link is 256 random bits, of which the store keeps the hash; who finds the store cannot use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from passless.actions import operators
from passless.actions.accounts import Admission, check_address_is_free, clean_address, find, free_name
from passless.actions.parts import Parts, SignUp
from passless.actions.request_errors import BadDuration
from passless.actions.who import Acting, NotAnOperator, SignInNeeded, check_fresh, operating, place_of, reason_of, session_of
from passless.domain import names, reserved_names
from passless.domain.account import AccountId
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import NotFound, ProofNeeded, WrongUse
from passless.domain.operators import clean_groups, line
from passless.domain.requests import NewInvitation
from passless.domain.secret import Secret
from passless.domain.views import Ended, InvitationSeen, InvitationView, MadeInvitation
from passless.ports import NameTaken, NoSuchAccount, Record, VersionMoved, Write
from passless.ports.directory import Actor

KIND = "invitation"  # of its record, whose key is the hash of what stands in the link
PREFIX = "pli_"  # what stands in a link: recognisable in a leak
PATH = "/invitation"  # of the page; what is secret stands behind #, which no server and no log gets
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=90)


class NotInvited(ProofNeeded):
    """The invitation was never made, was used, was stopped, or its time is over; nothing says which."""

    code = "not-invited"
    hint = "ask for another invitation, and use it within its time; each is used once"
    default = "this is no invitation, or not any more"


class NoSuchInvitation(NotFound):
    """No open invitation of that id."""

    code = "no-such-invitation"
    hint = "see what there is: passless invitation list"


class NameIsFixed(WrongUse):
    """The invitation is for an account of another name."""

    code = "name-is-fixed"


class NeedsName(WrongUse):
    """On this server operators decide which accounts there are."""

    code = "needs-name"
    hint = "say which account it is for: --name NAME"
    default = "on this server an invitation is for one account name"


class BeyondRights(WrongUse):
    """What an operator over groups cannot give, for it reaches beyond them."""

    code = "beyond-rights"
    hint = "ask an operator over everybody to invite them"


class NeedsGroup(WrongUse):
    """An operator over groups invites into one of them."""

    code = "beyond-rights"
    hint = "name groups that you are over: --group GROUP"
    default = "an operator invites into groups they are over"


class Invitation(Struct, frozen=True, kw_only=True):
    """What is kept of an invitation."""

    id: str
    groups: tuple[str, ...]
    name: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    email: str = ""  # an address that will stand for the name


def invite(parts: Parts, actor: Actor, new: NewInvitation) -> MadeInvitation:
    """Make an invitation; its link is shown once.

    Raises:
        NotAnOperator, OperatorProofNeeded: whoever asks may not, or not without a fresh proof.
        BadReason: they do not say why.
        NeedsName, NeedsGroup, BeyondRights, BadName: it would give more than the operator may.
        NameTaken: there is an account already of the name or the address, as its name or an address that stands for it.
    """
    from passless.credentials.random_codes import new_token

    acting, reason, now = *_changing(parts, actor, "create-invitation"), parts.now()
    name, groups, email = *_checked(parts, acting, new), _address(parts, acting, new.email)
    others = tuple(made.id for _, made in _open(parts, acting) if name and names.are_same(made.name, name))
    secret = new_token(parts.entropy, prefix=PREFIX)
    made = Invitation(
        id=parts.new_id(),
        groups=groups,
        name=name,
        made_by=acting.account.id,
        made_at=now,
        expires_at=now + new.lifetime,
        email=email,
    )
    record = Record(kind=KIND, key=_key(secret), document=msgspec.json.encode(made), ends_at=made.expires_at)
    details = {"invitation": made.id, "groups": ",".join(groups), "until": made.expires_at.isoformat(), "reason": reason}
    details |= {what: said for what, said in (("name", name), ("email", email)) if said}
    entry = _entry(actor, acting, "create-invitation", now, details)
    parts.store.commit(Write(at=now, updates=acting.session, puts=(record,), events=(entry,)))
    link = Secret(f"{parts.origin}{PATH}#{secret.reveal()}")
    return MadeInvitation(
        id=made.id,
        secret=secret,
        link=link,
        groups=groups,
        name=name,
        expires_at=made.expires_at,
        email=email,
        also_open=others,
    )


def listed(parts: Parts, actor: Actor) -> tuple[InvitationView, ...]:
    """List the open invitations that an operator could have made, the oldest first."""
    acting = _acting(parts, actor)
    found = sorted((made for _, made in _open(parts, acting)), key=lambda made: (made.made_at, made.id))
    return tuple(
        InvitationView(
            id=made.id,
            groups=made.groups,
            name=made.name,
            made_by=operators.name_of(parts, made.made_by),
            made_at=made.made_at,
            expires_at=made.expires_at,
            email=made.email,
        )
        for made in found
    )


def revoke(parts: Parts, actor: Actor, invitation: str) -> Ended:
    """Stop an invitation by its id."""
    acting, reason, now = *_changing(parts, actor, "revoke-invitation"), parts.now()
    for record, made in _open(parts, acting):
        if made.id == invitation:
            entry = _entry(actor, acting, "revoke-invitation", now, {"invitation": made.id, "reason": reason})
            try:
                parts.store.commit(Write(at=now, updates=acting.session, drops=(record,), events=(entry,)))
            except VersionMoved:
                break  # somebody took or stopped it at the same moment
            return Ended(ended=(made.id,))
    raise NoSuchInvitation(f'there is no open invitation "{names.printable(invitation)}"')


def admission(parts: Parts, secret: Secret, wanted: str, now: datetime) -> Admission:
    """Return what an invitation gives to the account that is made with it.

    It is good only as long as who made it is an operator who could make it still.

    Raises:
        NotInvited: it is none, or not any more.
        NameIsFixed: it is for another name.
    """
    record, made = _good(parts, secret, now)
    if made.name and not names.are_same(made.name, wanted):
        raise NameIsFixed(f'the invitation is for the account "{made.name}"', hint=f"use that name: {made.name}")
    notes = {"invitation": made.id, "invited_by": made.made_by}
    notes |= {"groups": ",".join(made.groups)} if made.groups else {}
    inviter = parts.store.read(AccountId(made.made_by)).account
    by = line(inviter.id, *inviter.made_by(now))
    by_all = inviter.operator is not None and not inviter.operator.over
    return Admission(
        groups=made.groups,
        name=made.name,
        by_all=by_all,
        address=made.email if by_all else "",
        drops=(record,),
        notes=notes,
        invited_by=by,
    )


def look(parts: Parts, secret: Secret) -> InvitationSeen:
    """Say to whoever holds an invitation what it is for, without using it; `NotInvited` where it is none, or not any more."""
    operators.check_server(parts)
    _, made = _good(parts, secret, parts.now())
    return InvitationSeen(name=made.name, expires_at=made.expires_at)


def _good(parts: Parts, secret: Secret, now: datetime) -> tuple[Record, Invitation]:
    record = parts.store.record(KIND, _key(secret))
    if record is None:
        raise NotInvited
    made = msgspec.json.decode(record.document, type=Invitation)
    if now >= made.expires_at or not _still_given(parts, made):
        raise NotInvited
    return record, made


def _acting(parts: Parts, actor: Actor) -> Acting:
    operators.check_server(parts)
    acting = operating(parts, actor)
    if acting is None:
        raise SignInNeeded("sign in first") if session_of(parts, actor) is None else NotAnOperator()
    return acting


def _changing(parts: Parts, actor: Actor, asked: str) -> tuple[Acting, str]:
    """Return the operator and why they do it; who is none is told so first, and it is written down (must hold 8)."""
    with operators.noting_refused(parts, actor, asked):
        acting = _acting(parts, actor)
        reason = reason_of(parts, actor)
        check_fresh(parts, acting)
        return acting, reason


def _checked(parts: Parts, acting: Acting, new: NewInvitation) -> tuple[str, tuple[str, ...]]:
    groups = clean_groups(new.groups)
    if acting.rights.over and not (groups and acting.rights.covers(groups)):
        raise NeedsGroup
    if not SHORTEST <= new.lifetime <= LONGEST:
        raise BadDuration("an invitation lasts from 10 minutes to 90 days")
    if not new.name and parts.sign_up is SignUp.OPERATOR:
        raise NeedsName
    return (_free(parts, acting, new.name) if new.name else ""), groups


def _free(parts: Parts, acting: Acting, wanted: str) -> str:
    """Return a name that no account has yet; nothing holds it free until the invitation is used.

    Addresses, names that programs know and those of the gone are given by who answers for everybody (decision 0023).
    """
    by_all = not acting.rights.over
    if not by_all:
        reserved_names.check_chosen(wanted)
    name = free_name(parts, wanted, is_given=by_all)
    try:
        find(parts, name, parts.now())
    except NoSuchAccount:
        return name
    raise NameTaken(f'there is an account named "{name}" already')


def _address(parts: Parts, acting: Acting, typed: str) -> str:
    """Return an e-mail address that stands for nobody's name yet; programs are told that it is the person's."""
    if not typed:
        return ""
    if acting.rights.over:
        raise BeyondRights("only an operator over everybody says whose an e-mail address is")
    address = clean_address(typed)
    check_address_is_free(parts, address)
    return address


def _still_given(parts: Parts, made: Invitation) -> bool:
    try:
        operator = parts.store.read(AccountId(made.made_by)).account.operator
    except NoSuchAccount:
        return False
    return operator is not None and (not operator.over or operator.covers(made.groups))


def _open(parts: Parts, acting: Acting) -> Iterator[tuple[Record, Invitation]]:
    """Return the invitations that are within an operator's rights."""
    now = parts.now()
    for record in parts.store.records(KIND):
        made = msgspec.json.decode(record.document, type=Invitation)
        if now < made.expires_at and (not acting.rights.over or (made.groups and acting.rights.covers(made.groups))):
            yield record, made


def _key(secret: Secret) -> str:
    return sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()


def _entry(actor: Actor, acting: Acting, event: str, now: datetime, details: dict[str, str]) -> AuditEntry:
    """Record it on the operator's own account: there is no other yet."""
    return AuditEntry(
        at=now,
        actor=acting.account.name,
        event=event,
        outcome=Outcome.DONE,
        account_id=acting.account.id,
        account=acting.account.name,
        place=place_of(actor),
        details=details,
    )
