"""Signing in at a passless server: right here, in the browser, or on another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passless.cli import asking, elsewhere, proving
from passless.cli.elsewhere import Way
from passless.cli.failures import Contradiction, MissingInput
from passless.domain.methods import Kind

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.proving import Wish
    from passless.domain.views import Begun, SignedIn
    from passless.output.results import DeviceSignIn

SPOKEN_WAYS = {
    Way.BROWSER: "the browser of this computer (Windows Hello, Touch ID, a phone, …)",
    Way.DEVICE: "another device, where a code is typed",
}
HERE = {Kind.SECURITY_KEY: "a security key, plugged in here"}


def sign_in(run: Run, wish: Wish) -> SignedIn | Begun | DeviceSignIn:
    """Sign in as the flags say; at a terminal ask how."""
    match _way(run, wish):
        case Way.BROWSER:
            return elsewhere.in_browser(run, asked=wish.asked)
        case Way.DEVICE if wish.finish is not None:
            return elsewhere.finish_on_device(run, wish.finish)
        case Way.DEVICE:
            return elsewhere.begin_on_device(run) if wish.begin else elsewhere.on_device(run)
        case Kind() as kind:
            _name_account(run, wish)
            return proving.in_terminal(run, wish, kind)


def _way(run: Run, wish: Wish) -> Way | Kind:
    """Return how to sign in: as was said, or as the person chooses."""
    named = [flag for flag, given in (("--browser", wish.browser), ("--device", wish.device), ("--with", wish.kind)) if given]
    if len(named) > 1:
        raise Contradiction(named[0], named[1])
    if wish.browser and (wish.begin or wish.finish is not None):
        raise Contradiction("--browser", "--begin" if wish.begin else "--finish")
    if wish.device or (wish.finish is not None and elsewhere.waits(run, wish.finish)):
        return Way.DEVICE
    if wish.browser or (wish.kind is Kind.PASSKEY and not wish.begin and wish.finish is None):
        return Way.BROWSER
    return wish.kind or _chosen(run, wish)


def _chosen(run: Run, wish: Wish) -> Way | Kind:
    """Ask how, at a terminal; a code on another device signs in, but is no proof that a change needs."""
    if not run.can_ask:
        raise MissingInput("the kind of proof", "--with KIND, --browser or --device")
    ways: tuple[Way, ...] = (Way.BROWSER,) if wish.asked is not None else (Way.BROWSER, Way.DEVICE)
    if wish.begin or wish.finish is not None:
        ways = ()
    kinds = tuple(kind for kind in (proving.held_kinds(run) if _is_named(run) else proving.ANY) if kind is not Kind.PASSKEY)
    options = [(str(kind), HERE.get(kind, proving.SPOKEN.get(kind, kind))) for kind in kinds]
    options += [(str(way), SPOKEN_WAYS[way]) for way in ways]
    if len(options) == 1:
        return _meant(options[0][0])
    return _meant(asking.choose("Sign in with", options))


def _meant(word: str) -> Way | Kind:
    return Way(word) if word in tuple(Way) else Kind(word)


def _is_named(run: Run) -> bool:
    return bool(run.named or run.given.account or run.settings.account or run.tokens.chosen)


def _name_account(run: Run, wish: Wish) -> None:
    """Ask for the account's name where none is named or chosen; what was begun knows it already."""
    if wish.finish is None and run.can_ask and not _is_named(run):
        run.on(asking.line("Account"))
