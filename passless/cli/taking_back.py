"""Taking back the report of a loss: the device is here after all, and what is on it proves so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.cli import asking, proving
from passless.cli.failures import Contradiction, MissingInput
from passless.domain.methods import Kind
from passless.domain.requests import Answer, SignInWith, TakeBackReport
from passless.domain.views import Applied, Begun, PlanView, Waits

if TYPE_CHECKING:
    from passless.cli.context import Run


class Wish(Struct, frozen=True, kw_only=True):
    """The device that turned up, and what of it proves that."""

    device: str
    kind: Kind | None = None
    begin: bool = False
    finish: str | None = None
    files: proving.Files = proving.Files()


def found(run: Run, wish: Wish) -> Begun | PlanView | Applied | Waits:
    """Take a report back with the proofs that were given; at a terminal, ask for what is on the device."""
    if wish.begin and wish.finish is not None:
        raise Contradiction("--begin", "--finish")
    if run.given.dry_run:
        return run.plan(TakeBackReport(device=wish.device))
    if wish.begin:
        return run.directory.begin(run.actor, run.target, SignInWith(kind=_key(wish)))
    proofs = tuple(_answer(run, wish, kind) for kind in dict.fromkeys(_kinds(run, wish)))
    return run.change(TakeBackReport(device=wish.device, proofs=proofs))


def _kinds(run: Run, wish: Wish) -> Iterator[Kind]:
    """Tell what is to be proven: what was named, what has a file, or what the person says."""
    named = [(Kind.TOTP, wish.files.code), (Kind.PASSWORD, wish.files.password)]
    kinds = [kind for kind, file in named if file is not None]
    if wish.kind is not None:
        kinds.append(wish.kind)
    elif wish.finish is not None or wish.files.response is not None or wish.files.pin is not None:
        kinds.append(Kind.SECURITY_KEY)
    if not kinds and run.can_ask:
        if asking.yes("Is there an app on it that shows codes?"):
            kinds.append(Kind.TOTP)
        elif asking.yes("Is it a security key, and plugged in now?"):
            kinds.append(Kind.SECURITY_KEY)
    yield from kinds


def _answer(run: Run, wish: Wish, kind: Kind) -> Answer:
    if kind not in proving.SIGNED:
        return proving.answer(run, kind, wish.files)
    if wish.finish is not None:
        if wish.files.response is None:
            raise MissingInput("the answer", "--response-file FILE")
        return Answer(kind=kind, text=wish.files.response.read(), ceremony=wish.finish)
    proving.check_possible(kind, wish.files)
    begun = run.directory.begin(run.actor, run.target, SignInWith(kind=kind))
    return proving.answer(run, kind, wish.files, begun)


def _key(wish: Wish) -> Kind:
    if wish.kind is not None and wish.kind not in proving.SIGNED:
        raise Contradiction("--begin", f"--with {wish.kind}")
    return wish.kind or Kind.SECURITY_KEY
