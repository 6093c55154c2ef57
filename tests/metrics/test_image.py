"""PSNR and SSIM against closed forms and scikit-image."""

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from facelab import seeding
from facelab.metrics import image


def noise(*shape, name="a"):
    return torch.rand(shape, generator=seeding.generator(0, name)) * 2 - 1


@pytest.mark.parametrize("difference, decibel", [(0.2, 20.0), (0.02, 40.0), (2.0, 0.0)])
def test_psnr_of_a_constant_difference(difference, decibel):
    # a difference d in [-1, 1] is d / 2 in [0, 1], so PSNR = -20 log10(d / 2)
    truth = torch.full((2, 3, 8, 8), -1.0)
    assert image.psnr(truth + difference, truth).tolist() == pytest.approx([decibel] * 2, abs=1e-4)


def test_psnr_is_per_picture_and_infinite_for_equals():
    truth = noise(2, 1, 16, 16)
    pred = torch.stack([truth[0], truth[1] * 0.5])
    got = image.psnr(pred, truth)
    assert got[0] == math.inf
    oracle = peak_signal_noise_ratio((truth[1].numpy() + 1) / 2, (pred[1].numpy() + 1) / 2, data_range=1)
    assert float(got[1]) == pytest.approx(oracle, abs=1e-4)


def test_inside_sees_only_the_hole_and_a_reversed_hole_changes_it():
    truth = torch.zeros(1, 3, 10, 10)
    hole = torch.zeros(1, 1, 10, 10)
    hole[..., 2:5, 2:5] = 1
    pred = truth + 0.2 * hole + 0.02 * (1 - hole)
    assert float(image.psnr_inside(pred, truth, hole)) == pytest.approx(20, abs=1e-4)
    assert float(image.psnr_inside(pred, truth, 1 - hole)) == pytest.approx(40, abs=1e-4)
    assert float(image.l1_inside(pred, truth, hole)) == pytest.approx(0.1, abs=1e-6)
    assert float(image.l1_inside(pred, truth, 1 - hole)) == pytest.approx(0.01, abs=1e-6)


def test_a_soft_hole_weighs():
    truth = torch.zeros(1, 1, 1, 2)
    pred = torch.tensor([[[[0.4, 0.8]]]])
    hole = torch.tensor([[[[1.0, 0.5]]]])
    assert float(image.l1_inside(pred, truth, hole)) == pytest.approx((0.2 + 0.4 * 0.5) / 1.5, abs=1e-6)


def test_an_empty_hole_is_not_a_number():
    truth = noise(1, 3, 8, 8)
    assert image.psnr_inside(truth, truth, torch.zeros(1, 1, 8, 8)).isnan().all()
    assert image.l1_inside(truth, truth, torch.zeros(1, 1, 8, 8)).isnan().all()


def oracle(a, b):
    return structural_similarity(
        (a.double().numpy() + 1) / 2,
        (b.double().numpy() + 1) / 2,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
    )


@pytest.mark.parametrize("shape", [(1, 40, 33), (3, 64, 64), (3, 11, 11)])
@pytest.mark.parametrize("strength", [0.01, 0.3, 1.0])
def test_ssim_equals_scikit_image(shape, strength):
    truth = noise(3, *shape)
    pred = (truth + strength * noise(3, *shape, name="b")).clamp(-1, 1)
    expected = [oracle(p, t) for p, t in zip(pred, truth, strict=True)]
    assert image.ssim(pred, truth).tolist() == pytest.approx(expected, abs=1e-5)


def test_ssim_of_nearly_flat_pictures():
    # the variances are tiny differences of large numbers here: single precision is off by 3e-5
    flat = torch.full((1, 3, 32, 32), 0.9)
    assert float(image.ssim(flat, flat + 0.01)) == pytest.approx(oracle(flat[0], flat[0] + 0.01), abs=1e-6)


def test_ssim_limits():
    truth = noise(5, 3, 24, 24)  # more than one chunk, and an odd one
    assert image.ssim(truth, truth).tolist() == pytest.approx([1.0] * 5, abs=1e-6)
    assert image.ssim(-truth, truth).max() < 0  # structure inverted
    both = image.ssim(noise(5, 3, 24, 24, name="b"), truth)
    assert torch.equal(both[3:4], image.ssim(noise(5, 3, 24, 24, name="b")[3:4], truth[3:4]))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        image.psnr(noise(1, 3, 8, 8), noise(1, 1, 8, 8))
    with pytest.raises(ValueError, match="hole is"):
        image.psnr_inside(noise(1, 3, 8, 8), noise(1, 3, 8, 8), noise(1, 3, 8, 8))
    with pytest.raises(ValueError, match="11×11"):
        image.ssim(noise(1, 3, 8, 8), noise(1, 3, 8, 8))
