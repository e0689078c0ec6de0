"""Serving accounts to others."""

from __future__ import annotations

from typing import Annotated

from typer import Context, Option

from passless.actions.parts import SignUp
from passless.cli import serving
from passless.cli.context import current
from passless.cli.lazy import single
from passless.cli.options import Anywhere

app = single()


@app.command("serve", cls=Anywhere)
def serve(
    ctx: Context,
    store: Annotated[str | None, Option("--store", metavar="URL", help="The store to serve; else the profile's.")] = None,
    password: Annotated[
        str | None, Option("--password-file", metavar="FILE", help="A file with the password of the store's database.")
    ] = None,
    listen: Annotated[str, Option("--listen", metavar="HOST:PORT", help="Where to listen, or unix:/path.")] = "127.0.0.1:8080",
    url: Annotated[str | None, Option("--url", metavar="ORIGIN", help="The address that people use.")] = None,
    new_url: Annotated[
        bool, Option("--new-url", help="Move the store to this address; keys made for the old one end.")
    ] = False,
    restored: Annotated[
        bool, Option("--restored", help="The store was put back from an old copy: end what must not come back.")
    ] = False,
    tls_cert: Annotated[str | None, Option("--tls-cert", metavar="FILE", help="The certificate and its chain (PEM).")] = None,
    tls_key: Annotated[str | None, Option("--tls-key", metavar="FILE", help="The certificate's key (PEM).")] = None,
    trusted: Annotated[
        list[str] | None, Option("--trusted-proxy", metavar="NET", help="A proxy whose word on addresses counts.")
    ] = None,
    vault_key: Annotated[
        str | None, Option("--vault-key-file", metavar="FILE", help="The file that keeps the store's vault key.")
    ] = None,
    sign_up: Annotated[SignUp, Option("--sign-up", help="Who may make an account.")] = SignUp.INVITATION,
    policy: Annotated[str | None, Option("--policy", metavar="FILE", help="The policy that accounts are held to.")] = None,
    metrics: Annotated[
        str | None, Option("--metrics-listen", metavar="HOST:PORT", help="Where Prometheus reads figures; nowhere if left out.")
    ] = None,
    sockets: Annotated[
        list[str] | None, Option("--socket", metavar="NAME=ADDRESS", help="Where a relying party of this machine asks.")
    ] = None,
) -> None:
    """Serve the accounts of a store: the pages, the interface for programs, sign-ins for others."""
    serving.serve(
        current(ctx),
        store=store,
        password_file=password,
        listen=listen,
        url=url,
        new_url=new_url,
        restored=restored,
        tls_cert=tls_cert,
        tls_key=tls_key,
        trusted=tuple(trusted or ()),
        vault_key_file=vault_key,
        sign_up=sign_up,
        policy=policy,
        metrics=metrics,
        sockets=tuple(sockets or ()),
    )
