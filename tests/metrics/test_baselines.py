"""The methods a trained network has to beat."""

import pytest
import torch

from facelab import seeding
from facelab.metrics.baselines import fill_biharmonic, fill_mean, mean_face
from facelab.metrics.image import psnr_inside


class Rows:
    """A cache in memory."""

    def __init__(self, images):
        self.images = images

    def batch(self, rows):
        return self.images[list(rows)]


def test_mean_face_over_some_rows_only():
    images = torch.rand(600, 1, 4, 4, generator=seeding.generator(0)) * 2 - 1
    rows = list(range(0, 600, 2))  # more than one batch
    assert torch.allclose(mean_face(Rows(images), rows), images[rows].mean(0), atol=1e-6)
    assert not torch.allclose(mean_face(Rows(images), rows), images.mean(0), atol=1e-3)
    with pytest.raises(ValueError, match="rows is empty"):
        mean_face(Rows(images), [])


def square(size=32):
    hole = torch.zeros(1, 1, size, size)
    hole[..., 10:20, 12:22] = 1
    return hole


def test_fill_mean_fills_the_hole_only():
    images = torch.rand(1, 3, 32, 32, generator=seeding.generator(0)) * 2 - 1
    out, inside = fill_mean(images, square(), torch.full((3, 32, 32), 0.25)), square().bool().expand_as(images)
    assert torch.equal(out[~inside], images[~inside])
    assert (out[inside] == 0.25).all()


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_biharmonic_continues_a_slope_and_keeps_the_rest(split, channels):
    y, x = torch.meshgrid(torch.linspace(-0.5, 0.5, 32), torch.linspace(-0.4, 0.4, 32), indexing="ij")
    truth = (x + 0.5 * y).expand(1, channels, 32, 32)
    hole = square()
    hole[..., 25:28, 3:6] = 1  # a second region
    occluded = truth * (1 - hole) + hole
    out = fill_biharmonic(occluded, hole, split_into_regions=split)
    visible = (hole == 0).expand_as(truth)
    assert torch.equal(out[visible], occluded[visible])
    assert float(psnr_inside(out, truth, hole)) > 50
    assert float(psnr_inside(occluded, truth, hole)) < 15


def test_biharmonic_takes_nothing_from_half_hidden_pixels():
    truth = torch.full((1, 1, 32, 32), -0.5)
    hole = square()
    hole[..., 9, 12:22] = 0.3  # a soft edge, contaminated by a white occluder
    out = fill_biharmonic(truth * (1 - hole) + hole, hole)
    assert (out - truth).abs().max() < 1e-3


def test_biharmonic_leaves_whole_and_wholly_hidden_pictures():
    images = torch.rand(2, 1, 16, 16, generator=seeding.generator(0)) * 2 - 1
    hole = torch.stack([torch.zeros(1, 16, 16), torch.ones(1, 16, 16)])
    assert torch.equal(fill_biharmonic(images, hole), images)
