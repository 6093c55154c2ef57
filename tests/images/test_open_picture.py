"""Every kind of picture file becomes upright 8-bit grey or colour; every broken one becomes ``BadImage``."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from facelab import images
from facelab.errors import BadImage


def encoded(array, mode=None, kind="PNG", **options):
    picture = Image.fromarray(array)
    out = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(out, kind, **options)
    return out.getvalue()


RAMP = np.linspace(0, 255, 12 * 10 * 3).reshape(12, 10, 3).astype(np.uint8)


@pytest.mark.parametrize(
    "mode, expected", [("L", "L"), ("RGB", "RGB"), ("P", "RGB"), ("RGBA", "RGB"), ("LA", "L"), ("1", "L")]
)
def test_png_modes(mode, expected):
    picture = images.open_picture(encoded(RAMP, mode))
    assert picture.mode == expected and picture.size == (10, 12)


def test_cmyk_jpeg_keeps_its_colour():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    pixel = images.open_picture(encoded(red, "CMYK", "JPEG")).getpixel((8, 8))
    assert pixel[0] > 230 and pixel[1] < 40 and pixel[2] < 40


def test_16_bit_is_scaled_not_cut():
    wide = np.linspace(0, 65535, 100).reshape(10, 10).astype(np.uint16)
    picture = images.open_picture(encoded(wide))
    assert picture.mode == "L"
    assert np.abs(np.asarray(picture, float) - wide / 257).max() <= 0.51


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_a_dark_16_bit_picture_stays_dark(kind):
    for value in (200, 256, 20_000):
        picture = images.open_picture(encoded(np.full((4, 4), value, np.uint16), kind=kind))
        assert (np.asarray(picture) == round(value / 257)).all(), value


def test_numbers_with_a_point_go_from_0_to_1():
    ramp = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    assert np.abs(np.asarray(images.open_picture(encoded(ramp, kind="TIFF")), float) - ramp * 255).max() <= 0.51


@pytest.mark.parametrize("values", [np.float32([[0, 255]]), np.float32([[np.nan, 0]]), np.int32([[0, 70_000]])])
def test_a_picture_whose_white_is_unknown_is_refused(values, tmp_path):
    (tmp_path / "a.tif").write_bytes(encoded(values, kind="TIFF"))
    with pytest.raises(BadImage, match="a.tif.*save it as an 8-bit PNG"):
        images.open_picture(tmp_path / "a.tif")


def test_transparency_is_laid_on_white():
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[:2, :, 3] = 255  # upper half opaque black, lower half clear black
    picture = np.asarray(images.open_picture(encoded(clear)))
    assert (picture[:2] == 0).all() and (picture[2:] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(orientation):
    upright = np.zeros((40, 80, 3), np.uint8)
    upright[:20, :40] = 255  # the bright quarter is upper left
    inverse = {
        2: "FLIP_LEFT_RIGHT",
        3: "ROTATE_180",
        4: "FLIP_TOP_BOTTOM",
        5: "TRANSPOSE",
        6: "ROTATE_90",
        7: "TRANSVERSE",
        8: "ROTATE_270",
    }
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose[inverse[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    stored.save(out, "JPEG", exif=exif, quality=95)
    picture = np.asarray(images.open_picture(out.getvalue()), float)
    assert picture.shape == (40, 80, 3)
    assert picture[:16, :32].min() > 200 and picture[24:].max() < 50 and picture[:, 48:].max() < 50


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"<!doctype html><html>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4"]
)
def test_what_is_no_picture(raw):
    with pytest.raises(BadImage):
        images.open_picture(raw)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(BadImage, match="none.jpg"):
        images.open_picture(tmp_path / "none.jpg")
    with pytest.raises(BadImage):
        images.open_picture(tmp_path)


def test_too_large_is_refused_before_it_is_decoded():
    raw = encoded(np.zeros((300, 300), np.uint8))
    with pytest.raises(BadImage, match="0.05 megapixels"):
        images.open_picture(raw, max_megapixels=0.05)
    assert images.open_picture(raw, max_megapixels=0.1).size == (300, 300)
    huge = bytearray(raw)
    huge[16:24] = (200_000).to_bytes(4, "big") * 2  # declared size: forty thousand megapixels
    with pytest.raises(BadImage):
        images.open_picture(bytes(huge))


@pytest.mark.parametrize(
    "kind, options",
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("PPM", {}), ("WEBP", {})],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_no_prefix_of_a_picture_is_a_picture(kind, options, mode):
    raw = encoded(RAMP, mode, kind, **options)
    assert images.open_picture(raw).size == (10, 12)
    for length in range(0, len(raw), 1 if len(raw) < 700 else 3):
        with pytest.raises(BadImage):
            images.open_picture(raw[:length])
    with pytest.raises(BadImage):
        images.open_picture(raw[:-1])


def test_cut_off_jpeg_with_a_whole_thumbnail_in_its_header():
    thumbnail = encoded(RAMP, kind="JPEG")
    plain = encoded(np.kron(RAMP[..., 0], np.ones((4, 4), np.uint8)), kind="JPEG")
    header = b"\xff\xe1" + (len(thumbnail) + 8).to_bytes(2, "big") + b"thumb\0" + thumbnail
    whole = plain[:2] + header + plain[2:]
    assert images.open_picture(whole).size == (40, 48)
    with pytest.raises(BadImage):
        images.open_picture(whole[:-2])


def test_bytes_after_the_end_are_harmless():
    for kind in ("JPEG", "PNG"):
        raw = encoded(RAMP, kind=kind)
        assert images.open_picture(raw + b"\0" * 40 + b"camera\xff\xda\xff\xd8").size == (10, 12)


def test_what_is_no_picture_is_told_so_in_words():
    with pytest.raises(BadImage, match="is no picture that can be read") as told:
        images.open_picture(b"%PDF-1.7 and so on")
    assert "BytesIO" not in str(told.value)
