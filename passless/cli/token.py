"""Tokens for machines."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from typer import Argument, Context, Option

from passless.cli.arguments import Expires, words
from passless.cli.context import current
from passless.cli.lazy import group
from passless.cli.options import Changing, ChangingAsOperator, Reading
from passless.domain.requests import NewToken, RevokeToken
from passless.domain.views import TokenView

app = group("Tokens for machines, with named rights only.")

TOKEN_LIFETIME = timedelta(days=90)  # cli.md's example; at most a year (security.md)


@app.command("create", cls=Changing)
def create(
    ctx: Context,
    name: Annotated[str, Argument(metavar="NAME", help="Where it will be used, such as 'nightly check'.")],
    may: Annotated[str, Option("--may", metavar="RIGHT,…", help="What it may do, such as check,status.")],
    expires: Expires = None,
) -> None:
    """Make a token and show it once; it takes proofs as strong as an app password."""
    run = current(ctx)
    run.show(run.change(NewToken(name=name, rights=words(may), lifetime=expires or TOKEN_LIFETIME)))


@app.command("list", cls=Reading)
def list_tokens(ctx: Context) -> None:
    """List the tokens, and when each was last used."""
    run = current(ctx)
    run.show_each(run.ask(lambda directory, actor, target: directory.tokens(actor, target)), of=TokenView)


@app.command("revoke", cls=ChangingAsOperator)
def revoke(ctx: Context, token: Annotated[str, Argument(metavar="TOKEN", help="Its id or name.")]) -> None:
    """Stop a token."""
    run = current(ctx)
    run.show(run.change(RevokeToken(token=token), confirm=f'revoke the token "{token}"?'))
