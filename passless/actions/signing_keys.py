"""The keys that id_tokens are signed with: made when they are first needed, replaced with age, the same in every process.

A key is a record of its algorithm and number, sealed under the store's vault key; its public half stands beside the seal. The
next key is published for a day before it signs, so that programs which keep what they fetched know it by then, and the one
before it for as long as something that it signed may still be shown. Which key signs follows from the clock and the records
alone: no process has to tell another one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import sealed_records
from passless.actions.parts import Parts
from passless.actions.relying_parties import NO_ACCOUNT
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.party_views import SigningKeyView
from passless.domain.relying_parties import SIGNATURES as ALGORITHMS
from passless.domain.sessions import SESSION_LIFE
from passless.ports import Record, VersionMoved, Write, item_of_record

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

KIND = "openid-key"
RSA_SIZE = 2048  # bits; RFC 7518 §3.3: at least
ID_TOKEN_LIFE = timedelta(hours=1)  # as long as the access token beside it
PUBLISHED_BEFORE = timedelta(days=1)  # a key is there to be fetched before it signs
SIGNS_FOR = timedelta(days=90)  # then the next one takes its place
KEPT_AFTER = SESSION_LIFE + ID_TOKEN_LIFE  # the last id_token, and the session that it is a hint at, are over by then
TRIES = 8  # of a write that another process came in between
LONGEST_NUMBER = 8  # digits, so that the order of the keys is the order of the names


class About(Struct, frozen=True, kw_only=True):
    """What is known of a key in the open."""

    algorithm: str
    public: dict[str, Any]  # the public half as a JWK
    made_at: datetime
    signs_from: datetime


class SigningKey(Struct, frozen=True):
    """A key, and its record."""

    about: About
    record: Record

    @property
    def id(self) -> str:
        """The `kid`."""
        return str(self.about.public["kid"])

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing that it signed is shown any more."""
        return self.record.ends_at is not None and now >= self.record.ends_at


def published(parts: Parts) -> dict[str, Any]:
    """Return the public halves of every key that may have signed something, and of those that soon will (RFC 7517 §5)."""
    return {"keys": [dict(one.about.public) for algorithm in ALGORITHMS for one in current(parts, algorithm)]}


def signing(parts: Parts, algorithm: str) -> RSAKey | ECKey:
    """Return the key that signs now.

    Raises:
        VaultKeyMissing, …: it is sealed under a key that cannot be had.
    """
    key = _signing(current(parts, algorithm), parts.now())
    return _private(sealed_records.opened(parts, key.record), key.id)


def current(parts: Parts, algorithm: str) -> tuple[SigningKey, ...]:
    """Return the keys of an algorithm, the oldest first, with one that signs; the next is made when it is time."""
    for _ in range(TRIES):
        now = parts.now()
        keys = _kept(parts, algorithm, now)
        if keys and now < keys[-1].about.signs_from + SIGNS_FOR - PUBLISHED_BEFORE:
            return keys
        try:
            _make_next(parts, algorithm, keys, signs_from=now + PUBLISHED_BEFORE if keys else now)
        except VersionMoved:
            continue  # another process was faster
    raise VersionMoved


def rotate(parts: Parts, *, at_once: bool, actor: str, place: str) -> None:
    """Make the next key of each algorithm; `at_once`: those before it are good for nothing from now on, for somebody has them.

    What they signed is not to be believed any more, and an old copy of the store does not bring them back.
    """
    for algorithm in ALGORITHMS:
        for _ in range(TRIES):
            now = parts.now()
            keys = _kept(parts, algorithm, now)
            signs_from = now if at_once or not keys else now + PUBLISHED_BEFORE
            try:
                _make_next(parts, algorithm, keys, signs_from=signs_from, drop=at_once, actor=actor, place=place)
                break
            except VersionMoved:
                continue
        else:
            raise VersionMoved


def look(parts: Parts) -> tuple[SigningKeyView, ...]:
    """Return what there is, without making anything."""
    from passless.domain.errors import Unavailable

    now, views = parts.now(), []
    for algorithm in ALGORITHMS:
        keys = _kept(parts, algorithm, now)
        signs = _signing(keys, now) if keys else None
        for key in keys:
            try:
                readable = bool(sealed_records.opened(parts, key.record))
            except Unavailable:
                readable = False
            views.append(
                SigningKeyView(
                    id=key.id,
                    algorithm=algorithm,
                    state="signing" if key == signs else "next" if key.about.signs_from > now else "retired",
                    made_at=key.about.made_at,
                    signs_from=key.about.signs_from,
                    published_until=key.record.ends_at,
                    readable=readable,
                )
            )
    return tuple(views)


def _signing(keys: tuple[SigningKey, ...], now: datetime) -> SigningKey:
    """Return the newest key whose time has come; the oldest where that of none has, as after an old copy was put back."""
    return next((one for one in reversed(keys) if one.about.signs_from <= now), keys[0])


def _kept(parts: Parts, algorithm: str, now: datetime) -> tuple[SigningKey, ...]:
    front = f"{algorithm}/"
    found = (_read(one) for one in parts.store.records(KIND, after=front) if one.key.startswith(front))
    return tuple(one for one in found if not one.is_over(now))


def _make_next(
    parts: Parts,
    algorithm: str,
    keys: tuple[SigningKey, ...],
    *,
    signs_from: datetime,
    drop: bool = False,
    actor: str = "passless",
    place: str = "",
) -> None:
    """Keep a new key in one transaction with the end of those before it; `VersionMoved` where another process made one."""
    now = parts.now()
    number = 1 + max((int(one.record.key.partition("/")[2]) for one in keys), default=0)
    name = f"{algorithm}/{number:0{LONGEST_NUMBER}}"
    public, private = _new_pair(algorithm)
    about = About(algorithm=algorithm, public=public, made_at=now, signs_from=signs_from)
    made = sealed_records.sealed(parts, KIND, name, private, about=msgspec.json.encode(about))
    over = signs_from + KEPT_AFTER
    ending = () if drop else tuple(replace(one.record, ends_at=over) for one in keys if one.record.ends_at is None)
    gone = tuple(one.record for one in keys) if drop else ()
    details = {"algorithm": algorithm, "key": str(public["kid"]), "at-once": "yes" if drop else "no"}
    entry = AuditEntry(at=now, actor=actor, event="new-signing-key", outcome=Outcome.DONE, place=place, details=details)
    parts.store.commit(
        Write(
            at=now,
            account_id=NO_ACCOUNT,
            puts=(made, *ending),
            drops=gone,
            ended=tuple(item_of_record(KIND, one.key) for one in gone),
            events=(entry,),
        )
    )
    sealed_records.settle(parts, KIND, name, private)


def _new_pair(algorithm: str) -> tuple[dict[str, Any], bytes]:
    """Return a new key: its public half as a JWK, and all of it as DER."""
    from joserfc.jwk import ECKey, RSAKey

    key = RSAKey.generate_key(RSA_SIZE) if algorithm == "RS256" else ECKey.generate_key("P-256")
    public = key.as_dict(private=False)
    named = {**public, "kid": key.thumbprint(), "alg": algorithm, "use": "sig"}
    return named, key.as_der(private=True)


@lru_cache(maxsize=16)
def _private(der: bytes, kid: str) -> RSAKey | ECKey:
    """Return a key, read once: reading one takes as long as signing with it."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    from joserfc.jwk import ECKey, RSAKey

    raw: Any = load_der_private_key(der, password=None)
    kind = RSAKey if isinstance(raw, RSAPrivateKey) else ECKey
    return kind.import_key(raw, {"kid": kid, "use": "sig"})


def _read(record: Record) -> SigningKey:
    return SigningKey(msgspec.json.decode(sealed_records.about(record), type=About), record)
