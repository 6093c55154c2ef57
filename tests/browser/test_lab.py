"""A lesson's lab in a real browser: open it in JupyterLab, move a slider, see the picture change.

``LESSON`` says which lesson. The labs of the course put the class ``facelab-lab`` on their picture.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from facelab.files import project_root
from facelab.lessons.notebook import find_lesson

LESSON = "fixture"  # or a lesson's number, such as "02"
PICTURE = "img.facelab-lab, .facelab-lab img"
TOKEN = "lab"

pytestmark = pytest.mark.browser

FIXTURE = """
import io
import ipywidgets as widgets
import numpy as np
from PIL import Image

picture = widgets.Image(format="png", width=128, height=128)
picture.add_class("facelab-lab")
slider = widgets.IntSlider(value=20, min=0, max=200, description="grey")

def show(change=None):
    file = io.BytesIO()
    Image.fromarray(np.full((64, 64), slider.value, np.uint8)).save(file, "PNG")
    picture.value = file.getvalue()

slider.observe(show, "value")
show()
widgets.VBox([slider, picture])
"""


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


@pytest.fixture
def lab_folder(tmp_path) -> Path:
    """A folder as the project has it, with one notebook to open (a copy: Jupyter writes into what it runs)."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    if LESSON == "fixture":
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FIXTURE)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    else:
        notebook = nbformat.read(find_lesson(LESSON), 4)
        for cell in notebook.cells:
            cell.source = cell.source.replace('PROFILE = "laptop"', 'PROFILE = "smoke"')
    nbformat.write(notebook, folder / "lab.ipynb")
    return folder


@pytest.fixture
def server(lab_folder, tmp_path):
    """JupyterLab on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    python = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": str(project_root() / "lib"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    environment |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "HOME": str(tmp_path)}
    with open(tmp_path / "server.log", "wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options, str(lab_folder)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=lab_folder)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api?token={TOKEN}", process, tmp_path / "server.log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


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


def _run_all(page, address: str) -> None:
    page.goto(f"{address}/lab/tree/lab.ipynb?token={TOKEN}&reset", wait_until="load")
    page.locator(".jp-NotebookPanel").wait_for(timeout=90_000)
    page.get_by_text("| Idle").wait_for(timeout=90_000)  # before its kernel is there, JupyterLab asks which to use
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("li[data-command='runmenu:run-all']").click()


def _wait_for_change(picture, before: str, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if picture.get_attribute("src") != before:
            return True
        time.sleep(0.1)
    return False


def test_a_slider_changes_the_picture(server, page):
    _run_all(page, server)
    picture = page.locator(PICTURE).first
    picture.wait_for(state="attached", timeout=180_000)
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    before = picture.get_attribute("src")
    page.wait_for_timeout(1000)
    assert picture.get_attribute("src") == before, "the picture changes by itself: the test would prove nothing"
    handle = page.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    readout = page.locator(".widget-readout").first.inner_text()
    handle.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert _wait_for_change(picture, before), "the slider was moved and the picture stayed as it was"
    assert page.locator(".widget-readout").first.inner_text() != readout
    assert page.outside == []
