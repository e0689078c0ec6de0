"""WebAuthn options as JSON (WebAuthn L3 §5.1.8 and §5.1.10), parsed once and strictly."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from passless.devices.errors import BadOptions, WrongOrigin
from passless.domain.names import printable

MAX_TIMEOUT = 600_000  # milliseconds; WebAuthn L3 §15.1, the upper end of its recommended range
MAX_CREDENTIAL_ID = 1023  # bytes; WebAuthn L3 §4, "Credential ID"
MAX_USER_ID = 64  # bytes; WebAuthn L3 §5.4.3
DEFAULT_ALGORITHMS = (-7, -257)  # ES256 and RS256; WebAuthn L3 §5.1.3 step 10
PUBLIC_KEY = "public-key"

Base64Url = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]*\Z", max_length=4096)]
Algorithm = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Milliseconds = Annotated[int, Meta(ge=0, lt=2**32)]
Verification = Literal["required", "preferred", "discouraged"]
_T = TypeVar("_T")


class _Part(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Names as the standard's JSON has them; members we do not know are ignored, as it says."""


class RelyingParty(_Part, frozen=True, kw_only=True):
    """Who asks."""

    name: str = ""
    id: str | None = None


class User(_Part, frozen=True, kw_only=True):
    """For whom."""

    id: Base64Url
    name: str
    display_name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(decoded(self.id)) <= MAX_USER_ID:
            raise ValueError("a user id has 1 to 64 bytes")


class Parameters(_Part, frozen=True, kw_only=True):
    """A kind of key pair."""

    type: str
    alg: Algorithm


class Descriptor(_Part, frozen=True, kw_only=True):
    """One credential."""

    type: str
    id: Base64Url

    def __post_init__(self) -> None:
        if len(decoded(self.id)) > MAX_CREDENTIAL_ID:
            raise ValueError("the credential id is too long")


class Selection(_Part, frozen=True, kw_only=True):
    """What the key must be able to do."""

    resident_key: str | None = None
    require_resident_key: bool | None = None
    user_verification: str | None = None

    @property
    def needs_resident_key(self) -> bool:
        """Whether the key itself must keep the credential."""
        return self.resident_key == "required" or (self.resident_key is None and self.require_resident_key is True)


class Extensions(_Part, frozen=True, kw_only=True):
    """The extensions that are passed on."""

    cred_props: bool = False
    min_pin_length: bool = False
    credential_protection_policy: (
        Literal["userVerificationOptional", "userVerificationOptionalWithCredentialIDList", "userVerificationRequired"] | None
    ) = None
    enforce_credential_protection_policy: bool = False


class CreationOptions(_Part, frozen=True, kw_only=True):
    """What to make a credential for."""

    rp: RelyingParty
    user: User
    challenge: Base64Url
    pub_key_cred_params: tuple[Parameters, ...]
    timeout: Milliseconds | None = None
    exclude_credentials: tuple[Descriptor, ...] | None = None
    authenticator_selection: Selection | None = None
    attestation: str | None = None
    extensions: Extensions | None = None

    def __post_init__(self) -> None:
        decoded(self.challenge)

    @property
    def verification(self) -> Verification:
        """Whether the key checks PIN or finger; what is not understood is the standard's default."""
        return _verification(self.authenticator_selection.user_verification if self.authenticator_selection else None)

    @property
    def needs_resident_key(self) -> bool:
        """Whether the key itself must keep the credential."""
        return bool(self.authenticator_selection and self.authenticator_selection.needs_resident_key)

    def verifying(self, verification: Verification) -> CreationOptions:
        """Return the same with another wish for PIN or finger."""
        selection = msgspec.structs.replace(self.authenticator_selection or Selection(), user_verification=verification)
        return msgspec.structs.replace(self, authenticator_selection=selection)


class RequestOptions(_Part, frozen=True, kw_only=True):
    """What to prove possession for."""

    challenge: Base64Url
    timeout: Milliseconds | None = None
    rp_id: str | None = None
    allow_credentials: tuple[Descriptor, ...] | None = None
    user_verification: str | None = None

    def __post_init__(self) -> None:
        decoded(self.challenge)

    @property
    def verification(self) -> Verification:
        """See `CreationOptions.verification`."""
        return _verification(self.user_verification)

    def verifying(self, verification: Verification) -> RequestOptions:
        """Return the same with another wish for PIN or finger."""
        return msgspec.structs.replace(self, user_verification=verification)


class _Wrapped(Struct, frozen=True, rename="camel"):
    public_key: Raw | UnsetType = UNSET


def read_creation_options(text: str | bytes, origin: str) -> CreationOptions:
    """Parse creation options; `BadOptions` or `WrongOrigin` where they are not right."""
    options = _read(text, CreationOptions)
    parameters = tuple(one for one in options.pub_key_cred_params if one.type == PUBLIC_KEY)
    if options.pub_key_cred_params and not parameters:
        raise BadOptions("the options ask for no kind of public key")
    return msgspec.structs.replace(
        options,
        rp=msgspec.structs.replace(options.rp, id=options.rp.id or host_of(origin)),
        pub_key_cred_params=parameters or tuple(Parameters(type=PUBLIC_KEY, alg=one) for one in DEFAULT_ALGORITHMS),
        exclude_credentials=_public_keys(options.exclude_credentials),
        timeout=_capped(options.timeout),
    )


def read_request_options(text: str | bytes, origin: str) -> RequestOptions:
    """Parse request options; `BadOptions` or `WrongOrigin` where they are not right."""
    options = _read(text, RequestOptions)
    allowed = _public_keys(options.allow_credentials)
    if options.allow_credentials and not allowed:
        raise BadOptions("the options allow no public key")
    return msgspec.structs.replace(
        options, rp_id=options.rp_id or host_of(origin), allow_credentials=allowed, timeout=_capped(options.timeout)
    )


def host_of(origin: str) -> str:
    """Return the host of an origin.

    Raises:
        WrongOrigin: it is not `https://host[:port]` or `http://host[:port]`, which every answer must repeat to the letter.
    """
    try:
        parts = urlsplit(origin)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or "@" in parts.netloc or origin not in (f"https://{parts.netloc.lower()}", f"http://{parts.netloc.lower()}"):
        raise WrongOrigin(f'"{printable(origin)}" is not an origin such as "https://example.org"')
    return host


def decoded(text: str) -> bytes:
    """Return the bytes behind base64url without padding; ValueError where it is none."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _read(text: str | bytes, kind: type[_T]) -> _T:
    try:
        wrapped = msgspec.json.decode(text, type=_Wrapped)
        inner = text if wrapped.public_key is UNSET else bytes(wrapped.public_key)
        return msgspec.json.decode(inner, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadOptions(f"the WebAuthn options cannot be read: {error}") from error


def _public_keys(descriptors: tuple[Descriptor, ...] | None) -> tuple[Descriptor, ...] | None:
    return tuple(one for one in descriptors or () if one.type == PUBLIC_KEY) or None


def _capped(timeout: int | None) -> int | None:
    return None if timeout is None else min(timeout, MAX_TIMEOUT)


def _verification(word: str | None) -> Verification:
    match word:
        case "required" | "discouraged":
            return word
        case _:
            return "preferred"
