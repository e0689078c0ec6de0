"""Credentials for whoever asks about a name and has proven nothing: the account's own, if there are any, among made-up ones.

Every name has some, so that neither their number nor their looks tell whether there is an account (must hold 3; WebAuthn L3
§14.6.2). What is made up follows from the name, the store's secret and what ids look like here (`id_lengths`): the same name
gets the same ones from every process. How a key can be reached is not said: a browser then offers every way.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256, shake_256

from passless.actions import id_lengths, store_secret
from passless.actions.parts import Access, Parts
from passless.domain import names
from passless.domain.account import Account
from passless.domain.errors import Unavailable
from passless.domain.methods import Credential, Kind, RpId

LISTED = 4  # credentials that are named at least
MORE = 16  # one name in so many gets one more than that, every second of those another one, and so on
MOST_LISTED = 12  # made-up ones and others; who has more of one kind shows more


def hidden_among(parts: Parts, target: str, kind: Kind, real: Sequence[Credential]) -> tuple[Credential, ...]:
    """Return the credentials to name for what was typed, in no order; nothing but their ids is told."""
    secret = store_secret.read(parts)
    lengths = secret.lengths
    if lengths is None:
        lengths = _first_look(parts)
    key = store_secret.derived(secret.key, f"credentials/{kind}")
    wanted = _number(_seed(key, "number", target))
    made = [_made_up(_seed(key, str(number), target), lengths, kind) for number in range(wanted)]
    shown = [*(one.id for one in real), *made[: max(0, wanted - len(real))]]
    rp_id = parts.rules.rp_id or RpId("")
    return tuple(Credential(id=one, public_key=b"", rp_id=rp_id) for one in sorted(shown))


def learn(parts: Parts, account: Account, kind: Kind) -> None:
    """Remember how long the id of an account's new credential is; what hinders it is no reason to fail."""
    if parts.access is not Access.NOBODY or kind not in id_lengths.KNOWN:
        return
    with suppress(Unavailable):
        lengths = store_secret.read(parts).lengths
        after = id_lengths.learned(_first_look(parts) if lengths is None else lengths, account, kind, parts.entropy)
        if after is not None:
            store_secret.keep_lengths(parts, after)


def _first_look(parts: Parts) -> Mapping[str, bytes]:
    """Return what the store's own accounts teach; a store of before this, or one that was moved here, may have many."""
    lengths = id_lengths.looked_at((one.account for one in parts.store.accounts()), parts.entropy)
    with suppress(Unavailable):  # another process looked at the same moment, or nothing can be kept now
        store_secret.keep_lengths(parts, lengths)
    return lengths


def _number(seed: bytes) -> int:
    """Return how many are named at least: as hardly anybody has many, few names get many."""
    drawn = int.from_bytes(seed[:8])
    if drawn % MORE:
        return LISTED
    drawn //= MORE
    more = 1
    while drawn % 2 and LISTED + more < MOST_LISTED:
        drawn, more = drawn // 2, more + 1
    return LISTED + more


def _made_up(seed: bytes, lengths: Mapping[str, bytes], kind: Kind) -> bytes:
    size = id_lengths.draw(lengths, kind, seed[:8])
    return shake_256(seed + size.to_bytes(2)).digest(size)


def _seed(key: bytes, use: str, target: str) -> bytes:
    text = f"{use}/{names.key(target)}".encode("utf-8", "surrogatepass")  # what was typed may not be text at all
    return hmac.digest(key, text, sha256)
