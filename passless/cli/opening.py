"""Opening an address in the browser of this machine; it is printed as well, for where there is none."""

from __future__ import annotations

import os
import sys
from html import escape
from pathlib import Path
from threading import Thread

from passless import private_files
from passless.cli import asking

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # without any of them Linux has no browser but one in the terminal

PAGE = '<!DOCTYPE html><html lang="en"><meta http-equiv="refresh" content="0; url={address}"><title>passless</title>'


def show_privately(address: str, folder: Path, what: str) -> None:
    """Open an address, and print it with what to do there; a file in the folder, which only this person reads, leads to it.

    Everybody on a machine sees with which arguments a browser is started, and an address holds what nobody else may know: a
    secret, or the state of a sign-in, with which another could answer in the person's place (RFC 8252 §8.9). Where the browser
    may not read the file either, the printed address is the way.
    """
    if not is_possible():
        asking.say(f"open this address, {what}:\n  {address}")
        return
    page = folder / "open.html"
    private_files.write(page, PAGE.format(address=escape(address)).encode(), what="page")
    _open(page.as_uri())
    asking.say(f"the browser opens; {what}. If it does not, open this address:\n  {address}")


def is_possible() -> bool:
    """Tell whether there is a browser to open here."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in DISPLAYS)


def _open(address: str) -> None:
    """Have the system's browser open an address; it never holds this program up."""
    import webbrowser

    Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()
