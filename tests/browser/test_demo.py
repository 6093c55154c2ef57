"""The demo in a real browser: upload, see, slide, download; and every bad upload gets a sentence."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from facelab import images
from facelab.files import project_root
from facelab.lessons.demo import MESSAGE_BYTES, environment, options
from facelab.occlude import facemask
from facelab.seeding import generator
from facelab.show.demo import actions
from facelab.studies import parts

pytestmark = pytest.mark.browser
PATIENCE = 90_000  # ms; a picture takes about one second on an idle machine
LINK = "document.querySelector('.facelab-download a')?.href ?? null"


@pytest.fixture
def server(tmp_path, serve) -> str:
    """The demo as ``facelab demo`` serves it; its address."""
    around = environment(tmp_path / "templates") | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
    around |= {"PYTHONPATH": str(project_root() / "lib"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    (tmp_path / "tmp").mkdir()
    command = lambda port: [sys.executable, "-m", "voila", *options("127.0.0.1", port, browser=False)]  # noqa: E731
    return serve(command, around, tmp_path, "/voila/static/none")


@pytest.fixture
def masked(tmp_path) -> Path:
    """A photograph of a face of the default data, wearing a facemask."""
    faces, points = parts.faces("orl", "test", 128, 1).take([5])
    worn = facemask.wear(faces, points, generator(0, "demo"), "surgical").image
    file = tmp_path / "face.png"
    images.to_pil(worn[0]).resize((384, 384), Image.Resampling.BICUBIC).save(file)
    return file


def landscape(file: Path, size: tuple[int, int]) -> Path:
    picture = Image.new("RGB", size, (120, 170, 220))
    ImageDraw.Draw(picture).rectangle((0, size[1] // 2, size[0], size[1]), fill=(60, 120, 50))
    picture.save(file, quality=40)
    return file


def open_demo(page, address: str) -> None:
    page.goto(address, wait_until="load", timeout=PATIENCE)
    page.locator(".facelab-message").get_by_text("Done.").or_(
        page.locator(".facelab-panel-result[src]")
    ).first.wait_for(timeout=PATIENCE)


def upload(page, file: Path) -> None:
    page.locator(".jupyter-widgets.widget-upload").wait_for(timeout=PATIENCE)
    with page.expect_file_chooser() as chooser:
        page.locator(".jupyter-widgets.widget-upload").click()
    chooser.value.set_files(str(file))


def told(page, words: str) -> str:
    page.locator(".facelab-message").get_by_text(words).wait_for(timeout=PATIENCE)
    return page.locator(".facelab-message").inner_text()


def choose(page, label: str, option: str) -> None:
    found = page.locator(".widget-dropdown").filter(has_text=label)
    found.locator("select").select_option(label=option)


def worked(page, label: str, option: str) -> str:
    """Choose, and wait for the link to its result, which comes last (and may come before this process asks again)."""
    before = page.evaluate(LINK)
    choose(page, label, option)
    page.wait_for_function(f"old => {{ const now = {LINK}; return now && now !== old }}", arg=before, timeout=PATIENCE)
    return page.evaluate(LINK)


def pixels(page, which: str) -> bytes:
    script = """async image => {
        for (let tries = 0; !image.naturalWidth && tries < 50; tries++) await new Promise(d => setTimeout(d, 100));
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL();
    }"""
    return page.locator(f".facelab-panel-{which}").evaluate(script).encode()


def shows(page, picture: bytes) -> bool:
    """Whether the result's panel comes to show this picture."""
    deadline = time.monotonic() + PATIENCE / 1000
    while (same := pixels(page, "result") == picture) is False and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    return same


def test_upload_look_slide_and_download(server, page, masked, tmp_path):
    open_demo(page, server)
    assert "not evidence" in page.locator("body").inner_text()
    upload(page, masked)
    found = page.locator(".facelab-message").get_by_text("shows no face")
    found.or_(page.locator(".facelab-message").get_by_text("1 face was found")).first.wait_for(timeout=PATIENCE)
    link = worked(page, "where", "the picture is one face")
    told(page, "Done.")
    result, given, hole = (pixels(page, which) for which in ("result", "input", "hole"))
    assert len({result, given, hole}) == 3
    handle = page.locator(".widget-slider .noUi-handle")
    handle.focus()
    for _ in range(50):
        page.keyboard.press("ArrowLeft")
    assert shows(page, given), "the slider at its left end shows the input"
    page.keyboard.press("End")
    assert shows(page, result), "and at its right end the result"
    page.wait_for_function(f"link => {LINK} === link", arg=link, timeout=PATIENCE)
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator(".facelab-download a").click()
    assert download.value.suggested_filename == "face-restored.png"
    with Image.open(download.value.path()) as picture:
        assert picture.format == "PNG" and picture.size == (384, 384)
        saved = images.from_pil(picture, 1)
    assert not torch.equal(saved, images.load_image(masked, 1))
    for words in list(actions())[1:]:
        before = pixels(page, "result")
        worked(page, "what to do", words)
        told(page, "Done.")
        assert pixels(page, "result") != before and pixels(page, "input") == given
    assert page.outside == []


def test_bad_uploads_and_ten_in_a_row(server, page, masked, tmp_path):
    open_demo(page, server)
    upload(page, landscape(tmp_path / "hills.jpg", (640, 480)))
    told(page, "shows no face")
    huge = landscape(tmp_path / "huge.jpg", (6000, 5000))
    upload(page, huge)
    told(page, "24 megapixels")
    noise = torch.randint(0, 255, (3, 2400, 3000), generator=generator(0, "n"), dtype=torch.uint8)
    heavy = tmp_path / "heavy.png"
    Image.fromarray(noise.permute(1, 2, 0).numpy()).save(heavy, compress_level=1)
    assert heavy.stat().st_size > 20_000_000
    upload(page, heavy)
    told(page, "at most 20 MB")
    film = tmp_path / "film.jpg"
    film.write_bytes(bytes(3 * MESSAGE_BYTES))
    upload(page, landscape(tmp_path / "again.jpg", (640, 480)))
    told(page, "shows no face")
    upload(page, film)
    told(page, "film.jpg: the file is too large")
    pdf = tmp_path / "holiday.jpg"
    pdf.write_bytes(b"%PDF-1.7\n" + b"0" * 2000)
    upload(page, pdf)
    told(page, "a PDF document")
    whole = io.BytesIO()
    Image.open(masked).save(whole, format="PNG")
    torn = tmp_path / "torn.png"
    torn.write_bytes(whole.getvalue()[:-200])
    upload(page, torn)
    told(page, "torn.png")
    choose(page, "where", "the picture is one face")
    for turn in range(10):
        one = tmp_path / f"visit{turn}.png"
        Image.open(masked).rotate(turn).save(one)
        before = page.locator(".facelab-panel-result").get_attribute("src")
        upload(page, one)
        page.wait_for_function(
            "old => { const i = document.querySelector('.facelab-panel-result'); "
            "return i.src && i.src !== old && i.naturalWidth }",
            arg=before,
            timeout=PATIENCE,
        )
    told(page, "Done.")
    given = (tmp_path / "visit9.png").read_bytes()
    mine = {path for path in tmp_path.glob("*") if path.is_file()}
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path not in mine and given in path.read_bytes()]
    assert left == [], "an upload was written to disk"
