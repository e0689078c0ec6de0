"""How a failure is told: two lines for people, one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.names import printable

if TYPE_CHECKING:
    from passless.domain.views import SecondProofNeeded

LONGEST_MESSAGE = 400  # characters; what still reads as one sentence


class ReaderGone(Exception):
    """Whoever read our output went away."""


class MissingInput(WrongUse):
    """Something has to be given and nobody may be asked for it."""

    code = "missing-input"

    def __init__(self, what: str, flag: str) -> None:
        super().__init__(f"{what} is missing", hint=f"give it with {flag}, or run it in a terminal")


class ConfirmationNeeded(WrongUse):
    """Something is taken away and nobody may be asked whether that is meant."""

    code = "confirmation-needed"

    def __init__(self, question: str) -> None:
        super().__init__(f"this needs a yes: {question}", hint="add --yes if that is meant; --dry-run shows what it would do")


class NotConfirmed(WrongUse):
    """The person said no."""

    code = "not-confirmed"
    hint = "nothing was changed"
    default = "left as it was"


class NotSignedIn(ProofNeeded):
    """The account that is to act is not signed in on this machine."""

    code = "not-signed-in"

    def __init__(self, account: str) -> None:
        super().__init__(
            f'"{printable(account)}" is not signed in here', hint=f"passless sign-in --account {printable(account)}"
        )


class SignInFirst(ProofNeeded):
    """A server shows nothing of an account to who is not signed in to it."""

    code = "sign-in-needed"

    def __init__(self, account: str) -> None:
        super().__init__(f'sign in to "{printable(account)}" first', hint=f"passless sign-in --account {printable(account)}")


class NobodySignedIn(ProofNeeded):
    """No account is named at a server, and none was ever signed in to there."""

    code = "sign-in-needed"

    def __init__(self, profile: str) -> None:
        super().__init__(
            f'nobody is signed in at "{printable(profile)}"',
            hint="passless sign-in --account NAME; or make an account: passless setup",
        )


class MissingCommand(WrongUse):
    """A group was named and no command of it."""

    code = "missing-command"

    def __init__(self, path: str, *, help_text: str) -> None:
        super().__init__(f'"{path}" needs a command', hint=f"see: {path} --help")
        self.help_text = help_text


class NoSuchCommand(WrongUse):
    """There is no command of that name."""

    code = "no-such-command"

    def __init__(self, name: str, path: str, near: Sequence[str]) -> None:
        meant = f"did you mean {' or '.join(near)}? see: {path} --help" if near else f"see: {path} --help"
        super().__init__(f'there is no command "{printable(name)}"', hint=meant)


class SecondProofAsked(ProofNeeded):
    """The first proof was right, and two-step asks for another; `needed` says which, and goes to stdout too."""

    code = "second-proof"

    def __init__(self, needed: SecondProofNeeded) -> None:
        super().__init__(
            f"the first proof was right; two-step asks for another: {', '.join(needed.accepts)}",
            hint=f"passless sign-in --finish {needed.ceremony} --with KIND",
        )
        self.needed = needed


class PlanRefused(PasslessError):
    """What was planned would not be accepted; the plan was shown."""

    code = "refused"

    def __init__(self, problems: Sequence[Any]) -> None:
        refusals = [problem for problem in problems if problem.severity == "refusal"] or list(problems)
        first = refusals[0]
        super().__init__(first.message, hint=first.hint, code=first.code)
        self.problems = tuple(problems)
        self.is_about_sessions = first.code == "session-may-not"


def tell(error: PasslessError, *, as_json: bool) -> None:
    """Write a failure to stderr, after what went to stdout."""
    with suppress(OSError, ValueError, AttributeError):  # a closed output is told by its own error
        sys.stdout.flush()
    if as_json:
        import msgspec

        from passless.output.writing import escaped

        _write(escaped(msgspec.json.encode({"error": document(error)})).decode())
    else:
        if isinstance(error, MissingCommand):
            _write(error.help_text)
        _write("\n".join((_two_words("error", error.message), _two_words("hint", error.hint))))


def document(error: PasslessError) -> Mapping[str, object]:
    """Return a failure as the value of `error` in the JSON document."""
    problems = [
        {
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
            "severity": "refusal" if str(problem.severity) == "refusal" else "warning",
        }
        for problem in getattr(error, "problems", ())
    ]
    found: dict[str, object] = {
        "code": error.code,
        "message": _line(error.message),
        "hint": _line(error.hint),
        "problems": problems,
    }
    if isinstance(error, SecondProofAsked):
        found |= {"ceremony": error.needed.ceremony, "accepts": list(error.needed.accepts)}
    return found


def _two_words(kind: str, text: str) -> str:
    """Return one of the two lines; where a terminal is too narrow for it, it goes on below its own beginning."""
    from passless.cli.asking import folded
    from passless.output.addressed import addressed

    text = addressed(text)
    start = f"passless: {kind}: "
    try:
        return folded(start + _line(text), indent=len("passless: "))
    except (OSError, ValueError, AttributeError):  # no standard error
        return start + _line(text)


def _line(text: str) -> str:
    return printable(" ".join(text.split()), at_most=LONGEST_MESSAGE)


def _write(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # nobody listens; the exit status still says it


class Contradiction(WrongUse):
    """Two flags that exclude each other."""

    code = "contradiction"

    def __init__(self, one: str, other: str, *, hint: str | None = None) -> None:
        super().__init__(f"{one} and {other} exclude each other", hint=hint or f"leave out {one} or {other}")


def all_or_named(names: Sequence[str] | None, *, everything: bool, what: str) -> tuple[str, ...]:
    """Return what is named; exactly one of names and `--all` must be there."""
    if everything and names:
        raise Contradiction("--all", f"naming one {what}")
    if not everything and not names:
        raise MissingInput(f"the {what}", "its id or name, or --all")
    return tuple(names or ())


def one_or_all(name: str | None, *, everything: bool, what: str) -> str | None:
    """Return the one that is named, or nothing for all."""
    return next(iter(all_or_named([name] if name else None, everything=everything, what=what)), None)
