"""One run of the program: what was asked for, by whom, of which account, and where the result goes.

The only place below which there is neither a clock nor randomness.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from typer import Context

from passless.cli import addressing, asking
from passless.cli.failures import (
    ConfirmationNeeded,
    MissingInput,
    NobodySignedIn,
    NotConfirmed,
    NotSignedIn,
    PlanRefused,
    SignInFirst,
)
from passless.cli.options import Given, given
from passless.domain.errors import PasslessError, WrongUse
from passless.domain.names import printable
from passless.domain.secret import Secret
from passless.ports.directory import Actor, Directory, Operator
from passless.settings import Profile, Settings

if TYPE_CHECKING:
    from passless.cli.secret_files import SecretFile
    from passless.domain.requests import Request
    from passless.domain.views import AccountView, Applied, PlanView, SignedIn, Waits
    from passless.session_tokens import SessionTokens

RUN = "passless.run"
_T = TypeVar("_T")


class NoAccountChosen(WrongUse):
    """No account is named, and none is chosen."""

    code = "no-account-chosen"
    hint = "name one: --account NAME, or make one: passless account create NAME"
    default = "no account is chosen"


def current(ctx: Context) -> Run:
    """Return the run that a command belongs to."""
    if RUN not in ctx.meta:
        run = Run(given(ctx), Settings(os.environ))
        addressing.begin(run)
        ctx.find_root().call_on_close(run.close)
        ctx.meta[RUN] = run
    found: Run = ctx.meta[RUN]
    return found


class Run:
    """Everything a command needs, made when it is first asked for."""

    def __init__(self, given: Given, settings: Settings) -> None:
        self.given = given
        self.settings = settings
        self._directory: Directory | None = None
        self._on: str | None = None

    # What was asked for

    @cached_property
    def json(self) -> bool:
        """Whether the result is for a program."""
        return self.given.json or self.settings.wants_json

    @cached_property
    def can_ask(self) -> bool:
        """Whether there is a person to ask, and they may be asked."""
        return not self.given.no_input and asking.is_possible()

    @cached_property
    def profile(self) -> Profile:
        """The place where the account lives."""
        return self.settings.profile(self.given.profile)

    @cached_property
    def tokens(self) -> SessionTokens:
        """Who is signed in there."""
        if not self.is_remote:
            return self.settings.tokens(self.profile)
        from passless import wiring

        return wiring.session_tokens(self.settings, self.profile)

    @property
    def is_remote(self) -> bool:
        """Whether the accounts live on a passless server, where nobody but the signed-in person looks at theirs."""
        return self.profile.place == "server"

    @property
    def looker(self) -> Actor:
        """Who looks at an account: on an embedded store whoever owns the file, on a server whoever is signed in."""
        return self.actor if self.is_remote else Actor(place=self.place)

    @property
    def named(self) -> str | None:
        """The account that an argument named, or that was asked for."""
        return self._on

    @property
    def target(self) -> str:
        """The account acted on, by name or id; `NoAccountChosen` where there is none."""
        wanted = self._on or self.given.account or self.settings.account or self.tokens.chosen
        if not wanted:
            raise NoAccountChosen
        return wanted

    @property
    def looked_at(self) -> str:
        """The same for what only somebody signed in may do: at a server `NobodySignedIn` where none is named or chosen."""
        try:
            return self.target
        except NoAccountChosen as error:
            if not self.is_remote:
                raise
            raise NobodySignedIn(self.profile.name) from error

    @property
    def spoken_target(self) -> str:
        """The account acted on, by its name where that is known here, for questions."""
        return self.tokens.name_of(self.target) or self.target

    @property
    def acting_account(self) -> str | None:
        """The account that acts: the one named with `--as`, else the one acted on if signed in, else the chosen one."""
        if self.given.acting_as:
            return self.given.acting_as
        wanted = (self._on, self.given.account, self.settings.account, self.tokens.chosen)
        return next((one for one in wanted if one and self.tokens.token_of(one) is not None), None)

    @property
    def actor(self) -> Actor:
        """Who acts: the account named with `--as`, else the one acted on, else the chosen one, if signed in."""
        return Actor(token=self._token(), operator=self._operator(), place=self.place)

    @cached_property
    def place(self) -> str:
        """Where the person is, for the audit trail."""
        return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")

    @property
    def directory(self) -> Directory:
        """The place where the accounts of the profile are."""
        if self._directory is None:
            from passless import wiring

            if self.given.verbose:
                self.note(f'using the profile "{self.profile.name}" at {self.profile.address}')
            self._directory = wiring.open_directory(
                self.settings, self.profile, clock=self.now, entropy=self.entropy, tell=self.note
            )
        return self._directory

    def founded_directory(self) -> Directory:
        """Return the directory, made first where it is a store that does not exist yet: for commands that make an account."""
        if self._directory is None:
            from passless import wiring

            wiring.found(self.settings, self.profile, clock=self.now, entropy=self.entropy, tell=self.note)
        return self.directory

    def on(self, account: str | None) -> Run:
        """Act on an account that was named as an argument; None changes nothing."""
        self._on = account or self._on
        return self

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC)

    def entropy(self, size: int) -> bytes:
        """Return random bytes."""
        return os.urandom(size)

    # What is done

    def view(self) -> AccountView:
        """Read the account at a glance."""
        return self.ask(lambda directory, actor, target: directory.read(actor, target))

    def ask(self, question: Callable[[Directory, Actor, str], _T]) -> _T:
        """Ask the directory something about the account."""
        target = self.looked_at  # first, because without one nothing needs to be opened
        return self.attempt(lambda actor: question(self.directory, self._known_there(actor), target))

    def change(self, request: Request, *, confirm: str | None = None) -> PlanView | Applied | Waits:
        """Carry out a request, or only plan it under `--dry-run`.

        Args:
            request: what is asked.
            confirm: the question before something is removed, revoked, turned off, replaced or reset.
        """
        if self.given.dry_run:
            return self.plan(request)
        if confirm is not None:
            self.confirm(confirm, plan=lambda: self.plan(request))
        return self.ask(lambda directory, actor, target: directory.apply(actor, target, request))

    def plan(self, request: Request) -> PlanView:
        """Work out what a request would do; nothing is kept."""
        target = self.looked_at
        return self.directory.plan(self._known_there(self.actor), target, request)

    def attempt(self, act: Callable[[Actor], _T]) -> _T:
        """Do something; where only a proof is missing and there is a person to ask, ask for it and try once more."""
        from passless.cli import step_up

        try:
            return self._act(act)
        except PasslessError as error:
            if not (self.can_ask and step_up.would_help(error)):
                raise
            step_up.ask(self, error)
        return self._act(act)

    def _act(self, act: Callable[[Actor], _T]) -> _T:
        """Do something, and keep the new token of the session in use where that proved more in it."""
        actor = self.actor
        try:
            outcome = act(actor)
        except PasslessError as error:
            self._name_account(error)
            raise
        token = getattr(outcome, "token", None) if actor.token is not None else None  # of `Applied`; that type loads much
        if isinstance(token, Secret) and actor.token is not None:
            self.tokens.renew(actor.token, token)
        return outcome

    def _name_account(self, error: PasslessError) -> None:
        """Put the account's name in the place of the id that a server was asked by."""
        account_id = self._on or self.given.account or self.settings.account or self.tokens.chosen
        name = self.tokens.name_of(account_id) if account_id and self.is_remote else None
        if name and account_id and error.code == SignInFirst.code and account_id in error.message:
            error.args = (error.message.replace(account_id, printable(name)),)
            error.hint = error.hint.replace(account_id, printable(name))

    def confirm(self, question: str, *, plan: Callable[[], PlanView] | None = None) -> None:
        """Make sure that something is meant.

        Raises:
            ConfirmationNeeded: nobody can be asked, and `--yes` was not given.
            NotConfirmed: the person said no.
        """
        if self.given.yes:
            return
        if not self.can_ask:
            raise ConfirmationNeeded(question)
        if plan is not None:
            self._show_first(plan())
        if not asking.yes(question):
            raise NotConfirmed

    def _show_first(self, planned: PlanView) -> None:
        """Draw a plan before its question; what would be refused is not asked about."""
        self.draw(planned)
        if not planned.accepted:
            raise PlanRefused(planned.problems)

    def secret(self, file: SecretFile | None, question: str, *, flag: str) -> Secret:
        """Return a secret from its file, or ask for it."""
        if file is not None:
            return file.read()
        if not self.can_ask:
            raise MissingInput(f"the {question.lower()}", flag)
        return asking.secret(question)

    def new_secret(self, file: SecretFile | None, question: str, *, flag: str) -> Secret:
        """Return a new secret from its file, or ask for it twice."""
        if file is not None:
            return file.read()
        if not self.can_ask:
            raise MissingInput(f"the {question.lower()}", flag)
        return asking.new_secret(question)

    def text(self, given: str | None, question: str, *, flag: str) -> str:
        """Return what was given, or ask for it."""
        if given is not None:
            return given
        if not self.can_ask:
            raise MissingInput(f"the {question.lower()}", flag)
        return asking.line(question)

    @contextmanager
    def for_oneself(self) -> Iterator[None]:
        """Act on the account that acts, and not as an operator, meanwhile: for an operator's own proof."""
        before, as_operator = self._on, self.given.as_operator
        self._on, self.given.as_operator = self.acting_account, False
        try:
            yield
        finally:
            self._on, self.given.as_operator = before, as_operator

    def signed_in(self, outcome: SignedIn) -> SignedIn:
        """Keep the token of a session that began; the first account that signs in is chosen."""
        if said := self.tokens.keep(outcome.account_id, outcome.account, outcome.token):
            self.note(said)
        if self.tokens.chosen is None:
            self.tokens.choose(outcome.account_id, outcome.account)
        return outcome

    # What is shown

    def show(self, result: Any) -> None:
        """Print a result: JSON for programs, else for people; a plan that would be refused ends the run as refused."""
        from passless.domain.views import PlanView

        self._print(result, now=self.now())
        self._note_seen(result)
        if isinstance(result, PlanView) and not result.accepted:
            raise PlanRefused(result.problems)

    def show_each(self, results: Iterable[Any], *, of: type[Any]) -> None:
        """Print a list of things of one type, as long as it may be."""
        if self.json:
            from passless.output import json

            json.print_each(results)
        else:
            from passless.output.human import Listing

            self._print(Listing(of=of, items=tuple(results)), now=self.now())

    def draw(self, result: Any) -> None:
        """Draw something for the person that is no result, such as a plan before a question."""
        from passless.output import human

        human.print_to_terminal(result, now=self.now())

    def note(self, text: str) -> None:
        """Tell the person something that is no result."""
        asking.say(text)

    def close(self) -> None:
        """Let go of what is open."""
        if self._directory is not None:
            self._directory.close()
            self._directory = None

    def _print(self, result: Any, *, now: datetime) -> None:
        if self.json:
            from passless.output import json

            json.print_one(result)
        else:
            from passless.output import human

            human.print_result(result, now=now)

    def _note_seen(self, result: Any) -> None:
        """Note that notices reached the person: on a terminal, and not in a script's JSON."""
        from passless.domain.views import AccountView, SignedIn

        if isinstance(result, AccountView | SignedIn) and result.notices and not self.json and sys.stdout.isatty():
            self.directory.seen(self.actor, self.target, [notice.id for notice in result.notices])

    def _known_there(self, actor: Actor) -> Actor:
        """Return the actor, who has to be signed in where a server would ask for it anyway."""
        if self.is_remote and actor.token is None:
            raise SignInFirst(self.spoken_target)
        return actor

    def _token(self) -> Secret | None:
        if named := self.given.acting_as:
            if (found := self.tokens.token_of(named)) is None:
                raise NotSignedIn(named)
            return found
        wanted = (self._on, self.given.account, self.settings.account, self.tokens.chosen)
        return next((token for one in wanted if one and (token := self.tokens.token_of(one)) is not None), None)

    def _operator(self) -> Operator | None:
        if not self.given.as_operator:
            return None
        if not self.given.reason:
            if not self.can_ask:
                raise MissingInput("the reason of an operator", "--reason TEXT")
            self.given.reason = asking.line("Why, for the audit trail")
        return Operator(reason=self.given.reason, ticket=self.given.ticket or "")
