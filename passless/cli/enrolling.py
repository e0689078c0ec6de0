"""Adding a sign-in method: in one go at a terminal, or begun and finished by scripts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from passless.cli import asking, opening, plans
from passless.cli.failures import Contradiction, MissingInput
from passless.domain.errors import CannotDoThat, ProofNeeded, WrongUse
from passless.domain.methods import Kind
from passless.domain.requests import Answer, Enrol, SetPassword
from passless.domain.secret import Secret
from passless.domain.views import Begun, Outcome, PlanView
from passless.output.results import BegunAdding

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile

SIGNED = (Kind.SECURITY_KEY, Kind.PASSKEY, Kind.AUTHENTICATOR)  # what answers with a response rather than a code
WRONG_CODES = ("wrong-code", "code-reused")
BROWSER_ONLY = "a passkey of a computer or phone is made in a browser, and there is none here that a person could be asked in"


class NotAMethod(WrongUse):
    """A kind that is not added like a method."""

    code = "not-a-method"


class Files(Struct, frozen=True, kw_only=True):
    """The files that may hold the answer, or the key's PIN."""

    code: SecretFile | None = None
    response: SecretFile | None = None
    pin: SecretFile | None = None
    password: SecretFile | None = None


class Wish(Struct, frozen=True, kw_only=True):
    """The method that is asked for."""

    kind: Kind
    name: str | None
    device: str | None
    begin: bool
    finish: str | None
    files: Files


def add(run: Run, wish: Wish) -> Begun | BegunAdding | Outcome | PlanView:
    """Add a method, or begin or finish to."""
    if wish.begin and wish.finish is not None:
        raise Contradiction("--begin", "--finish")
    match wish.kind:
        case Kind.PASSWORD:
            return _set_password(run, wish)
        case Kind.RECOVERY_CODE:
            raise NotAMethod("a recovery code is not added like a method", hint="make one: passless recovery-code new")
        case Kind.TEMPORARY_PASS | Kind.TOKEN | Kind.OTHER:
            raise NotAMethod(f"a {wish.kind} is not added like a method", hint="see: passless method add --help")
        case Kind.TOTP | Kind.SECURITY_KEY | Kind.PASSKEY | Kind.AUTHENTICATOR | Kind.PHONE | Kind.EMAIL:
            return _enrol(run, wish)
        case _:
            assert_never(wish.kind)


def _set_password(run: Run, wish: Wish) -> Outcome | PlanView:
    if wish.begin or wish.finish is not None:
        raise Contradiction("password", "--begin or --finish")
    new = run.new_secret(wish.files.password, "New password", flag="--password-file FILE")
    return run.change(SetPassword(password=new), confirm="set this password, in the place of one that there may be?")


def _enrol(run: Run, wish: Wish) -> Begun | BegunAdding | Outcome | PlanView:
    request = Enrol(kind=wish.kind, name=wish.name, device=wish.device)
    _check_able(run, wish.kind)
    if run.given.dry_run:
        return _planned(run, wish, request)
    if wish.finish is not None:
        return _finish(run, wish, wish.finish, _given(wish))
    if wish.begin:
        begun = run.ask(lambda directory, actor, target: directory.begin(actor, target, request))
        return begun if run.json else BegunAdding(begun=begun, finish_with=_finishing(run, wish, begun))
    if wish.kind is Kind.PASSKEY and run.is_remote:
        from passless.cli import browser_enrolling

        return browser_enrolling.add_passkey(run, request)
    _check_possible(run, wish)
    if wish.kind is Kind.PASSKEY:
        from passless.cli import page_here

        return page_here.add_passkey(run, request)
    begun = run.ask(lambda directory, actor, target: directory.begin(actor, target, request))
    if wish.kind is Kind.TOTP:
        run.draw(begun)
    for _ in range(asking.TRIES - 1):
        try:
            return _finish(run, wish, begun.ceremony, _answer(run, wish, begun))
        except ProofNeeded as error:
            if wish.kind is not Kind.TOTP or error.code not in WRONG_CODES:
                raise
            run.note(f"{error}: type the one that the app shows now")
    return _finish(run, wish, begun.ceremony, _answer(run, wish, begun))


def _planned(run: Run, wish: Wish, request: Enrol) -> PlanView:
    if wish.kind is Kind.PASSKEY and not wish.begin and wish.finish is None and not run.is_remote:
        _check_possible(run, wish)
    view = run.view()
    return plans.enrol(view, request, run.directory.enrolment_problems(run.actor, run.target, request))


def _finishing(run: Run, wish: Wish, begun: Begun) -> str:
    """Return the command that finishes what was begun."""
    words = ["passless", "method", "add", wish.kind, "--finish", begun.ceremony]
    words += ["--response-file" if wish.kind in SIGNED else "--code-file", "-"]
    named = (
        ("--name", wish.name),
        ("--device", wish.device),
        ("--account", run.given.account),
        ("--profile", run.given.profile),
    )
    return shlex.join([*words, *(word for flag, value in named if value for word in (flag, value))])


def _check_able(run: Run, kind: Kind) -> None:
    """Refuse what the directory cannot do, with its reason."""
    able = run.directory.ability(kind)
    if not able.is_possible:
        raise CannotDoThat(able.reason, hint=able.where or None)


def _finish(run: Run, wish: Wish, ceremony: str, text: Secret) -> Outcome:
    given = Answer(kind=wish.kind, text=text, name=wish.name, device=wish.device)
    return run.attempt(lambda actor: run.directory.finish(actor, ceremony, given))


def _given(wish: Wish) -> Secret:
    """Return the answer of a ceremony that was begun before; it comes from a file."""
    is_signed = wish.kind in SIGNED
    file, flag = (wish.files.response, "--response-file FILE") if is_signed else (wish.files.code, "--code-file FILE")
    if file is None:
        raise MissingInput("the answer", flag)
    return file.read()


def _check_possible(run: Run, wish: Wish) -> None:
    """Refuse what cannot be finished here before anything is begun."""
    match wish.kind:
        case Kind.PASSKEY if not (run.can_ask and opening.is_possible()):
            raise CannotDoThat(
                BROWSER_ONLY, hint="use a security key, or any authenticator with --begin and --finish", code="needs-a-browser"
            )
        case Kind.TOTP if not run.can_ask:
            raise MissingInput("the code of the app", "--begin, then --finish ID --code-file FILE")
        case _:
            return


def _answer(run: Run, wish: Wish, begun: Begun) -> Secret:
    """Let the person or their key answer now."""
    if wish.kind is Kind.SECURITY_KEY and begun.public_key is not None and begun.origin is not None:
        from passless import wiring
        from passless.cli.key_prompts import TerminalKeyPrompts

        prompts = TerminalKeyPrompts(can_ask=run.can_ask, pin=wish.files.pin)
        with asking.ending_the_line():
            return Secret(wiring.key_reader().register(begun.public_key, begun.origin, prompts))
    return asking.secret("Code that the app shows now")
