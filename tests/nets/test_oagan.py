"""OA-GAN's networks: published sizes, the gate, and heads."""

import pytest
import torch

from facelab.nets.blocks import parameter_count
from facelab.nets.features import FeatureNet, feature_net, resnet_stages, vgg_deep_stages, vgg_stages
from facelab.nets.oagan import OAGANDiscriminator, OAGANGenerator, OAGANUNet


def test_published_parameter_counts():
    assert parameter_count(OAGANGenerator()) == 13_925_696
    assert parameter_count(OAGANDiscriminator(classes=7)) == 44_778_432
    assert parameter_count(OAGANDiscriminator(classes=509)) == 48_890_816


GENERATORS = {
    "published": lambda: OAGANGenerator(3, 8, 1),
    "plain finder": lambda: OAGANUNet(3, 8, 8),
    "ImageNet finder": lambda: OAGANUNet(3, 8, 8, "effnet-lite0"),
    "deeper": lambda: OAGANUNet(3, 8, 8, blocks=7, outline_blocks=2),
}


def test_ours_fits_the_limit_for_shipped_weights():
    """Half precision, at most 12 MB a file."""
    net = OAGANUNet(3, 40, 32, "effnet-lite0", blocks=8, outline_blocks=3)
    assert 5_000_000 < parameter_count(net) <= 6_000_000


def test_more_blocks_go_where_they_are_said_to_go():
    count = lambda **more: parameter_count(OAGANUNet(3, 8, 8, **more))  # noqa: E731
    middle, outline = 2 * 32 * 32 * 9 + 4 * 32, 2 * 8 * 8 * 9 + 4 * 8
    assert count(blocks=7) - count() == 2 * middle
    assert count(outline_blocks=3) - count() == 3 * outline
    steps = [block.first.conv.dilation[0] for block in OAGANUNet(3, 8, 8, blocks=7).completion.middle]
    assert steps == [1, 2, 4, 8, 2, 1, 2]


@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS)
def test_shapes_and_range(build):
    torch.manual_seed(0)
    guess = build()(torch.rand(2, 3, 40, 32) * 2 - 1)
    assert guess.hole_logits.shape == (2, 1, 40, 32)
    assert guess.raw.shape == (2, 3, 40, 32)
    assert guess.raw.abs().max() <= 1


@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS)
def test_a_wholly_hidden_picture_cannot_leak_into_the_completion(build):
    """With the gate shut everywhere, two different pictures get the same completion; with it open they do not."""
    torch.manual_seed(0)
    net = build().eval()
    a, b = torch.rand(2, 1, 3, 32, 32) * 2 - 1
    shut, opened = torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    torch.testing.assert_close(net(a, shut).raw, net(b, shut).raw)
    assert not torch.allclose(net(a, opened).raw, net(b, opened).raw)


def test_critic_keeps_the_batch_axis_at_one_picture():
    critic = OAGANDiscriminator(3, 8, 4, classes=5, size=32)
    scores, labels = critic.both(torch.rand(1, 3, 32, 32))
    assert scores.shape == (1, 1, 2, 2)
    assert labels.shape == (1, 5)


def test_spectral_norm_is_in_the_critic():
    critic = OAGANDiscriminator(1, 8, 2, norm="spectral")
    weight = critic.body[0].weight.flatten(1)
    critic(torch.rand(1, 1, 16, 16))
    for _ in range(30):
        critic(torch.rand(1, 1, 16, 16))
    assert torch.linalg.matrix_norm(critic.body[0].weight.flatten(1).detach(), 2) == pytest.approx(1.0, abs=0.02)
    assert weight.shape == (8, 16)


def test_effnet_is_frozen_and_takes_minus_one_to_one():
    net = feature_net("effnet-lite0").train()
    images = (torch.rand(2, 1, 64, 64) * 2 - 1).requires_grad_(True)
    maps = net(images)
    assert [m.shape[1:] for m in maps] == [(16, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4)]
    sum(m.mean() for m in maps).backward()
    assert images.grad.abs().sum() > 0
    assert all(p.grad is None for p in net.parameters())
    assert not any(module.training for module in net.modules())


def test_effnet_sees_the_range_it_was_trained_on():
    """Its own scale is (x − 127) / 128 on 0..255: black must arrive at about −0.99, white at 1."""
    net = feature_net("effnet-lite0")
    ends = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4)
    arriving = ((ends + 1) / 2 - net.mean) / net.std
    assert arriving[0].mean().item() == pytest.approx(-127 / 128, abs=1e-6)
    assert arriving[1].mean().item() == pytest.approx(1.0, abs=1e-6)


def test_vgg_and_resnet_stages_have_the_published_shapes():
    from facelab.compat import ensure_torchvision

    ensure_torchvision()
    from torchvision import models

    net = FeatureNet("vgg16", vgg_stages(models.vgg16(weights=None).features), (0.5,) * 3, (0.5,) * 3)
    with torch.no_grad():
        assert [m.shape[1:] for m in net(torch.rand(1, 3, 128, 128))] == [(64, 64, 64), (128, 32, 32), (256, 16, 16)]
    vgg19 = models.vgg19(weights=None).features
    net = FeatureNet("vgg19-deep", vgg_deep_stages(vgg19), (0.5,) * 3, (0.5,) * 3)
    assert [stage[-2] is vgg19[place] for stage, place in zip(net.stages, (16, 25, 34), strict=True)] == [True] * 3
    with torch.no_grad():  # block3_conv4, block4_conv4, block5_conv4, each after its ReLU
        assert [m.shape[1:] for m in net(torch.rand(1, 3, 64, 64))] == [(256, 16, 16), (512, 8, 8), (512, 4, 4)]
    net = FeatureNet("resnet34", resnet_stages(models.resnet34(weights=None)), (0.5,) * 3, (0.5,) * 3)
    with torch.no_grad():
        assert [m.shape[1:] for m in net(torch.rand(1, 3, 128, 128))] == [(128, 32, 32), (256, 16, 16), (512, 8, 8)]


def test_unknown_feature_net_is_refused_by_name():
    from facelab.errors import BadConfig

    with pytest.raises(BadConfig, match="feature_net = 'vgg99'.*effnet-lite0"):
        feature_net("vgg99")
