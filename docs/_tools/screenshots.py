"""Make the pictures of the page about the dashboard: the bundled prices, as if they had just been fetched.

Needs Chromium and playwright, as ``tox -e dashboard`` does. Run ``python docs/_tools/screenshots.py``.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from openrouter_pricing import Fetched, Pricing, Settings
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.dashboard import create_app
from openrouter_pricing.dashboard.server import OnePerson
from openrouter_pricing.data import load_bundled

WHERE = Path(__file__).parents[1] / "_static"
#: Name, address, width, height, colours.
PICTURES = (
    ("overview", "/", 1280, 900, "light"),
    ("models", "/models?q=claude&in=2k&out=500&cached=30&calls=100k", 1280, 900, "light"),
    ("model", "/models/deepseek/deepseek-v3.2", 390, 1250, "dark"),
)


class Snapshot:
    """Gives the bundled prices as OpenRouter's answer."""

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The list."""
        return Fetched(200, {}, json.dumps({"data": [model.raw for model in load_bundled().find()]}).encode())

    def close(self) -> None:
        """Nothing to let go of."""


def main() -> None:
    """Write the pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("chromium is not installed")
    with Pricing(Settings(backend="memory://"), client=Snapshot(), history=BundledHistory()) as pricing:
        for _ in range(1000):
            pricing.cost("openai/gpt-4o-mini", 1000, 500)
        server = OnePerson("127.0.0.1", 0, create_app(pricing, auth="host"), lambda line: None)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name, address, width, height, colours in PICTURES:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours)
                page.goto(f"http://127.0.0.1:{server.server_port}{address}")
                page.screenshot(path=WHERE / f"dashboard-{name}.png")
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
