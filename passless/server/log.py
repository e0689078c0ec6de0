"""What a server writes: one JSON object per line on stderr, without bodies, headers, cookies, queries or values of any kind."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import TracebackType
from typing import Any

import msgspec

from passless.domain.names import printable
from passless.ports import Clock

LONGEST = 400  # characters of a text that is not ours
QUIET = ("uvicorn.access", "authlib", "httpx", "httpcore", "asyncio", "litestar")  # they print addresses, tokens or noise


class Log:
    """Writes lines; `clock` says what time it is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def line(self, level: str, event: str, **said: Any) -> None:
        """Write one line."""
        written = msgspec.json.encode({"at": self._clock(), "level": level, "event": event} | said)
        try:
            sys.stderr.buffer.write(written + b"\n")
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            return  # nobody listens any more; serving goes on

    def fault(self, error: BaseException, *, request_id: str) -> None:
        """Write where a fault came from: types and lines of code, never a message or a value, for these may hold a secret."""
        self.line("error", "fault", request=request_id, errors=list(_chain(error)))

    def take_over(self) -> None:
        """Take what libraries log, in the same form; what they say may be about anything, so only warnings and errors."""
        root = logging.getLogger()
        root.handlers = [_Lines(self)]
        root.setLevel(logging.WARNING)
        for name in QUIET:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], True
            logger.setLevel(logging.ERROR)


class _Lines(logging.Handler):
    """Writes what a library logs: where from, and its fixed words without what they were filled with."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        said: dict[str, Any] = {"logger": record.name, "message": printable(str(record.msg).strip(), at_most=LONGEST)}
        if record.exc_info and record.exc_info[1] is not None:
            said["errors"] = list(_chain(record.exc_info[1]))
        self._log.line(record.levelname.lower(), "library", **said)


def _chain(error: BaseException | None) -> Iterator[dict[str, Any]]:
    while error is not None:
        yield {"type": type(error).__qualname__, "lines": _lines(error.__traceback__)}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _lines(traceback: TracebackType | None) -> list[str]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append(f"{'/'.join(PurePath(code.co_filename).parts[-3:])}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return found
