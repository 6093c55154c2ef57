"""A hole drawn with the mouse in a real browser: what is erased is filled, what is given back is as it was."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import nbformat
import pytest
from PIL import Image

PATIENCE = 90_000  # ms
LAB = """\
import torch

from facelab.data.cache import cached
from facelab.data.catalogue import open_dataset
from facelab.images import composite
from facelab.restoration import Restoration
from facelab.show.hog_labs import erase_lab

faces = cached(open_dataset("orl"), 64).batch([0, 50])
white = torch.ones(())
lab = erase_lab(faces, lambda image, hole: Restoration(composite(image, white, hole), hole, image))
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def lab_folder(tmp_path) -> Path:
    """A notebook with nothing but the lab."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in (LAB, "lab")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "lab.ipynb")
    return folder


def panels(page) -> Image.Image:
    """The lab's picture: what is left, filled, truth."""
    src = page.locator("img.facelab-lab").evaluate("""async image => {
        await image.decode();
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL();
    }""")
    return Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))).convert("L")


def whites(page) -> int:
    """White pixels of the panel in the middle: what the lab's painter painted."""
    picture = panels(page)
    third = picture.width // 3
    return sum(picture.crop((third, 60, 2 * third, picture.height)).histogram()[255:])


def words(page) -> str:
    return page.locator(".widget-html-content", has_text="erase").last.inner_text()


def wait_for(page, text: str) -> None:
    page.locator(".widget-html-content", has_text=text).last.wait_for(timeout=PATIENCE)


def drag(page, canvas, path: list[tuple[float, float]]) -> None:
    """Drag over the canvas along places given as shares of its sides."""
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def test_a_hole_of_ones_own(server, page, run_all, lab_folder):
    run_all(page, server)
    canvas = page.locator("canvas.facelab-eraser")
    canvas.wait_for(timeout=PATIENCE)
    canvas.scroll_into_view_if_needed()
    assert "in the hole" in words(page), "it begins with a hole of the library's"
    page.get_by_role("button", name="clear").click()
    wait_for(page, "Nothing is erased")
    blank = whites(page)
    drag(page, canvas, [(0.3, 0.3), (0.7, 0.3), (0.7, 0.6)])
    wait_for(page, "in the hole")
    erased, painted = words(page), whites(page)
    assert painted > blank + 5000, "what was erased is painted white"
    drag(page, canvas, [(0.2, 0.8), (0.8, 0.8)])
    page.wait_for_function("old => ![...document.querySelectorAll('.widget-html-content')].some("
                           "e => e.innerText === old)", arg=erased, timeout=PATIENCE)  # fmt: skip
    twice = whites(page)
    assert twice > painted + 2000
    page.mouse.move(200, 300)
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + 60, button="right")
    page.keyboard.press("Escape")
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=5)
    page.wait_for_timeout(500)
    assert whites(page) == twice, "another button draws nothing, and leaves nothing pressed"
    page.get_by_role("button", name="undo").click()
    wait_for(page, erased)
    assert whites(page) == painted, "undone, pixel for pixel"
    page.locator(".widget-dropdown", has_text="a stroke").locator("select").select_option(label="gives back")
    page.wait_for_timeout(500)
    drag(page, canvas, [(0.3, 0.3), (0.7, 0.3), (0.7, 0.6)])
    wait_for(page, "Nothing is erased")
    assert whites(page) == blank
    assert page.outside == []
