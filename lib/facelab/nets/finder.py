"""Networks that look for what does not belong to a face; from their features, at half size, a head reads a hole.

Taught in: lesson 04.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, init_he
from facelab.nets.efficientnet import CHANNELS
from facelab.nets.features import effnet_lite0
from facelab.nets.unet import UNet


class PlainFinder(UNet):
    """A U-Net that starts from nothing and works at half size: 2×2 pixels become four channels at the door.

    Args:
        channels: 1 or 3.
        width: channels of the features handed on (multiple of 8).
    """

    def __init__(self, channels: int, width: int):
        super().__init__(4 * channels, width, depth=2, dilations=(1, 2, 4))
        init_he(self)

    def forward(self, occluded: Tensor) -> Tensor:
        """Occluded image (N, C, H, W), H and W divisible by 8, to features (N, width, H / 2, W / 2)."""
        return super().forward(F.pixel_unshuffle(occluded, 2))


class Finder(nn.Module):
    """Eyes trained on ImageNet, frozen, and a small decoder that learns where faces end.

    What hides a face is anything in the world; the kinds we draw are not. ImageNet's features know a cup
    from a cheek before training starts, and cost no backward pass. Fine outlines come from the pixels themselves.

    Args:
        channels: 1 or 3.
        width: channels of the features handed on, at half size (multiple of 8).
        pretrained: read the ImageNet weights; False where weights are read later.
    """

    def __init__(self, channels: int, width: int, pretrained: bool = True):
        super().__init__()
        self.encoder = effnet_lite0(pretrained=pretrained)
        widths = (width, 2 * width, 2 * width, 4 * width)
        self.stem = ConvUnit(4 * channels, width)
        self.lateral = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(CHANNELS, widths, strict=True))
        self.middle = nn.Sequential(ConvUnit(4 * width, 4 * width), ConvUnit(4 * width, 4 * width, dilation=2))
        self.narrow = nn.Conv2d(4 * width, 2 * width, 1, bias=False)
        self.up = nn.ModuleList(ConvUnit(2 * width, 2 * width) for _ in range(2))
        self.narrow_last = nn.Conv2d(2 * width, width, 1, bias=False)
        self.join = ConvUnit(2 * width, width)
        for part in (self.stem, self.lateral, self.middle, self.narrow, self.up, self.narrow_last, self.join):
            init_he(part)

    def forward(self, occluded: Tensor) -> Tensor:
        """Occluded image (N, C, H, W), H and W divisible by 8, to features (N, width, H / 2, W / 2)."""
        with torch.no_grad():
            maps = self.encoder(occluded)
        half, quarter, eighth, sixteenth = (layer(m) for layer, m in zip(self.lateral, maps, strict=True))
        x = self.narrow(self.middle(sixteenth))
        x = self.up[0](_grown(x, eighth) + eighth)
        x = self.up[1](_grown(x, quarter) + quarter)
        x = _grown(self.narrow_last(x), half) + half
        return self.join(torch.cat([x, self.stem(F.pixel_unshuffle(occluded, 2))], 1))


def _grown(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="nearest")
