"""Which key to use: the only one, the one that was named, or the one that is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Thread

from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client
from fido2.ctap import CtapError

from passless.devices.errors import KeyFault, NoSuchKey, NoTouch
from passless.devices.lines import Line, close_all, open_lines
from passless.devices.reader import KeyPrompts
from passless.devices.refusals import client_refusal, refusal
from passless.domain.errors import PasslessError
from passless.domain.names import are_same, printable

CHOICE_LIMIT = 60.0  # seconds to touch one of the keys; a key itself waits about 30
CANCEL_LIMIT = 2.0  # seconds for the keys that were not chosen; CTAP 2.1 §11.2.9.1.5 has them look every 0.1

_Answer = tuple[Line, PasslessError | None]


@contextmanager
def chosen_line(on: str | None, prompts: KeyPrompts, why_none: Callable[[], PasslessError]) -> Iterator[Line]:
    """Open the key to use and close it at the end; see `KeyReader` for what is raised."""
    lines = open_lines()
    try:
        if not lines:
            raise why_none()
        candidates = lines if on is None else _named(lines, on)
        line = candidates[0] if len(candidates) == 1 else choose_by_touch(candidates, prompts)
        close_all([other for other in lines if other is not line])
        lines = [line]
        yield line
    finally:
        close_all(lines)


def choose_by_touch(lines: list[Line], prompts: KeyPrompts) -> Line:
    """Let all keys blink and return the one that is touched; the others are cancelled."""
    _tell_apart(lines)
    prompts.choose_by_touch([line.name for line in lines])
    stop, answers = Event(), SimpleQueue[_Answer]()
    threads = [Thread(target=_wait_for_touch, args=(line, stop, answers), daemon=True) for line in lines]
    try:
        for thread in threads:
            thread.start()
        return _first_touched(len(lines), answers)
    finally:
        # Also on Ctrl-C: every key that still blinks is cancelled before anything else happens.
        stop.set()
        for thread in threads:
            if thread.is_alive():
                thread.join(CANCEL_LIMIT)


def _first_touched(count: int, answers: SimpleQueue[_Answer]) -> Line:
    trouble: PasslessError = NoTouch("none of the keys was touched in time")
    for _ in range(count):
        try:
            line, error = answers.get(timeout=CHOICE_LIMIT)
        except Empty:
            break
        if error is None:
            return line
        trouble = trouble if isinstance(error, NoTouch) else error
    raise trouble


def _wait_for_touch(line: Line, stop: Event, answers: SimpleQueue[_Answer]) -> None:
    try:
        Fido2Client(line, DefaultClientDataCollector("")).selection(stop)
    except PasslessError as error:
        answers.put((line, error))
    except ClientError as error:
        answers.put((line, client_refusal(error, line.name, ineligible=NoTouch())))
    except CtapError as error:
        answers.put((line, refusal(error.code, line.name)))
    except (ValueError, TypeError, LookupError):
        answers.put((line, KeyFault(f'"{line.name}" sent an answer that cannot be read')))
    else:
        answers.put((line, None))


def _tell_apart(lines: list[Line]) -> None:
    """Two keys of one make have the same name: add the id."""
    counts = Counter(line.name for line in lines)
    for line in lines:
        if counts[line.name] > 1:
            line.name = f"{line.name} ({line.id})"


def _named(lines: list[Line], on: str) -> list[Line]:
    found = [line for line in lines if on in (line.id, line.serial)] or [line for line in lines if are_same(line.name, on)]
    if not found:
        raise NoSuchKey(f'there is no key "{printable(on)}" plugged in')
    return found
