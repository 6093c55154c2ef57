"""The losses of turned faces: symmetry, the distance of a code from N(0, 1), whose face it is."""

import math

import pytest
import torch

from facelab.losses.perceptual import identity_preserving
from facelab.losses.reconstruction import kl_standard_normal, symmetry
from facelab.seeding import generator


def test_symmetry_of_known_pictures():
    halves = torch.ones(2, 3, 4, 8)
    halves[..., 4:] = -1
    assert symmetry(halves).item() == pytest.approx(2.0)
    rows = halves.transpose(-1, -2)
    assert symmetry(rows).item() == 0, "above and below may differ"
    one = torch.zeros(1, 1, 4, 4)
    one[0, 0, 0, 0] = 1.0
    assert symmetry(one).item() == pytest.approx(2 / 16), "a mark counts where it is and where it is missing"


def test_symmetry_does_not_see_who_is_mirrored_and_pulls_both_halves_together():
    picture = torch.rand(2, 1, 6, 6, generator=generator(0, "s")).requires_grad_(True)
    assert symmetry(picture).item() == pytest.approx(symmetry(picture.flip(-1)).item())
    symmetry(picture).backward()
    torch.testing.assert_close(picture.grad, -picture.grad.flip(-1))
    better = (picture - 0.1 * picture.grad).detach()
    assert symmetry(better) < symmetry(picture)


def test_the_distance_from_a_standard_normal_in_closed_form():
    zero = torch.zeros(3, 2)
    assert kl_standard_normal(zero, zero).item() == 0
    assert kl_standard_normal(zero + 2, zero).item() == pytest.approx(2 * 0.5 * 4)
    assert kl_standard_normal(zero, zero + 1).item() == pytest.approx(2 * 0.5 * (math.e - 2))
    mixed = torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    assert kl_standard_normal(mixed, torch.zeros(2, 2)).item() == pytest.approx((0 + 0.5 * 10) / 2), "a mean over faces"


def test_the_distance_agrees_with_torchs_own():
    random = generator(0, "kl")
    mu, logvar = torch.randn(5, 4, generator=random), torch.randn(5, 4, generator=random)
    ours = torch.distributions.Normal(mu, (logvar / 2).exp())
    wanted = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_standard_normal(mu, logvar), wanted)


def test_the_distance_pulls_to_mean_0_and_deviation_1():
    mu, logvar = torch.tensor([[2.0]], requires_grad=True), torch.tensor([[-1.0]], requires_grad=True)
    kl_standard_normal(mu, logvar).backward()
    assert mu.grad.item() == pytest.approx(2.0) and logvar.grad.item() == pytest.approx(0.5 * (math.exp(-1) - 1))


def test_identity_is_a_direction():
    said = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert identity_preserving(3 * said, said).item() == pytest.approx(0.0, abs=1e-6)
    assert identity_preserving(said.flip(1), said).item() == pytest.approx(1.0)
    assert identity_preserving(-said, said).item() == pytest.approx(2.0)
    half = torch.cat([said[:1], -said[1:]])
    assert identity_preserving(half, said).item() == pytest.approx(1.0), "a mean over faces"
    silent = torch.zeros(2, 2, requires_grad=True)
    identity_preserving(silent, said).backward()
    assert torch.isfinite(silent.grad).all()
