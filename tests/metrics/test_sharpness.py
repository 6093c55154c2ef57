"""Sharpness, and the two frauds it must not fall for."""

import pytest
import torch
import torch.nn.functional as F

from facelab import seeding
from facelab.metrics.frechet import frechet
from facelab.metrics.sharpness import acceptable, eroded, sharpness

COUNT, SIZE = 24, 48


def blur(images, sigma):
    reach = int(3 * sigma) + 1
    x = torch.arange(-reach, reach + 1).float()
    window = torch.exp(-x.square() / (2 * sigma**2))
    window = window / window.sum()
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))


@pytest.fixture(scope="module")
def scene():
    """Textured pictures with a blob of structure each, and a square hole."""
    g = seeding.generator(0, "scene")
    fine = blur(torch.randn(COUNT, 1, SIZE, SIZE, generator=g), 1.2)
    coarse = blur(torch.randn(COUNT, 1, SIZE, SIZE, generator=g), 5.0)
    truth = (0.6 * fine / fine.std() + 0.8 * coarse / coarse.std()).mul(0.3).clamp(-1, 1)
    hole = torch.zeros(COUNT, 1, SIZE, SIZE)
    hole[..., 12:36, 10:38] = 1
    return truth, hole


def simple_features(images):
    """How strong each of six frequency bands is, in nepers, per picture. A stand-in for a feature net."""
    bands, rest = [], images
    for sigma in (0.35, 0.6, 1.0, 2.0, 4.0):
        smooth = blur(rest, sigma)
        bands.append(rest - smooth)
        rest = smooth
    return torch.stack([band.flatten(1).std(1).log() for band in (*bands, rest)], 1)


def put(truth, pred, hole):
    return truth * (1 - hole) + pred * hole


def judged(output, scene, l1_only):
    truth, hole = scene
    real = simple_features(truth)
    value = float(sharpness(output, truth, hole).mean())
    return value, acceptable(value, frechet(simple_features(output), real), frechet(simple_features(l1_only), real))


@pytest.fixture(scope="module")
def l1_only(scene):
    """What L1 alone learns: the coarse structure without the fine."""
    truth, hole = scene
    return put(truth, blur(truth, 3.0), hole)


def test_the_truth_is_one_and_a_blur_is_less(scene):
    truth, hole = scene
    assert sharpness(truth, truth, hole).tolist() == pytest.approx([1.0] * COUNT)
    ratios = [sharpness(blur(truth, s), truth, hole).max() for s in (0.7, 1.5, 3.0)]
    assert 1 > ratios[0] > ratios[1] > ratios[2]


def test_contrast_scales_it(scene):
    truth, hole = scene
    assert sharpness(truth * 0.5 + 0.3, truth, hole).tolist() == pytest.approx([0.5] * COUNT, rel=1e-4)


def test_a_checkerboard_is_seen():
    x = torch.arange(16)
    board = ((x[:, None] + x) % 2).float()[None, None] * 0.2
    ramp = (x / 16.0).expand(16, 16)[None, None]
    assert float(sharpness(ramp + board, ramp, torch.ones(1, 1, 16, 16))) > 2


def test_the_seam_and_the_outside_do_not_count(scene):
    truth, hole = scene
    outside = truth + (1 - hole) * torch.randn(truth.shape, generator=seeding.generator(1))
    assert torch.equal(sharpness(outside, truth, hole), sharpness(truth, truth, hole))
    rim = hole - eroded(hole, 1).float()  # the outermost hidden pixels: where a seam would be
    assert torch.equal(sharpness(truth + rim, truth, hole), sharpness(truth, truth, hole))


def test_erosion_takes_two_pixels_and_spares_the_picture_edge():
    hole = torch.zeros(1, 1, 12, 12)
    hole[..., 2:9, 3:10] = 1
    assert int(eroded(hole).sum()) == 9
    assert eroded(torch.ones(1, 1, 6, 6)).all()


def test_too_small_a_hole_has_no_sharpness(scene):
    truth, hole = scene
    small = torch.zeros_like(hole)
    small[..., 20:24, 20:24] = 1
    assert sharpness(truth, truth, small).isnan().all()
    assert not acceptable(float("nan"), 0.0, 1.0)


def test_a_good_restoration_passes(scene, l1_only):
    """Positive control: right coarse structure, another sample of the right texture."""
    truth, hole = scene
    texture = truth - blur(truth, 3.0)
    good = put(truth, blur(truth, 3.0) + texture.flip(-1), hole)
    value, verdict = judged(good, scene, l1_only)
    assert 0.8 < value < 1.2 and verdict


def test_l1_only_fails(scene, l1_only):
    value, verdict = judged(l1_only, scene, l1_only)
    assert value < 0.7 and not verdict


def test_l1_only_with_white_noise_fails(scene, l1_only):
    """Noise just strong enough to make the sharpness right: only the Fréchet distance can tell."""
    truth, hole = scene
    noise = torch.randn(truth.shape, generator=seeding.generator(2))
    frauds = [put(truth, l1_only + s * noise, hole) for s in torch.linspace(0.04, 0.1, 7).tolist()]
    judgements = [judged(fraud, scene, l1_only) for fraud in frauds]
    assert any(0.9 < value < 1.1 for value, _ in judgements)  # the noise does reach the right sharpness
    assert not any(verdict for _, verdict in judgements)


@pytest.mark.parametrize("contrast, expected", [(0.0, 0.0), (0.3, 1.0), (1.0, 3.5)])
def test_the_occluder_left_in_fails(scene, l1_only, contrast, expected):
    """A uniform occluder is too smooth, a bold one too crisp; one in between is caught by its Fréchet distance."""
    truth, hole = scene
    x = torch.arange(SIZE)
    stripes = ((x // 6) % 2).float().mul(2).sub(1).expand(SIZE, SIZE) * contrast * 0.6
    left_in = put(truth, stripes.expand_as(truth) - 0.2, hole)
    value, verdict = judged(left_in, scene, l1_only)
    assert value == pytest.approx(expected, abs=0.1)
    assert not verdict


def test_wrong_shapes_are_refused(scene):
    truth, hole = scene
    with pytest.raises(ValueError, match="do not fit"):
        sharpness(truth, truth, hole[:3])
