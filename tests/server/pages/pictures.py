"""Pictures of every page, for docs/pictures/pages: `python -m tests.server.pages.pictures [FOLDER]`.

Each is taken at a phone's size and wide, light and dark. Where pngquant or optipng is installed they are made small.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from pathlib import Path

from tests.server.pages.chromium import Chromium, chromium, serving
from tests.server.pages.story import tell

FOLDER = Path(__file__).parents[3] / "docs" / "pictures" / "pages"
SIZES = {"phone": (390, 844), "wide": (1280, 900)}
LOOKS = ("light", "dark")
LONGEST = 1800  # pixels of a page that are shown


class Camera:
    """Takes four pictures of whatever page is open."""

    def __init__(self, browser: Chromium, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    def look(self, page: str) -> None:
        """Take them."""
        driver = self.browser.driver
        for size, (width, height) in SIZES.items():
            screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            for look in LOOKS:
                feature = {"name": "prefers-color-scheme", "value": look}
                driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
                tall = int(driver.execute_script("return document.documentElement.scrollHeight"))
                clip = {"x": 0, "y": 0, "width": width, "height": min(max(tall, height), LONGEST), "scale": 1}
                asked = {"format": "png", "clip": clip, "captureBeyondViewport": True}
                taken = driver.execute_cdp_cmd("Page.captureScreenshot", asked)
                (self.folder / f"{page}-{size}-{look}.png").write_bytes(b64decode(taken["data"]))
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def take(folder: Path) -> None:
    """Take all the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        with serving(place) as world, chromium(place / "profile") as browser:
            tell(world, browser, Camera(browser, folder).look)
    _make_small(sorted(folder.glob("*.png")))


def _make_small(pictures: list[Path]) -> None:
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--strip", "--speed", "1", "32", *pictures], check=True)
    if shutil.which("optipng"):
        subprocess.run(["optipng", "-quiet", "-o2", *pictures], check=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
