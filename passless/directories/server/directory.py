"""Every Directory operation at a passless server, through its HTTP interface (docs/api.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from passless import wire
from passless.directories.server.answers import Planned
from passless.directories.server.asking import MANY_PAGES, Asking, account_path, quoted
from passless.directories.server.connection import Connection
from passless.domain.account import Version
from passless.domain.audit import AuditEvent
from passless.domain.errors import ProofNeeded
from passless.domain.key_views import HardwareKeyView
from passless.domain.names import key
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.policy import Finding, Policy
from passless.domain.relying_parties import MadeRelyingParty, NewRelyingParty, RelyingPartyView
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
from passless.ports.directory import NOBODY, Ability, Actor

LINK = re.compile(r"(https?://[^/#\s\"<>]+)/[a-z/-]*#[A-Za-z0-9_-]+")  # what leads a browser to a page, and to nothing else


class ServerDirectory:
    """The accounts of one server; holds nothing but the connection to it."""

    def __init__(self, connection: Connection, *, profile: str = "") -> None:
        self.connection = connection
        self._profile = profile
        self._asking = Asking(connection)

    @property
    def origin(self) -> str:
        """Where the server is: the origin that answers of keys and passkeys carry."""
        return self.connection.origin

    @property
    def clock_difference(self) -> timedelta | None:
        """The server's clock less ours, once it answered."""
        return self.connection.clock_difference

    def greeting(self) -> wire.About:
        """Return what the server says of itself; `OtherVersion` where it speaks another version of the interface."""
        return self._asking.greeting()

    def ability(self, what: str) -> Ability:
        """Say what the server says it cannot do, and why."""
        may = self.greeting().may
        found = may.get(what) or may.get(what.rpartition(" ")[2]) or wire.May()
        return Ability(is_possible=found.is_possible, reason=found.reason, where=found.where)

    # Accounts

    def find(self, matching: str = "", actor: Actor = NOBODY, *, after: str = "") -> Iterator[AccountSummary]:
        """Stream the accounts whose name contains the words, page by page."""
        query = {"matching": matching} if matching else {}
        for one in self._asking.pages("/accounts", actor, AccountSummary, query, most=MANY_PAGES):
            if not after or key(one.account) > key(after):
                yield one

    def create(self, actor: Actor, new: NewAccount) -> SignedIn:
        """Make an account and sign it in."""
        return self._asking.once("/accounts", actor, new, SignedIn)

    def read(self, actor: Actor, target: str) -> AccountView:
        """Read an account at a glance."""
        return replace(self._asking.read(account_path(target), actor, AccountView), profile=self._profile)

    def plan(self, actor: Actor, target: str, request: Request) -> PlanView:
        """Work out what a request would do."""
        return self._asking.ask_for(account_path(target, "plan"), actor, request, Planned).plan

    def apply(self, actor: Actor, target: str, request: Request, *, version: Version | None = None) -> Applied | Waits:
        """Carry out a request, once, however often it had to be sent."""
        return self._asking.apply(account_path(target, "apply"), actor, request, version)

    def enrolment_problems(self, actor: Actor, target: str, request: Enrol) -> tuple[ProblemView, ...]:
        """Tell what the adding of a method would come to."""
        return self._asking.ask_for(account_path(target, "enrolment-problems"), actor, request, tuple[ProblemView, ...])

    # Proving

    def begin(self, actor: Actor, target: str, request: CeremonyRequest) -> Begun:
        """Begin to add a method or to sign in; `ForeignOrigin` where the key would sign for somebody else."""
        path = account_path(target, "ceremonies") if target else "/ceremonies"
        return self._asking.begun(path, actor, request)

    def finish(self, actor: Actor, ceremony: str, answer: Answer) -> Outcome:
        """Finish a ceremony from this or another process."""
        return self._asking.outcome(f"/ceremonies/{quoted(ceremony)}", actor, answer)

    def enrol_link(self, actor: Actor, target: str, request: Enrol) -> MadeEnrolLink:
        """Make a link with which one browser adds a passkey; `ForeignOrigin` where it leads elsewhere."""
        made = self._asking.tell_for(account_path(target, "enrol-links"), actor, request, MadeEnrolLink)
        found = LINK.fullmatch(made.link.reveal())
        self._asking.check_origin(found[1] if found else "nowhere")
        return made

    def sign_in(self, actor: Actor, target: str, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Sign in with what needs no challenge, or add a proof to the session in use."""
        return self._asking.signed_in(account_path(target, "sign-in"), actor, answer)

    def recover(self, actor: Actor, target: str, code: Secret, proof: Answer | None) -> SignedIn:
        """Begin a recovery with a recovery code."""
        return self._asking.tell_for(account_path(target, "recover"), actor, {"code": code, "proof": proof}, SignedIn)

    def is_recovery_code(self, actor: Actor, target: str, code: Secret) -> bool:
        """Tell whether this is the account's saved recovery code, without using it."""
        path = account_path(target, "recovery-code/check")
        return self._asking.tell_for(path, actor, {"code": code}, wire.Right).right

    def sign_out(self, actor: Actor, *, everywhere: bool = False) -> int:
        """End the session in use, or all of its account; one that ended before is none."""
        if actor.token is None:
            return 0
        try:
            return self._asking.tell_for("/sign-out", actor, {"everywhere": everywhere}, wire.SignedOut).ended
        except ProofNeeded as error:
            if error.code != "sign-in-needed":
                raise
            return 0

    # Looking

    def app_passwords(self, actor: Actor, target: str) -> tuple[AppPasswordView, ...]:
        """List the app passwords."""
        return tuple(self._asking.pages(account_path(target, "app-passwords"), actor, AppPasswordView))

    def sessions(self, actor: Actor, target: str) -> tuple[SessionView, ...]:
        """List the sessions."""
        return tuple(self._asking.pages(account_path(target, "sessions"), actor, SessionView))

    def tokens(self, actor: Actor, target: str) -> tuple[TokenView, ...]:
        """List the tokens of machines."""
        return tuple(self._asking.pages(account_path(target, "tokens"), actor, TokenView))

    def passes(self, actor: Actor, target: str) -> tuple[PassView, ...]:
        """List the temporary pass, if there is one."""
        return tuple(self._asking.pages(account_path(target, "passes"), actor, PassView))

    def devices(self, actor: Actor, target: str) -> tuple[DeviceView, ...]:
        """List the devices."""
        return tuple(self._asking.pages(account_path(target, "devices"), actor, DeviceView))

    def hardware_keys(self, actor: Actor, target: str) -> tuple[HardwareKeyView, ...]:
        """List the keys that programs outside of a browser can ask."""
        return tuple(self._asking.pages(account_path(target, "hardware-keys"), actor, HardwareKeyView))

    def what_if(self, actor: Actor, target: str, lost: Sequence[str]) -> tuple[WhatIfView, ...]:
        """Work out one loss, or every loss of one and of two things."""
        return self._asking.ask_for(account_path(target, "what-if"), actor, {"lost": list(lost)}, tuple[WhatIfView, ...])

    def next_steps(self, actor: Actor, target: str, goal: Goal | None, at_hand: AtHand) -> tuple[Step, ...]:
        """Return what is left to do towards a goal."""
        asked = {"goal": goal, "at_hand": at_hand}
        return self._asking.ask_for(account_path(target, "next-steps"), actor, asked, tuple[Step, ...])

    def seen(self, actor: Actor, target: str, notices: Sequence[str]) -> None:
        """Note that notices were shown."""
        self._asking.ask(account_path(target, "notices/seen"), actor, {"notices": list(notices)})

    def check(self, actor: Actor, policy: Policy, targets: Sequence[str], *, after: str = "") -> Iterator[Finding]:
        """Hold accounts against a policy; page by page."""
        question = {"policy": policy, "targets": list(targets)}
        for finding in self._asking.posted_pages("/check", actor, question, Finding):
            if not after or key(finding.account) > key(after):
                yield finding

    def events(
        self, actor: Actor, target: str | None, *, since: datetime | None = None, after: EventPlace | None = None
    ) -> Iterator[AuditEvent]:
        """Stream the audit trail, page by page."""
        asked = {"account": target, "since": None if since is None else since.astimezone(UTC).isoformat()}
        query = {name: value for name, value in asked.items() if value is not None}
        for event in self._asking.pages("/events", actor, AuditEvent, query, most=MANY_PAGES):
            if after is None or (event.at, event.account_id, event.seq) > (after.at, after.account_id, after.seq):
                yield event

    # Operators

    def operators(self, actor: Actor) -> tuple[OperatorView, ...]:
        """List who may help others."""
        return tuple(self._asking.pages("/operators", actor, OperatorView))

    def invite(self, actor: Actor, new: NewInvitation) -> MadeInvitation:
        """Invite somebody to make an account."""
        return self._asking.once("/invitations", actor, new, MadeInvitation)

    def invited(self, invitation: Secret) -> InvitationSeen:
        """Say what an invitation is for."""
        return self._asking.ask_for("/invitations/look", NOBODY, {"invitation": invitation}, InvitationSeen)

    def invitations(self, actor: Actor) -> tuple[InvitationView, ...]:
        """List the invitations that nobody has taken yet."""
        return tuple(self._asking.pages("/invitations", actor, InvitationView))

    def revoke_invitation(self, actor: Actor, invitation: str) -> Ended:
        """Stop an invitation."""
        return self._asking.delete(f"/invitations/{quoted(invitation)}", actor, Ended)

    def relying_parties(self, actor: Actor) -> tuple[RelyingPartyView, ...]:
        """List the programs that sign people in here."""
        return tuple(self._asking.pages("/relying-parties", actor, RelyingPartyView))

    def add_relying_party(self, actor: Actor, new: NewRelyingParty) -> MadeRelyingParty:
        """Register a program that signs people in here."""
        return self._asking.tell_for("/relying-parties", actor, new, MadeRelyingParty)

    def plan_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> PlanView:
        """Say what changing a relying party would do."""
        return self._asking.ask_for(f"/relying-parties/{quoted(relying_party)}/plan", actor, change, Planned).plan

    def change_relying_party(self, actor: Actor, relying_party: str, change: RelyingPartyChange) -> Applied:
        """Change a relying party, and end what was given under looser rules."""
        return self._asking.changed(f"/relying-parties/{quoted(relying_party)}/apply", actor, change)

    def remove_relying_party(self, actor: Actor, relying_party: str) -> Ended:
        """Forget a relying party."""
        return self._asking.delete(f"/relying-parties/{quoted(relying_party)}", actor, Ended)

    def new_relying_party_secret(self, actor: Actor, relying_party: str) -> MadeRelyingParty:
        """Give a relying party another secret; the one before is refused from now on."""
        return self._asking.tell_for(f"/relying-parties/{quoted(relying_party)}/secret", actor, {}, MadeRelyingParty)

    def close(self) -> None:
        """Let go of the connection."""
        self.connection.close()
