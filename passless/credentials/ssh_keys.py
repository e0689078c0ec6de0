"""Keys in the words of OpenSSH and of pam_u2f: the public halves of credentials, and the files that name them to a key.

OpenSSH signs what an authenticator signs anyway (its PROTOCOL.u2f): the hash of the application, flags, a counter, and the hash
of the message. So a credential that was made for a relying party signs in by ssh, where `application` is its RP ID.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from passless.credentials.cose_keys import load_public_key
from passless.domain.errors import WrongUse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ECDSA_SK = "sk-ecdsa-sha2-nistp256@openssh.com"
ED25519_SK = "sk-ssh-ed25519@openssh.com"
CURVE = "nistp256"
MAGIC = b"openssh-key-v1\0"  # of a private key file (OpenSSH's PROTOCOL.key)
BLOCK = 8  # bytes that an unencrypted key is padded to (PROTOCOL.key)
PRESENCE, VERIFICATION = 0x01, 0x04  # flags of a key (PROTOCOL.u2f)
LINE = 70  # characters of a line of base64, as ssh-keygen writes them


class NotForSsh(WrongUse):
    """A key of an algorithm that neither OpenSSH nor pam_u2f has for security keys."""

    code = "not-for-ssh"
    hint = "add another key, which signs with ES256 or EdDSA as nearly all do"
    default = "ssh knows no security keys of this algorithm"


class SshKey(Struct, frozen=True, kw_only=True):
    """A credential, as OpenSSH sees it."""

    type: str
    blob: bytes
    public: bytes

    @property
    def encoded(self) -> str:
        """Its type and itself, as they stand in a line of authorized_keys; both are ASCII, whatever the credential says."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


def ssh_key(public_key: bytes, rp_id: str) -> SshKey:
    """Read a COSE key; `NotForSsh` where OpenSSH knows none such."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    _, key = load_public_key(public_key)
    if isinstance(key, RSAPublicKey):
        raise NotForSsh
    kind, public = _public(key)
    fields = (CURVE.encode(), public) if kind == ECDSA_SK else (public,)
    blob = b"".join(map(_text, (kind.encode(), *fields, rp_id.encode())))
    return SshKey(type=kind, blob=blob, public=public)


def authorized_line(key: SshKey, *, verify: bool, comment: str) -> str:
    """Return a line for authorized_keys; `verify`: sshd takes it only where the key checked a PIN or a finger."""
    return f"{'verify-required ' if verify else ''}{key.encoded} {comment}"


def private_file(key: SshKey, rp_id: str, credential_id: bytes, *, verify: bool, comment: str) -> bytes:
    """Return a private key file for ssh. There is no secret in it: it says which key to ask, and for what."""
    flags = PRESENCE | (VERIFICATION if verify else 0)
    check = sha256(key.blob).digest()[:4]  # both halves alike say that nothing was decrypted wrongly; nothing is encrypted here
    content = check + check + key.blob + bytes([flags]) + _text(credential_id) + _text(b"") + _text(comment.encode())
    content += bytes(range(1, 1 - len(content) % -BLOCK))
    written = MAGIC + b"".join(map(_text, (b"none", b"none", b""))) + b"\0\0\0\1" + _text(key.blob) + _text(content)
    encoded = base64.b64encode(written).decode()
    lines = [encoded[at : at + LINE] for at in range(0, len(encoded), LINE)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""]).encode()


def mapping(key: SshKey, credential_id: bytes, *, verify: str = "") -> str:
    """Return a key as it stands in a mapping of pam_u2f; `verify` is `pin`, or `verification` for a finger."""
    algorithm, public = ("es256", key.public[1:]) if key.type == ECDSA_SK else ("eddsa", key.public)
    attributes = "+presence" + (f"+{verify}" if verify else "")
    return f"{base64.b64encode(credential_id).decode()},{base64.b64encode(public).decode()},{algorithm},{attributes}"


def _public(key: EllipticCurvePublicKey | Ed25519PublicKey) -> tuple[str, bytes]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, Ed25519PublicKey):
        return ED25519_SK, key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return ECDSA_SK, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(content: bytes) -> bytes:
    """Write a string as RFC 4251 §5 has it."""
    return len(content).to_bytes(4, "big") + content
