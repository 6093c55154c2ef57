"""A browser, a page in it, and what starting a server takes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser, or a skip that says how to get one; in continuous integration it must be there."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    if found is None:
        message = "no Chromium found; get one with `apt-get install chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve(tmp_path):
    """Start a server that answers on a port of its own, and end it with the test.

    ``serve(command, environment, folder, path)``: ``command`` takes the port, ``path`` is asked for until it answers;
    returns the address.
    """
    running: list[subprocess.Popen] = []

    def start(command: Callable[[int], list[str]], environment: dict[str, str], folder: Path, path: str) -> str:
        port, log = free_port(), tmp_path / "server.log"
        with open(log, "wb") as out:
            running.append(subprocess.Popen(command(port), env=environment, stdout=out, stderr=out, cwd=folder))
        _wait(f"http://127.0.0.1:{port}{path}", running[-1], log)
        return f"http://127.0.0.1:{port}"

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:  # it answers
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture
def page(chromium):
    """A browser page, and what it asked of the network beyond this machine."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    switches += ["--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=switches)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.outside = []
        page.on("request", lambda request: page.outside.append(request.url) if _is_outside(request.url) else None)
        yield page
        browser.close()


def _is_outside(address: str) -> bool:
    return not address.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:"))
