"""QR codes: half blocks in the terminal, paths in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

BORDER = 2  # light modules around; the standard asks 4, cameras read 2 and terminals are small
INK = "color(16) on color(231)"  # black on white whatever the terminal's colours are
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def terminal(text: str) -> Text:
    """Return a code of half blocks, dark on light, readable on dark and light backgrounds alike."""
    from rich.text import Text

    rows = _matrix(text)
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ["".join(BLOCKS[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs]
    return Text("\n").join(Text(line, style=INK) for line in lines)


def svg_path(text: str, *, size: float) -> str:
    """Return a code as one SVG path on white, in a square of that size."""
    rows = _matrix(text)
    module = size / len(rows)
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return f'<g transform="scale({module:.4f})"><path d="{dark}" fill="#000" shape-rendering="crispEdges"/></g>'


def svg(text: str) -> str:
    """Return a code as a whole SVG picture."""
    count = len(_matrix(text))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {count} {count}">'
        f'<rect width="{count}" height="{count}" fill="#fff"/>{svg_path(text, size=count)}</svg>'
    )


def _matrix(text: str) -> list[list[bool]]:
    from qrcode.constants import ERROR_CORRECT_L
    from qrcode.main import QRCode

    code = QRCode(error_correction=ERROR_CORRECT_L, border=BORDER)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]
