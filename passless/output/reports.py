"""What `check` found, as text, JSON, JUnit XML or SARIF 2.1.0.

Names come from outside: nothing in them ends a line, a tag or a report.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec
from msgspec import Struct

import passless
from passless.domain.names import printable
from passless.domain.policy import Finding
from passless.output.writing import escaped

LONGEST = 500  # characters of a message shown; ours
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2, "Char"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "passlessFinding/v1"


class ReportFormat(StrEnum):
    """The looks that a report has."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"


class CheckReport(Struct, frozen=True, kw_only=True):
    """What was checked, against what, and what was found. `policy` is the file as it was named."""

    policy: str
    accounts: tuple[str, ...]
    findings: tuple[Finding, ...]
    checked_at: datetime

    @property
    def ok(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def of(self, account: str) -> tuple[Finding, ...]:
        """Return what was found on one account."""
        return tuple(one for one in self.findings if one.account == account)


def write_report(report: CheckReport, look: ReportFormat) -> str:
    """Return the report in a format, with a line break at the end."""
    return WRITERS[look](report)


def as_text(report: CheckReport) -> str:
    """Return the report for people, one account after the other."""
    lines: list[str] = []
    for account, found in _by_account(report).items():
        if not found:
            continue
        lines.append(printable(account))
        for one in found:
            lines += [f"  {_shown(one.code)}: {_shown(one.message)}", f"    {_shown(one.hint)}"]
    return "\n".join([*lines, _summary(report), ""])


def as_json(report: CheckReport) -> str:
    """Return the report for scripts."""
    return _json(
        {
            "ok": report.ok,
            "policy": report.policy,
            "checked_at": report.checked_at,
            "accounts": len(report.accounts),
            "findings": [msgspec.structs.asdict(one) for one in report.findings],
        }
    )


def as_junit(report: CheckReport) -> str:
    """Return one test case for each finding, and one that passes for each account without any.

    It holds to the strict schema that the Ant task's format is usually checked with, which other readers take too.
    """
    accounts = _by_account(report)
    tests = sum(max(len(found), 1) for found in accounts.values())
    counts = {"tests": str(tests), "failures": str(len(report.findings)), "errors": "0"}
    top = Element("testsuites")
    name = {"id": "0", "package": "passless", "name": "policy", "hostname": "localhost", "time": "0"}
    suite = SubElement(top, "testsuite", {**name, "timestamp": f"{report.checked_at:%Y-%m-%dT%H:%M:%S}", **counts})
    SubElement(SubElement(suite, "properties"), "property", {"name": "policy", "value": _xml(report.policy) or "-"})
    for account, found in accounts.items():
        _cases(suite, account, found)
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode") + "\n"


def as_sarif(report: CheckReport) -> str:
    """Return the findings as results at the policy file, each about one account."""
    codes = list(dict.fromkeys(one.code for one in report.findings))
    driver = {
        "name": "passless",
        "version": passless.__version__,
        "rules": [_sarif_rule(code, report) for code in codes],
    }
    uri = quote(_whole(report.policy).replace("\\", "/")) or "policy.toml"
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, codes.index(one.code), uri) for one in report.findings],
    }
    return _json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


WRITERS: Mapping[ReportFormat, Callable[[CheckReport], str]] = {
    ReportFormat.TEXT: as_text,
    ReportFormat.JSON: as_json,
    ReportFormat.JUNIT: as_junit,
    ReportFormat.SARIF: as_sarif,
}


def _cases(suite: Element, account: str, found: list[Finding]) -> None:
    classname = _xml(account) or "-"
    if not found:
        SubElement(suite, "testcase", {"name": "policy", "classname": classname, "time": "0"})
    for one in found:
        case = SubElement(suite, "testcase", {"name": _xml(one.code), "classname": classname, "time": "0"})
        failure = SubElement(case, "failure", {"type": _xml(one.code), "message": _xml(one.message)})
        failure.text = _xml(f"{one.account}: {one.message} – {one.hint}")


def _sarif_rule(code: str, report: CheckReport) -> dict[str, object]:
    first = next(one for one in report.findings if one.code == code)
    return {
        "id": code,
        "shortDescription": {"text": code.removeprefix("policy-").replace("-", " ").capitalize()},
        "help": {"text": _shown(first.hint)},
        "defaultConfiguration": {"level": "error"},
    }


def _sarif_result(one: Finding, rule: int, uri: str) -> dict[str, object]:
    account = _shown(one.account)
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": _sarif_text(f"{account}: {one.message} – {one.hint}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
                "logicalLocations": [{"name": account, "fullyQualifiedName": account, "kind": "account"}],
            }
        ],
        "partialFingerprints": {FINGERPRINT: f"{account}/{one.code}"},
    }


def _by_account(report: CheckReport) -> dict[str, list[Finding]]:
    """Group the findings by account, in the order the accounts were checked."""
    grouped: dict[str, list[Finding]] = {account: [] for account in report.accounts}
    for one in report.findings:
        grouped.setdefault(one.account, []).append(one)
    return grouped


def _summary(report: CheckReport) -> str:
    checked = _count(len(report.accounts), "account")
    if report.ok:
        return f"{checked} checked, nothing found"
    accounts = len({one.account for one in report.findings})
    return f"{checked} checked, {_count(len(report.findings), 'finding')} on {accounts}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _shown(text: str) -> str:
    return printable(text, at_most=LONGEST)


def _xml(text: str) -> str:
    """Return text that XML can hold (it knows no way to write the other characters), on one line."""
    return NOT_XML.sub("\ufffd", _shown(text))


def _sarif_text(text: str) -> str:
    """Return text in which no link or placeholder of SARIF begins (§3.11.5, §3.11.6)."""
    return _shown(re.sub(r"([\\\[\]])", r"\\\1", text)).replace("{", "{{").replace("}", "}}")


def _whole(text: str) -> str:
    """Return text without halves of characters, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _json(document: object) -> str:
    def halved(value: object) -> object:
        match value:
            case str():
                return _whole(value)
            case dict():
                return {str(key): halved(one) for key, one in value.items()}
            case list():
                return [halved(one) for one in value]
            case _:
                return value

    return escaped(msgspec.json.format(msgspec.json.encode(halved(document)), indent=2)).decode() + "\n"


def print_report(report: CheckReport, look: ReportFormat) -> None:
    """Write the report to stdout, as UTF-8 wherever a program reads it."""
    written = write_report(report, look)
    if look is ReportFormat.TEXT:
        sys.stdout.write(written)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(written.encode())
