"""How relying parties look."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from msgspec.structs import replace
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from passless.domain.names import printable
from passless.domain.party_kinds import BROWSERS, PartyKind, Requirement
from passless.domain.party_views import ChangedRelyingParty, ConfiguredRelyingParty, SigningKeyView
from passless.domain.views import MadeRelyingParty, RelyingPartyView
from passless.output.drawing import Look, Steps, facts, listing, safe, stack, when
from passless.output.human import list_of, picture, view
from passless.output.made_views import ONCE
from passless.output.results import PlannedRelyingParty

BETWEEN = 2  # columns between two of a table
SERVES = {  # what a relying party is for that has no address to come back to, and no services of its own
    PartyKind.OAUTH: "device codes",
    PartyKind.OIDC: "device codes",
    PartyKind.HTTP: "app passwords",
    PartyKind.DOVECOT: "mail",
    PartyKind.PAM: "codes and approvals",
    PartyKind.SSH: "security keys",
}


@list_of(RelyingPartyView)
def relying_parties(items: Sequence[RelyingPartyView], look: Look) -> RenderableType:
    """Draw the relying parties: one below the other where a table would tear their addresses to pieces."""
    lines: list[tuple[Text, ...]] = [
        (
            safe(one.name, "bold"),
            safe(one.kind),
            safe(", ".join(_asked(one))),
            safe(_enforced_as_it_runs(one), "dim"),
            when(one.created_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("name", "kind", "for", "an ending reaches it", "made", "client id")
    widths = (
        max(len(name), *(one.cell_len for one in column))
        for name, column in zip(columns, zip(*lines, strict=True), strict=True)
    )
    if lines and sum(widths) + BETWEEN * (len(columns) - 1) > look.width:
        return stack(*(facts(_in_short(one, look)) for one in items))
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
    return [
        (one.kind, safe(one.name, "bold")),
        ("for", safe(", ".join(_asked(one)))),
        ("endings", safe(_enforced_as_it_runs(one), "dim")),
        ("made", when(one.created_at, look.now)),
        ("client id", safe(one.id, "dim")),
        ("", Text("")),
    ]


def _asked(one: RelyingPartyView) -> tuple[str, ...]:
    """Return what a relying party is for: where people go back to, or the services that app passwords are for."""
    return one.redirect_uris or one.services or (SERVES[PartyKind(one.kind)],)


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
def changed_relying_party(result: ChangedRelyingParty, look: Look) -> RenderableType:
    """Draw what a relying party is from now on, and what is left to do."""
    return stack(facts(_facts(replace(result, enforces=(), cannot=()), look)), *_groups(("Next", result.then, True)))


@view.register
def configured_relying_party(result: ConfiguredRelyingParty, look: Look) -> RenderableType:
    """Draw what was written for a program."""
    return stack(Text.assemble(safe(result.name, "bold"), safe(f", {result.kind}", "dim")), *_steps(result))


@view.register
def planned_relying_party(result: PlannedRelyingParty, look: Look) -> RenderableType:
    """Draw what would be written for a program, and what would be left to do."""
    written = tuple(f"{one.path}  {one.mode}{f', of the group {one.group}' if one.group else ''}" for one in result.files)
    return stack(
        picture(result.plan, look) if result.plan is not None else None,
        *_groups(("Would write", written, False), ("Then", result.then, True), ("To undo it", result.undo, True)),
    )


@view.register
def made_relying_party(result: MadeRelyingParty, look: Look) -> RenderableType:
    """Draw a new relying party, and its secret."""
    about = _facts(result, look)
    if not result.undo:
        about.append(("remove it with", safe(f"passless relying-party remove {quote(result.name)}", "cyan")))
    return stack(_secret(result, look), facts(about), *_steps(result))


def _steps(result: MadeRelyingParty | ConfiguredRelyingParty) -> tuple[RenderableType, ...]:
    return _groups(("Written", result.written, False), ("Next", result.then, True), ("To undo it", result.undo, True))


def _groups(*groups: tuple[str, Sequence[str], bool]) -> tuple[RenderableType, ...]:
    return tuple(Steps(title, texts, numbered=numbered) for title, texts, numbered in groups if texts)


def _secret(result: MadeRelyingParty, look: Look) -> RenderableType:
    if result.secret_in:
        return Text.assemble(f"its secret is in {printable(result.secret_in)}, which its owner alone reads")
    if result.secret is None:
        return Text("it has no secret", style="dim")
    secret = Text(result.secret.reveal(), style="bold green", no_wrap=True, overflow="ignore")
    if not look.is_terminal:
        return secret
    shown = Panel(secret, title="client secret", title_align="left", expand=False, padding=(1, 3), border_style="green")
    return stack(shown, Text(f"{_kept(result)} {ONCE}", style="dim"))


def _kept(result: MadeRelyingParty) -> str:
    """Say where a secret belongs, which few kinds give to their program themselves."""
    match result.kind:
        case PartyKind.OAUTH | PartyKind.OIDC:
            return "Give it to the program as its client secret."
        case PartyKind.HTTP:
            return "No proxy needs it. Keep it in a file that root alone reads, for relying-party test."
        case _ if result.written:
            return "Keep it in a file that root alone reads, for relying-party watch and test."
        case _:
            return (
                "Put it into a file that root alone reads on the program's host, for relying-party configure, watch and test."
            )


def _facts(result: RelyingPartyView, look: Look) -> list[tuple[str, RenderableType]]:
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
    if result.groups:
        lines.append(("its users are in", safe(", ".join(result.groups))))
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
