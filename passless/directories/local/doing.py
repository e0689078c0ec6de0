"""Everything that changes something: plans, changes, ceremonies, sign-ins. Loaded only when one of them is asked for."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from passless.actions import (
    accounts,
    attempts,
    building,
    challenging,
    enrolling,
    invitations,
    operators,
    planning,
    reading,
    recovering,
    renaming,
    rights,
    signing_in,
    signing_up,
    taking_back,
    tokens,
)
from passless.actions.ceremonies import NoSuchCeremony, find_to_finish
from passless.actions.changing import Kept, Wanted, carry_out
from passless.actions.operators import check_may_ask, may_not
from passless.actions.parts import Access, Parts
from passless.actions.reaching import reach
from passless.actions.request_errors import CodeWrong
from passless.actions.sign_in_states import SIGN_IN
from passless.actions.who import BadReason, Who, session_of
from passless.credentials.cose_keys import BadResponse
from passless.credentials.proofs import WrongProof
from passless.domain.account import Account, Version
from passless.domain.ceremonies import Ceremony
from passless.domain.errors import PasslessError, Unavailable
from passless.domain.methods import Kind, MethodId
from passless.domain.operators import may_ask
from passless.domain.refused import Refused
from passless.domain.requests import (
    Answer,
    ApproveRecovery,
    CeremonyRequest,
    EndSessions,
    Enrol,
    GrantOperator,
    NewAccount,
    NewInvitation,
    NewToken,
    RenameAccountTo,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeOperator,
    RevokeToken,
    SetGroups,
    TakeBackReport,
)
from passless.domain.safety.next_steps import AtHand
from passless.domain.safety.proof_rules import RECOVERY_SESSIONS
from passless.domain.secret import Secret
from passless.domain.showing import due_notices, method_view, pending_view, report_views, session_view, step_view
from passless.domain.views import (
    Applied,
    Begun,
    Ended,
    InvitationView,
    Made,
    MadeInvitation,
    MadeMethod,
    MadeReport,
    OperatorView,
    Outcome,
    PlanView,
    ProblemView,
    SecondProofNeeded,
    SignedIn,
    Waits,
)
from passless.ports.directory import Actor


class Doing:
    """The half of the embedded directory that writes."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def create(self, actor: Actor, new: NewAccount) -> SignedIn:
        """Make an account and sign it in."""
        made = signing_up.sign_up(self.parts, actor, new)
        return self._signed_in(attempts.Opened(account=made.account, session=made.session, token=made.token))

    def plan(self, actor: Actor, target: str, request: Request) -> PlanView:
        """Work out what a request would do."""
        return planning.plan_request(self.parts, actor, target, request)

    def enrolment_problems(self, actor: Actor, target: str, request: Enrol) -> tuple[ProblemView, ...]:
        """Tell what would stand in the way of adding a method."""
        return planning.enrolment_problems(self.parts, actor, target, request)

    def operators(self, actor: Actor) -> tuple[OperatorView, ...]:
        """List who may help others."""
        return operators.listed(self.parts, actor)

    def invite(self, actor: Actor, new: NewInvitation) -> MadeInvitation:
        """Invite somebody to make an account."""
        return invitations.invite(self.parts, actor, new)

    def invitations(self, actor: Actor) -> tuple[InvitationView, ...]:
        """List the invitations that nobody has taken yet."""
        return invitations.listed(self.parts, actor)

    def revoke_invitation(self, actor: Actor, invitation: str) -> Ended:
        """Stop an invitation, by its id."""
        return invitations.revoke(self.parts, actor, invitation)

    def apply(self, actor: Actor, target: str, request: Request, *, version: Version | None = None) -> Applied | Waits:
        """Carry out a request; with a version only while the account is still at it."""
        with operators.noting_refused(self.parts, actor, str(request.__struct_config__.tag)):
            return self._apply(actor, target, request, version)

    def _apply(self, actor: Actor, target: str, request: Request, version: Version | None) -> Applied | Waits:
        match request:
            case NewToken():
                return Applied(plan=None, made=tokens.make_token(self.parts, actor, target, request, version))
            case RevokeToken():
                return Applied(plan=None, made=tokens.revoke_token(self.parts, actor, target, request, version))
            case EndSessions():
                return Applied(plan=None, made=tokens.end_sessions(self.parts, actor, target, request, version))
            case GrantOperator() | RevokeOperator() | SetGroups() | ApproveRecovery():
                kept = rights.change(self.parts, actor, target, request, version=version)
                return self._outcome(kept, None)
            case _:
                return self._change(actor, target, request, version)

    def _change(self, actor: Actor, target: str, request: Request, version: Version | None) -> Applied | Waits:
        made: list[Made | None] = [None]

        def look(now: datetime) -> accounts.Found:
            return reach(self.parts, actor, target, now)

        def build(who: Who, now: datetime) -> Wanted:
            check_may_ask(self.parts, who, request, now)
            try:
                built = building.build(self.parts, who, request, now)
            except CodeWrong as error:
                self._note(who.account, actor, Kind.RECOVERY_CODE, error, "confirm-recovery-code")
                raise
            made[0] = built.made
            return built.wanted

        if isinstance(request, RenameAccountTo):
            return self._outcome(renaming.rename(self.parts, actor, look, request, version=version), None)
        if isinstance(request, TakeBackReport):
            return self._outcome(taking_back.take_back(self.parts, actor, look, request, version=version), None)
        try:
            kept = carry_out(self.parts, actor, look, build, version=version)
        except BadReason:
            if not may_ask(request):  # no reason would help
                raise Refused((may_not(request),)) from None
            raise
        if isinstance(request, ReportLostDevice | ReportNotMe):
            made[0] = self._report(kept, actor)
        return self._outcome(kept, made[0])

    def _outcome(self, kept: Kept, made: Made | None) -> Applied | Waits:
        view = planning.plan_view(kept.plan, self.parts.rules, self.parts.now())
        if kept.pending is not None:
            return Waits(plan=view, pending=pending_view(kept.pending))
        return Applied(plan=view, made=made, token=kept.token)

    def _report(self, kept: Kept, actor: Actor) -> MadeReport:
        session = session_of(self.parts, actor)
        at_hand = AtHand(recovering=session is not None and session.kind in RECOVERY_SESSIONS)
        now, before, after = self.parts.now(), kept.plan.before, kept.account
        kept_programs = {one.id for one in after.app_passwords}
        return MadeReport(
            report=report_views(after, now)[-1],
            sessions_ended=kept.sessions_ended,
            app_passwords_ended=tuple(one.name for one in before.app_passwords if one.id not in kept_programs),
            next_steps=tuple(step_view(step) for step in reading.steps(self.parts, after, None, at_hand)),
        )

    def begin(self, actor: Actor, target: str, request: CeremonyRequest) -> Begun:
        """Begin to add a method or to sign in."""
        if isinstance(request, Enrol):
            return enrolling.begin(self.parts, actor, target, request)
        ceremony, options, origin = challenging.begin(self.parts, actor, target, request)
        return Begun(ceremony=ceremony.id, expires_at=ceremony.expires_at, origin=origin, public_key=options)

    def finish(self, actor: Actor, ceremony: str, answer: Answer) -> Outcome:
        """Finish a ceremony from this or another process."""
        found = find_to_finish(self.parts, actor, ceremony)
        if found.purpose.startswith("enrol-"):
            kept, method_id = self._enrol(actor, found, answer)
            method = kept.account.method(method_id)
            if method is None:
                return self._outcome(kept, None)
            uses, now = self.parts.store.uses(kept.account.id), self.parts.now()
            return self._outcome(kept, MadeMethod(method=method_view(kept.account, method, uses, self.parts.rules, now)))
        if found.purpose != SIGN_IN:
            raise NoSuchCeremony
        return self._opened(signing_in.sign_in(self.parts, actor, found.account_id, answer, found))

    def _enrol(self, actor: Actor, ceremony: Ceremony, answer: Answer) -> tuple[Kept, MethodId]:
        try:
            return enrolling.finish(self.parts, actor, ceremony, answer)
        except (WrongProof, BadResponse, enrolling.WrongAnswer) as error:
            account = accounts.find_id(self.parts, ceremony.account_id, self.parts.now()).account
            self._note(account, actor, answer.kind, error, "add-method")
            raise

    def _note(self, account: Account, actor: Actor, kind: str, error: PasslessError, event: str) -> None:
        """Record what was wrong about an answer that is none of a sign-in."""
        attempts.note_failure(self.parts, account, actor, kind, error, self.parts.now(), event=event)

    def sign_in(self, actor: Actor, target: str, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Sign in with what needs no challenge, or add a proof to the session in use."""
        if answer.kind is Kind.TOKEN:
            account, session = tokens.take_token(self.parts, actor, target, answer.text)
            return self._signed_in(attempts.Opened(account=account, session=session, token=answer.text))
        return self._opened(signing_in.sign_in(self.parts, actor, target, answer))

    def recover(self, actor: Actor, target: str, code: Secret, proof: Answer | None) -> SignedIn:
        """Begin a recovery with a recovery code."""
        return self._signed_in(recovering.recover(self.parts, actor, target, code, proof))

    def _opened(self, opened: attempts.Opened | signing_in.HalfWay) -> SignedIn | SecondProofNeeded:
        if isinstance(opened, attempts.Opened):
            return self._signed_in(opened)
        return SecondProofNeeded(
            ceremony=opened.ceremony.id,
            accepts=tuple(opened.accepts),
            origin=opened.origin or None,
            public_key=opened.options or None,
            proven=opened.proven if self.parts.access is Access.OWNER else (),
        )

    def _signed_in(self, opened: attempts.Opened) -> SignedIn:
        now, account = self.parts.now(), opened.account
        if self.parts.access is Access.OWNER:  # a server sweeps now and then, and not at every sign-in
            with suppress(Unavailable):  # tidying up is no reason to fail
                self.parts.store.sweep(at=now)
        return SignedIn(
            account=account.name,
            account_id=account.id,
            token=opened.token,
            session=session_view(account, opened.session, self.parts.rules, now),
            kind=opened.session.kind,
            notices=due_notices(account, self.parts.store.notices(account.id), now),
        )

    def sign_out(self, actor: Actor, *, everywhere: bool = False) -> int:
        """End the session in use, or all of its account."""
        return tokens.sign_out(self.parts, actor, everywhere=everywhere)
