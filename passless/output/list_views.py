"""How lists look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from passless.domain.views import (
    AccountSummary,
    AppPasswordView,
    DeviceView,
    InvitationView,
    OperatorView,
    PassView,
    SessionView,
    TokenView,
    WhatIfView,
)
from passless.output.account_views import STATE_WORDS, STATES
from passless.output.drawing import Look, listing, mark, safe, switch, when
from passless.output.human import list_of

NOTHING_TO_LOSE = "there is no device and no password to lose; how you get in: passless status"
WIDE = 100  # columns of a terminal that takes everything of an account in one line


@list_of(AccountSummary)
def accounts(items: Sequence[AccountSummary], look: Look) -> RenderableType:
    """Draw accounts, the chosen one marked."""
    is_wide = look.width >= WIDE or not look.is_terminal
    has_names = any(one.display_name for one in items)
    columns = {
        "": lambda one: Text("●" if one.current else " ", style="green"),
        "account": lambda one: safe(one.account, "bold"),
        "name": lambda one: safe(one.display_name or "–"),
        "state": lambda one: safe(STATE_WORDS.get(one.state, one.state), STATES.get(one.state, "")),
        "passwordless": lambda one: switch(on=one.passwordless),
        "two-step": lambda one: switch(on=one.two_step),
        "methods": lambda one: safe(one.methods),
        "made": lambda one: when(one.created_at, look.now),
        "id": lambda one: safe(one.id, "dim"),
    }
    shown = [name for name in columns if (name != "name" or has_names) and (name != "made" or is_wide)]
    lines = [[columns[name](one) for name in shown] for one in items]
    return listing(look, shown, lines, nothing="there is no account yet; make one: passless account create NAME")


@list_of(DeviceView)
def devices(items: Sequence[DeviceView], look: Look) -> RenderableType:
    """Draw devices and whether one would get in without each."""
    lines = [
        (
            safe(one.name, "bold"),
            safe(", ".join(method.name for method in one.methods)),
            mark(good=one.survives),
            Text("you still get in without it") if one.survives else Text("losing it locks you out", style="red"),
        )
        for one in items
    ]
    return listing(look, ("device", "what is on it", "", "without it"), lines, nothing="nothing lives on a device yet")


@list_of(AppPasswordView)
def app_passwords(items: Sequence[AppPasswordView], look: Look) -> RenderableType:
    """Draw app passwords."""
    lines = [
        (
            safe(one.name, "bold"),
            safe(", ".join(one.services) or "anything"),
            when(one.created_at, look.now),
            when(one.last_used_at, look.now),
            when(one.expires_at, look.now),
            Text("short", style="yellow") if one.short else Text(""),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("name", "for", "made", "last used", "expires", "", "id")
    return listing(look, columns, lines, nothing="there is no app password")


@list_of(PassView)
def passes(items: Sequence[PassView], look: Look) -> RenderableType:
    """Draw the temporary pass."""
    lines = [
        (
            safe(one.id),
            when(one.issued_at, look.now),
            when(one.expires_at, look.now),
            Text("once" if one.once else "several times"),
            when(one.used_at, look.now, never="not yet"),
        )
        for one in items
    ]
    return listing(look, ("id", "issued", "expires", "works", "used"), lines, nothing="there is no temporary pass")


@list_of(TokenView)
def tokens(items: Sequence[TokenView], look: Look) -> RenderableType:
    """Draw machines' tokens."""
    lines = [
        (
            safe(one.name, "bold"),
            safe(", ".join(one.may)),
            when(one.created_at, look.now),
            when(one.last_used_at, look.now),
            when(one.expires_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    return listing(look, ("name", "may", "made", "last used", "expires", "id"), lines, nothing="there is no token")


@list_of(OperatorView)
def operators(items: Sequence[OperatorView], look: Look) -> RenderableType:
    """Draw who may help others."""
    lines = [
        (
            safe(one.account, "bold"),
            safe(", ".join(one.over)) if one.over else Text("everybody"),
            when(one.since, look.now),
            safe(one.granted_by) if one.granted_by else Text("the host"),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    return listing(look, ("account", "over", "since", "made by", "id"), lines, nothing="there is no operator")


@list_of(InvitationView)
def invitations(items: Sequence[InvitationView], look: Look) -> RenderableType:
    """Draw invitations that nobody has taken yet."""
    lines = [
        (
            safe(one.name, "bold") if one.name else Text("any name"),
            safe(", ".join(one.groups) or "–"),
            safe(one.made_by),
            when(one.made_at, look.now),
            when(one.expires_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("for", "groups", "made by", "made", "ends", "id")
    return listing(look, columns, lines, nothing="there is no open invitation")


@list_of(SessionView)
def sessions(items: Sequence[SessionView], look: Look) -> RenderableType:
    """Draw sessions, the one in use marked."""
    lines = [
        (
            Text("●" if one.current else " ", style="green"),
            safe(one.place or "–"),
            safe(_how(one)),
            when(one.created_at, look.now),
            when(one.last_seen_at, look.now),
            when(one.expires_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("", "place", "how", "began", "last seen", "ends", "id")
    return listing(look, columns, lines, nothing="nobody is signed in")


def _how(one: SessionView) -> str:
    """Say what a session is of, and how it came to be where that is not by signing in right there."""
    match one.kind:
        case "client":
            return f"program {one.name}"
        case "offline":
            return f"program {one.name}, while you are away"
        case "browser":
            return "terminal, let in by a browser"
        case "device-code":
            return "device code"
        case "temporary-pass" | "recovery-code":
            return f"{one.through}, by a {one.kind.replace('-', ' ')}"
        case _:
            return one.through


@list_of(WhatIfView)
def what_if(items: Sequence[WhatIfView], look: Look) -> RenderableType:
    """Draw what losses would leave."""
    lines = [
        (
            safe(" and ".join(one.lost)),
            mark(good=one.survives),
            _left(one),
            safe(", ".join(one.recovery) or "–", "" if one.recovery else "dim"),
        )
        for one in items
    ]
    return listing(look, ("lost", "", "ways in left", "recovery"), lines, nothing=NOTHING_TO_LOSE)


def _left(one: WhatIfView) -> Text:
    if one.ways_in:
        return Text(f"{len(one.ways_in)} way{'s' if len(one.ways_in) != 1 else ''} in", style="green")
    if one.survives:
        return Text("the recovery code", style="yellow")
    return Text("none: locked out", style="bold red")
