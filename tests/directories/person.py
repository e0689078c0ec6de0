"""A person who has an account in a place, and what they do, short enough to read as a sentence."""

from __future__ import annotations

from typing import Any, TypeVar

import pyotp

from passless.actions.who import SignInNeeded
from passless.credentials.totp import step_at
from passless.domain.methods import Kind
from passless.domain.requests import (
    Answer,
    ConfirmCode,
    Enrol,
    NewAccount,
    NewAppPassword,
    NewRecoveryCode,
    PasswordlessOn,
    Request,
    SignInWith,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.domain.views import (
    Applied,
    Begun,
    MadeAppPassword,
    MadeMethod,
    MadeRecoveryCode,
    SecondProofNeeded,
    SignedIn,
    Waits,
)
from passless.ports.directory import Actor
from tests.directories.place import PASSWORD, Place
from tests.directories.security_key import SecurityKey

T = TypeVar("T")


class App:
    """An authenticator app with one seed; `fresh` waits for a code that was not used yet."""

    def __init__(self, place: Place, seed: str, method: str = "") -> None:
        self._place = place
        self._totp = pyotp.TOTP(seed)
        self._used = -1
        self.method = method

    @property
    def code(self) -> Secret:
        """What it shows now."""
        self._used = step_at(self._place.clock.now)
        return Secret(self._totp.at(self._place.clock.now))

    @property
    def fresh(self) -> Secret:
        """What it shows, once that is not what it showed before."""
        if step_at(self._place.clock.now) <= self._used:
            self._place.clock.move(seconds=30)
        return self.code

    @property
    def wrong(self) -> Secret:
        """Six digits that no step near now has."""
        near = {self._totp.generate_otp(step_at(self._place.clock.now) + one) for one in range(-2, 3)}
        return Secret(next(code for code in (f"{number:06}" for number in range(9)) if code not in near))


class Person:
    """Somebody at a terminal. Their session is kept as the command line keeps it."""

    def __init__(self, place: Place, name: str = "ada", *, at: str = "laptop", token: Secret | None = None) -> None:
        self.place = place
        self.name = name
        self.at = at
        self.token = token

    @property
    def actor(self) -> Actor:
        """Who they are to a directory."""
        return Actor(token=self.token, place=self.at)

    @property
    def view(self) -> Any:
        """Their account at a glance; once they are signed out of a server, as an operator sees it."""
        try:
            return self.place.directory.read(self.actor, self.name)
        except SignInNeeded:
            return self.place.directory.read(self.place.onlooker, self.name)

    def elsewhere(self, at: str = "phone", *, token: Secret | None = None) -> Person:
        """Return the same account in other hands or at another place, signed out unless a token is given."""
        return Person(self.place, self.name, at=at, token=token)

    def create(self, *, password: str | None = PASSWORD, **more: Any) -> Person:
        """Make the account."""
        secret = None if password is None else Secret(self.place.keep_secret(password))
        self._keep(self.place.directory.create(self.actor, NewAccount(name=self.name, password=secret, **more)))
        return self

    def ask(self, request: Request) -> Applied | Waits:
        """Ask for a change."""
        return self.place.directory.apply(self.actor, self.name, request)

    def do(self, request: Request) -> Applied:
        """Ask for a change that acts at once."""
        outcome = self.ask(request)
        assert isinstance(outcome, Applied), "it waits"
        return outcome

    def make(self, request: Request, into: type[T]) -> T:
        """Ask for something that is shown once."""
        made = self.do(request).made
        assert isinstance(made, into)
        return made

    # Signing in.

    def prove(self, answer: Answer) -> SignedIn | SecondProofNeeded:
        """Sign in, or prove once more, with what needs no challenge."""
        return self._keep(self.place.directory.sign_in(self.actor, self.name, answer))

    def with_password(self, password: str = PASSWORD) -> SignedIn | SecondProofNeeded:
        """Prove it with the password."""
        self.place.keep_secret(password)
        return self.prove(Answer(kind=Kind.PASSWORD, text=Secret(password)))

    def with_code(self, app: App) -> SignedIn | SecondProofNeeded:
        """Prove it with a code."""
        return self.prove(Answer(kind=Kind.TOTP, text=app.fresh))

    def with_key(self, key: SecurityKey, kind: Kind = Kind.SECURITY_KEY) -> SignedIn | SecondProofNeeded:
        """Prove it with a key or passkey."""
        begun = self.place.directory.begin(self.actor, self.name, SignInWith(kind=kind))
        return self.finish(begun.ceremony, Answer(kind=kind, text=key_answer(key, begun)))

    def with_pass(self, secret: str) -> SignedIn | SecondProofNeeded:
        """Sign in with a temporary pass."""
        return self.prove(Answer(kind=Kind.TEMPORARY_PASS, text=Secret(secret)))

    def finish(self, ceremony: str, answer: Answer) -> Any:
        """Finish what was begun."""
        return self._keep(self.place.directory.finish(self.actor, ceremony, answer))

    def recover(self, code: str, proof: Answer | None = None) -> SignedIn:
        """Come back with the recovery code."""
        signed_in = self.place.directory.recover(self.actor, self.name, Secret(code), proof)
        self._keep(signed_in)
        return signed_in

    # What they add.

    def add_app(self, **more: Any) -> App:
        """Add an authenticator app."""
        begun = self.place.directory.begin(self.actor, self.name, Enrol(kind=Kind.TOTP, **more))
        app = self.app_of(begun)
        done = self.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code))
        assert isinstance(done.made, MadeMethod)
        app.method = done.made.method.id
        return app

    def app_of(self, begun: Begun) -> App:
        """Return the app that took the seed of a begun ceremony."""
        assert begun.secret is not None
        return App(self.place, self.place.keep_secret(begun.secret))

    def add_key(self, key: SecurityKey, kind: Kind = Kind.SECURITY_KEY, **more: Any) -> str:
        """Add a security key or a passkey; return the method's id."""
        begun = self.place.directory.begin(self.actor, self.name, Enrol(kind=kind, **more))
        done = self.finish(begun.ceremony, Answer(kind=kind, text=key_answer(key, begun, new=True)))
        assert isinstance(done.made, MadeMethod)
        return done.made.method.id

    def new_code(self, *, saved: bool = True) -> str:
        """Make a recovery code and, unless told otherwise, type it back."""
        code = self.place.keep_secret(self.make(NewRecoveryCode(), MadeRecoveryCode).code)
        if saved:
            self.do(ConfirmCode(code=Secret(code)))
        return code

    def new_app_password(self, name: str = "Mail", **more: Any) -> str:
        """Make an app password."""
        return self.place.keep_secret(self.make(NewAppPassword(name=name, **more), MadeAppPassword).secret)

    def turn_on_two_step(self) -> None:
        """Ask for two proofs from now on."""
        self.do(TwoStepOn())

    def go_passwordless(self) -> None:
        """Delete the password."""
        self.do(PasswordlessOn())

    def _keep(self, outcome: Any) -> Any:
        if isinstance(outcome, SignedIn | Applied) and outcome.token is not None:
            self.token = outcome.token
            self.place.keep_secret(outcome.token)
        return outcome


def key_answer(key: SecurityKey, begun: Begun | SecondProofNeeded, *, new: bool = False) -> Secret:
    """Return what a key answers to a begun ceremony."""
    assert begun.public_key is not None
    assert begun.origin is not None
    return key.register(begun.public_key, begun.origin) if new else key.answer(begun.public_key, begun.origin)
