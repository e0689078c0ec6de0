"""Other people's programs that judge a page: axe-core for what people with a reader or without a mouse meet, html-validate."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.server.pages.chromium import Chromium
from tests.strangers.needing import missing, need

NODE = Path(__file__).parents[2] / "strangers" / "node"
INSTALL = "npm install --prefix tests/strangers/node"
RULES = {
    "extends": ["html-validate:standard"],
    "rules": {
        "long-title": "off",  # the server's name stands in every title
        "no-trailing-whitespace": "off",  # what templates leave is no fault of the page
        "no-inline-style": "error",
        "require-sri": "off",  # everything comes from the server itself
    },
}


def node_module(name: str) -> Path:
    """Return a package of npm, which has to be installed."""
    need("node", install="apt-get install nodejs npm")
    found = NODE / "node_modules" / name
    if not found.exists():
        missing(name, install=INSTALL)
    return found


class Axe:
    """Looks at the page that a browser shows."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.script = (node_module("axe-core") / "axe.min.js").read_text(encoding="utf-8")

    def violations(self) -> list[str]:
        """Return what is wrong with the page, light and dark."""
        found = []
        for look in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": look}]
            self.browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            found += [f"{look}: {one}" for one in self._violations()]
        self.browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        return found

    def _violations(self) -> list[str]:
        self.browser.driver.execute_script(self.script)
        report: dict[str, Any] = self.browser.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done)"
        )
        assert report["passes"], "axe looked at nothing"
        return [f"{one['id']} ({one['help']}): {one['nodes'][0]['html'][:160]}" for one in report["violations"]]


def html_faults(folder: Path) -> list[str]:
    """Return what html-validate finds in the pages of a folder."""
    program = node_module(".bin/html-validate")
    settings = folder / "rules.json"
    settings.write_text(json.dumps(RULES), encoding="utf-8")
    asked = [str(program), "--formatter", "json", "--config", str(settings), str(folder / "*.html")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=NODE)
    assert shutil.which("node"), "node is gone"
    assert done.stdout.startswith("["), done.stderr
    reports = json.loads(done.stdout)
    return [
        f"{Path(report['filePath']).name}:{one['line']} {one['ruleId']}: {one['message']}"
        for report in reports
        for one in report["messages"]
    ]
