"""How relying parties look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from passless.domain.party_kinds import Requirement
from passless.domain.party_views import ConfiguredRelyingParty, SigningKeyView
from passless.domain.views import MadeRelyingParty, RelyingPartyView
from passless.output.drawing import Look, facts, listing, safe, stack, when
from passless.output.human import list_of, view
from passless.output.made_views import ONCE


@list_of(RelyingPartyView)
def relying_parties(items: Sequence[RelyingPartyView], look: Look) -> RenderableType:
    """Draw the relying parties."""
    lines = [
        (
            safe(one.name, "bold"),
            safe(one.kind),
            safe("public" if one.public else "with a secret"),
            safe(", ".join(one.redirect_uris) or "–"),
            safe(", ".join(one.scopes) or "–"),
            when(one.created_at, look.now),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    columns = ("name", "kind", "", "people go back to", "scopes", "made", "client id")
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
    if result.written:
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
        ("people go back to", safe(", ".join(result.redirect_uris) or "nowhere: device codes only")),
        ("scopes", safe(", ".join(result.scopes) or "none")),
        ("made", when(result.created_at, look.now)),
    ]
    if result.requires != Requirement.ANY:
        lines.append(("people sign in with", safe(result.requires.replace("-", " "))))
    if result.services:
        lines.append(("services", safe(", ".join(result.services))))
    lines += [("enforces" if not number else "", safe(text)) for number, text in enumerate(result.enforces)]
    lines += [("cannot" if not number else "", safe(text)) for number, text in enumerate(result.cannot)]
    if result.introspects:
        lines.append(("may", Text("look at the tokens of every relying party")))
    return lines
