"""The recovery kit: one page to print and keep away from the phone."""

from __future__ import annotations

from datetime import datetime
from html import escape
from shlex import quote

from msgspec import Struct

from passless.domain.names import printable
from passless.domain.secret import Secret

GROUP = 5  # characters of the code that stand together
PAGE = (210, 297)  # millimetres, A4 (ISO 216)
WIDTH = 170  # millimetres between the margins
LETTER = 0.62  # of the font's size: how wide a letter is at most on average


class Kit(Struct, frozen=True, kw_only=True):
    """What stands on the page. Written to paper or the person's terminal only; JSON refuses it."""

    account: str
    display_name: str
    profile: str
    code: Secret
    made_at: datetime
    drill_at: datetime
    two_step: bool


def as_text(kit: Kit) -> str:
    """Return the page as text."""
    lines = [
        "passless recovery kit",
        "=====================",
        "",
        *(f"{name:<14}{value}" for name, value in _facts(kit)),
        "",
        "Recovery code",
        "",
        f"    {_grouped(kit)}",
        "",
        *_instructions(kit),
        "",
    ]
    return "\n".join(lines)


def as_svg(kit: Kit) -> str:
    """Return the page as a picture of A4 size, with the code also as QR."""
    from passless.output import qr

    facts = [_line(60 + 8 * at, f"{name}: {value}", size=5) for at, (name, value) in enumerate(_facts(kit))]
    steps = [_line(222 + 8 * at, text, size=4.2) for at, text in enumerate(_instructions(kit))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAGE[0]}mm" height="{PAGE[1]}mm" viewBox="0 0 {PAGE[0]} {PAGE[1]}">',
        f'<rect width="{PAGE[0]}" height="{PAGE[1]}" fill="#fff"/>',
        _line(40, "passless recovery kit", size=9, weight="bold"),
        *facts,
        '<rect x="20" y="104" width="170" height="22" rx="3" fill="none" stroke="#000" stroke-width="0.6"/>',
        _line(118, _grouped(kit), size=8, weight="bold", family="monospace", x=27),
        f'<g transform="translate(70 136) scale(0.9)">{qr.svg_path(_grouped(kit), size=78)}</g>',
        *steps,
        "</svg>",
    ]
    return "\n".join(parts)


def _facts(kit: Kit) -> list[tuple[str, str]]:
    who = f"{kit.account} ({kit.display_name})" if kit.display_name else kit.account
    return [
        ("Account", printable(who)),
        ("Profile", printable(kit.profile)),
        ("Made", f"{kit.made_at:%Y-%m-%d}"),
        ("Practise on", f"{kit.drill_at:%Y-%m-%d}"),
    ]


def _instructions(kit: Kit) -> list[str]:
    more = "It also asks for one more proof, because two-step is on." if kit.two_step else "No other proof is asked for."
    return [
        f"When everything else is lost:  passless recover start --account {quote(printable(kit.account))}",
        f"Type the code above. {more}",
        "Then add a method, make a new recovery code, and run: passless recover finish",
        "The code works once. Keep this page away from your phone and your keys.",
        f"On {kit.drill_at:%Y-%m-%d} check that you still find it, and that the code is the newest one.",
    ]


def _grouped(kit: Kit) -> str:
    text = kit.code.reveal()
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def _line(y: float, text: str, *, size: float, weight: str = "normal", family: str = "sans-serif", x: float = 20) -> str:
    fitting = min(size, WIDTH / (LETTER * max(len(text), 1)))
    return (
        f'<text x="{x}" y="{y}" font-size="{fitting:.2f}" font-family="{family}" font-weight="{weight}">{escape(text)}</text>'
    )
