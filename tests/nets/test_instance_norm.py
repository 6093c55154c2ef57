"""Instance norm in channels-last layout: torch's own numbers, in both precisions, and its gradient."""

import pytest
import torch
from torch import nn
from torch.nn.functional import instance_norm

from facelab.nets.instance_norm import InstanceNorm, _Standardised

LAYOUTS = {"channels last": torch.channels_last, "plain": torch.contiguous_format}


def maps(precision, offset=0.0, spread=1.0, layout="channels last"):
    x = torch.randn(2, 5, 12, 9, generator=torch.Generator().manual_seed(0)) * spread + offset
    return x.to(precision).to(memory_format=LAYOUTS[layout])


def both_ways(norm, x):
    """What a norm makes of maps, and the gradient of a weighted sum of it."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    out = norm(x)
    signs = torch.randint(0, 2, out.shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    (out * signs).sum().backward()
    return out.detach(), x.grad


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("offset", "spread"), [(0, 1), (20, 1), (0, 1e-3)])
def test_values_and_gradient_are_torchs(layout, offset, spread):
    x = maps(torch.float64, offset, spread, layout)
    for mine, theirs in zip(both_ways(InstanceNorm(5), x), both_ways(instance_norm, x), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(("offset", "spread"), [(0, 1), (5, 1), (50, 1), (5, 0.1)])
def test_bfloat16_loses_no_more_than_its_rounding(offset, spread):
    x = maps(torch.bfloat16, offset, spread)
    mine, true = InstanceNorm(5)(x), instance_norm(x.double())
    assert mine.dtype == torch.bfloat16
    assert (mine.double() - true).abs().max() < 2**-5, "two steps of bfloat16 between 2 and 4"
    _, slope = both_ways(InstanceNorm(5), x)
    _, true_slope = both_ways(instance_norm, x.double())
    assert (slope.double() - true_slope).abs().max() < 0.02 * true_slope.abs().max()


def test_a_mean_that_is_only_rounded_would_be_noticed():
    x = maps(torch.bfloat16, 50)
    coarse = x - x.mean((2, 3), keepdim=True)  # as the norm would be if it stopped there
    assert coarse.double().mean((2, 3)).abs().max() > 10 * InstanceNorm(5)(x).double().mean((2, 3)).abs().max()


def test_the_gradient_is_that_of_finite_differences():
    x = maps(torch.float64)[:1, :2, :3, :3].contiguous().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: _Standardised.apply(x.to(memory_format=torch.channels_last)), (x,))


def test_the_layout_is_kept_and_nothing_is_learned():
    x = maps(torch.float32)
    assert InstanceNorm(5)(x).is_contiguous(memory_format=torch.channels_last)
    assert not list(InstanceNorm(5).parameters()) and not list(InstanceNorm(5).buffers())
    assert isinstance(InstanceNorm(5), nn.InstanceNorm2d)


def test_under_autocast_single_precision_stays_single():
    x = maps(torch.float32, 20)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(InstanceNorm(5)(x), instance_norm(x))


def test_a_gradient_of_the_gradient_is_refused():
    x = maps(torch.float32).requires_grad_()
    (slope,) = torch.autograd.grad(InstanceNorm(5)(x).pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_maps_of_one_pixel_are_refused_as_torch_does():
    x = torch.full((1, 5, 1, 1), 3.0).to(memory_format=torch.channels_last)
    for norm in (InstanceNorm(5), nn.InstanceNorm2d(5)):
        for mode in (True, False):
            with pytest.raises(ValueError, match="more than 1 spatial element"):
                norm.train(mode)(x)
    assert InstanceNorm(5)(x.expand(1, 5, 1, 2)).abs().max() < 1e-3, "two equal pixels are no error"
