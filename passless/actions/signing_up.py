"""Who may make an account: anybody on an embedded store; on a server whoever is invited, or anybody where that is allowed.

On the server's host whoever can open its store may: the first account, that of the first operator, has nobody to invite it.
An operator makes no account for somebody else: its session would be theirs, and with it a way to choose what the person
signs in with (must hold 9). They invite, with the account's name fixed if they wish; the person makes the account.
"""

from __future__ import annotations

from datetime import datetime

from passless.actions import accounts, invitations, noting, operators
from passless.actions.parts import Access, Parts, SignUp
from passless.actions.throttle import Throttled, hourly, network_of, seconds_left, source_of
from passless.actions.who import operating, place_of
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.errors import CannotDoThat, ProofNeeded, WrongUse
from passless.domain.requests import NewAccount
from passless.domain.secret import Secret
from passless.ports import VersionMoved, Write
from passless.ports.directory import Actor

FROM_NETWORK = 30  # the same, from one network
PER_HOUR = 10  # accounts made, and invitations tried, from one source; who has more people invites from the host's network


class InvitationNeeded(ProofNeeded):
    """Nobody makes an account here without an invitation."""

    code = "invitation-needed"
    hint = "ask an operator for an invitation, then: passless account create NAME --invitation-file FILE"
    default = "making an account here needs an invitation"


class InviteInstead(CannotDoThat):
    """Operators invite; the person makes the account."""

    code = "invite-instead"
    hint = "passless invitation create --name NAME; then the person makes the account with the link"
    default = "an operator makes no account for somebody else, but invites them"


SIGN_OUT = "who opened the store makes it for somebody else when no operator is signed in there: passless sign-out, then again"


class GroupsByInvitation(WrongUse):
    """Nobody puts themselves into groups."""

    code = "groups-by-invitation"
    hint = "an operator sets them: passless account groups NAME GROUP, or with the invitation"
    default = "a new account gets its groups from its invitation"


def sign_up(parts: Parts, actor: Actor, new: NewAccount) -> accounts.Made:
    """Make an account for whoever may, and sign it in.

    Raises:
        InvitationNeeded, InviteInstead, GroupsByInvitation: whoever asks may not, or not so.
        NotInvited, NameIsFixed: the invitation is not good, or for another name.
        Throttled: too many were asked for from one source.
    """
    if parts.access is Access.OWNER:
        operators_only(new)
        return accounts.make(parts, actor, new)
    if new.groups:
        raise GroupsByInvitation
    now = parts.now()
    if new.invitation is not None:
        count_name(parts, actor, now)
        return _invited(parts, actor, new, new.invitation)
    if operating(parts, actor) is not None:
        raise InviteInstead(hint=SIGN_OUT if parts.looks_in else None)
    if parts.on_host:
        return accounts.make(parts, actor, new, accounts.Admission(notes={"on_host": "yes"}))
    if parts.sign_up is SignUp.OPEN:
        count_name(parts, actor, now)
        return accounts.make(parts, actor, new)
    raise InvitationNeeded


def operators_only(new: NewAccount) -> None:
    """Refuse on an embedded store what only a server has."""
    if new.groups or new.invitation is not None:
        raise operators.NotOnAServer


def _invited(parts: Parts, actor: Actor, new: NewAccount, secret: Secret) -> accounts.Made:
    try:
        return _admitted(parts, actor, new, secret)
    except invitations.NotInvited as error:
        _note(parts, actor, error)
        raise


def _note(parts: Parts, actor: Actor, error: invitations.NotInvited) -> None:
    """Record an invitation that is none, or only count it: it may be anybody's guess."""
    now = parts.now()
    number = noting.told(parts, noting.NO_NAME, actor.place, now=now, of_nobody=True)
    if number is None:
        return
    entry = AuditEntry(
        at=now,
        actor="nobody",
        event="create-account",
        outcome=Outcome.FAILED,
        place=place_of(actor),
        details={"reason": error.code} | number,
    )
    parts.store.commit(Write(at=now, events=(entry,)))


def _admitted(parts: Parts, actor: Actor, new: NewAccount, secret: Secret) -> accounts.Made:
    admitted = invitations.admission(parts, secret, new.name, parts.now())
    try:
        return accounts.make(parts, actor, new, admitted)
    except VersionMoved:
        if parts.store.record(invitations.KIND, admitted.drops[0].key) is None:
            raise invitations.NotInvited from None  # somebody took or stopped it at the same moment
        raise


def count_name(parts: Parts, actor: Actor, now: datetime) -> None:
    """Slow down a source, and a network, that tries names and invitations.

    Each hour is counted anew, so that a good one is not held up by yesterday.
    """
    begin = hourly("sign-up", now)
    for key, most in ((f"{begin}/{source_of(actor.place)}", PER_HOUR), (f"{begin}@{network_of(actor.place)}", FROM_NETWORK)):
        if parts.store.count_attempt(key, at=now).count >= most:
            seconds = seconds_left(now)
            raise Throttled(
                "too many accounts and names were asked for from here", hint=f"wait {seconds} seconds", seconds=seconds
            )
