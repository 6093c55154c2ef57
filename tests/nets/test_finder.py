"""The finders: shapes at any allowed size, frozen eyes, and weights that need no package to be read."""

from __future__ import annotations

import dataclasses
import importlib.util

import pytest
import torch

from facelab.errors import BadConfig, MissingPart
from facelab.nets.finder import Finder, PlainFinder
from facelab.nets.oagan import OAGANUNet
from facelab.systems import oagan
from facelab.train.weights import write_weights


@pytest.mark.parametrize("build", [Finder, PlainFinder])
@pytest.mark.parametrize("channels, height, width", [(1, 32, 32), (3, 40, 56), (3, 128, 96)])
def test_features_have_half_the_size(build, channels, height, width):
    torch.manual_seed(0)
    features = build(channels, 8)(torch.rand(2, channels, height, width) * 2 - 1)
    assert features.shape == (2, 8, height // 2, width // 2)
    assert features.std() > 0.1


@pytest.mark.parametrize("channels, height, width", [(1, 32, 32), (3, 40, 56)])
def test_an_enlarged_picture_is_seen_finer_at_the_same_size(channels, height, width):
    torch.manual_seed(0)
    net, picture = Finder(channels, 8, enlarge=2), torch.rand(2, channels, height, width) * 2 - 1
    features = net(picture)
    assert features.shape == (2, 8, height // 2, width // 2) and features.std() > 0.1
    larger = torch.nn.functional.interpolate(picture, scale_factor=2.0, mode="bilinear")
    for seen, expected in zip(net.look(picture)[1:], net.encoder(larger)[1:], strict=True):
        assert torch.equal(seen, expected)


def test_other_enlargements_are_refused():
    with pytest.raises(BadConfig, match="enlarge"):
        Finder(1, 8, enlarge=3)


def test_the_eyes_are_frozen_and_the_rest_learns():
    torch.manual_seed(0)
    net = OAGANUNet(3, 8, 8, "effnet-lite0")
    eyes = {name for name, _ in net.named_parameters() if name.startswith("trunk.encoder.")}
    guess = net(torch.rand(2, 3, 32, 32) * 2 - 1)
    (guess.hole_logits.mean() + guess.raw.mean()).backward()
    still = {name for name, value in net.named_parameters() if value.grad is None}
    assert still == eyes and len(eyes) == 66


def test_weights_are_read_without_the_package_that_training_needs(monkeypatch, tmp_path):
    cfg = oagan.Config(size=32, width=8, hole_width=8, critic_width=4, critic_downs=3, feature_net="none", ema=0.0)
    card = {"system": "oagan", "config": dataclasses.asdict(cfg)}
    trained = oagan.build(cfg)
    write_weights(tmp_path / "w.safetensors", {"G": trained.G}, card)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart):
        oagan.build(cfg)
    model, _ = oagan.load(tmp_path / "w.safetensors")
    picture = torch.rand(1, 1, 32, 32) * 2 - 1
    torch.testing.assert_close(model.G(picture).raw, trained.G(picture).raw, rtol=0, atol=0.02)  # half precision
