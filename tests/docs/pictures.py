"""Pictures of the terminal for the documentation, drawn from what passless prints: `python -m tests.docs.pictures`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from html import unescape
from io import StringIO
from pathlib import Path

import pexpect
import pyotp
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.console import settled
from tests.docs.running import PASSWORD, REPOSITORY, Passless, environment

FOLDER = REPOSITORY / "docs" / "pictures"
WIDTH = 92  # columns
HEIGHT = 80  # rows; more than any scene needs, so that nothing scrolls away
LIMIT = 60  # seconds for one answer of the program
PROMPT = "$ "
QR = "‹QR›"
TITLES = {
    "setup": "the walk-through",
    "status": "the account at a glance",
    "what-if": "what a loss would leave",
    "refused": "a change that would be refused",
}

THEME = TerminalTheme(
    (250, 250, 248),
    (36, 41, 47),
    [(36, 41, 47), (190, 38, 45), (26, 120, 60), (143, 93, 0), (9, 90, 190), (120, 60, 170), (0, 115, 130), (110, 119, 129)],
    [(87, 96, 106), (190, 38, 45), (26, 120, 60), (143, 93, 0), (9, 90, 190), (120, 60, 170), (0, 115, 130), (36, 41, 47)],
)
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code, monospace", FONTS)

SPACE = "&#160;"
CELL = 12.2  # width of a character in rich's pictures
SPACED = re.compile(
    r'x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"(?P<rest>[^>]*)>'
    r"(?P<before>(?:&#160;)*)(?P<text>[^<]*?)(?:&#160;)*</text>"
)
MOVES = re.compile(r"(\r*\n|\r|\x1b\[\d*A|\x1b\[\d*[JK])")


class Terminal:
    """A terminal in which passless runs, and what is to be seen in it."""

    def __init__(self, home: Path) -> None:
        shown = {"TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "USER": "ada"}
        self.environment = environment(home) | shown
        self.home = home

    def run(self, *arguments: str, answers: dict[str, Callable[[str], str]] | None = None) -> str:
        """Run a command, answer what it asks, and return what is to be seen."""
        child = pexpect.spawn(
            sys.executable,
            ["-m", "passless", *arguments],
            cwd=str(self.home),
            env=self.environment,
            dimensions=(HEIGHT, WIDTH),
            encoding="utf-8",
            timeout=LIMIT,
        )
        seen, wanted = "", list(answers or {})
        while (found := child.expect([*wanted, pexpect.EOF])) < len(wanted):
            seen += child.before + child.after
            child.sendline((answers or {})[wanted[found]](seen))
        seen += child.before
        child.close()
        command = " ".join(one if re.fullmatch(r"[\w.:-]+", one) else f"'{one}'" for one in arguments)
        return f"\x1b[1m{PROMPT}passless {command}\x1b[0m\n{as_seen(seen)}"


def as_seen(written: str) -> str:
    """Return what is left on the screen after everything was written, with its colours."""
    lines = [""]
    for part in MOVES.split(written):
        if part.endswith("\n"):
            lines.append("")
        elif part.endswith("A") and MOVES.fullmatch(part):
            keep = max(len(lines) - int(part[2:-1] or 1), 1)
            lines = [*lines[: keep - 1], ""]
        elif not MOVES.fullmatch(part):
            lines[-1] += part
    return "\n".join(lines).rstrip()


def scenes(folder: Path) -> Iterator[tuple[str, str]]:
    """Return each picture's name and what is in it."""
    ada, grace = folder / "ada", folder / "grace"
    for home in (ada, grace):
        home.mkdir()
    terminal = Terminal(ada)
    walked = terminal.run("setup", answers=walking())
    yield "setup", walked[: walked.index("\n\x1b[32m╭")].rstrip()  # then the status follows, which has its own picture
    add_app(Passless(ada), "tablet")
    yield "status", terminal.run("status")
    yield "what-if", terminal.run("what-if")
    passless = Passless(grace)
    passless.account("grace")
    add_app(passless, "phone")
    yield "refused", Terminal(grace).run("passwordless", "on", "--dry-run")


def add_app(passless: Passless, device: str) -> None:
    """Add an authenticator app."""
    begun = passless("method", "add", "totp", "--begin", "--device", device, "--name", f"app on {device}")
    code = pyotp.TOTP(begun["secret"]).now()
    passless("method", "add", "totp", "--finish", begun["ceremony"], "--code-file", "-", typed=code)


def walking() -> dict[str, Callable[[str], str]]:
    """Return the answers of somebody who walks through setup; what is asked is matched in this order."""
    return {
        r"Account name[^\n]*: ": lambda seen: "ada",
        r"Password[^\n]*: ": lambda seen: PASSWORD,
        r"The same password again: ": lambda seen: PASSWORD,
        r"Which one\?[^\n]*: ": _number_of_the_app,
        r"The device the app is on[^\n]*: ": lambda seen: "",
        r"\nCode: ": _code_of_the_app,
        r"Press Enter when it is on paper: ": lambda seen: "",
        r"Type it back from the paper: ": lambda seen: _last(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}", seen),
        r"\[Y/n\]: ": lambda seen: "",
        r"\[y/N\]: ": lambda seen: "y",
    }


def _number_of_the_app(seen: str) -> str:
    return _last(r"(\d)  [^\n]*app", seen)


def _code_of_the_app(seen: str) -> str:
    return pyotp.TOTP(_last(r"[A-Z2-7]{4}(?: ?[A-Z2-7]{4}){7}", seen).replace(" ", "")).now()


def _last(pattern: str, seen: str) -> str:
    return str(re.findall(pattern, seen)[-1])


def drawn(title: str, seen: str) -> str:
    """Draw what is to be seen."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(seen), crop=False)
    name = re.sub(r"\W", "", title)
    return SPACED.sub(_without_spaces, console.export_svg(title=title, theme=THEME, code_format=FORMAT, unique_id=name))


def _without_spaces(found: re.Match[str]) -> str:
    """Put a text where its first letter is: not every program that shows SVG keeps the spaces around it."""
    before = float(found["x"]) + found["before"].count(SPACE) * CELL
    width = cell_len(unescape(found["text"])) * CELL
    return f'x="{before:g}" y="{found["y"]}" textLength="{width:g}"{found["rest"]}>{found["text"]}</text>'


def words(picture: str) -> list[str]:
    """Return the lines of text in a picture, without what differs from run to run."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for found in re.finditer(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', picture):
        rows.setdefault(float(found[2]), []).append((float(found[1]), unescape(found[3]).replace("\xa0", " ")))
    lines = ["".join(text for _, text in sorted(row)) for _, row in sorted(rows.items())]
    shown = [QR if re.search(r"[▀▄█]{2}", line) else settled(re.sub(r"\b\d{6}\b", "‹code›", line)) for line in lines]
    return [line for at, line in enumerate(shown) if line and (line != QR or shown[at - 1] != QR)]


def pictures(folder: Path) -> dict[str, str]:
    """Return every picture as it would be drawn now."""
    return {name: drawn(TITLES[name], seen) for name, seen in scenes(folder)}


def main() -> None:
    """Draw the pictures whose words have changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in pictures(Path(folder)).items():
            file = FOLDER / f"{name}.svg"
            if not file.exists() or words(file.read_text(encoding="utf-8")) != words(picture):
                file.write_text(picture, encoding="utf-8")
                sys.stderr.write(f"{file.name}: drawn anew; look at it before you keep it\n")


if __name__ == "__main__":
    main()
