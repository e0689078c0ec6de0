"""What `check` writes, in four formats, whatever the names are."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passless.domain.policy import Finding
from passless.output.reports import CheckReport, ReportFormat, write_report
from tests.builders import NOW

NASTY = 'eve"><failure/>\n]]>&\x1b[31m\x00\u202e\ud800{0}[a](http://x)'


def a_finding(account: str = "ada", code: str = "policy-two-step", message: str = "two-step is off") -> Finding:
    return Finding(account=account, code=code, message=message, hint="turn it on: passless two-step on")


def a_report(*findings: Finding, accounts: tuple[str, ...] = ("ada", "bob"), policy: str = "rules.toml") -> CheckReport:
    return CheckReport(policy=policy, accounts=accounts, findings=findings, checked_at=NOW)


def sarif_of(report: CheckReport) -> Any:
    return json.loads(write_report(report, ReportFormat.SARIF))


def junit_of(report: CheckReport) -> ElementTree.Element:
    return ElementTree.fromstring(write_report(report, ReportFormat.JUNIT).encode())


def test_text_names_each_account_once_and_says_what_to_do() -> None:
    text = write_report(a_report(a_finding(), a_finding(code="no-way-in", message="there is no way in")), ReportFormat.TEXT)
    assert text.splitlines() == [
        "ada",
        "  policy-two-step: two-step is off",
        "    turn it on: passless two-step on",
        "  no-way-in: there is no way in",
        "    turn it on: passless two-step on",
        "2 accounts checked, 2 findings on 1",
    ]


def test_text_says_when_nothing_was_found() -> None:
    assert write_report(a_report(accounts=("ada",)), ReportFormat.TEXT) == "1 account checked, nothing found\n"


def test_json_has_each_finding() -> None:
    assert json.loads(write_report(a_report(a_finding()), ReportFormat.JSON)) == {
        "ok": False,
        "policy": "rules.toml",
        "checked_at": "2026-03-14T12:00:00Z",
        "accounts": 2,
        "findings": [
            {
                "account": "ada",
                "code": "policy-two-step",
                "message": "two-step is off",
                "hint": "turn it on: passless two-step on",
            }
        ],
    }


def test_junit_has_a_case_for_each_finding_and_one_for_each_account_without() -> None:
    suite = junit_of(a_report(a_finding(), a_finding(code="no-way-in")))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    cases = [(case.get("classname"), case.get("name"), len(case.findall("failure"))) for case in suite.iter("testcase")]
    assert cases == [("ada", "policy-two-step", 1), ("ada", "no-way-in", 1), ("bob", "policy", 0)]


def test_junit_holds_to_the_strict_schema() -> None:
    suite = junit_of(a_report(a_finding()))[0]
    assert [child.tag for child in suite] == ["properties", "testcase", "testcase", "system-out", "system-err"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    assert all(suite.get(name) for name in ("id", "package", "name", "hostname", "tests", "failures", "errors", "time"))
    assert all(len(list(case)) <= 1 for case in suite.iter("testcase"))


def test_sarif_points_at_the_policy_and_at_the_account() -> None:
    (run,) = sarif_of(a_report(a_finding(), a_finding("bob"), policy="my rules/a:b.toml"))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["policy-two-step"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("policy-two-step", 0, "error")
    (location,) = second["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "bob"
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "my%20rules/a%3Ab.toml"
    assert first["partialFingerprints"] != second["partialFingerprints"]


def test_sarif_without_findings_is_a_run_without_results() -> None:
    log = sarif_of(a_report())
    assert log["version"] == "2.1.0"
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["tool"]["driver"]["rules"] == []


@pytest.mark.parametrize("look", list(ReportFormat))
def test_a_nasty_name_stays_a_name(look: ReportFormat) -> None:
    report = a_report(a_finding(NASTY, message=NASTY), accounts=(NASTY,), policy=NASTY)
    written = write_report(report, look)
    written.encode()
    assert "\x1b" not in written
    assert "\x00" not in written
    assert look is ReportFormat.JSON or "\u202e" not in written


def test_a_nasty_name_adds_nothing_to_a_report() -> None:
    report = a_report(a_finding(NASTY, message=NASTY), accounts=(NASTY,), policy=NASTY)
    assert len(write_report(report, ReportFormat.TEXT).splitlines()) == 4
    assert len(list(junit_of(report).iter("failure"))) == 1
    assert len(sarif_of(report)["runs"][0]["results"]) == 1
    text = sarif_of(report)["runs"][0]["results"][0]["message"]["text"]
    assert r"\[a\](" in text
    assert "{{0}}" in text


@given(name=st.text(st.characters(exclude_categories=())), message=st.text(st.characters(exclude_categories=())))
def test_any_text_gives_readable_reports(name: str, message: str) -> None:
    report = a_report(a_finding(name, message=message), accounts=(name,), policy=name)
    assert len(write_report(report, ReportFormat.TEXT).splitlines()) == 4
    assert len(list(junit_of(report).iter("testcase"))) == 1
    assert len(sarif_of(report)["runs"][0]["results"]) == 1
    assert len(json.loads(write_report(report, ReportFormat.JSON))["findings"]) == 1
