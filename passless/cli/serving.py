"""From the options of `serve` to a server; everything a server needs is imported here and no earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passless.cli.context import Run


def serve(run: Run, **asked: Any) -> None:
    """Serve until somebody says stop."""
    from passless.server import serving

    serving.serve(run.settings, run.profile, serving.Wish(**asked), clock=run.now, entropy=run.entropy)
