"""A lesson's lab in a real browser: run the lesson in JupyterLab, move a slider, see the picture change.

The labs of the course put the class ``facelab-lab`` on their picture: labelled panels side by side.
"""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from facelab.lessons.notebook import find_lesson, tags
from facelab.show.lab import GAP, HEAD, SIDE

PANELS = {"02": ("face", "hole", "composite"), "03": ("score", "slope")}  # of the lesson's lab
SECONDS = 600  # for the whole lesson; an idle machine needs about 20, one that trains beside it many more

pytestmark = pytest.mark.browser


@pytest.fixture
def lab_folder(tmp_path, lesson) -> Path:
    """A folder as the project has it, with a copy of the lesson to open: Jupyter writes into what it runs."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(find_lesson(lesson), 4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    assert 'PROFILE = "laptop"' in cell.source
    cell.source = cell.source.replace('PROFILE = "laptop"', 'PROFILE = "smoke"')
    cell.source = re.sub(r"OUT_DIR = \S+", 'OUT_DIR = "../out"', cell.source)
    nbformat.write(notebook, folder / "lab.ipynb")
    return folder


def _wait_until_run(page, record: Path) -> None:
    """The lesson's last cell writes its record; a cell that fails is shown at once."""
    failed = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    deadline = time.monotonic() + SECONDS
    while not record.is_file():
        assert failed.count() == 0, failed.first.inner_text()
        assert time.monotonic() < deadline, f"the lesson did not end within {SECONDS} s"
        page.wait_for_timeout(250)


def _panels(picture, lesson: str) -> dict[str, bytes]:
    """What the eye sees: the pixels of each panel, words above it left out."""
    script = """async image => {
        for (let go = true, tries = 0; go; ) {  // decoding fails while a new picture is arriving
            try { await image.decode(); go = false; }
            catch (error) { if (++tries > 50) throw error; await new Promise(done => setTimeout(done, 100)); }
        }
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL();
    }"""
    raw = base64.b64decode(picture.evaluate(script).partition(",")[2])
    with Image.open(io.BytesIO(raw)) as whole:
        lefts = range(0, whole.width, SIDE + GAP)
        parts = [whole.crop((left, HEAD, left + SIDE, HEAD + SIDE)).convert("RGB").tobytes() for left in lefts]
    return dict(zip(PANELS[lesson], parts, strict=True))


def _wait_for_change(picture, lesson: str, before: dict[str, bytes], seconds: float = 90) -> dict[str, bytes]:
    deadline = time.monotonic() + seconds
    while (now := _panels(picture, lesson)) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    return now


def _open_lab(page, server: str, run_all: Callable, folder: Path, lesson: str):
    """Run the lesson; its living picture, which does not change by itself, and its panels."""
    run_all(page, server)
    _wait_until_run(page, folder / "out" / "metrics.json")
    picture = page.locator("img.facelab-lab")
    picture.scroll_into_view_if_needed(timeout=90_000)
    before = _panels(picture, lesson)
    page.wait_for_timeout(1000)
    assert _panels(picture, lesson) == before, "the picture changes by itself: the test would prove nothing"
    return picture, before


def _press(page, slider: str, key: str, times: int):
    """Move a slider with the keyboard; its readout."""
    found = page.locator(".widget-slider", has=page.locator(".widget-label", has_text=re.compile(f"^{slider}$")))
    found.locator(".noUi-handle").focus()
    for _ in range(times):
        page.keyboard.press(key)
    return found.locator(".widget-readout")


@pytest.mark.parametrize("lesson", ["02"])
def test_a_slider_of_the_lesson_changes_its_picture(server, page, run_all, tmp_path, lesson):
    picture, before = _open_lab(page, server, run_all, tmp_path, lesson)
    still = page.locator(".jp-OutputArea-child:has(.facelab-lab) + .jp-OutputArea-child img")
    stood = still.get_attribute("src")
    readout = _press(page, "down", "ArrowRight", 20)
    after = _wait_for_change(picture, lesson, before)
    assert readout.inner_text() == "0.20"
    changed = {name: after[name] != before[name] for name in before}
    assert changed == {"face": False, "hole": True, "composite": True}
    assert still.count() == 1 and not still.is_visible(), "beside the living picture the still one is hidden"
    found = "document.querySelector('.jp-OutputArea-child:has(.facelab-lab) + .jp-OutputArea-child img')"
    page.wait_for_function(f"old => {found} && {found}.src !== old", arg=stood, timeout=90_000)  # as it was last
    assert page.outside == []


@pytest.mark.parametrize("lesson", ["03"])
def test_a_game_is_played_anew_and_scrubbed(server, page, run_all, tmp_path, lesson):
    """The landscape moves with the moment; another leash is another game."""
    picture, before = _open_lab(page, server, run_all, tmp_path, lesson)
    readout = _press(page, "moment", "ArrowLeft", 15)
    earlier = _wait_for_change(picture, lesson, before)
    assert readout.inner_text() == "25" and all(earlier[name] != before[name] for name in before)
    leash = page.locator(".widget-dropdown", has=page.locator(".widget-label", has_text=re.compile("^leash$")))
    leash.locator("select").select_option("spectral")
    other = _wait_for_change(picture, lesson, earlier)
    assert all(other[name] != earlier[name] for name in before)
    weight = page.locator(".widget-dropdown", has=page.locator(".widget-label", has_text=re.compile("^weight$")))
    assert weight.locator("select").is_disabled(), "spectral norm has no weight"
    assert page.outside == []
