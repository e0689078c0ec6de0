"""Every action on a store, behind the Directory port: the embedded account, and what a server answers from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from passless.actions import hardware_keys, reading
from passless.actions.parts import Parts
from passless.domain.account import Version
from passless.domain.audit import AuditEvent
from passless.domain.key_views import HardwareKeyView
from passless.domain.policy import Finding, Policy
from passless.domain.requests import (
    Answer,
    CeremonyRequest,
    Enrol,
    NewAccount,
    NewInvitation,
    Request,
)
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
from passless.ports.directory import NOBODY, Ability, Actor

if TYPE_CHECKING:
    from passless.directories.local.doing import Doing
    from passless.domain.party_changes import RelyingPartyChange
    from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty, RelyingPartyView

NOT_BUILT_YET = {
    "phone": "codes by SMS are not built yet",
    "email": "codes by e-mail are not built yet",
    "authenticator": "approvals on another device are not built yet",
}


class LocalDirectory:
    """Every Directory operation on one store; holds nothing but its parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def ability(self, what: str) -> Ability:
        """Say what no account can do yet, here or at a server, and why."""
        if (reason := NOT_BUILT_YET.get(what.rpartition(" ")[2])) is not None:
            return Ability(is_possible=False, reason=reason, where="add one of: security-key, passkey, totp")
        return Ability()

    @cached_property
    def _doing(self) -> Doing:
        from passless.directories.local.doing import Doing

        return Doing(self.parts)

    def create(self, actor: Actor, new: NewAccount) -> SignedIn:
        """Make an account and sign it in."""
        return self._doing.create(actor, new)

    def plan(self, actor: Actor, target: str, request: Request) -> PlanView:
        """Work out what a request would do."""
        return self._doing.plan(actor, target, request)

    def apply(self, actor: Actor, target: str, request: Request, *, version: Version | None = None) -> Applied | Waits:
        """Carry out a request; with a version only while the account is still at it."""
        return self._doing.apply(actor, target, request, version=version)

    def enrolment_problems(self, actor: Actor, target: str, request: Enrol) -> tuple[ProblemView, ...]:
        """Tell what would stand in the way of adding a method."""
        return self._doing.enrolment_problems(actor, target, request)

    def begin(self, actor: Actor, target: str, request: CeremonyRequest) -> Begun:
        """Begin to add a method or to sign in."""
        return self._doing.begin(actor, target, request)

    def finish(self, actor: Actor, ceremony: str, answer: Answer) -> Outcome:
        """Finish a ceremony from this or another process."""
        return self._doing.finish(actor, ceremony, answer)

    def enrol_link(self, actor: Actor, target: str, request: Enrol) -> MadeEnrolLink:
        """Make a link with which one browser adds a passkey (servers)."""
        from passless.actions import enrol_links

        return enrol_links.make(self.parts, actor, target, request)

    def sign_in(self, actor: Actor, target: str, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Sign in with what needs no challenge, or add a proof to the session in use."""
        return self._doing.sign_in(actor, target, answer)

    def recover(self, actor: Actor, target: str, code: Secret, proof: Answer | None) -> SignedIn:
        """Begin a recovery with a recovery code."""
        return self._doing.recover(actor, target, code, proof)

    def sign_out(self, actor: Actor, *, everywhere: bool = False) -> int:
        """End the session in use, or all of its account."""
        return self._doing.sign_out(actor, everywhere=everywhere)

    def find(self, matching: str = "", actor: Actor = NOBODY, *, after: str = "") -> Iterator[AccountSummary]:
        """Stream the accounts whose name contains the words; a machine's token sees its own only."""
        return reading.summaries(self.parts, actor, matching, after)

    def read(self, actor: Actor, target: str) -> AccountView:
        """Read an account at a glance."""
        return reading.account(self.parts, actor, target)

    def is_recovery_code(self, actor: Actor, target: str, code: Secret) -> bool:
        """Tell whether this is the account's saved recovery code, without using it."""
        return reading.is_recovery_code(self.parts, actor, target, code)

    def app_passwords(self, actor: Actor, target: str) -> tuple[AppPasswordView, ...]:
        """List the app passwords."""
        return reading.app_passwords(self.parts, actor, target)

    def sessions(self, actor: Actor, target: str) -> tuple[SessionView, ...]:
        """List the sessions."""
        return reading.sessions(self.parts, actor, target)

    def tokens(self, actor: Actor, target: str) -> tuple[TokenView, ...]:
        """List the tokens of machines."""
        return reading.tokens(self.parts, actor, target)

    def passes(self, actor: Actor, target: str) -> tuple[PassView, ...]:
        """List the temporary pass, if there is one."""
        return reading.passes(self.parts, actor, target)

    def hardware_keys(self, actor: Actor, target: str) -> tuple[HardwareKeyView, ...]:
        """List the keys that programs outside of a browser can ask."""
        return hardware_keys.listing(self.parts, actor, target)

    def what_if(self, actor: Actor, target: str, lost: Sequence[str]) -> tuple[WhatIfView, ...]:
        """Work out one loss, or every loss of one and of two things."""
        return reading.what_if(self.parts, actor, target, lost)

    def devices(self, actor: Actor, target: str) -> tuple[DeviceView, ...]:
        """List the devices."""
        return reading.devices(self.parts, actor, target)

    def check(self, actor: Actor, policy: Policy, targets: Sequence[str], *, after: str = "") -> Iterator[Finding]:
        """Hold accounts against a policy."""
        return reading.check(self.parts, actor, policy, targets, after)

    def next_steps(self, actor: Actor, target: str, goal: Goal | None, at_hand: AtHand) -> tuple[Step, ...]:
        """Return what is left to do towards a goal."""
        return reading.next_steps_of(self.parts, actor, target, goal, at_hand)

    def seen(self, actor: Actor, target: str, notices: Sequence[str]) -> None:
        """Note that notices were shown."""
        reading.seen(self.parts, actor, target, notices)

    def events(
        self, actor: Actor, target: str | None, *, since: datetime | None = None, after: EventPlace | None = None
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail."""
        return reading.events(self.parts, actor, target, since, after)

    def operators(self, actor: Actor) -> tuple[OperatorView, ...]:
        """List who may help others."""
        return self._doing.operators(actor)

    def invite(self, actor: Actor, new: NewInvitation) -> MadeInvitation:
        """Invite somebody to make an account."""
        return self._doing.invite(actor, new)

    def invited(self, invitation: Secret) -> InvitationSeen:
        """Say what an invitation is for (servers)."""
        from passless.actions import invitations

        return invitations.look(self.parts, invitation)

    def invitations(self, actor: Actor) -> tuple[InvitationView, ...]:
        """List the invitations that nobody has taken yet."""
        return self._doing.invitations(actor)

    def revoke_invitation(self, actor: Actor, invitation: str) -> Ended:
        """Stop an invitation, by its id."""
        return self._doing.revoke_invitation(actor, invitation)

    def relying_parties(self, actor: Actor) -> tuple[RelyingPartyView, ...]:
        """List the programs that sign people in here (operators over all, or the host)."""
        from passless.actions import relying_parties

        return relying_parties.everyone(self.parts, actor)

    def add_relying_party(self, actor: Actor, new: NewRelyingParty) -> MadeRelyingParty:
        """Register a program that signs people in here (operators over all, or the host)."""
        from passless.actions import relying_parties

        return relying_parties.add(self.parts, actor, new)

    def plan_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> PlanView:
        """Say what changing a relying party would do (operators over all, or the host)."""
        from passless.actions import changing_parties

        return changing_parties.plan(self.parts, actor, relying_party, change)

    def change_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> Applied:
        """Change a relying party, and end what was given under looser rules (operators over all, or the host)."""
        from passless.actions import changing_parties

        return changing_parties.change(self.parts, actor, relying_party, change)

    def remove_relying_party(self, actor: Actor, relying_party: str) -> Ended:
        """Forget a relying party, and end every session that it was given (operators over all, or the host)."""
        from passless.actions import relying_parties

        return relying_parties.remove(self.parts, actor, relying_party)

    def new_relying_party_secret(self, actor: Actor, relying_party: str) -> MadeRelyingParty:
        """Give a relying party another secret; the one before is refused from now on (operators over all, or the host)."""
        from passless.actions import relying_parties

        return relying_parties.new_secret(self.parts, actor, relying_party)

    def close(self) -> None:
        """Let go of the store."""
        self.parts.store.close()
