"""id_tokens: what they say, how they are signed, and reading one that comes back as a hint."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from passless.actions import signing_keys, store_secret
from passless.actions.parts import Parts
from passless.domain.account import Account
from passless.domain.relying_parties import SIGNATURES, Client
from passless.domain.safety.assurance import ACR_VALUES, Assurance, acr_of, amr_of, assurance
from passless.domain.sessions import Session
from passless.server.openid import claims
from passless.server.site import Site

SID_SIZE = 16  # bytes, 128 bits
LONGEST_HINT = 8192  # characters of an id_token that comes back


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request asked to find in its id_token."""

    nonce: str = ""
    in_id_token: tuple[str, ...] = ()
    acrs: tuple[str, ...] = ()


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a token that we signed: nothing else is in it."""

    alg: str
    kid: str
    typ: str


class Hint(Struct, frozen=True, kw_only=True):
    """An id_token of ours that came back: whom it was about, for whom, in which session. It may be over."""

    subject: str
    client_id: str
    sid: str = ""


def make(
    site: Site, client: Client, account: Account, session: Session, access_token: str, *, line: str, lasting: str, said: Said
) -> str:
    """Return a signed id_token about the person of a session.

    `line` is the browser's session that it was given in, `lasting` the one that lasts of what was given.
    """
    parts = site.parts
    now = parts.now()
    algorithm = client.signed_with or SIGNATURES[0]
    assured = assurance(account, session.proofs, parts.rules, now)
    content: dict[str, Any] = {
        "iss": site.url,
        "sub": account.id,
        "aud": client.id,
        "azp": client.id,
        "iat": int(now.timestamp()),
        "exp": int((now + signing_keys.ID_TOKEN_LIFE).timestamp()),
        "auth_time": int(auth_time(session).timestamp()),
        "acr": _acr(assured, said.acrs),
        "at_hash": _half_hash(access_token),
    }
    if words := amr_of(account, session.proofs, assured):
        content["amr"] = words
    if line:
        content["sid"] = sid_of(parts, client.id, line, lasting)
    if said.nonce:
        content["nonce"] = said.nonce
    known = claims.of(account, (scope for scope in claims.CLAIMS))
    content |= {name: known[name] for name in said.in_id_token if name in known}
    return sign(parts, content, algorithm, kind="JWT")


def sign(parts: Parts, content: dict[str, Any], algorithm: str, *, kind: str) -> str:
    """Sign something; `kind` is what the header calls it (RFC 8725 §3.11)."""
    from joserfc import jwt

    key = signing_keys.signing(parts, algorithm)
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, content, key, algorithms=[algorithm], default_type=kind)


def read_hint(site: Site, text: str | None) -> Hint | None:
    """Return an id_token that came back; None where we did not sign it, for one program. When it was good is not asked (§2)."""
    if not text or len(text) > LONGEST_HINT or not text.isascii():
        return None
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    keys = KeySet.import_key_set(signing_keys.published(site.parts))  # type: ignore[arg-type] # as joserfc writes it
    try:
        head = msgspec.json.decode(_unbase64(text.partition(".")[0]), type=Head)  # before joserfc, which trips over some
        opened = jws.deserialize_compact(text, keys, algorithms=list(SIGNATURES))
        said = msgspec.json.decode(opened.payload, type=dict[str, Any])
    except (JoseError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    if head.typ != "JWT" or said.get("iss") != site.url:
        return None  # a logout token is none
    subject, audience, sid = said.get("sub"), said.get("aud"), said.get("sid", "")
    if not (isinstance(subject, str) and isinstance(audience, str) and isinstance(sid, str)):
        return None
    return Hint(subject=subject, client_id=audience, sid=sid)


def sid_of(parts: Parts, client_id: str, line: str, lasting: str) -> str:
    """Name one sign-in to one relying party: the same in every process, and to every other one another.

    The first half is the browser's session, the second what was given in it: there are programs that keep one session of theirs
    under each name, and would go on in those before it.
    """
    return f"{_half_sid(parts, client_id, line)}.{_half_sid(parts, client_id, lasting)}"


def is_in_session(parts: Parts, client_id: str, line: str, sid: str) -> bool:
    """Tell whether a name is that of a sign-in in a browser's session."""
    return hmac.compare_digest(sid.partition(".")[0].encode(), _half_sid(parts, client_id, line).encode())


def _half_sid(parts: Parts, client_id: str, session: str) -> str:
    key = store_secret.derived(store_secret.read(parts).key, "openid-sid")
    return _base64(hmac.digest(key, f"{client_id}/{session}".encode(), sha256)[:SID_SIZE])


def auth_time(session: Session) -> datetime:
    """Return when the person last proved who they are."""
    return max((proof.at for proof in session.proofs), default=session.created_at)


def _acr(assured: Assurance, asked: Sequence[str]) -> str:
    """Return the word for it; where the request named some, the strongest of them that holds (OpenID Connect Core §5.5.1.1)."""
    holding = [word for word in asked if word in ACR_VALUES and ACR_VALUES[word] <= assured]
    return max(holding, key=lambda word: ACR_VALUES[word], default=acr_of(assured))


def _half_hash(text: str) -> str:
    """Return what binds a token to an id_token (OpenID Connect Core §3.1.3.6); both algorithms hash with SHA-256."""
    return _base64(sha256(text.encode("ascii")).digest()[:16])


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
