"""Local binary patterns against patches worked out by hand, and chi-square against its closed form."""

from __future__ import annotations

import pytest
import torch

from facelab.images import from_uint8
from facelab.metrics.lbp import PATTERNS, chi_square, lbp, patterns
from facelab.seeding import generator


def middle(rows) -> int:
    """The pattern of the middle of a 3 × 3 patch of 8-bit numbers, at radius 1."""
    return int(patterns(from_uint8(torch.tensor(rows, dtype=torch.uint8))[None, None], 1.0)[0, 1, 1])


def test_a_patch_by_hand():
    """Neighbours are asked from the east on, against the clock; between pixels grey values are interpolated.

    Codes: 0 nobody as bright; 1 + 8 (n - 1) + rotation for n together; 57 all; 58 more than two changes.
    """
    assert middle([[0, 0, 0], [0, 100, 0], [0, 0, 0]]) == 0
    assert middle([[9, 9, 9], [9, 9, 9], [9, 9, 9]]) == 57  # as bright is bright enough
    assert middle([[0, 0, 0], [0, 100, 255], [0, 0, 0]]) == 1  # north-east: 0.207·255 + 0.086·100 = 61 < 100
    assert middle([[0, 255, 0], [0, 100, 0], [0, 0, 0]]) == 7  # the third neighbour: rotation 8 - 2
    assert middle([[0, 255, 0], [255, 100, 255], [0, 255, 0]]) in (57, 58)
    assert middle([[0, 255, 0], [255, 150, 255], [0, 255, 0]]) == 58  # diagonals: 0.414·255 + 0.086·150 = 118 < 150


def test_brighter_light_changes_no_pattern():
    picture = torch.randint(20, 100, (1, 1, 16, 16), generator=generator(0, "lbp"), dtype=torch.uint8)
    dark, bright = (patterns(from_uint8(some)) for some in (picture, picture + 50))
    inner = (slice(None), slice(3, -3), slice(3, -3))  # outside of the picture everything is black
    assert torch.equal(dark[inner], bright[inner])
    assert not torch.equal(dark[inner], patterns(from_uint8(120 - picture))[inner])


def test_histograms_hold_every_pixel_of_every_cell():
    pictures = torch.rand(3, 3, 30, 30, generator=generator(1, "lbp")) * 2 - 1
    found = lbp(pictures, 4).view(3, 16, PATTERNS)  # 30 pixels are no multiple of 4 cells
    torch.testing.assert_close(found.sum(2), torch.ones(3, 16))
    code = patterns(pictures)[0, :8, :8]  # rows 0 … 7 are the first of four cells
    torch.testing.assert_close(found[0, 0], torch.bincount(code.flatten(), minlength=PATTERNS) / 64.0)
    with pytest.raises(ValueError, match="cells = 31"):
        lbp(pictures, 31)


def test_chi_square_is_its_formula():
    a, b = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]])
    want = [[0.0625 / 0.75 + 0.0625 / 1.25, 2.0], [0.5625 / 1.25 + 0.75, 2.0]]
    torch.testing.assert_close(chi_square(a, b), torch.tensor(want))
    torch.testing.assert_close(chi_square(a, b), chi_square(b, a).T)


def test_the_same_picture_is_nearest_and_parts_do_not_matter(monkeypatch):
    pictures = torch.rand(5, 1, 32, 32, generator=generator(2, "lbp")) * 2 - 1
    found = lbp(pictures)
    apart = chi_square(found, found)
    assert torch.equal(apart.diagonal(), torch.zeros(5)) and torch.equal(apart.argmin(1), torch.arange(5))
    monkeypatch.setattr("facelab.metrics.lbp._HELD", 1)
    assert torch.equal(chi_square(found, found), apart)
    assert chi_square(found[:0], found).shape == (0, 5) and lbp(pictures[:0]).shape == (0, 64 * PATTERNS)
