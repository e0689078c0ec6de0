"""How relying parties look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

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


@view.register
def relying_party(result: RelyingPartyView, look: Look) -> RenderableType:
    """Draw one relying party."""
    return facts(_facts(result, look))


@view.register
def made_relying_party(result: MadeRelyingParty, look: Look) -> RenderableType:
    """Draw a new relying party, and its secret."""
    about = [*_facts(result, look), ("remove it with", safe(f"passless relying-party remove {result.id}", "cyan"))]
    if result.secret is None:
        return facts(about)
    secret = Text(result.secret.reveal(), style="bold green", no_wrap=True, overflow="ignore")
    if not look.is_terminal:
        return stack(secret, facts(about))
    shown = Panel(secret, title="client secret", title_align="left", expand=False, padding=(1, 3), border_style="green")
    return stack(shown, Text(f"Give it to the program as its client secret. {ONCE}", style="dim"), facts(about))


def _facts(result: RelyingPartyView | MadeRelyingParty, look: Look) -> list[tuple[str, RenderableType]]:
    lines: list[tuple[str, RenderableType]] = [
        ("relying party", safe(result.name, "bold")),
        ("client id", safe(result.id, "bold")),
        ("kind", safe(f"{result.kind}, {'public' if result.public else 'with a secret'}")),
        ("people go back to", safe(", ".join(result.redirect_uris) or "nowhere: device codes only")),
        ("scopes", safe(", ".join(result.scopes) or "none")),
        ("made", when(result.created_at, look.now)),
    ]
    if result.introspects:
        lines.append(("may", Text("look at the tokens of every relying party")))
    return lines
