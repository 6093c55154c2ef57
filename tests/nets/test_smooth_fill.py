"""The smooth fill against what it must be: exact on planes, near scikit-image's surface, blind to the hidden part."""

import torch

from facelab.data.cache import cached
from facelab.data.catalogue import open_dataset
from facelab.images import composite
from facelab.metrics.baselines import fill_biharmonic
from facelab.metrics.image import psnr
from facelab.nets.smooth_fill import laplacian, smooth_fill
from facelab.occlude.irregular import irregular_holes
from facelab.seeding import generator


def test_a_plane_goes_on_as_a_plane():
    place = torch.linspace(-1, 1, 32)
    plane = (0.5 * place[:, None] + 0.3 * place[None])[None, None]
    assert laplacian(plane)[..., 1:-1, 1:-1].abs().max() < 1e-6
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 10:20, 8:25] = 1
    filled = smooth_fill(composite(plane, torch.ones(()), hole), hole, steps=300)
    assert (filled - plane).abs().max() < 0.005
    assert (smooth_fill(plane, hole, steps=0) - plane).abs().max() > 0.02, "it is the steps that do it"


def faces_and_holes(share=(0.1, 0.6)):
    faces = cached(open_dataset("orl"), 61).batch(list(range(0, 80, 10)))[..., :50]
    return faces, irregular_holes(8, generator(0, "s"), (61, 50), share)


def test_it_keeps_what_is_seen_and_looks_at_nothing_else():
    faces, hole = faces_and_holes()
    filled = smooth_fill(faces, hole)
    assert torch.equal(filled.masked_select(hole == 0), faces.masked_select(hole == 0))
    assert torch.equal(filled, smooth_fill(composite(faces, torch.ones(()), hole), hole))
    assert torch.isfinite(filled).all() and filled.min() >= -1 and filled.max() <= 1


def test_the_more_steps_the_nearer_to_the_biharmonic_surface():
    faces, hole = faces_and_holes((0.1, 0.3))
    surface = fill_biharmonic(faces, hole)
    inside = hole.clone()  # scikit-image has another surface where the hole meets the edge of the picture
    inside[..., :6, :] = inside[..., -6:, :] = inside[..., :6] = inside[..., -6:] = 0
    away = [((smooth_fill(faces, hole, n) - surface).abs() * inside).sum() / inside.sum() for n in (0, 10, 200)]
    assert away[0] > 1.5 * away[1] > 2 * away[2]
    quality = [
        psnr(filled, faces).mean() for filled in (composite(faces, torch.zeros(()), hole), smooth_fill(faces, hole))
    ]
    assert quality[1] > quality[0] + 6


def test_nothing_and_everything_hidden():
    faces = torch.rand(2, 3, 16, 16, generator=generator(0, "n")) * 2 - 1
    assert torch.equal(smooth_fill(faces, torch.zeros(2, 1, 16, 16)), faces)
    assert smooth_fill(faces, torch.ones(2, 1, 16, 16)).abs().max() == 0
