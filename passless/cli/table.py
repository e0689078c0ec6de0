"""Every command, its module and its one line of help, so that only the module of the command asked for is imported.

A test holds the lines against the modules.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command or group of commands; its module has an `app`."""

    module: str
    help: str


def _entry(module: str, help_line: str) -> Entry:
    return Entry(f"passless.cli.{module}", help_line)


COMMANDS = {
    "setup": _entry(
        "setup", "Walk through everything that is missing: account, methods, recovery code, two-step, passwordless."
    ),
    "status": _entry("status", "The account at a glance, with next steps."),
    "account": _entry("account", "Make, choose, rename and delete accounts."),
    "method": _entry("method", "Sign-in methods: the ways to prove who you are."),
    "device": _entry("device", "The things your methods live on, and what to do when one is lost."),
    "passwordless": _entry("passwordless", "Live without a password, or set one again."),
    "two-step": _entry("two_step", "Ask for two proofs at every sign-in, or for one again."),
    "app-password": _entry("app_password", "Passwords for programs that cannot do better."),
    "recovery-code": _entry("recovery_code", "The code on paper that brings you back."),
    "recover": _entry("recover", "Get back in after losing everything else."),
    "temporary-pass": _entry("temporary_pass", "Let a person in for a while (operators)."),
    "token": _entry("token", "Tokens for machines, with named rights only."),
    "sign-in": _entry("sign_in", "Sign in, or prove again that it is you."),
    "sign-out": _entry("sign_out", "End the session in use, or all of them."),
    "session": _entry("session", "Who is signed in, where and since when."),
    "what-if": _entry("what_if", "What would be left after losing a device or a method."),
    "check": _entry("check", "Hold accounts against a policy file: exit status 8 when something is found."),
    "legacy-apps": _entry(
        "legacy_apps", "Which programs need what once there is no password: an app password, a device code, or the password."
    ),
    "key": _entry("key", "The security key itself: PIN, credentials, fingerprints, reset."),
    "audit": _entry("audit", "Everything that happened, and whether the trail is whole."),
    "vault": _entry("vault", "The key that seals what must be read back."),
    "profile": _entry("profile", "The places where accounts live."),
    "doctor": _entry(
        "doctor", "What works on this machine: keyring, keys and their permissions, clock, store, versions. Changes nothing."
    ),
    "operator": _entry("operator", "Who may help others on a server (operators)."),
    "invitation": _entry("invitation", "Invite people to a server (operators)."),
    "relying-party": _entry("relying_party", "Programs that sign people in against a server."),
    "serve": _entry("serve", "Serve the accounts of a store: the pages, the interface for programs, sign-ins for others."),
    "completion": _entry("completion", "Completion for your shell."),
}
