"""HOG against scikit-image; the soft one against the exact one; the guide against what a hole hides."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from skimage.feature import hog as reference

from facelab import hog, images
from facelab.data.cache import cached
from facelab.data.catalogue import open_dataset
from facelab.errors import BadConfig
from facelab.seeding import generator

SETTINGS = [
    {},
    {"transform_sqrt": True, "block_norm": "L2"},
    {"orientations": 8, "cells_per_block": 3, "block_norm": "L1"},
    {"orientations": 12, "pixels_per_cell": 6, "block_norm": "L1-sqrt"},
    {"orientations": 4, "pixels_per_cell": 5, "cells_per_block": 1},
]


@pytest.fixture(scope="module")
def faces():
    cache = cached(open_dataset("orl"), 96)
    return cache.batch(list(range(0, 400, 25)))


def colours(faces):
    """Three channels with edges of their own."""
    return torch.cat([faces, faces.flip(0), faces.roll(3, -1)], 1)


def theirs(pictures, **changes):
    options = {"orientations": 9, "pixels_per_cell": 8, "cells_per_block": 2, "block_norm": "L2-Hys"} | changes
    for name in ("pixels_per_cell", "cells_per_block"):
        options[name] = (options[name],) * 2
    axis = None if pictures.shape[1] == 1 else 0
    values = images.to_unit(pictures).numpy()
    return np.stack([reference(x if axis == 0 else x[0], channel_axis=axis, **options) for x in values])


@pytest.mark.parametrize("changes", SETTINGS)
def test_equals_scikit_image(faces, changes):
    found, wanted = hog.hog(faces, **changes).numpy(), theirs(faces, **changes)
    assert found.shape == wanted.shape and np.abs(found - wanted).max() <= 1e-6
    turned = hog.hog(faces.transpose(-1, -2), **changes).numpy()
    assert np.abs(turned - wanted).max() > 0.05, "the order of the numbers matters"


@pytest.mark.parametrize("changes", SETTINGS[:3])
def test_equals_scikit_image_in_colour_and_off_square(faces, changes):
    odd = colours(faces)[..., 3:90, :67]
    assert np.abs(hog.hog(odd, **changes).numpy() - theirs(odd, **changes)).max() <= 1e-6


def test_the_five_stages_in_a_row_are_the_whole(faces):
    values = hog.normalise_light(faces)
    across, down = hog.gradients(values)
    assert across.shape == (len(faces), 96, 96) and across[:, :, 0].abs().max() == 0 == down[:, -1].abs().max()
    histograms = hog.cell_histograms(across, down)
    assert histograms.shape == (len(faces), 9, 12, 12)
    torch.testing.assert_close(histograms.sum(1), torch.nn.functional.avg_pool2d(torch.hypot(across, down), 8))
    blocks = hog.unfold_blocks(histograms)
    assert blocks.shape == (len(faces), 11, 11, 2, 2, 9)
    normal = hog.normalise_blocks(blocks)
    assert torch.equal(normal.flatten(1), hog.hog(faces))
    length = normal.square().sum((-3, -2, -1))
    assert length.max() <= 1 + 1e-5 and length.median() > 0.99


def edge(degrees, size=64):
    """A picture that rises in one direction, (1, 1, size, size); ``degrees`` from across, downwards."""
    place = torch.arange(size, dtype=torch.float64) / size - 0.5
    down, across = torch.meshgrid(place, place, indexing="ij")
    turn = math.radians(degrees)
    return ((across * math.cos(turn) + down * math.sin(turn)) * 0.9)[None, None].float()


@pytest.mark.parametrize(("degrees", "bin_"), [(10, 0), (50, 2), (90, 4), (170, 8), (190, 0), (-10, 8)])
def test_a_slope_lies_in_the_bin_of_its_direction(degrees, bin_):
    inside = slice(1, -1)
    for votes in (hog.cell_histograms, hog.soft_histograms):
        found = votes(*hog.gradients(hog.normalise_light(edge(degrees))))[..., inside, inside]
        assert (found.argmax(1) == bin_).all()
    assert (hog.cell_histograms(*hog.gradients(edge(degrees)))[:, :, inside, inside] > 1e-6).sum(1).max() == 1


def test_bad_settings_are_refused(faces):
    with pytest.raises(BadConfig, match="L2-Hys"):
        hog.hog(faces, block_norm="L3")
    with pytest.raises(BadConfig, match="16 pixels"):
        hog.hog(faces[..., :12])
    with pytest.raises(BadConfig, match="16 pixels"):
        hog.guide_of(faces[..., :12, :])


def test_soft_hog_comes_as_close_as_is_asked_for(faces):
    exact = hog.hog(faces)
    away = [(hog.soft_hog(faces, sharpness=sharp) - exact).abs().mean().item() for sharp in (4.0, 32.0, 4000.0)]
    assert away[0] > 1.5 * away[1] > 2 * away[2] and away[2] < 0.006


def test_soft_hog_has_the_right_gradient():
    picture = torch.rand(1, 1, 16, 16, generator=generator(0, "hog"), dtype=torch.float64) * 2 - 1
    assert torch.autograd.gradcheck(hog.soft_hog, (picture.requires_grad_(),), atol=1e-6)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("block_norm", hog.BLOCK_NORMS)
def test_soft_hog_has_finite_gradients_where_nothing_rises(block_norm, kind):
    flat = torch.zeros(2, 3, 32, 32, dtype=kind)
    flat[1, :, :, 16:] = 0.5  # and where most is flat
    flat.requires_grad_()
    found = hog.soft_hog(flat, block_norm=block_norm)
    (found * torch.linspace(-1, 1, found.shape[1], dtype=kind)).sum().backward()
    assert torch.isfinite(found).all() and torch.isfinite(flat.grad).all()
    assert flat.grad[1].abs().max() > 0, "an edge does have a gradient"


def test_soft_hog_pulls_one_face_towards_another(faces):
    made, goal = faces[:1].clone().requires_grad_(), hog.soft_hog(faces[1:2])
    opt, away = torch.optim.Adam([made], 0.02), []
    for _ in range(30):
        loss = (hog.soft_hog(made) - goal).abs().mean()
        away.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.step()
    assert away[-1] < 0.4 * away[0]


def some_hole(faces):
    hole = torch.zeros(len(faces), 1, 96, 96)
    hole[..., 30:50, 41:63] = 1
    return hole


@pytest.mark.parametrize("norm", hog.NORMS)
@pytest.mark.parametrize("cell", [4, 8])
def test_the_guide_knows_nothing_of_what_is_hidden(faces, cell, norm):
    hole, guide_of = some_hole(faces), partial(hog.guide_of, norm=norm)
    first = guide_of(faces, hole, cell)
    for filling in (-1.0, 1.0, torch.rand(faces.shape) * 2 - 1):
        assert torch.equal(first, guide_of(images.composite(faces, torch.as_tensor(filling), hole), hole, cell))
    touched = hog.touched_cells(hole, cell).expand_as(first) > 0
    assert first[touched].max() == 0 and first[~touched].max() > 0.1
    untouched_by_blocks = torch.nn.functional.max_pool2d(hog.touched_cells(hole, cell), 3, 1, 1).expand_as(first) == 0
    torch.testing.assert_close(first[untouched_by_blocks], guide_of(faces, None, cell)[untouched_by_blocks])
    filled = images.composite(faces, torch.ones(()), hole)
    assert (guide_of(filled, None, cell) - first).abs().max() > 0.3, "the hole's outline is what must not be seen"


def test_cells_are_touched_by_hidden_neighbours_too():
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 8, 8] = 1  # first pixel of its cell: gradients to its left and above look at it
    assert hog.touched_cells(hole)[0, 0].tolist() == [[0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 11, 12] = 0.01
    assert hog.touched_cells(hole).sum() == 1


def test_a_guide_may_keep_contrast_or_drop_it(faces):
    pale = faces * 0.25
    blocks, contrast = (lambda x, n=norm: hog.guide_of(x, norm=n) for norm in ("blocks", "contrast"))
    moved = [(guide(pale) - guide(faces)).abs().mean() / guide(faces).mean() for guide in (blocks, contrast)]
    assert moved[0] < 0.1 < 0.3 < moved[1] and contrast(faces).max() <= 1
    flat = torch.zeros(1, 1, 32, 32, requires_grad=True)
    made = hog.guide_from(hog.soft_histograms(*hog.gradients(hog.normalise_light(flat))))
    made.sum().backward()
    assert made.abs().max() < 1e-6 and torch.isfinite(flat.grad).all()
    with pytest.raises(BadConfig, match="contrast, blocks"):
        hog.guide_of(faces, norm="cells")


def test_folding_gives_each_cell_its_mean_over_blocks(faces):
    histograms = hog.cell_histograms(*hog.gradients(hog.normalise_light(faces)))
    torch.testing.assert_close(hog.fold_blocks(hog.unfold_blocks(histograms)), histograms)


def test_the_picture_draws_lines_along_edges():
    lying = hog.guide_of(edge(90))  # rises downwards: its edges lie
    drawn = hog.hog_picture(lying)
    assert drawn.shape == (1, 1, 64, 64) and drawn.min() == -1 and drawn.max() == 1
    middle = (drawn[0, 0, 24:32, 24:32] + 1) / 2
    assert middle.sum(1).max() > 3 * middle.sum(0).max()
    assert hog.hog_picture(torch.zeros(1, 9, 4, 4)).max() == -1
    twice = hog.hog_picture(lying * 2, gain=1.0) + 1
    assert twice.mean() > 1.5 * (hog.hog_picture(lying, gain=1.0) + 1).mean()
