"""Networks that look for what does not belong to a face; from their features, at half size, a head reads a hole.

Taught in: lesson 04.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.nets.blocks import ConvUnit, init_he
from facelab.nets.efficientnet import CHANNELS
from facelab.nets.features import effnet
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

    Those eyes were trained on pictures of 224 px, and their first map has half the size. In a small picture an outline
    falls between its places: ``enlarge`` shows the encoder the picture twice as large, so that the same four maps lie
    at strides 1, 2, 4 and 8. That costs four times the encoder, which at 64 px is little.

    Args:
        channels: 1 or 3.
        width: channels of the features handed on, at half size (multiple of 8).
        pretrained: read the ImageNet weights; False where weights are read later.
        enlarge: 1 or 2.

    Raises:
        BadConfig: another ``enlarge``.
        MissingPart: the package with the ImageNet weights is not installed.
    """

    def __init__(self, channels: int, width: int, pretrained: bool = True, enlarge: int = 1):
        super().__init__()
        if enlarge not in (1, 2):
            raise BadConfig("enlarge", enlarge, "1 or 2")
        self.encoder, self.enlarge = effnet(pretrained=pretrained), enlarge
        # Finest first. At stride 1 the first map comes folded, 2×2 places as four channels, and joins at the end.
        seen = CHANNELS if enlarge == 1 else (4 * CHANNELS[0], *CHANNELS[1:])
        widths = (width, *((2 * width, 2 * width) if enlarge == 1 else (width, 2 * width)), 4 * width)
        self.stem = ConvUnit(4 * channels, width)
        self.lateral = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(seen, widths, strict=True))
        self.middle = nn.Sequential(ConvUnit(4 * width, 4 * width), ConvUnit(4 * width, 4 * width, dilation=2))
        self.narrow = nn.Conv2d(4 * width, 2 * width, 1, bias=False)
        self.up = nn.ModuleList(ConvUnit(2 * width, 2 * width) for _ in range(3 - enlarge))
        self.narrow_last = nn.Conv2d(2 * width, width, 1, bias=False)
        self.join = ConvUnit((1 + enlarge) * width, width)
        for part in (self.stem, self.lateral, self.middle, self.narrow, self.up, self.narrow_last, self.join):
            init_he(part)

    def forward(self, occluded: Tensor) -> Tensor:
        """Occluded image (N, C, H, W), H and W divisible by 8, to features (N, width, H / 2, W / 2)."""
        finest = [self.stem(F.pixel_unshuffle(occluded, 2))]
        *levels, coarsest = (layer(seen) for layer, seen in zip(self.lateral, self.look(occluded), strict=True))
        if self.enlarge == 2:
            finest.append(levels.pop(0))
        x = self.narrow(self.middle(coarsest))
        for up, level in zip(self.up, reversed(levels[1:]), strict=True):
            x = up(_grown(x, level) + level)
        x = _grown(self.narrow_last(x), levels[0]) + levels[0]
        return self.join(torch.cat([x, *finest], 1))

    @torch.no_grad()
    def look(self, occluded: Tensor) -> list[Tensor]:
        """What the encoder sees, without gradients: four maps as the decoder takes them, the finest first.

        Args:
            occluded: (N, C, H, W) in [-1, 1], H and W divisible by 8.

        Returns:
            maps of 16, 24, 40 and 112 channels at H/2, H/4, H/8 and H/16 (rounded up); enlarged twice, at H (folded to
            64 channels at H/2), H/2, H/4 and H/8.
        """
        if self.enlarge == 1:
            return self.encoder(occluded)
        first, *rest = self.encoder(F.interpolate(occluded, scale_factor=2.0, mode="bilinear"))
        return [F.pixel_unshuffle(first, 2), *rest]


def _grown(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="nearest")
