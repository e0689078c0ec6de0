"""Pages that are made from the program are as it makes them now, and pages that list things list all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from passless.domain.policy import Policy
from passless.policy_file import parse_policy
from tests.docs import commands, must_hold
from tests.docs.running import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
RULES = REPOSITORY / "passless" / "domain" / "safety"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_page_of_commands_is_the_programs_own() -> None:
    assert read("commands.md") == commands.page(), "make it anew: python -m tests.docs.commands"


def test_the_page_of_commands_has_every_command_and_shared_option() -> None:
    page = commands.page()
    for wanted in ("## passless setup", "### passless app-password create", "`--dry-run`", "`--as-operator`", "`--ticket ID`"):
        assert wanted in page
    assert not re.search(r"\b(None|Ellipsis|<function)", page)


def test_the_table_of_what_must_hold_is_what_the_tests_say() -> None:
    page = read("security.md")
    assert must_hold.page(page) == page, "make it anew: python -m tests.docs.must_hold"


def test_no_test_names_a_line_that_is_not_there() -> None:
    assert set(must_hold.proofs()) == set(must_hold.LINES)


def test_every_rule_has_its_place() -> None:
    page = read("rules.md")
    written = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page))
    assert set(codes()) <= written
    assert [int(number) for number in re.findall(r"^## (\d+)\. ", page, flags=re.MULTILINE)] == list(range(1, 13))


def codes() -> Iterator[str]:
    """Return every code of a rule, and of what `check` finds."""
    for file in RULES.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "problem":
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{file.name}: a code that is not written out"
                yield str(first.value)
    checks = (RULES.parent / "policy_check.py").read_text(encoding="utf-8")
    yield from re.findall(r'"(policy-[a-z-]+)"', checks)


def test_every_key_of_a_policy_is_described() -> None:
    page = read("policy.md")
    tables = msgspec.structs.fields(Policy)
    keys = {f"{table.name}.{key.name}" for table in tables for key in msgspec.structs.fields(table.type)}
    assert keys == set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", page, flags=re.MULTILINE))


def test_the_policy_that_is_shown_is_one() -> None:
    shown = re.search(r"```toml\n(.*?)```", read("policy.md"), flags=re.DOTALL)
    assert shown is not None
    assert parse_policy(shown[1].encode(), name="policy.md").require.survives_losses == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target, _, anchor = link["target"].partition("#")
        if target.startswith(("http://", "https://")):
            continue
        file = page if not target else (page.parent / target)
        assert file.exists(), f"{page.name}: {link['target']}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page.name}: {link['target']}"


def anchors(file: Path) -> set[str]:
    """Return the places that a link may lead to, as code hosts make them from headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
