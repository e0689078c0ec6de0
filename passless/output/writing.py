"""Writing results to where they go, and saying so when they cannot be written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from passless.domain.errors import Unavailable


class OutputFailed(Unavailable):
    """The result could not be written."""

    code = "output-failed"
    hint = "make room where the output goes; what was done is done: passless status"


@contextmanager
def results() -> Iterator[None]:
    """Turn a full disk or the like into `OutputFailed`; a reader that left is not our business."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(f"the output cannot be written: {(error.strerror or 'unknown').lower()}") from error


def escaped(document: bytes) -> bytes:
    """Return a JSON document with what does not show as `\\u` escapes: the same document to a program, harmless to a terminal.

    Some terminals obey C1 controls (ECMA-48 §8.3) as they do the escape character, and others turn text round. JSON escapes
    neither (RFC 8259 §7); such characters stand in strings only, so an escape means the same.
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return "".join(one if one.isprintable() or one < "\x7f" else _as_escape(one) for one in document.decode()).encode()


def _as_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def write(content: bytes) -> None:
    """Write to stdout as UTF-8, whatever the terminal's encoding is."""
    with results():
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def flush() -> None:
    """Put what was written where it goes, now: for what must have been seen before anything else is done."""
    with results():
        sys.stdout.flush()
