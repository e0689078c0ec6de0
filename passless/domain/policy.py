"""Policy as code: what an organisation asks of its accounts, read from a file and held against them (rule 12).

A policy file is TOML::

    [numbers]
    wait_days = 30                  # 7 to 90

    [sign_in]
    email = false                   # may a code by e-mail sign in?
    allowed_kinds = ["security-key", "passkey", "totp"]

    [require]
    passwordless = true
    two_step = true
    phishing_resistant = true       # every way in contains a key or a passkey
    two_factors = true              # every way in covers two factors
    survives_losses = 1             # of how many devices at once: 0, 1 or 2
    recovery_code = true            # a saved one
    finished = true                 # nothing unfinished or in recovery
    methods_at_least = 2
    app_passwords_at_most = 5
    app_passwords_expire = true

    [recovery]
    second_operator = true
    ticket = "HD-[0-9]+"
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from passless.domain.methods import Kind


class Numbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers a policy may set, within their floors."""

    wait_days: int = 30


class SignInPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which methods may be on an account."""

    email: bool = False
    allowed_kinds: tuple[Kind, ...] | None = None


class Requirements(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every account must be like. What is left out is not asked."""

    passwordless: bool = False
    two_step: bool = False
    phishing_resistant: bool = False
    two_factors: bool = False
    survives_losses: int = 0
    recovery_code: bool = False
    finished: bool = False
    methods_at_least: int = 0
    app_passwords_at_most: int | None = None
    app_passwords_expire: bool = False


class RecoveryPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How operators recover accounts."""

    second_operator: bool = False
    ticket: str = ""


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy file."""

    numbers: Numbers = Numbers()
    sign_in: SignInPolicy = SignInPolicy()
    require: Requirements = Requirements()
    recovery: RecoveryPolicy = RecoveryPolicy()

    @property
    def wait(self) -> timedelta:
        """The wait it sets."""
        return timedelta(days=self.numbers.wait_days)


class Finding(Struct, frozen=True, kw_only=True):
    """One account that does not hold to the policy: which rule, why, and what to do."""

    account: str
    code: str
    message: str
    hint: str
