"""How relying parties look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from passless.domain.party_kinds import BROWSERS, PartyKind, Requirement
from passless.domain.party_views import ConfiguredRelyingParty, SigningKeyView
from passless.domain.views import MadeRelyingParty, RelyingPartyView
from passless.output.drawing import Look, facts, listing, safe, stack, when
from passless.output.human import list_of, view
from passless.output.made_views import ONCE

TABLE_WIDTH = 76  # columns


@list_of(RelyingPartyView)
def relying_parties(items: Sequence[RelyingPartyView], look: Look) -> RenderableType:
    """Draw the relying parties: one below the other where a table would tear their addresses to pieces."""
    if items and look.width < TABLE_WIDTH:
        return stack(*(facts(_in_short(one, look)) for one in items))
    lines = [
        (
            safe(one.name, "bold"),
            safe(one.kind),
            safe(", ".join(_asked(one)) or "–"),
            safe(_enforced_as_it_runs(one), "dim"),
            when(one.created_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("name", "kind", "for", "an ending reaches it", "made", "client id")
    nothing = "there is no relying party yet; register one: passless relying-party add NAME --kind oauth --redirect-uri URI"
    return listing(look, columns, lines, nothing=nothing)


@list_of(SigningKeyView)
def signing_keys(items: Sequence[SigningKeyView], look: Look) -> RenderableType:
    """Draw the keys that sign."""
    lines = [
        (
            safe(one.id[:8], "bold"),
            safe(one.algorithm),
            safe(one.state) if one.readable else safe(f"{one.state}, its vault key is missing", "red"),
            when(one.signs_from, look.now),
            safe("–") if one.published_until is None else when(one.published_until, look.now),
        )
        for one in items
    ]
    columns = ("key", "algorithm", "state", "signs from", "published until")
    return listing(look, columns, lines, nothing="there is no signing key yet; the server makes one when it needs it")


def _in_short(one: RelyingPartyView, look: Look) -> list[tuple[str, RenderableType]]:
    asked = _asked(one)
    return [
        (one.kind, safe(one.name, "bold")),
        *((("for", safe(", ".join(asked))),) if asked else ()),
        ("endings", safe(_enforced_as_it_runs(one), "dim")),
        ("made", when(one.created_at, look.now)),
        ("client id", safe(one.id, "dim")),
        ("", Text("")),
    ]


def _asked(one: RelyingPartyView) -> tuple[str, ...]:
    """Return what a relying party is for: where people go back to, or the services that app passwords are for."""
    return one.redirect_uris or one.services


def _enforced_as_it_runs(one: RelyingPartyView) -> str:
    """Say in a few words when an ending is felt at a program."""
    match one.kind:
        case PartyKind.DOVECOT | PartyKind.SSH | PartyKind.PAM:
            return "at once, while watched"
        case PartyKind.OIDC if one.told_of_endings_at:
            return "at once: it is told"
        case PartyKind.HTTP:
            return "at the next request"
        case _:
            return "when it asks again"


@view.register
def relying_party(result: RelyingPartyView, look: Look) -> RenderableType:
    """Draw one relying party."""
    return facts(_facts(result, look))


@view.register
def configured_relying_party(result: ConfiguredRelyingParty, look: Look) -> RenderableType:
    """Draw what was written for a program."""
    return _steps(result)


@view.register
def made_relying_party(result: MadeRelyingParty, look: Look) -> RenderableType:
    """Draw a new relying party, and its secret."""
    about = [*_facts(result, look), ("remove it with", safe(f"passless relying-party remove {result.id}", "cyan"))]
    if result.written or result.then:
        about_files = _steps(result)
        return stack(_secret(result, look), facts(about), about_files)
    return stack(_secret(result, look), facts(about)) if result.secret is not None else facts(about)


def _steps(result: MadeRelyingParty | ConfiguredRelyingParty) -> RenderableType:
    groups = (("written", result.written), ("now", result.then), ("to undo it", result.undo))
    return facts([(name if not number else "", safe(text)) for name, texts in groups for number, text in enumerate(texts)])


def _secret(result: MadeRelyingParty, look: Look) -> RenderableType:
    if result.secret is None:
        return Text("it has no secret", style="dim")
    secret = Text(result.secret.reveal(), style="bold green", no_wrap=True, overflow="ignore")
    if not look.is_terminal:
        return secret
    shown = Panel(secret, title="client secret", title_align="left", expand=False, padding=(1, 3), border_style="green")
    return stack(shown, Text(f"Give it to the program as its client secret. {ONCE}", style="dim"))


def _facts(result: RelyingPartyView | MadeRelyingParty, look: Look) -> list[tuple[str, RenderableType]]:
    lines: list[tuple[str, RenderableType]] = [
        ("relying party", safe(result.name, "bold")),
        ("client id", safe(result.id, "bold")),
        ("kind", safe(f"{result.kind}, {'public' if result.public else 'with a secret'}")),
    ]
    if result.kind in BROWSERS:
        nowhere = "the server's own address" if result.kind == PartyKind.HTTP else "nowhere: device codes only"
        lines.append(("people go back to", safe(", ".join(result.redirect_uris) or nowhere)))
    if result.after_sign_out:
        lines.append(("after signing out to", safe(", ".join(result.after_sign_out))))
    if result.told_of_endings_at:
        lines.append(("told of endings at", safe(result.told_of_endings_at)))
    if result.scopes:
        lines.append(("scopes", safe(", ".join(result.scopes))))
    lines.append(("made", when(result.created_at, look.now)))
    if result.requires != Requirement.ANY:
        lines.append(("people sign in with", safe(result.requires.replace("-", " "))))
    if result.services:
        lines.append(("services", safe(", ".join(result.services))))
    if result.introspects:
        lines.append(("may", Text("look at the tokens of every relying party")))
    lines += [("enforces" if not number else "", _point("✓", "green", text)) for number, text in enumerate(result.enforces)]
    lines += [
        ("cannot enforce" if not number else "", _point("✗", "yellow", text)) for number, text in enumerate(result.cannot)
    ]
    return lines


def _point(sign: str, style: str, text: str) -> RenderableType:
    """Return a sentence behind its sign; where it is folded it stays behind it."""
    point = Table.grid(padding=(0, 1, 0, 0))
    point.add_column(no_wrap=True)
    point.add_column(overflow="fold")
    point.add_row(Text(sign, style=style), safe(text))
    return point
