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


def write(content: bytes) -> None:
    """Write to stdout as UTF-8, whatever the terminal's encoding is."""
    with results():
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def flush() -> None:
    """Put what was written where it goes, now: for what must have been seen before anything else is done."""
    with results():
        sys.stdout.flush()
