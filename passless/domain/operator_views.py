"""What is shown of operators and invitations; part of `domain.views`, from where it is imported."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from passless.domain.secret import Secret


class ApprovalView(Struct, frozen=True, kw_only=True):
    """What one operator asked for; `approved_by` is another who agreed, None as long as nobody did.

    `asked` says all of it in one sentence. `kind` is the word of the request, `minutes`, `length` and `once` are of its
    temporary pass, `lost` the devices that it names and `lost_methods` what is on them, `over` the groups of a new operator.
    """

    id: str
    asked: str
    asked_by: str
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    reason: str = ""
    kind: str = ""
    minutes: int | None = None
    length: int | None = None
    once: bool | None = None
    lost: tuple[str, ...] = ()
    lost_methods: tuple[str, ...] = ()
    over: tuple[str, ...] | None = None


class MadeInvitation(Struct, frozen=True, kw_only=True):
    """A new invitation, whose link is shown once; `also_open` are the ids of those that are open for the same name."""

    id: str
    secret: Secret
    link: Secret
    groups: tuple[str, ...]
    name: str
    expires_at: datetime
    email: str = ""
    also_open: tuple[str, ...] = ()
    shown_once: bool = True


class InvitationSeen(Struct, frozen=True, kw_only=True):
    """What an invitation is for, to whoever holds it: the account's name where that is fixed."""

    name: str = ""
    expires_at: datetime


class InvitationView(Struct, frozen=True, kw_only=True):
    """An invitation that nobody has taken yet, without what stands in its link."""

    id: str
    groups: tuple[str, ...]
    name: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    email: str = ""


class OperatorView(Struct, frozen=True, kw_only=True):
    """An account that may help others: those of some groups, or all where none is named.

    `granted_by` is who made it one; None where that was done on the server's host.
    """

    id: str
    account: str
    over: tuple[str, ...]
    since: datetime
    granted_by: str | None = None
