"""How much of what strangers get wrong is written down, hour by hour: the trail is never swept, and they must not fill it.

Of one account the first few from one source are written down, and some from all sources together; beyond that only the tenth,
the hundredth, the thousandth of the hour, and so on, so that the person still sees that it happens and how often. Names without
an account are counted alike. What is written of them lies in one chain, which has a bound of its own.

What nobody has to wait for (recovery codes, answers of keys) is counted apart, so that a flood of it hides no guess at a
password. That a key may have been copied is always written down: it takes the key, or its copy.

On an embedded store whoever asks owns the file, and everything is written down.
"""

from __future__ import annotations

from datetime import datetime

from passless.actions.parts import Access, Parts
from passless.actions.throttle import FREE_ATTEMPTS, hourly, source_of

FROM_SOURCE = FREE_ATTEMPTS  # of one account from one source in an hour: as many as are free of waiting
OF_ACCOUNT = 30  # of one account from all sources in an hour
OF_NOBODY = 300  # of all names without an account, in an hour
FREE = "#free"  # what is never made to wait is counted under the account's id and this
NO_NAME = "~"  # what is wrong about no account and no name is counted as
NUMBER = "wrong_this_hour"  # the detail that says which one of the hour it is


def told(parts: Parts, of: str, place: str, *, now: datetime, of_nobody: bool) -> dict[str, str] | None:
    """Count what somebody got wrong, and return what the trail says of its number; None where it is not written down.

    Args:
        parts: what actions hold.
        of: what it is counted for: an account's id, or what stands for a name.
        place: where it came from.
        now: when it came.
        of_nobody: there is no such account.
    """
    if parts.access is not Access.NOBODY:
        return {}
    begin, count = hourly("noted", now), parts.store.count_attempt
    source = f"{begin}/{of}/{source_of(place)}"
    before = parts.store.attempts(source)
    is_new = before is None or before.count < FROM_SOURCE
    number = count(f"{begin}/{of}", at=now).count + 1
    if not (_is_round(number) or (is_new and number <= OF_ACCOUNT)):
        return None
    count(source, at=now)
    everybody = count(begin, at=now).count  # real ones too, so that the work is the same; it bounds nobody's alone
    if of_nobody and everybody >= OF_NOBODY:
        return None
    return {NUMBER: str(number)} if _is_round(number) else {}


def _is_round(number: int) -> bool:
    """Tell whether a number is ten, a hundred, a thousand, and so on."""
    return number >= 10 and str(number).strip("0") == "1"
