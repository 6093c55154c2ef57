"""The one convention: [-1, 1], holes with 1 = hidden, visible pixels untouched."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from facelab import images


def test_all_256_values_come_back():
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    image = images.from_uint8(pixels)
    assert image.dtype == torch.float32 and (image.min(), image.max()) == (-1, 1)
    assert images.to_uint8(image).equal(pixels)
    assert not images.to_uint8(image * 0.99).equal(pixels)  # the check can fail


def test_values_outside_are_clamped_and_rounded():
    assert images.to_uint8(torch.tensor([-3.0, 3.0, 0.0, 0.0011])).tolist() == [0, 255, 128, 128]
    assert images.to_uint8(torch.tensor([-1 + 0.49 / 127.5, -1 + 0.51 / 127.5])).tolist() == [0, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_pil_and_files_round_trip(tmp_path, channels):
    torch.manual_seed(0)
    image = images.from_uint8(torch.randint(0, 256, (channels, 9, 7), dtype=torch.uint8))
    assert images.from_pil(images.to_pil(image)).equal(image)
    images.save_image(image, tmp_path / "a.png")
    assert images.load_image(tmp_path / "a.png").equal(image)
    assert images.load_image(tmp_path / "a.png", channels=4 - channels).shape[0] == 4 - channels
    assert [f.name for f in tmp_path.iterdir()] == ["a.png"]


def test_hole_files_are_white_where_hidden(tmp_path):
    hole = torch.zeros(1, 6, 5)
    hole[:, 2:4, 1:3] = 1
    images.save_hole(hole, tmp_path / "h.png")
    with Image.open(tmp_path / "h.png") as picture:
        assert picture.mode == "L" and picture.getpixel((1, 2)) == 255 and picture.getpixel((0, 0)) == 0
    assert images.load_hole(tmp_path / "h.png").equal(hole)


def test_composite_leaves_visible_pixels_bit_identical():
    torch.manual_seed(0)
    known, pred = torch.rand(4, 3, 32, 32) * 2 - 1, torch.randn(4, 3, 32, 32)
    hole = (torch.rand(4, 1, 32, 32) > 0.5).float()
    out, hidden = images.composite(known, pred, hole), hole.bool().expand(4, 3, 32, 32)
    assert out[~hidden].equal(known[~hidden]) and out[hidden].equal(pred[hidden])
    assert not images.composite(known, pred, 1 - hole)[~hidden].equal(known[~hidden])  # a flipped hole is seen


def test_composite_blends_a_soft_hole():
    known, pred = torch.full((1, 1, 1, 1), -1.0), torch.full((1, 1, 1, 1), 1.0)
    assert images.composite(known, pred, torch.full((1, 1, 1, 1), 0.25)).item() == -0.5


def test_channels():
    grey = torch.rand(2, 1, 4, 4)
    assert images.to_channels(grey, 3).shape == (2, 3, 4, 4)
    assert torch.allclose(images.to_channels(images.to_channels(grey, 3), 1), grey, atol=1e-6)
    green = torch.zeros(3, 1, 1)
    green[1] = 1
    assert images.to_channels(green, 1).item() == pytest.approx(0.587)
    with pytest.raises(ValueError, match="channels"):
        images.to_channels(torch.zeros(4, 2, 2), 3)


def test_resize_keeps_constants_means_and_batches():
    image = torch.full((3, 40, 40), 0.3)
    assert torch.allclose(images.resize(image, 16), torch.full((3, 16, 16), 0.3))
    ramp = torch.linspace(-1, 1, 64).expand(1, 64, 64)
    small = images.resize(ramp, 16)
    assert small.mean().item() == pytest.approx(0, abs=1e-4) and small[0, 0, 3] < small[0, 0, 4]
    assert images.resize(ramp[None], (8, 12)).shape == (1, 1, 8, 12)
    assert images.resize(ramp, 64) is ramp


@pytest.mark.parametrize(("before", "after"), [(96, 32), (128, 24), (200, 72)])
def test_a_resized_hole_is_a_hole(before, after):
    """The weights of a plain resize add up to a little more than 1 here, and cross-entropy refuses such a hole."""
    hole = images.resize(torch.ones(1, 1, before, before), after)
    assert hole.max() <= 1


def test_grid_places_each_image():
    tiles = torch.stack([torch.full((1, 2, 2), float(n)) for n in range(3)])
    out = images.grid(tiles, columns=2, gap=1, background=9)
    assert out.shape == (1, 5, 5)
    assert out[0, 0, 0] == 0 and out[0, 0, 3] == 1 and out[0, 3, 0] == 2 and out[0, 2, 2] == 9 and out[0, 4, 4] == 9
