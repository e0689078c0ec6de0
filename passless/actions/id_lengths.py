"""How long the ids of made-up credentials are: as long as real ones, or which is which would show.

They are drawn from what this very store holds and from what is known of makers. A name's draw stays when the store learns more:
of n lengths a new one moves one draw in n (jump consistent hashing, Lamping and Veach 2014). What is known of makers keeps a
quarter at least, so that nobody who fills an open server with odd keys makes all others stand out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import islice

from passless.domain.account import Account
from passless.domain.methods import Kind, credential_of, kind_of
from passless.ports import Entropy

LOOKED_AT = 400  # accounts, where a store that has some learns from them for the first time
MOST = 192  # lengths that are kept for each kind; from then on one in SLOWLY takes the place of another
SLOWLY = 8
ENTRY = 4  # bytes: a length, and a mark of the account that it is of, which counts once
MASK = 2**64 - 1
STEP = 2862933555777941757  # the multiplier of jump consistent hashing


def _times(*counted: tuple[int, int]) -> tuple[int, ...]:
    """Return lengths, each as often as it is counted."""
    return tuple(length for length, count in counted for _ in range(count))


# What the ids of 64 credentials of each kind look like, in bytes. Yubico, Google and Feitian give 48, 64 and 96 for keys; open
# hardware (Nitrokey, Solo, OpenSK, Trezor) seals what it has to remember into the id, up to 250. Google's and Bitwarden's
# passkeys have 16, Apple's 20, those of Windows Hello and KeePassXC 32, those on keys 16 to 64 and more.
KNOWN: Mapping[Kind, tuple[int, ...]] = {
    Kind.SECURITY_KEY: _times(
        (64, 28), (48, 8), (96, 6), (32, 4), (128, 3), (16, 2), (20, 2), (70, 2), (112, 2),
        (65, 1), (80, 1), (144, 1), (176, 1), (191, 1), (219, 1), (250, 1),
    ),
    Kind.PASSKEY: _times(
        (16, 17), (20, 17), (32, 16), (48, 4), (64, 4), (65, 1), (80, 1), (96, 1), (128, 1), (177, 1), (250, 1),
    ),
}  # fmt: skip


def draw(kept: Mapping[str, bytes], kind: Kind, seed: bytes) -> int:
    """Return the length that a seed of 8 random bytes stands for."""
    known, seen = KNOWN[kind], kept.get(kind, b"")
    place = _jump(int.from_bytes(seed[:8]), len(known) + len(seen) // ENTRY)
    if place < len(known):
        return known[place]
    start = (place - len(known)) * ENTRY
    return int.from_bytes(seen[start : start + 2])


def looked_at(accounts: Iterable[Account], entropy: Entropy) -> Mapping[str, bytes]:
    """Return the lengths that some accounts' credentials have."""
    kept: Mapping[str, bytes] = {}
    for account in islice(accounts, LOOKED_AT):
        for kind in KNOWN:
            kept = learned(kept, account, kind, entropy) or kept
    return kept


def learned(kept: Mapping[str, bytes], account: Account, kind: Kind, entropy: Entropy) -> Mapping[str, bytes] | None:
    """Return the lengths with that of an account's newest credential of a kind; None where nothing is to be kept of it.

    An account counts once. Where there are enough, only some take the place of another.
    """
    ids = [held.id for one in account.methods if kind_of(one) is kind and (held := credential_of(one)) is not None]
    if not ids:
        return None
    seen, mark = kept.get(kind, b""), sha256(b"lengths/" + account.id.encode()).digest()[:2]
    entries = [seen[start : start + ENTRY] for start in range(0, len(seen), ENTRY)]
    entry = len(ids[-1]).to_bytes(2) + mark
    if any(one[2:] == mark for one in entries):
        return None
    if len(entries) < MOST:
        return {**kept, kind: seen + entry}
    chance = entropy(2)
    if chance[0] % SLOWLY:
        return None
    entries[chance[1] % MOST] = entry
    return {**kept, kind: b"".join(entries)}


def _jump(seed: int, places: int) -> int:
    """Return one of some places for a seed; where there is one more place, one seed in as many moves there."""
    here, there = 0, 0
    while there < places:
        here = there
        seed = (seed * STEP + 1) & MASK
        there = int((here + 1) * (2**31 / ((seed >> 33) + 1)))
    return here
