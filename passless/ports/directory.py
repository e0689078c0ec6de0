"""The Directory port: a place where accounts live, the same for an embedded store, a server and a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from passless.domain.account import Version
from passless.domain.audit import AuditEvent
from passless.domain.key_views import HardwareKeyView
from passless.domain.policy import Finding, Policy
from passless.domain.requests import Answer, CeremonyRequest, Enrol, NewAccount, NewInvitation, Request
from passless.domain.safety.next_steps import AtHand, Goal, Step
from passless.domain.secret import Secret
from passless.domain.views import (
    AccountSummary,
    AccountView,
    Applied,
    AppPasswordView,
    Begun,
    DeviceView,
    Ended,
    InvitationSeen,
    InvitationView,
    MadeEnrolLink,
    MadeInvitation,
    OperatorView,
    Outcome,
    PassView,
    PlanView,
    ProblemView,
    SecondProofNeeded,
    SessionView,
    SignedIn,
    TokenView,
    Waits,
    WhatIfView,
)
from passless.ports import EventPlace

if TYPE_CHECKING:
    from passless.domain.party_changes import RelyingPartyChange
    from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty, RelyingPartyView


class Operator(Struct, frozen=True, kw_only=True):
    """Somebody acting on another's account: why, and under which ticket."""

    reason: str
    ticket: str = ""


class Actor(Struct, frozen=True, kw_only=True):
    """Who asks: the token of their session, and the reason where they act as an operator; `place` is where from.

    On an embedded store an operator's claim stands alone: it is that of the file's owner. `visit` names the browser that
    asks, so that a ceremony begun in one is finished in the same (must hold 5).
    """

    token: Secret | None = None
    operator: Operator | None = None
    place: str = ""
    visit: str = ""


NOBODY = Actor()


class Ability(Struct, frozen=True):
    """Whether a directory can do something; `reason` and `where` say why not and where else."""

    is_possible: bool = True
    reason: str = ""
    where: str = ""


class Directory(Protocol):
    """A place where accounts live, and everything a person can do there.

    `target` is an account's name or id. Refused changes raise `Refused`, wrong proofs a `ProofNeeded`, and
    what the directory cannot do `CannotDoThat`.
    """

    def ability(self, what: str) -> Ability:
        """Say whether this directory can do something, such as `method add phone`."""
        ...

    def find(self, matching: str = "", actor: Actor = NOBODY, *, after: str = "") -> Iterator[AccountSummary]:
        """Stream the accounts whose name contains the words, in the order of their names; only those behind `after`.

        A machine's token sees its own only; on a server everybody but an operator does.
        """
        ...

    def create(self, actor: Actor, new: NewAccount) -> SignedIn:
        """Make an account and sign it in."""
        ...

    def read(self, actor: Actor, target: str) -> AccountView:
        """Read an account at a glance."""
        ...

    def plan(self, actor: Actor, target: str, request: Request) -> PlanView:
        """Work out what a request would do; needs no fresh proof and changes nothing."""
        ...

    def apply(self, actor: Actor, target: str, request: Request, *, version: Version | None = None) -> Applied | Waits:
        """Carry out a request; with a version only while the account is still at it, else `VersionMoved`."""
        ...

    def enrolment_problems(self, actor: Actor, target: str, request: Enrol) -> tuple[ProblemView, ...]:
        """Tell what would stand in the way of adding a method, before anybody touches a key."""
        ...

    def begin(self, actor: Actor, target: str, request: CeremonyRequest) -> Begun:
        """Begin to add a method or to sign in; a passkey signs in without a target, too."""
        ...

    def finish(self, actor: Actor, ceremony: str, answer: Answer) -> Outcome:
        """Finish a ceremony from this or another process."""
        ...

    def enrol_link(self, actor: Actor, target: str, request: Enrol) -> MadeEnrolLink:
        """Make a link with which one browser adds a passkey, once, without signing in there (servers)."""
        ...

    def sign_in(self, actor: Actor, target: str, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Sign in with what needs no challenge: a password, a TOTP code, a pass, a machine's token.

        With a session of the same account in `actor` the proof is added to it.
        """
        ...

    def recover(self, actor: Actor, target: str, code: Secret, proof: Answer | None) -> SignedIn:
        """Begin a recovery with a recovery code, and a further proof where two-step is on."""
        ...

    def is_recovery_code(self, actor: Actor, target: str, code: Secret) -> bool:
        """Tell whether this is the account's saved recovery code, without using it; needs a session."""
        ...

    def app_passwords(self, actor: Actor, target: str) -> tuple[AppPasswordView, ...]:
        """List the app passwords."""
        ...

    def sessions(self, actor: Actor, target: str) -> tuple[SessionView, ...]:
        """List the sessions."""
        ...

    def tokens(self, actor: Actor, target: str) -> tuple[TokenView, ...]:
        """List the tokens of machines."""
        ...

    def passes(self, actor: Actor, target: str) -> tuple[PassView, ...]:
        """List the temporary pass, if there is one."""
        ...

    def hardware_keys(self, actor: Actor, target: str) -> tuple[HardwareKeyView, ...]:
        """List the keys that programs outside of a browser can ask, such as ssh."""
        ...

    def what_if(self, actor: Actor, target: str, lost: Sequence[str]) -> tuple[WhatIfView, ...]:
        """Work out one loss (`device:NAME`, `method:NAME`, …), or every loss of one and of two things where none is named."""
        ...

    def devices(self, actor: Actor, target: str) -> tuple[DeviceView, ...]:
        """List the devices, what is on each, and what its loss would do."""
        ...

    def check(self, actor: Actor, policy: Policy, targets: Sequence[str], *, after: str = "") -> Iterator[Finding]:
        """Hold accounts against a policy; all of them where none is named, or those behind the name `after`."""
        ...

    def next_steps(self, actor: Actor, target: str, goal: Goal | None, at_hand: AtHand) -> tuple[Step, ...]:
        """Return what is left to do towards a goal."""
        ...

    def seen(self, actor: Actor, target: str, notices: Sequence[str]) -> None:
        """Note that notices were shown."""
        ...

    def events(
        self, actor: Actor, target: str | None, *, since: datetime | None = None, after: EventPlace | None = None
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail; only what comes behind `after`."""
        ...

    def operators(self, actor: Actor) -> tuple[OperatorView, ...]:
        """List who may help others (operators)."""
        ...

    def invite(self, actor: Actor, new: NewInvitation) -> MadeInvitation:
        """Invite somebody to make an account (operators)."""
        ...

    def invited(self, invitation: Secret) -> InvitationSeen:
        """Say what an invitation is for, to whoever holds it; it stays good (servers)."""
        ...

    def invitations(self, actor: Actor) -> tuple[InvitationView, ...]:
        """List the invitations that nobody has taken yet (operators)."""
        ...

    def revoke_invitation(self, actor: Actor, invitation: str) -> Ended:
        """Stop an invitation, by its id (operators)."""
        ...

    def relying_parties(self, actor: Actor) -> tuple[RelyingPartyView, ...]:
        """List the programs that sign people in here (operators over all, or the host)."""
        ...

    def add_relying_party(self, actor: Actor, new: NewRelyingParty) -> MadeRelyingParty:
        """Register a program that signs people in here (operators over all, or the host)."""
        ...

    def plan_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> PlanView:
        """Say what changing a relying party, by its id or name, would do (operators over all, or the host)."""
        ...

    def change_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> Applied:
        """Change a relying party, and end what was given under looser rules (operators over all, or the host)."""
        ...

    def remove_relying_party(self, actor: Actor, relying_party: str) -> Ended:
        """Forget a relying party by its id or name, and end all that it was given (operators over all, or the host)."""
        ...

    def new_relying_party_secret(self, actor: Actor, relying_party: str) -> MadeRelyingParty:
        """Give a relying party another secret; the one before is refused from now on (operators over all, or the host)."""
        ...

    def sign_out(self, actor: Actor, *, everywhere: bool = False) -> int:
        """End the session in use, or all of its account; return how many ended."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...
