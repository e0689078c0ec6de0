"""Opening an address in the browser of this machine; it is printed as well, for where there is none."""

from __future__ import annotations

import os
import sys
from threading import Thread

from passless.cli import asking

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # without any of them Linux has no browser but one in the terminal


def show(address: str, what: str) -> None:
    """Open an address, and print it with what to do there."""
    asking.say(f"open this address, {what}:\n  {address}" if not _open(address) else f"the browser opens; {what}:\n  {address}")


def _open(address: str) -> bool:
    """Have the system's browser open an address; it never holds this program up."""
    is_desktop = sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in DISPLAYS)
    if not is_desktop:
        return False
    import webbrowser

    Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()
    return True
