"""Figures of a server process, in Prometheus' text format. Written on the event loop only, but those of sign-ins."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from threading import Lock

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, as Prometheus' clients
METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS"})
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts what was answered, how long it took, and who signed in."""

    def __init__(self) -> None:
        self.under_way = 0
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._sign_ins: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route` is the template of its address, never the address."""
        self._answered[method if method in METHODS else "other", route, status] += 1
        times = self._times.get(route)
        if times is None:
            times = self._times[route] = [0] * (len(BOUNDS) + 1)
        times[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[route] += seconds  # type: ignore[assignment]

    def signed_in(self, kind: str, outcome: str) -> None:
        """Count a sign-in, good or bad."""
        with self._lock:
            self._sign_ins[kind, outcome] += 1

    def text(self) -> str:
        """Return everything as Prometheus reads it."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield "# HELP passless_http_requests_under_way Requests that are not answered yet."
        yield "# TYPE passless_http_requests_under_way gauge"
        yield f"passless_http_requests_under_way {self.under_way}"
        yield "# HELP passless_http_requests_total Requests that were answered."
        yield "# TYPE passless_http_requests_total counter"
        for (method, route, status), count in sorted(self._answered.items()):
            yield _sample("http_requests_total", {"method": method, "route": route, "status": str(status)}, count)
        yield "# HELP passless_http_request_seconds How long they took."
        yield "# TYPE passless_http_request_seconds histogram"
        for route in sorted(self._times):
            yield from self._histogram(route)
        yield "# HELP passless_sign_ins_total Sign-ins by the kinds of method and what came of them."
        yield "# TYPE passless_sign_ins_total counter"
        with self._lock:
            sign_ins = sorted(self._sign_ins.items())
        for (kind, outcome), count in sign_ins:
            yield _sample("sign_ins_total", {"kind": kind, "outcome": outcome}, count)

    def _histogram(self, route: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._times[route], strict=True):
            total += count
            yield _sample("http_request_seconds_bucket", {"route": route, "le": bound}, total)
        yield _sample("http_request_seconds_sum", {"route": route}, round(self._seconds[route], 6))
        yield _sample("http_request_seconds_count", {"route": route}, total)


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"passless_{name}{{{written}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
