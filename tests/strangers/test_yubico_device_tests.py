"""Yubico's own tests for hardware, run against the software key: strangers judge what our tests rely on."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

REPOSITORY = Path(__file__).parents[2]
AT_LEAST = 50  # passed tests; what is skipped needs algorithms and extensions that the key does not claim
DOWNLOAD_TIMEOUT = 180  # seconds
ATTEMPTS = 3  # at downloading
PAUSE = 10.0  # seconds more before each of them
RUN_TIMEOUT = 900  # seconds; it takes about 35

# The unpacked folder gets another name: theirs, `tests`, would hide ours.
SUITE = "yubico_tests"


def test_yubicos_device_tests_accept_the_software_key(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert pytestconfig.cache is not None
    release = f"fido2-{version('fido2')}"
    folder = pytestconfig.cache.mkdir("yubico-device-tests")
    if not (folder / release / SUITE).exists():
        download(release, folder)
    report, output = run(folder / release)
    counts = {name: int(report.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    passed = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    with capsys.disabled():
        print(f"\nYubico's device tests, {release}: {passed} passed, {counts['failures']} failed,", end=" ")
        print(f"{counts['errors']} errors, {counts['skipped']} skipped")
    assert counts["failures"] == counts["errors"] == 0, output
    assert passed >= AT_LEAST, output


def download(release: str, folder: Path) -> None:
    """Fetch the source archive and unpack its tests; without a network only CI must succeed."""
    name, number = release.split("-")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", name, f"{name}=={number}"]
    in_ci = os.environ.get("CI") == "true"
    reason = ""
    for again in range(ATTEMPTS if in_ci else 1):
        time.sleep(PAUSE * again)  # what failed is asked for again a while later
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT)
            break
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            reason = f"the source archive of {release} cannot be downloaded: {error}\n{error.stderr!r}"
    else:
        if in_ci:
            pytest.fail(reason)
        pytest.skip(reason)
    unpack(folder / f"{release}.tar.gz", folder / release)


def unpack(archive: Path, folder: Path) -> None:
    """Take the files that run device tests, as they are; the library itself stays the installed one."""
    aside = folder.with_suffix(".new")
    with tarfile.open(archive) as tar:
        for member in tar:
            inner = Path(*Path(member.name).parts[1:])
            wanted = inner.parts[:2] == ("tests", "device") or inner in (Path("tests/__init__.py"), Path("tests/conftest.py"))
            file = tar.extractfile(member) if wanted else None
            if file:
                target = aside / SUITE / inner.relative_to("tests")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read())
    (aside / "pytest.ini").write_text("[pytest]\n")  # keeps our own settings away from a foreign suite
    aside.rename(folder)


def run(folder: Path) -> tuple[ElementTree.Element, str]:
    """Run the suite in a process of its own; its report and what it printed."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-ra",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.strangers.software_key_plugin",
    ]
    command += ["--junitxml", str(report), "--ep-rp-id", "ep.example.com", f"{SUITE}/device"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False)
    assert report.exists(), ran.stdout + ran.stderr
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    return suite, ran.stdout + ran.stderr
