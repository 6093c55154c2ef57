"""The user's own occluders."""

import numpy as np
import pytest
import torch
from PIL import Image

from facelab.errors import BadImage, LayoutError
from facelab.occlude import occlude
from facelab.occlude.cutouts import load_cutout, load_cutouts
from facelab.seeding import generator


def write(path, size=(30, 50), alpha=True, value=(255, 0, 0)):
    """A filled oval on nothing, or an opaque picture."""
    y, x = np.mgrid[: size[1], : size[0]]
    inside = ((x - size[0] / 2) / (size[0] / 2)) ** 2 + ((y - size[1] / 2) / (size[1] / 2)) ** 2 < 1
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = value, 255 * inside if alpha else 255
    picture = Image.fromarray(pixels, "RGBA")
    (picture if alpha else picture.convert("RGB")).save(path)
    return path


def test_colours_and_transparency_arrive(tmp_path):
    write(tmp_path / "blob_1.png")
    images = torch.zeros(6, 3, 64, 64)
    out = occlude(images, None, generator(0), kinds=("cutouts",), cutouts=load_cutouts(tmp_path))
    assert out.kinds == ("cutouts",) * 6
    solid = out.hole[:, 0] == 1
    assert 0.05 < out.hole.mean() < 0.5 and solid.any()
    red, green = out.image[:, 0][solid], out.image[:, 1][solid]
    assert red.median() > 0.5 and green.median() < -0.7
    long_side = (out.hole[:, 0] > 0.5).any(2).sum(1).float()
    torch.testing.assert_close(long_side.mean(), torch.tensor(35.0), atol=3, rtol=0)  # 70 of 128


def test_an_opaque_file_is_opaque(tmp_path):
    cutout = load_cutout(write(tmp_path / "book.jpg", alpha=False))
    assert cutout.pixels.shape == (4, 50, 30) and (cutout.pixels[3] == 1).all()


def test_empty_margins_are_cut_off_and_giants_reduced(tmp_path):
    pixels = np.zeros((700, 900, 4), np.uint8)
    pixels[100:500, 200:400] = 255
    Image.fromarray(pixels, "RGBA").save(tmp_path / "big.png")
    assert load_cutout(tmp_path / "big.png").pixels.shape == (4, 256, 128)


@pytest.mark.parametrize("shape", [(200, 4), (4, 200), (128, 128), (1, 1)])
@pytest.mark.parametrize("name", ["hand_1", "glasses_1", "scarf_2", "mask_3", "other_9"])
def test_no_shape_crashes_not_even_one_as_large_as_the_frame(tmp_path, shape, name):
    write(tmp_path / f"{name}.png", shape, alpha=False)
    for size in (32, 96):
        out = occlude(
            torch.zeros(5, 1, size, size), None, generator(1), kinds=("cutouts",), cutouts=load_cutouts(tmp_path)
        )
        assert torch.isfinite(out.image).all() and out.hole.max() > 0


def test_the_name_decides_the_place(tmp_path):
    def centre(name):
        write(tmp_path / name, (40, 40))
        out = occlude(
            torch.zeros(40, 1, 128, 128), None, generator(2), kinds=("cutouts",), cutouts=[load_cutout(tmp_path / name)]
        )
        return (out.hole.sum((0, 1, 3)) * torch.arange(128.0)).sum() / out.hole.sum()

    assert centre("glasses_1.png") < 60 < 85 < centre("cup_1.png")


def test_given_cutouts_join_the_other_kinds_and_respect_the_area(tmp_path):
    write(tmp_path / "a.png")
    kwargs = dict(kinds=("patch",), cutouts=load_cutouts(tmp_path), area=(0.1, 0.2))
    first, again = (occlude(torch.zeros(40, 3, 64, 64), None, generator(3), **kwargs) for _ in range(2))
    assert set(first.kinds) == {"patch", "cutouts"} and torch.equal(first.image, again.image)
    share = (first.hole > 0.5).float().mean((1, 2, 3))
    assert ((share >= 0.1) & (share <= 0.2)).float().mean() > 0.95


def test_wrong_folders_are_named(tmp_path):
    with pytest.raises(LayoutError, match="no such folder"):
        load_cutouts(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(LayoutError, match="none a picture"):
        load_cutouts(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(BadImage, match="bad.png"):
        load_cutouts(tmp_path)


def test_an_invisible_file_is_refused(tmp_path):
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(tmp_path / "ghost.png")
    with pytest.raises(BadImage, match="transparent"):
        load_cutouts(tmp_path)
