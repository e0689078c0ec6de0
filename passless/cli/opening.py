"""Opening an address in the browser of this machine; it is printed as well, for where there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread

from passless import private_files
from passless.cli import asking

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # without any of them Linux has no browser but one in the terminal

PAGE = '<!DOCTYPE html><html lang="en"><meta http-equiv="refresh" content="0; url={address}"><title>passless</title>'


def show(address: str, what: str) -> None:
    """Open an address, and print it with what to do there."""
    asking.say(f"open this address, {what}:\n  {address}" if not _open(address) else f"the browser opens; {what}:\n  {address}")


def show_privately(address: str, folder: Path, what: str) -> None:
    """Do the same where a secret stands in the address: a file that only this person reads leads there.

    Everybody on a machine sees with which arguments a browser is started. Where the browser may not read the file either, the
    printed address is the way.
    """
    page = folder / "open.html"
    private_files.write(page, PAGE.format(address=address).encode(), what="page")
    _open(page.as_uri())
    asking.say(f"the browser opens; {what}. If it does not, open this address:\n  {address}")


def is_possible() -> bool:
    """Tell whether there is a browser to open here."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in DISPLAYS)


def _open(address: str) -> bool:
    """Have the system's browser open an address; it never holds this program up."""
    if not is_possible():
        return False
    import webbrowser

    Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()
    return True
