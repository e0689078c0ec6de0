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
}

_TOKENS = "a token that was given is good until it ends here and the program looks at it again"

REACH: Mapping[PartyKind, Reach] = {
    PartyKind.OAUTH: Reach(
        enforces=("who the person is, and how strongly and when they signed in", "an end of every token at once"),
        cannot=("that the program asks about a token before it takes it",),
    ),
    PartyKind.OIDC: Reach(
        enforces=(
            "who the person is, and how strongly and when they signed in",
            "methods that resist phishing, where it requires them",
            "telling the program within a second that a session ended, where it has an address for that",
        ),
        cannot=("what the program does with its own session", _TOKENS),
    ),
    PartyKind.HTTP: Reach(
        enforces=("app passwords limited to its service", "an end of app passwords and sessions from the next request on"),
        cannot=("a second step for who sends an app password", "what the program does after the proxy let a request through"),
    ),
    PartyKind.DOVECOT: Reach(
        enforces=(
            "app passwords limited to imap, pop3, smtp and the like",
            "an end of running connections within a second, while `relying-party watch` runs",
        ),
        cannot=("a second step: mail programs send one secret", "which device a mail program runs on"),
    ),
    PartyKind.PAM: Reach(
        enforces=("a code of the account, or an approval on another device, beside what the host asks first",),
        cannot=("signing in with a key or passkey", "what root on that host does", "sign-ins by other services of the host"),
    ),
    PartyKind.SSH: Reach(
        enforces=(
            "the security keys of the account and no others, each with its touch",
            "a PIN or a finger, where the key was added with one; no other keys with two-step on, or where it requires two factors",
            "an end of keys from the next sign-in on, and of sessions within a second, while `relying-party watch` runs",
        ),
        cannot=(
            "which user of the host is whose: the name is all that it goes by",
            "keys in files, passwords and what else the host lets people in with",
            "what was left running on the host under a name of its own, such as tmux",
        ),
    ),
}
