"""Flat histograms of brightness, and colours that stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facelab.faces.equalise import LEVELS, equalised
from facelab.images import from_uint8, to_channels

RAMP = from_uint8(torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16))


def muted(seed: int, low: float = -0.9, high: float = -0.2) -> torch.Tensor:
    """(2, 3, 40, 40) in dark and muted colours."""
    random = torch.Generator().manual_seed(seed)
    grey = torch.rand(2, 1, 40, 40, generator=random) * (high - low) + low
    return grey + 0.04 * torch.randn(2, 3, 40, 40, generator=random)


def test_a_ramp_stays():
    assert (equalised(RAMP) - RAMP).abs().max() < 1.01 / LEVELS, "half a level of 256, in a range of 2"
    assert (equalised(RAMP * 0.5) - RAMP).abs().max() < 3.1 / LEVELS, "one of half the contrast becomes it"
    assert (RAMP * 0.5 - RAMP).abs().max() > 0.49, "the control"


def test_a_dark_picture_gets_a_flat_histogram():
    dark = muted(0).mean(1, keepdim=True)
    before, after = (torch.histc(picture, 10, -1, 1) / picture.numel() for picture in (dark[0], equalised(dark)[0]))
    assert before[:5].sum() > 0.95 and before.max() > 0.2
    assert (after - 0.1).abs().max() < 0.03
    shares = equalised(dark)[0].flatten().sort().values
    assert (shares - torch.linspace(-1, 1, len(shares))).abs().max() < 0.05


def test_brightness_keeps_its_order_and_each_picture_is_alone():
    pictures = muted(1).mean(1, keepdim=True)
    both = equalised(pictures)
    for k in range(2):
        torch.testing.assert_close(both[k : k + 1], equalised(pictures[k : k + 1]))
        order = pictures[k].flatten().argsort()
        assert (both[k].flatten()[order].diff() >= -1e-6).all()
    assert torch.allclose(equalised(pictures - 0.05), both, atol=0.02), "less light changes nothing"


def test_colours_stay_where_nothing_is_cut_off():
    pictures = muted(2)
    out = equalised(pictures)
    inner = (out.abs() < 1).all(1, keepdim=True)
    assert inner.float().mean() > 0.9 and (out - pictures).abs().mean() > 0.3
    for channel in (0, 2):
        before, after = (x[:, channel : channel + 1] - to_channels(x, 1) for x in (pictures, out))
        torch.testing.assert_close(after[inner], before[inner], atol=2e-6, rtol=0)
    assert out.min() >= -1 and out.max() <= 1
    saturated = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1) * torch.linspace(0.5, 1, 64).view(1, 1, 8, 8)
    assert equalised(saturated).abs().max() <= 1


def test_grey_stays_grey():
    grey = muted(3).mean(1, keepdim=True)
    out = equalised(grey.expand(-1, 3, -1, -1))
    assert torch.equal(out[:, :1].expand(-1, 3, -1, -1), out)
    torch.testing.assert_close(out[:, :1], equalised(grey), atol=1e-6, rtol=0)


@pytest.mark.parametrize("level", [-1.0, -0.3, 0.7, 1.0])
def test_one_single_brightness_stays(level):
    flat = torch.full((1, 3, 8, 8), level)
    assert torch.equal(equalised(flat), flat)


def test_the_same_as_another_library():
    exposure = pytest.importorskip("skimage.exposure")
    picture = torch.cat([muted(4).mean(1).flatten(), torch.tensor([-1.0, 1.0])])[: 40 * 80].clone()
    picture[:2] = torch.tensor([-1.0, 1.0])  # its bins reach from the darkest to the brightest pixel
    picture = picture.clamp(-1, 1).view(1, 1, 40, 80)
    other = exposure.equalize_hist((picture[0, 0].double().numpy() + 1) / 2, LEVELS)
    assert np.abs((equalised(picture)[0, 0].numpy() + 1) / 2 - other).max() < 0.015
    assert np.abs((picture[0, 0].numpy() + 1) / 2 - other).mean() > 0.1, "the control"
