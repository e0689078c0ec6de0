"""Signing in at a server somewhere else than in this terminal: in the browser of this machine, or on another device."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from passless.cli import asking, opening
from passless.domain.errors import CannotDoThat, PasslessError, ProofNeeded
from passless.domain.names import are_same, printable
from passless.domain.views import SignedIn
from passless.output.results import DeviceSignIn
from passless.ports.directory import Actor

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.directories.server import ServerDirectory
    from passless.directories.server.errors import Challenge
    from passless.directories.server.oauth import TokenAnswer
    from passless.directories.server.waiting_codes import WaitingCodes
    from passless.domain.secret import Secret

BROWSER_WITHIN = timedelta(minutes=10)  # ours: to find a key, or to be helped
DEVICE_WITHIN = timedelta(hours=1)  # ours: no code is waited for any longer, whatever the server says
NO_STEP_UP = (
    "a session by a device code looks, and changes nothing: for changes sign in with a key or a code here, or --browser"
)


class Way(StrEnum):
    """Where else a person may sign in."""

    BROWSER = "browser"
    DEVICE = "device"


class NotTheSameAccount(ProofNeeded):
    """Somebody else signed in there."""

    code = "another-account"

    def __init__(self, wanted: str, came: str) -> None:
        super().__init__(
            f'"{printable(came)}" signed in there, and "{printable(wanted)}" was asked for',
            hint=f"sign out there and begin again, or mean the other one: --account {printable(came)}",
        )


def server_of(run: Run) -> ServerDirectory:
    """Return the server of the profile; `CannotDoThat` where its accounts are on this machine."""
    from passless.directories.server import ServerDirectory

    if not run.is_remote:
        raise CannotDoThat(
            "accounts on this machine have no page to sign in at",
            hint="sign in right here: passless sign-in",
            code="no-page-here",
        )
    directory = run.directory
    assert isinstance(directory, ServerDirectory)
    return directory


def in_browser(run: Run, *, asked: Challenge | None = None) -> SignedIn:
    """Sign in, or prove it once more, in the browser of this machine."""
    from passless.directories.server import oauth
    from passless.directories.server.loopback import Loopback

    server = server_of(run)
    with Loopback() as loopback, TemporaryDirectory(prefix="passless-") as folder:
        question = oauth.begin_in_browser(
            server.connection, loopback.redirect_uri, run.entropy, asked=asked, account=_hint(run)
        )
        opening.show_privately(question.address, Path(folder), "sign in there; this terminal waits")
        with asking.ending_the_line():
            answered = loopback.wait(question.state, seconds=BROWSER_WITHIN.total_seconds())
    answer = oauth.finish_in_browser(server.connection, question, answered)
    signed_in = _kept(run, server, answer, kind=Way.BROWSER, wanted=run.tokens.chosen if asked is not None else None)
    if asked is not None:  # what comes next is what was asked for, and nothing else would say who did it
        run.note(f'proven as "{printable(signed_in.account)}"')
    return signed_in


def begin_on_device(run: Run) -> DeviceSignIn:
    """Ask for a code that is typed on another device, and remember it until it is finished."""
    from passless.directories.server import oauth
    from passless.directories.server.waiting_codes import WaitingCode

    server, now = server_of(run), run.now()
    code = oauth.begin_on_device(server.connection)
    lasts = min(code.expires_in, int(DEVICE_WITHIN.total_seconds()))
    ceremony, expires_at = run.entropy(8).hex(), now + timedelta(seconds=lasts)
    waiting = WaitingCode(
        origin=server.origin, device_code=code.device_code.reveal(), interval=code.interval, expires_at=expires_at
    )
    _codes(run).add(ceremony, waiting, now=now)
    return DeviceSignIn(
        ceremony=ceremony,
        user_code=printable(code.user_code),
        verification_uri=code.verification_uri,
        verification_uri_complete=code.verification_uri_complete,
        expires_at=expires_at,
        interval=code.interval,
    )


def finish_on_device(run: Run, ceremony: str) -> SignedIn:
    """Wait until somebody said yes on another device."""
    from passless.directories.server import oauth
    from passless.directories.server.waiting_codes import NoSuchWaitingCode

    server, codes = server_of(run), _codes(run)
    waiting = codes.find(ceremony, origin=server.origin)
    if waiting is None:
        raise NoSuchWaitingCode(f'no code "{printable(ceremony)}" waits here')
    try:
        with asking.ending_the_line():
            answer = oauth.wait_for_device(
                server.connection,
                waiting.secret,
                interval=waiting.interval,
                until=waiting.expires_at,
                clock=run.now,
                pause=time.sleep,
            )
    except ProofNeeded:
        codes.drop(ceremony)
        raise
    codes.drop(ceremony)
    signed_in = _kept(run, server, answer, kind=Way.DEVICE)
    run.note(NO_STEP_UP)
    return signed_in


def on_device(run: Run) -> SignedIn:
    """Sign in on another device: show where and with which code, and wait."""
    begun = begin_on_device(run)
    if run.json:
        from passless.output import json

        run.note(json.encode(begun).decode())
    else:
        run.draw(begun)
    return finish_on_device(run, begun.ceremony)


def waits(run: Run, ceremony: str) -> bool:
    """Tell whether a ceremony is one of another device."""
    return run.is_remote and _codes(run).find(ceremony, origin=run.profile.address) is not None


def _codes(run: Run) -> WaitingCodes:
    from passless.directories.server.waiting_codes import WaitingCodes

    return WaitingCodes(run.settings.session_file(run.profile, ending=".device.json"))


def _hint(run: Run) -> str | None:
    """Return the account that is meant, where one is named or chosen, so that the page need not ask."""
    wanted = _wanted(run) or run.tokens.chosen
    return wanted and (run.tokens.name_of(wanted) or wanted)


def _wanted(run: Run) -> str | None:
    return run.named or run.given.account or run.settings.account


def _kept(run: Run, server: ServerDirectory, answer: TokenAnswer, *, kind: Way, wanted: str | None = None) -> SignedIn:
    """Keep the session that began there, in the place of the one that was in use; `wanted`: whose, where none is named."""
    new = Actor(token=answer.access_token, place=run.place)
    wanted = _wanted(run) or wanted
    if wanted is not None and wanted != answer.account_id and not are_same(wanted, answer.account):
        _end(server, answer.access_token)
        raise NotTheSameAccount(run.tokens.name_of(wanted) or wanted, answer.account)
    view = server.read(new, answer.account_id)
    if view.session is None:
        raise PasslessError("the session that began is not known to the server")
    before = run.tokens.token_of(answer.account_id)
    signed_in = SignedIn(
        account=answer.account,
        account_id=answer.account_id,
        token=answer.access_token,
        session=view.session,
        kind="browser" if kind is Way.BROWSER else "device-code",
        notices=view.notices,
    )
    run.signed_in(signed_in)
    _tell_another(run, answer)
    if before is not None and before != answer.access_token:
        _end(server, before)
    return signed_in


def _tell_another(run: Run, answer: TokenAnswer) -> None:
    """Say where the account that signed in is not the one that commands act on."""
    chosen = run.tokens.chosen
    if _wanted(run) is None and chosen is not None and chosen != answer.account_id:
        here, there = printable(run.tokens.name_of(chosen) or chosen), printable(answer.account)
        run.note(f'"{there}" signed in there; commands still act on "{here}": passless account use {there}')


def _end(server: ServerDirectory, token: Secret) -> None:
    """End a session that nobody holds any more, if the server can be asked."""
    with suppress(PasslessError):
        server.sign_out(Actor(token=token))
