"""Inception-ResNet-v1: the published counts and names, its arithmetic, and whose weight files it takes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from facelab.errors import BadWeights, MissingPart
from facelab.nets import inception_resnet as module
from facelab.nets.blocks import parameter_count
from facelab.nets.inception_resnet import InceptionResnet, inception_resnet, prepared, weights_path, why_no_recognizer

PUBLISHED = {
    "conv2d_1a.conv.weight": (32, 3, 3, 3), "conv2d_3b.conv.weight": (80, 64, 1, 1), "conv2d_4b.bn.bias": (256,),
    "repeat_1.0.branch0.conv.weight": (32, 256, 1, 1), "repeat_1.4.branch2.2.bn.running_var": (32,),
    "repeat_1.2.conv2d.bias": (256,), "mixed_6a.branch0.conv.weight": (384, 256, 3, 3),
    "mixed_6a.branch1.2.conv.weight": (256, 192, 3, 3), "repeat_2.9.branch1.1.conv.weight": (128, 128, 1, 7),
    "repeat_2.0.branch1.2.conv.weight": (128, 128, 7, 1), "mixed_7a.branch2.2.conv.weight": (256, 256, 3, 3),
    "mixed_7a.branch0.1.bn.running_mean": (384,), "repeat_3.4.branch1.1.conv.weight": (192, 192, 1, 3),
    "block8.conv2d.weight": (1792, 384, 1, 1), "block8.branch1.2.bn.num_batches_tracked": (),
    "last_linear.weight": (512, 1792), "last_bn.running_mean": (512,),
}  # fmt: skip


@pytest.fixture(scope="module")
def net() -> InceptionResnet:
    """Random weights, and statistics of batch norm as if it had been trained."""
    torch.manual_seed(0)
    net = InceptionResnet().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return net


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where the weights are looked for."""
    path = tmp_path / "faces.pt"
    monkeypatch.setenv("FACELAB_INCEPTION_RESNET", str(path))
    return path


def test_it_has_the_published_size_and_names(net):
    """With the 8,631 people of VGGFace2 it has 27,910,327 parameters."""
    assert parameter_count(net) == 23_482_624 == 27_910_327 - 8631 * 513
    kinds = [type(layer) for layer in net.modules()]
    assert (kinds.count(nn.Conv2d), kinds.count(nn.BatchNorm2d), kinds.count(nn.BatchNorm1d)) == (132, 111, 1)
    state = net.state_dict()
    assert {name: tuple(state[name].shape) for name in PUBLISHED} == PUBLISHED


def test_pictures_of_any_size_become_vectors_of_length_one(net):
    pictures = torch.rand(2, 1, 64, 64) * 2 - 1
    with torch.no_grad():
        vectors, maps = net(pictures), net.maps(pictures[:1])
        torch.testing.assert_close(net(pictures.expand(2, 3, 64, 64)[1:]), vectors[1:], atol=1e-5, rtol=1e-4)
    assert vectors.shape == (2, 512) and maps.shape == (1, 1792, 3, 3)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_black_and_white_are_what_it_was_trained_with():
    white = prepared(torch.ones(1, 1, 20, 20))
    assert white.shape == (1, 3, 160, 160)
    torch.testing.assert_close(white, torch.full_like(white, (255 - 127.5) / 128))
    torch.testing.assert_close(prepared(-torch.ones(1, 3, 160, 160)), -white)


def conv(x, unit, stride=1, padding=(0, 0)):
    x, bn = F.conv2d(x, unit.conv.weight, None, stride, padding), unit.bn
    return F.relu(F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=1e-3))


@torch.no_grad()
def test_blocks_are_their_formulas(net):
    x = torch.randn(1, 896, 8, 8)
    block = net.repeat_2[3]
    long = conv(conv(conv(x, block.branch1[0]), block.branch1[1], 1, (0, 3)), block.branch1[2], 1, (3, 0))
    both = torch.cat([conv(x, block.branch0), long], 1)
    want = F.relu(x + 0.10 * F.conv2d(both, block.conv2d.weight, block.conv2d.bias))
    torch.testing.assert_close(block(x), want)
    a, b, c, pooled = net.mixed_7a(x).split([384, 256, 256, 896], 1)
    torch.testing.assert_close(a, conv(conv(x, net.mixed_7a.branch0[0]), net.mixed_7a.branch0[1], 2))
    torch.testing.assert_close(pooled, F.max_pool2d(x, 3, 2))
    assert b.shape == c.shape == (1, 256, 3, 3)
    y = torch.randn(1, 1792, 3, 3)
    assert net.block8(y).min() < 0 <= net.repeat_3[0](y).min()  # the last block has no ReLU
    assert (net.block8.scale, net.repeat_3[0].scale, net.repeat_1[0].scale) == (1.0, 0.20, 0.17)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_file_of_weights_is_read(net, place, monkeypatch, ending):
    path = place.with_suffix(f".{ending}")
    monkeypatch.setenv("FACELAB_INCEPTION_RESNET", str(path))
    state = {name: part.clone() for name, part in net.state_dict().items() if "num_batches" not in name}
    state |= {"logits.weight": torch.zeros(10, 512), "logits.bias": torch.zeros(10)}  # of those it was trained on
    (save_file if ending == "safetensors" else torch.save)(state, path)
    found = inception_resnet()
    assert why_no_recognizer() == "" and not found.training and not any(p.requires_grad for p in found.parameters())
    kept = found.state_dict()
    assert all(torch.equal(kept[name], part) for name, part in net.state_dict().items())


def test_what_does_not_fit_is_refused(net, place):
    with pytest.raises(MissingPart, match="FACELAB_INCEPTION_RESNET"):
        inception_resnet()
    assert str(place) in why_no_recognizer()
    place.write_bytes(b"no weights at all")
    with pytest.raises(BadWeights, match="no file of weights"):
        inception_resnet()
    torch.save(nn.Linear(2, 2).state_dict(), place)
    with pytest.raises(BadWeights, match="conv2d_1a.conv.weight"):
        inception_resnet()
    torch.save([1, 2], place)
    with pytest.raises(BadWeights):
        inception_resnet()
    state = dict(net.state_dict()) | {"last_linear.weight": torch.zeros(128, 1792)}
    torch.save(state, place)
    with pytest.raises(BadWeights, match="last_linear.weight has another shape"):
        inception_resnet()


def test_without_a_name_it_lies_with_the_other_weights(monkeypatch, tmp_path):
    monkeypatch.delenv("FACELAB_INCEPTION_RESNET", raising=False)
    monkeypatch.setattr(module, "weights_root", lambda: tmp_path)
    assert weights_path() == tmp_path / "inception_resnet_v1.safetensors"
    (tmp_path / "inception_resnet_v1.pt").touch()
    assert weights_path() == tmp_path / "inception_resnet_v1.pt"
