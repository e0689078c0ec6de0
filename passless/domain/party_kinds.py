"""The kinds of relying parties: how each asks, and what it can and cannot enforce."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class PartyKind(StrEnum):
    """How a relying party asks."""

    OAUTH = "oauth"
    OIDC = "oidc"
    HTTP = "http"
    DOVECOT = "dovecot"
    PAM = "pam"
    SSH = "ssh"


class Requirement(StrEnum):
    """How strongly people have to sign in for a relying party."""

    ANY = "any"
    TWO_FACTORS = "two-factors"
    PHISHING_RESISTANT = "phishing-resistant"


class Reach(Struct, frozen=True, kw_only=True):
    """What a kind of relying party holds people to, and what it cannot."""

    enforces: tuple[str, ...]
    cannot: tuple[str, ...]


BROWSERS = frozenset({PartyKind.OAUTH, PartyKind.OIDC, PartyKind.HTTP})  # people come to them by a browser
ON_HOST = frozenset({PartyKind.DOVECOT, PartyKind.PAM})  # ask on a socket of the server's own machine
KNOWS_USERS_BY_NAME = frozenset({PartyKind.PAM, PartyKind.SSH})  # a user of the host is the account of that name

ALLOWED: Mapping[str, frozenset[PartyKind]] = {  # fields of a new relying party that mean something for some kinds only
    "redirect_uris": BROWSERS,
    "public": frozenset({PartyKind.OAUTH, PartyKind.OIDC}),
    "scopes": frozenset({PartyKind.OAUTH, PartyKind.OIDC}),
    "introspects": frozenset({PartyKind.OAUTH, PartyKind.OIDC, PartyKind.DOVECOT}),
    "requires": BROWSERS | {PartyKind.SSH},
    "services": frozenset({PartyKind.HTTP, PartyKind.DOVECOT}),
    "after_sign_out": frozenset({PartyKind.OIDC}),
    "told_of_endings_at": frozenset({PartyKind.OIDC}),
    "signed_with": frozenset({PartyKind.OIDC}),
    "groups": KNOWS_USERS_BY_NAME,
}

_WHO = "who the person is, and how strongly and when they signed in: any way, with two factors, or safe from phishing"
_WATCHED = "while `relying-party watch` runs on its host"

REACH: Mapping[PartyKind, Reach] = {
    PartyKind.OAUTH: Reach(
        enforces=(_WHO, "an end of every token at once, from the next time on that the program asks about it"),
        cannot=("that the program asks about a token before it takes it", "what the program does with its own session"),
    ),
    PartyKind.OIDC: Reach(
        enforces=(
            _WHO,
            "an end of every token at once, and of all that came of a refresh token that was used twice",
            "telling the program within a second that a session ended, where it has an address for that",
        ),
        cannot=(
            "what the program does with its own session, and with what it is told",
            "an id_token that was given: it is good for whoever checks its signature alone until it is over",
        ),
    ),
    PartyKind.HTTP: Reach(
        enforces=(
            "app passwords limited to its service, and sessions of a browser as strong as it requires",
            "an end of app passwords and sessions from the next request on",
        ),
        cannot=(
            "a second step for who sends an app password",
            "what the program does after the proxy let a request through, and who reaches it past the proxy",
            "connections that stay open: websockets, downloads, a VPN until it asks again",
        ),
    ),
    PartyKind.DOVECOT: Reach(
        enforces=(
            "app passwords limited to imap, pop3, smtp and the like, and tokens of a sign-in in a browser where it introspects",
            f"an end of running connections within a second, {_WATCHED}",
        ),
        cannot=(
            "a second step for who sends an app password: mail programs send one secret",
            "which device a mail program runs on",
            "an end of connections to Postfix itself; those to Dovecot's own submission in front of it end",
            "mail that was fetched already",
        ),
    ),
    PartyKind.PAM: Reach(
        enforces=(
            "a code of the account, or an approval on another device, beside what the host asks first",
            f"an end of ssh sessions within a second after a method is removed or lost, {_WATCHED}",
        ),
        cannot=(
            "signing in with a key or passkey",
            "what root on that host does, and sign-ins by other services of the host",
            "consoles and what was left running under a name of its own, such as tmux",
            "anybody in while the server is down, but for whoever has the way back",
        ),
    ),
    PartyKind.SSH: Reach(
        enforces=(
            "the security keys of the account and no others, each with its touch",
            "a PIN or a finger, where the key was added with one; no others with two-step on, or where it requires two factors",
            f"an end of keys from the next sign-in on, and of sessions within a second, {_WATCHED}",
        ),
        cannot=(
            "which user of the host is whose: it goes by the name, among the people of its groups where it has any",
            "keys in files, passwords and what else the host lets people in with",
            "that sign-ins are in the audit trail: PAM tells of them where it has the line for it, while the server is up",
            "what was left running on the host under a name of its own, such as tmux",
        ),
    ),
}
