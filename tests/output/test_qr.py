"""QR codes: the same modules in the terminal and in pictures."""

from __future__ import annotations

import re

from qrcode.main import QRCode

from passless.output import qr

TEXT = "otpauth://totp/passless:anna?secret=TUL36DECNLONGXHFTTCTIKXQYVIVGOQT&issuer=passless"
HALVES = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}


def modules(text: str) -> list[list[bool]]:
    """Return what the standard says is dark, with our border."""
    code = QRCode(error_correction=1, border=qr.BORDER)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(one) for one in row] for row in code.get_matrix()]


def test_half_blocks_are_the_modules() -> None:
    rows: list[list[bool]] = []
    for line in qr.terminal(TEXT).plain.split("\n"):
        pairs = [HALVES[character] for character in line]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    expected = modules(TEXT)
    assert rows[: len(expected)] == expected
    assert not any(any(row) for row in rows[len(expected) :])


def test_the_terminal_picture_sets_both_colours() -> None:
    assert {span.style for span in qr.terminal(TEXT).spans} == {qr.INK}


def test_the_svg_path_is_the_modules() -> None:
    picture = qr.svg(TEXT)
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", picture)}
    assert dark == {(x, y) for y, row in enumerate(modules(TEXT)) for x, is_dark in enumerate(row) if is_dark}
