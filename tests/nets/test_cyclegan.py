"""CycleGAN's networks: published sizes, what a logit sees, and where checkerboards come from."""

import pytest
import torch
from torch import nn

from facelab.images import to_channels
from facelab.nets import cyclegan
from facelab.nets.blocks import parameter_count
from facelab.nets.cyclegan import PatchDiscriminator, ResnetGenerator


def test_published_networks_have_the_published_number_of_parameters():
    assert parameter_count(ResnetGenerator()) == 11_378_179
    assert parameter_count(ResnetGenerator(blocks=6)) == 7_837_699
    assert parameter_count(PatchDiscriminator()) == 2_764_737
    assert parameter_count(ResnetGenerator(up="resized")) == 11_378_179, "another way up costs nothing"


@pytest.mark.parametrize("up", cyclegan.UPS)
@pytest.mark.parametrize("norm", cyclegan.NORMS)
def test_the_translator_keeps_the_size_and_the_range(up, norm):
    net = ResnetGenerator(3, 1, 4, 1, norm, up)
    out = net(torch.rand(2, 3, 20, 32) * 2 - 1)
    assert out.shape == (2, 1, 20, 32) and out.abs().max() <= 1


def seen_by_one_logit(net, size):
    """(rows, columns) of the picture that move the logit in the middle."""
    pictures = torch.randn(1, 1, size, size, requires_grad=True)
    logits = net.double()(pictures.double())
    logits[0, 0, logits.shape[-2] // 2, logits.shape[-1] // 2].backward()
    return [int((pictures.grad[0, 0].abs().sum(axis) > 0).sum()) for axis in (1, 0)]


@pytest.mark.parametrize("reach", [1, 16, 34, 70])
def test_a_logit_sees_as_much_as_its_reach_says(reach):
    net = PatchDiscriminator(1, 2, reach, "none")
    assert seen_by_one_logit(net, 160) == [reach, reach]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_without_a_reach_one_logit_sees_everything(size):
    net = PatchDiscriminator(1, 2, 0, "none", size)
    assert net(torch.zeros(3, 1, size, size)).shape == (3, 1, 1, 1)
    assert seen_by_one_logit(net, size) == [size, size]


def test_the_published_critic_gives_fourteen_by_fourteen_logits():
    assert PatchDiscriminator(3, 4)(torch.zeros(1, 3, 128, 128)).shape == (1, 1, 14, 14)
    assert PatchDiscriminator(3, 4)(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def evenness(up):
    """Spread of a grey plane, enlarged by weights that are all alike, away from the border."""
    layers = nn.Sequential(*cyclegan._twice(1, 1, up))
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
    out = layers(torch.ones(1, 1, 8, 8))
    assert out.shape == (1, 1, 16, 16)
    return (out[..., 2:-2, 2:-2].std() / out[..., 2:-2, 2:-2].mean()).item()


def test_only_fractional_strides_leave_a_checkerboard():
    """Their taps overlap once, twice or four times: a plane comes out as 1, 2, 2, 4."""
    assert evenness("resized") == 0
    assert evenness("transposed") == pytest.approx(0.471, abs=0.02)


def test_instance_norm_asks_nobody_else_in_the_batch_and_batch_norm_does():
    pictures = torch.rand(3, 3, 16, 16) * 2 - 1
    alone = lambda net: torch.cat([net(one) for one in pictures.split(1)])  # noqa: E731
    net = ResnetGenerator(3, 1, 4, 1)
    torch.testing.assert_close(net(pictures), alone(net), atol=1e-5, rtol=1e-4)
    other = ResnetGenerator(3, 1, 4, 1, "batch")
    assert not torch.allclose(other(pictures), alone(other), atol=1e-3)


def test_a_change_begins_near_the_picture_and_painting_anew_does_not():
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    for outside in (1, 3):
        start = to_channels(to_channels(pictures, 1), outside) if outside == 1 else pictures
        changed, anew = (ResnetGenerator(3, outside, 4, 1, change=change) for change in (True, False))
        for net in (changed, anew):
            nn.init.zeros_(net.body[-1].weight)
        torch.testing.assert_close(changed(pictures), cyclegan.NEARLY * start, atol=1e-5, rtol=1e-5)
        assert anew(pictures).abs().max() == 0
    white = torch.ones(1, 3, 16, 16)
    assert ResnetGenerator(3, 1, 4, 1, change=True)(white).isfinite().all()
