"""What a group of writes does together: the work of each piece, then events, counters and ended items are kept in order.

Rows that different accounts share are touched at the end and in a fixed order, so that two processes never wait for each other
in a circle, and wait for each other as short as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from passless.domain.errors import PasslessError
from passless.ports import Attempts
from passless.stores import keeping, trail
from passless.stores.database import Transaction
from passless.stores.documents import Row, Unreadable, WrittenByNewer, micros, moment, plain
from passless.stores.groups import Piece
from passless.stores.state_folder import StateFolder, ended_line

LOOKED_FOR = 16  # throttle counters that one statement looks for; the rest of its places hold the last one again
PLACES = tuple(f"key_{number}" for number in range(LOOKED_FOR))


def do_all(transaction: Transaction, group: Sequence[Piece]) -> Sequence[Piece]:
    """Do the work of all pieces, by the order of their accounts; the first that is refused stops the group."""
    pieces = sorted(group, key=lambda one: one.order) if len(group) > 1 else group
    for piece in pieces:
        piece.begin()
        if piece.work is not None:
            piece.result = piece.work(transaction)
    return pieces


def try_each(transaction: Transaction, group: Sequence[Piece], fault: Callable[[Exception], PasslessError]) -> list[Piece]:
    """Do the work of each piece, by the order of their accounts; one that is refused leaves nothing behind.

    Returns:
        The pieces that were not refused; the others hold their errors.
    """
    accepted = []
    for piece in sorted(group, key=lambda one: one.order):
        piece.begin()
        if piece.work is None or try_one(transaction, piece, fault):
            accepted.append(piece)
    return accepted


def try_one(transaction: Transaction, piece: Piece, fault: Callable[[Exception], PasslessError]) -> bool:
    """Do the work of one piece among others; tell whether it was accepted.

    Raises:
        PasslessError: the error that ended the whole transaction.
    """
    try:
        with transaction.part():
            piece.result = piece.work(transaction) if piece.work is not None else None
    except (Unreadable, msgspec.DecodeError, WrittenByNewer) as error:
        piece.error = fault(error)
    except (PasslessError, TypeError, ValueError, OverflowError) as error:
        if not transaction.is_open():
            raise
        piece.error = error
    return piece.error is None


def finish(transaction: Transaction, accepted: Sequence[Piece], store_id: str) -> int:
    """Move throttle counters and append events for the whole group; return how many events there were."""
    counted = [(plain(piece.counts), number) for number, piece in enumerate(accepted) if piece.counts]
    named = {key for piece in accepted for key in piece.write.forgives}
    if plain(joined := "".join(named)) != joined:
        named = {plain(key) for key in named}
    if counted or named:
        move_counters(transaction, accepted, counted, named)
    return trail.append(transaction, store_id, [entry for piece in accepted for entry in piece.write.events])


def move_counters(
    transaction: Transaction, accepted: Sequence[Piece], counted: Sequence[tuple[str, int]], named: Collection[str]
) -> None:
    """Add to throttle counters, by the number of the piece that does, and forget those that are named."""
    there = known(transaction, sorted(named)) | {key for key, _ in counted}
    forgiven = [(key, len(accepted)) for key in there.intersection(named)]
    for key, number in sorted([*counted, *forgiven]):
        if number < len(accepted):
            accepted[number].result = count(transaction, key, accepted[number])
        else:
            transaction.run("remove_attempts", key=key)


def known(transaction: Transaction, keys: Sequence[str]) -> set[str]:
    """Return which throttle counters are there: a good sign-in forgives many, and hardly any was ever counted."""
    return {str(row[0]) for some in places(keys, LOOKED_FOR) for row in transaction.rows("known_attempts", **some)}


def places(keys: Sequence[str], size: int) -> Iterator[dict[str, str]]:
    """Return keys as the parameters of statements that take so many: the last one fills the places that are left."""
    kept = [plain(key) for key in keys]
    for begin in range(0, len(kept), size):
        some = kept[begin : begin + size]
        yield dict(zip(PLACES[:size], [*some, *[some[-1]] * (size - len(some))], strict=True))


def count(transaction: Transaction, key: str, piece: Piece) -> Attempts:
    """Add one to a throttle counter and return where it stood before."""
    found = stored_attempts(transaction.rows("count_attempt", key=key, at=micros(piece.write.at))[0])
    return Attempts(found.count - 1, found.last_at)


def end_items(transaction: Transaction, accepted: Sequence[Piece], state: StateFolder) -> int:
    """Remember what must never come back, in the database and, just before it is kept there, outside.

    Returns:
        How many bytes the file outside grew by.
    """
    wanted = [(keeping.owner_of(piece.write), item) for piece in accepted for item in piece.write.ended]
    fresh = [one for one in wanted if transaction.run("add_ended", account_id=one[0], item=one[1], writer=state.writer)]
    if fresh:
        state.add_ended(fresh)
    return sum(len(ended_line(*one)) for one in fresh)


def stored_attempts(row: Row) -> Attempts:
    """Read a throttle counter from its row."""
    counted, last_at = row
    if not isinstance(counted, int):
        raise Unreadable("a counter")
    return Attempts(counted, moment(last_at))
