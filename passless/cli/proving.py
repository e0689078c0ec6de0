"""Signing in from the terminal: which method, and its proof; one at a time, or begun here and finished elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from passless.cli import asking, opening
from passless.cli.failures import Contradiction, MissingInput, SecondProofAsked
from passless.domain.errors import CannotDoThat, PasslessError, ProofNeeded
from passless.domain.methods import Kind
from passless.domain.names import printable
from passless.domain.requests import Answer, SignInWith
from passless.domain.views import Begun, SecondProofNeeded, SignedIn
from passless.output.results import DeviceSignIn

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.directories.server.errors import Challenge
    from passless.domain.secret import Secret

_T = TypeVar("_T")

SIGNED = (Kind.SECURITY_KEY, Kind.PASSKEY)  # what answers a challenge
TYPED = {
    Kind.PASSWORD: ("Password", "--password-file FILE"),
    Kind.TOTP: ("Code from the authenticator app", "--code-file FILE"),
    Kind.TEMPORARY_PASS: ("Temporary pass", "--code-file FILE"),
    Kind.TOKEN: ("Token", "--token-file FILE"),
}
TRIES = 3  # how often something is typed before the command ends
MENDED_BY_TYPING = frozenset({"wrong-code", "wrong-proof", "code-reused"})
COMING_BACK = "Come back with the recovery code: passless recover start"
ANOTHER_METHOD = "use another method than the first, such as an app on another device"
SPOKEN = {
    Kind.PASSWORD: "the password",
    Kind.TOTP: "a code from the authenticator app",
    Kind.SECURITY_KEY: "a security key",
    Kind.PASSKEY: "a passkey",
    Kind.TEMPORARY_PASS: "a temporary pass",
}


ANY = (Kind.SECURITY_KEY, Kind.TOTP, Kind.PASSWORD, Kind.TEMPORARY_PASS)  # what an account may have that a terminal can ask for


class SameMethodAgain(SecondProofAsked):
    """What was proven first was proven again, and two-step asks for something else."""

    def __init__(self, needed: SecondProofNeeded) -> None:
        super().__init__(needed)
        self.hint = f"{ANOTHER_METHOD}: {self.hint}"


class Files(Struct, frozen=True, kw_only=True):
    """The files that may hold a proof."""

    password: SecretFile | None = None
    code: SecretFile | None = None
    token: SecretFile | None = None
    response: SecretFile | None = None
    pin: SecretFile | None = None

    def of(self, kind: Kind) -> SecretFile | None:
        """Return the file that holds the proof of a kind."""
        match kind:
            case Kind.PASSWORD:
                return self.password or self.code
            case Kind.TOKEN:
                return self.token
            case _ if kind in SIGNED:
                return self.response
            case _:
                return self.code


class Wish(Struct, frozen=True, kw_only=True):
    """The sign-in that is asked for."""

    kind: Kind | None = None
    begin: bool = False
    finish: str | None = None
    files: Files = Files()
    browser: bool = False
    device: bool = False
    asked: Challenge | None = None  # what a server asks of the proof, for a step-up


def sign_in(run: Run, wish: Wish) -> SignedIn | Begun | DeviceSignIn:
    """Sign in to the account acted on, asking for what is missing, and keep the session."""
    try:
        return _signed_in(run, wish)
    except asking.NothingTyped as error:
        error.hint = f"run it again and answer; nothing at hand? {COMING_BACK}"
        raise


def _signed_in(run: Run, wish: Wish) -> SignedIn | Begun | DeviceSignIn:
    if wish.begin and wish.finish:
        raise Contradiction("--begin", "--finish")
    if run.is_remote or wish.browser or wish.device:
        from passless.cli import remote_sign_in

        return remote_sign_in.sign_in(run, wish)
    return in_terminal(run, wish, wish.kind or choose(run))


def in_terminal(run: Run, wish: Wish, kind: Kind) -> SignedIn | Begun:
    """Sign in with a proof that is given right here."""
    if wish.begin:
        check_begins(kind)
        return run.directory.begin(run.actor, run.target, SignInWith(kind=kind))
    is_typed, is_second = _is_typed(kind, wish.files), wish.finish is not None
    outcome = patiently(run, lambda: _first(run, kind, wish), is_typed=is_typed, is_second=is_second)
    if isinstance(outcome, SecondProofNeeded):
        outcome = _second(run, outcome, wish)
    return run.signed_in(outcome)


def _is_typed(kind: Kind, files: Files) -> bool:
    return kind not in SIGNED and files.of(kind) is None


def patiently(run: Run, attempt: Callable[[], _T], *, is_typed: bool, is_second: bool = False) -> _T:
    """Let a person at a terminal type again what was wrong."""
    tries = 0
    while True:
        tries += 1
        try:
            return attempt()
        except ProofNeeded as error:
            if is_second and error.code == "code-reused":
                error.hint = ANOTHER_METHOD
            if not (run.can_ask and is_typed) or tries == TRIES or error.code not in MENDED_BY_TYPING:
                raise
            run.note(f"{error.message}; {error.hint}")


def answer(run: Run, kind: Kind, files: Files, begun: Begun | SecondProofNeeded | None = None) -> Answer:
    """Return the answer to a question for a proof: from its file, from the key, or from the person."""
    file = files.of(kind)
    if kind in SIGNED and file is None:
        return Answer(kind=kind, text=_assertion(run, kind, files, begun), ceremony=begun.ceremony if begun else "")
    question, flag = TYPED.get(kind, ("WebAuthn response", "--response-file FILE"))
    if kind is Kind.TOTP and file is None and run.can_ask:
        question = _naming_the_apps(run, begun) or question
    return Answer(kind=kind, text=run.secret(file, question, flag=flag), ceremony=begun.ceremony if begun else "")


def _first(run: Run, kind: Kind, wish: Wish) -> SignedIn | SecondProofNeeded:
    if wish.finish is not None:
        return _outcome(run.directory.finish(run.actor, wish.finish, answer(run, kind, wish.files)))
    if kind is Kind.PASSKEY and wish.files.response is None and run.can_ask and opening.is_possible():
        from passless.cli import page_here

        return _outcome(page_here.sign_in(run))
    if kind in SIGNED:
        check_possible(kind, wish.files)
        begun = run.directory.begin(run.actor, run.target, SignInWith(kind=kind))
        return _outcome(run.directory.finish(run.actor, begun.ceremony, answer(run, kind, wish.files, begun)))
    return run.directory.sign_in(run.actor, run.target, answer(run, kind, wish.files))


def check_begins(kind: Kind) -> None:
    """Refuse to begin what has no challenge: it is given at once."""
    if kind not in SIGNED:
        flag = TYPED[kind][1] if kind in TYPED else "--code-file FILE"
        raise Contradiction(
            f"--with {kind}",
            "--begin",
            hint=f"only keys and passkeys are begun; give it at once: passless sign-in --with {kind} {flag}",
        )


def check_possible(kind: Kind, files: Files) -> None:
    """Refuse what cannot be finished here before anything is begun."""
    if files.response is not None:
        raise MissingInput("the ceremony that is answered", "--finish ID")
    if kind is Kind.PASSKEY:
        raise CannotDoThat(
            "a passkey of a computer or phone answers in a browser, and there is none here that a person could be asked in",
            hint="use another method, or --begin and --finish with any authenticator",
            code="needs-a-browser",
        )


def _naming_the_apps(run: Run, begun: Begun | SecondProofNeeded | None) -> str | None:
    """Ask for a code by the names of the apps, where there are several; what was proven first is no second proof."""
    if run.is_remote:
        return None  # a server tells nobody which methods an account has
    methods = run.directory.read(run.looker, run.target).methods
    apps = [one for one in methods if one.usable and one.kind == Kind.TOTP]
    proven = begun.proven if isinstance(begun, SecondProofNeeded) else ()
    names = [f'"{printable(one.name)}"' for one in apps if one.id not in proven]
    return f"Code from {' or '.join(names)}" if names and len(apps) > 1 else None


def _second(run: Run, needed: SecondProofNeeded, wish: Wish) -> SignedIn:
    if not run.can_ask:
        run.show(needed)
        raise SameMethodAgain(needed) if wish.finish is not None else SecondProofAsked(needed)
    run.note(f"right; two-step is on, so one more proof is needed. Nothing else at hand? {COMING_BACK}")
    for _ in range(TRIES):
        outcome = _further(run, needed, Files(pin=wish.files.pin))
        if isinstance(outcome, SignedIn):
            return outcome
        run.note(f"right, but not a second proof; {ANOTHER_METHOD}")
        needed = outcome
    raise SameMethodAgain(needed)


def _further(run: Run, needed: SecondProofNeeded, files: Files) -> SignedIn | SecondProofNeeded:
    kind = _one_of([Kind(one) for one in needed.accepts])

    def attempt() -> SignedIn | SecondProofNeeded:
        return _outcome(run.directory.finish(run.actor, needed.ceremony, answer(run, kind, files, needed)))

    return patiently(run, attempt, is_typed=_is_typed(kind, files), is_second=True)


def _outcome(outcome: object) -> SignedIn | SecondProofNeeded:
    if not isinstance(outcome, SignedIn | SecondProofNeeded):
        raise PasslessError("the ceremony was not a sign-in")
    return outcome


def _assertion(run: Run, kind: Kind, files: Files, begun: Begun | SecondProofNeeded | None) -> Secret:
    """Let a key plugged into this machine answer the challenge."""
    from passless import wiring
    from passless.cli.key_prompts import TerminalKeyPrompts
    from passless.domain.secret import Secret

    if begun is None or begun.public_key is None or begun.origin is None:
        raise MissingInput("the answer of the key", "--response-file FILE")
    prompts = TerminalKeyPrompts(can_ask=run.can_ask, pin=files.pin)
    with asking.ending_the_line():
        return Secret(wiring.key_reader().assertion(begun.public_key, begun.origin, prompts))


def choose(run: Run) -> Kind:
    """Ask which method to prove, the default one first."""
    if not run.can_ask:
        raise MissingInput("the kind of proof", "--with KIND")
    return _one_of(list(held_kinds(run)) or [Kind.TEMPORARY_PASS])


def held_kinds(run: Run) -> tuple[Kind, ...]:
    """Return the kinds of method of the account that can be proven in a terminal, the default one first.

    A server says them only to who is signed in; to others everything is named that an account may have.
    """
    try:
        methods = run.directory.read(run.looker, run.target).methods
    except ProofNeeded:
        if not run.is_remote:
            raise
        return ANY
    held = sorted((one for one in methods if one.usable and one.kind in SPOKEN), key=lambda one: not one.default)
    return tuple(dict.fromkeys(Kind(one.kind) for one in held))


def _one_of(kinds: list[Kind]) -> Kind:
    if len(kinds) == 1:
        return kinds[0]
    return Kind(asking.choose("Sign in with", [(one, SPOKEN.get(one, one)) for one in kinds]))
