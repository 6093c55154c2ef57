"""A critic's steepness: against closed forms, and against the singular values of the whole matrix."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from facelab.metrics.critic import kernel_norm, operator_norm, slopes
from facelab.nets.oagan import OAGANDiscriminator
from facelab.seeding import generator, seed_all


def matrix_of(layer, size):
    """The convolution as one matrix: a column for each pixel of the input."""
    basis = torch.eye(layer.in_channels * size * size, dtype=torch.float64)
    pictures = basis.view(-1, layer.in_channels, size, size)
    out = nn.functional.conv2d(
        pictures, layer.weight.double(), None, layer.stride, layer.padding, layer.dilation, layer.groups
    )
    return out.flatten(1).T


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 4, "stride": 2, "padding": 1},
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 3, "padding": 2, "dilation": 2},
        {"kernel_size": 4, "stride": 2, "padding": 1, "groups": 2},
        {"kernel_size": 3, "stride": 2},
    ],
)
def test_operator_norm_is_the_largest_singular_value(settings):
    seed_all(0)
    layer = nn.Conv2d(4, 6, **settings)
    explicit = torch.linalg.svdvals(matrix_of(layer, 8))[0].item()
    assert operator_norm(layer, 8, generator(0, "norm")) == pytest.approx(explicit, rel=1e-6)
    assert kernel_norm(layer) != pytest.approx(explicit, rel=1e-2)  # the two are different things


def test_a_kernel_of_one_pixel_has_one_norm():
    seed_all(0)
    layer = nn.Conv2d(3, 5, 1)
    assert operator_norm(layer, (4, 7), generator(0, "norm")) == pytest.approx(kernel_norm(layer), rel=1e-6)


def test_a_single_score_has_the_norm_of_its_weights():
    seed_all(0)
    layer = nn.Conv2d(3, 1, 4)
    assert operator_norm(layer, 4, generator(0, "norm")) == pytest.approx(layer.weight.norm().item(), rel=1e-6)


def test_a_layer_that_does_nothing_has_norm_zero():
    layer = nn.Conv2d(1, 1, 3, padding=1)
    nn.init.zeros_(layer.weight)
    assert operator_norm(layer, 8, generator(0, "norm")) == 0


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (3, 1), (5, 2)])
def test_the_norm_is_bounded_by_the_kernels(kernel, stride):
    for seed in range(5):
        seed_all(seed)
        layer = nn.Conv2d(2, 4, kernel, stride, kernel // 2)
        bound = math.ceil(kernel / stride) * kernel_norm(layer)
        assert 0.3 * bound < operator_norm(layer, 12, generator(seed, "norm")) <= bound * (1 + 1e-9)


def test_spectral_norm_makes_the_kernel_one_and_not_the_convolution():
    seed_all(0)
    layer = spectral_norm(nn.Conv2d(3, 16, 4, 2, 1), n_power_iterations=200).eval()
    assert kernel_norm(layer) == pytest.approx(1, rel=1e-3)
    assert operator_norm(layer, 32, generator(0, "norm")) > 1.1


def test_slopes_of_a_linear_critic_are_its_length():
    weight = torch.randn(3, 8, 8, generator=generator(0, "weight"))
    images = torch.rand(5, 3, 8, 8, generator=generator(0, "images"))
    with torch.no_grad():  # asked in the middle of a validation
        found = slopes(lambda x: (x * weight).sum((1, 2, 3))[:, None], images, chunk=2)
    assert found.shape == (5,) and not found.requires_grad
    torch.testing.assert_close(found, weight.norm().expand(5))


def test_slopes_agree_with_finite_differences_and_leave_no_gradient():
    seed_all(0)
    critic = OAGANDiscriminator(1, 4, 3).double()
    images = torch.rand(2, 1, 32, 32, generator=generator(0, "images"), dtype=torch.float64)
    found = slopes(critic, images)
    assert all(p.grad is None for p in critic.parameters())
    picture = images[:1].clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(picture).mean(), picture)
    step = 1e-5 * slope / slope.norm()
    with torch.no_grad():
        rise = (critic(images[:1] + step).mean() - critic(images[:1] - step).mean()) / 2e-5
    assert found[0].item() == pytest.approx(rise.item(), rel=1e-4)
