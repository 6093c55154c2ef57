"""A U-Net with a dilated middle: the working horse for holes and fills."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, DilatedBlock

DILATIONS = (1, 2, 4, 8, 2)


def useful_dilations(count: int, size: int) -> tuple[int, ...]:
    """``count`` dilations for a map of ``size`` / 8 pixels; one of more than half of them would see nothing."""
    useful = [d for d in DILATIONS if 2 * d <= size // 8]
    return tuple(useful[k % len(useful)] for k in range(count))


class UNet(nn.Module):
    """Encoder, dilated residual blocks at the coarsest map, decoder with skips.

    Args:
        inside: channels in.
        width: channels at full size; doubled at each of ``depth`` halvings.
        depth: number of halvings; height and width must be divisible by 2**depth.
        dilations: one residual block each, at the coarsest map.
        unit: the kind of its convolutions, :class:`facelab.nets.blocks.ConvUnit` or another with its arguments.

    Source: Ronneberger et al. 2015 for the skips; Iizuka et al. 2017 for the dilated middle. Ours: group norm,
    nearest upsampling followed by a convolution (no checkerboards), skips joined by concatenation.
    """

    def __init__(
        self, inside: int, width: int, depth: int = 3, dilations: tuple[int, ...] = (1, 2, 4, 2),
        unit: Callable[..., nn.Module] = ConvUnit,
    ):  # fmt: skip
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.stem = unit(inside, width)
        self.down = nn.ModuleList(
            nn.Sequential(unit(a, b, stride=2), unit(b, b)) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.middle = nn.Sequential(*(DilatedBlock(widths[-1], d, unit) for d in dilations))
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1, bias=False) for a, b in zip(widths, widths[1:], strict=False))
        self.up = nn.ModuleList(unit(2 * a, a) for a in widths[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) to features (N, width, H, W)."""
        maps = [self.stem(x)]
        for down in self.down:
            maps.append(down(maps[-1]))
        x = self.middle(maps.pop())
        for narrow, up in zip(reversed(self.narrow), reversed(self.up), strict=True):
            x = F.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = up(torch.cat([x, maps.pop()], 1))
        return x
