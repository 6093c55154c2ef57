"""A browser, a page in it, and what starting a server takes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from facelab.files import project_root

TOKEN = "lab"


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


@pytest.fixture
def config(tmp_path) -> Path:
    """JupyterLab's settings: every cell stays in the page, also those scrolled out of sight."""
    file = tmp_path / "config/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    file.write_text('{"windowingMode": "none"}')
    return tmp_path / "config"


@pytest.fixture
def server(lab_folder, config, tmp_path, serve) -> str:
    """JupyterLab on a free port; its address."""
    options = ["--no-browser", "--ip=127.0.0.1", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    python = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": str(project_root() / "lib"), "JUPYTER_CONFIG_DIR": str(config)}
    environment |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "HOME": str(tmp_path)}
    command = lambda port: [sys.executable, "-m", "jupyterlab", *options, f"--port={port}", str(lab_folder)]  # noqa: E731
    return serve(command, environment, lab_folder, f"/api?token={TOKEN}")


@pytest.fixture
def run_all() -> Callable:
    """Open ``lab.ipynb`` of the server's folder in a page and run all its cells: ``run_all(page, address)``."""

    def run(page, address: str) -> None:
        page.goto(f"{address}/lab/tree/lab.ipynb?token={TOKEN}&reset", wait_until="load")
        page.locator(".jp-NotebookPanel").wait_for(timeout=90_000)
        page.get_by_text("| Idle").wait_for(timeout=90_000)  # before its kernel is there, JupyterLab asks which to use
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator("li[data-command='runmenu:run-all']").click()

    return run
