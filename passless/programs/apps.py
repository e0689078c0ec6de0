"""Programs of others that ask over OAuth or OpenID Connect: what they have to be given. Nothing is written for them."""

from __future__ import annotations

from collections.abc import Iterator

from passless.domain.party_kinds import PartyKind
from passless.domain.party_views import RelyingPartyView
from passless.programs.setting_up import Setup, step

DISCOVERY = {
    PartyKind.OIDC: "/.well-known/openid-configuration",  # OpenID Connect Discovery 1.0 §4
    PartyKind.OAUTH: "/.well-known/oauth-authorization-server",  # RFC 8414 §3
}


def then(setup: Setup) -> tuple[str, ...]:
    """Say what the program has to be given."""
    return tuple(_then(setup))


def _then(setup: Setup) -> Iterator[str]:
    party = setup.party
    yield step("give the program the server's address, its issuer:", setup.url)
    yield step("where it asks for more than that, it is described at", f"{setup.url}{DISCOVERY[PartyKind(party.kind)]}")
    yield step("its client id:", party.id)
    if party.public:
        yield "no client secret: it proves itself by PKCE with S256"
    else:
        where = f"the one in {setup.secret_file}" if setup.secret_file else "the one that was shown when it was registered"
        yield f"its client secret, {where}; and PKCE with S256, without which nobody is signed in"
    yield from _way_back(party, setup.url)
    known = f"--secret-file {setup.quoted_secret_file}"
    yield step(
        "see whether it can work:",
        f"passless relying-party test {setup.quoted_name} --server {setup.url}{'' if party.public else f' {known}'}",
    )


def _way_back(party: RelyingPartyView, url: str) -> Iterator[str]:
    if party.redirect_uris:
        yield step("its address to come back to, letter by letter:", *party.redirect_uris)
    else:
        yield step("people approve a code that it shows; it asks for one at", f"{url}/oauth/device_authorization")
