"""The table of docs/security.md that says which tests prove what must hold: `python -m tests.docs.must_hold`.

A test says so itself, in the first words of its docstring: "Must hold 7", "Must hold 5 and 12".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.running import REPOSITORY

PAGE = REPOSITORY / "docs" / "security.md"
BEGIN, END = "<!-- must hold: made by `python -m tests.docs.must_hold` -->", "<!-- /must hold -->"
SAID = re.compile(r"[Mm]ust hold (?P<numbers>\d+(?:(?:, | and )\d+)*)")

LINES = {
    1: "Secrets come in by prompt, standard input or file, never as an argument or an environment variable, and are in no log, "
    "traceback, audit event or JSON but the one that shows a new secret once.",
    2: "Files that passless makes are 0600, folders 0700, written aside and moved in; a file it cannot read is an error.",
    3: "Nothing tells whether an account exists: unknown names and wrong proofs get the same answer for the same work.",
    4: "A recovery is never weaker than a sign-in; e-mail alone never recovers.",
    5: "A ceremony is bound to its account and purpose, is used once, expires, and its state stays here.",
    6: "A change to how one signs in needs a fresh proof, as strong as rule 8 asks, and the refusal says which.",
    7: "What was removed, revoked, ended or used does not work from the next request on.",
    8: "Every change and sign-in, good or bad, is in the audit trail, without secrets; text from outside forges no line.",
    9: "An operator neither learns nor chooses a secret but the temporary pass, and acts on nobody above them.",
    10: "A crash, a full disk, a killed process or two writers at once lose no accepted change and leave no half-made one.",
    11: "Pages: strict content security policy, protection against forged requests, safe cookies, nothing from third parties.",
    12: "The same proof is accepted once, in whichever process it arrives first; two changes at once are checked in turn.",
    13: "An old copy of a store put back revives no session, pass, used code, ceremony or right; the next start says so.",
    14: "Losing the vault key loses authenticator apps and app passwords, never the account.",
}


def proofs(tests: Path = REPOSITORY / "tests") -> dict[int, list[str]]:
    """Return for each line the test files that name it."""
    found: dict[int, set[str]] = {number: set() for number in LINES}
    for file in sorted(tests.rglob("*.py")):
        if "node_modules" in file.parts:
            continue
        for number in set(_named(file)):
            found.setdefault(number, set()).add(file.relative_to(tests.parent).as_posix())
    return {number: sorted(files) for number, files in found.items()}


def _named(file: Path) -> Iterator[int]:
    if file == Path(__file__):
        return
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            for said in SAID.finditer(" ".join((ast.get_docstring(node) or "").split())):
                yield from (int(number) for number in re.findall(r"\d+", said["numbers"]))


def table() -> str:
    """Return the table."""
    rows = ["| | what must hold | tests that say so |", "| --- | --- | --- |"]
    for number, files in sorted(proofs().items()):
        links = ", ".join(f"[{file.removeprefix('tests/')}](../{file})" for file in files)
        rows.append(f"| {number} | {LINES[number]} | {links or 'none by number yet'} |")
    return "\n".join(rows)


def page(before: str) -> str:
    """Return the page with the table as it is now."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def main() -> None:
    """Write the table into the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
