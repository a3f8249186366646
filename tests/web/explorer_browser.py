"""The explorer's page in a real browser: the server on a free port, Chromium without a screen, all of it watched."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from neocog.web.explore import listening
from neocog.web.server import application
from neocog.web.session import Session

TOKEN = "the-token-of-the-browser"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)  # fmt: skip


def chromium_or_skip() -> str:
    """Returns the system's Chromium; skips where it or Playwright is missing."""
    pytest.importorskip("playwright", reason="Playwright is not installed (pip install -e '.[dev]')")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs the system's Chromium (Debian: apt-get install chromium)")
    return path


@contextmanager
def served(session: Session) -> Iterator[str]:
    """The page of a session, by its address with the token."""
    with listening(0) as sock:
        config = uvicorn.Config(application(session, TOKEN), log_level="error", access_log=False, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}/?token={TOKEN}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a screen."""
    path = chromium_or_skip()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page with all that it complained of and all that it asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        """Returns the hosts that were asked for anything."""
        return {urlsplit(each).netloc for each in self.requests if not each.startswith(("data:", "blob:"))}

    def asked(self, path: str) -> list[str]:
        """Returns the requests to a path."""
        return [each for each in self.requests if urlsplit(each).path == path]

    def ready(self) -> Any:
        """Waits for the first picture and its first map, and returns the page."""
        self.page.wait_for_selector("html[data-ready]")
        self.page.wait_for_selector("#arithmetic .computed")
        return self.page

    def becomes(self, selector: str, value: float, tolerance: float = 1e-6, seconds: float = 10) -> bool:
        """Returns whether the exact number behind what is shown is, or soon becomes, the value."""
        end = time.monotonic() + seconds
        while self.number(selector) != pytest.approx(value, abs=tolerance):
            if time.monotonic() > end:
                return False
            self.page.wait_for_timeout(50)
        return True

    def number(self, selector: str) -> float:
        """Returns the exact number behind what is shown."""
        return float(self.page.locator(f"{selector} data").first.get_attribute("value"))


def opened(browser: Any, address: str, **context: Any) -> Watched:
    """Opens an address in a window of its own, 1440 x 900 unless told."""
    page = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | context)).new_page()
    page.set_default_timeout(30_000)
    watched = Watched(page)
    loud = ("error", "warning")
    page.on("console", lambda message: watched.complaints.append(message.text) if message.type in loud else None)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", lambda request: watched.requests.append(request.url))
    page.goto(address)
    return watched
