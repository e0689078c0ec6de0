"""Sign-in methods: the ways to prove who you are, and how much each proves."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import NewType, assert_never

from msgspec import Struct

from passless.domain.sealed import Sealed

MethodId = NewType("MethodId", str)
DeviceName = NewType("DeviceName", str)
RpId = NewType("RpId", str)

PHONE = DeviceName("phone")  # where TOTP, SMS and approvals live unless said otherwise
MAILBOX = DeviceName("mailbox")  # where e-mail codes arrive
MEMORY = DeviceName("memory")  # where a password lives: no loss of a thing takes it away


class Kind(StrEnum):
    """The kinds of sign-in method, as they are written everywhere."""

    PASSWORD = "password"
    SECURITY_KEY = "security-key"
    PASSKEY = "passkey"
    AUTHENTICATOR = "authenticator"
    TOTP = "totp"
    PHONE = "phone"
    EMAIL = "email"
    RECOVERY_CODE = "recovery-code"
    TEMPORARY_PASS = "temporary-pass"
    TOKEN = "token"  # a machine's
    OTHER = "other"


class Strength(IntEnum):
    """What proofs cover together."""

    NOTHING = 0
    ONE_FACTOR = 1
    TWO_FACTORS = 2


class Factor(Enum):
    """What one proof with a method shows."""

    KNOWLEDGE = "something you know"
    POSSESSION = "something you have"
    BOTH = "two factors"
    NONE = "never counted"


class Credential(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The public half of a WebAuthn credential, and what the relying party has to remember of it.

    `public_key` is a COSE key (CBOR); `transports` are the browser's words (`usb`, `nfc`, `internal`, `hybrid`, …).
    """

    id: bytes
    public_key: bytes
    rp_id: RpId
    aaguid: str = ""
    transports: tuple[str, ...] = ()
    backup_eligible: bool = False
    discoverable: bool = False


class MethodFields(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every sign-in method has.

    `added_with` is what the proofs covered when it was added: a method added with two factors is trusted sooner.
    """

    id: MethodId
    name: str
    device: DeviceName
    added_at: datetime
    added_with: Strength = Strength.ONE_FACTOR
    confirmed: bool = True
    enabled: bool = True
    expires_at: datetime | None = None


class Password(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="password"):
    """Something you know. `stands_alone` says whether it is long enough without a second step."""

    hash: str
    stands_alone: bool


class SecurityKey(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="security-key"):
    """A FIDO2 key; two factors when it checks a PIN or a finger itself."""

    credential: Credential
    user_verified: bool


class Passkey(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="passkey"):
    """A credential of a computer, a phone or a password manager; always with user verification."""

    credential: Credential


class Authenticator(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="authenticator"):
    """Approval on another device with number matching; the answer is an assertion with user verification."""

    credential: Credential


class Totp(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="totp"):
    """An authenticator app that shows codes (RFC 6238)."""

    seed: Sealed


class Phone(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="phone"):
    """Codes by SMS."""

    number: str


class Email(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="email"):
    """Codes by e-mail. `opened_by_this_account`: the mailbox's own sign-in is this account, so it can never count."""

    address: str
    opened_by_this_account: bool = False


class Other(MethodFields, frozen=True, kw_only=True, tag_field="kind", tag="other"):
    """Something a provider has and passless does not know: shown, never counted."""

    provider_kind: str


SignInMethod = Password | SecurityKey | Passkey | Authenticator | Totp | Phone | Email | Other


def kind_of(method: SignInMethod) -> Kind:
    """Return the kind's word."""
    return Kind(str(method.__struct_config__.tag))


def credential_of(method: SignInMethod) -> Credential | None:
    """Return the WebAuthn credential of a method that has one."""
    match method:
        case SecurityKey() | Passkey() | Authenticator():
            return method.credential
        case _:
            return None


def factor(method: SignInMethod) -> Factor:
    """Say what one proof with this method shows (design.md, "Strength")."""
    match method:
        case SecurityKey(user_verified=True) | Passkey() | Authenticator():
            return Factor.BOTH
        case SecurityKey() | Totp() | Phone() | Email():
            return Factor.POSSESSION
        case Password():
            return Factor.KNOWLEDGE
        case Other():
            return Factor.NONE
        case _:
            assert_never(method)


def strength(method: SignInMethod) -> Strength:
    """Count the factors of one proof with this method."""
    match factor(method):
        case Factor.BOTH:
            return Strength.TWO_FACTORS
        case Factor.NONE:
            return Strength.NOTHING
        case _:
            return Strength.ONE_FACTOR


def resists_phishing(method: SignInMethod) -> bool:
    """Only keys and passkeys are bound to the address they are used at."""
    return isinstance(method, SecurityKey | Passkey)


def carries_mail(method: SignInMethod) -> bool:
    """Tell whether the device of this method is a phone, which reads mail and so is no second device beside a mailbox."""
    return isinstance(method, Totp | Phone | Authenticator)
