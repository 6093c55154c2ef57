"""Networks of guided inpainting: one predicts the guide of the whole face, one paints from picture and guide.

A guide is (N, K, H / cell, W / cell): a HOG with K orientations a cell, or edges with K = 1 and cell = 1.
Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, GatedUnit, group_norm, init_he
from facelab.nets.smooth_fill import laplacian
from facelab.nets.unet import UNet, useful_dilations

LOUD = 4.0  # how much louder fine detail is shown


def halved(guide: Tensor, cell: int) -> Tensor:
    """A guide at half the picture's size: repeated where it is coarser, folded into channels where it is finer."""
    return (
        F.pixel_unshuffle(guide, 2)
        if cell == 1
        else guide.repeat_interleave(cell // 2, 2).repeat_interleave(cell // 2, 3)
    )


def _at_half(bins: int, cell: int) -> int:
    return 4 * bins if cell == 1 else bins


class GuidePredictor(nn.Module):
    """From what is visible to the guide of the whole face: a U-Net with a dilated middle, working from half size.

    Args:
        bins: channels K of the guide.
        cell: its pixels are so many of the picture's: 1, or even.
        width: channels at half size (multiple of 8).
        blocks: dilated residual blocks at an eighth of the size.
        size: side of the pictures it is made for.
    """

    def __init__(self, bins: int, cell: int, width: int, blocks: int, size: int):
        super().__init__()
        self.cell = cell
        self.body = UNet(8 + _at_half(bins, cell), width, depth=2, dilations=useful_dilations(blocks, size))
        gathered = width if cell == 1 else width * (cell // 2) ** 2
        self.head = nn.Conv2d(gathered, 4 * bins if cell == 1 else bins, 3 if cell == 1 else 1, padding=int(cell == 1))
        init_he(self.body)
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        nn.init.constant_(self.head.bias, -2.0)  # guides are mostly empty: start near their mean

    def forward(self, grey: Tensor, guide: Tensor, hole: Tensor) -> Tensor:
        """Visible grey (N, 1, H, W), visible guide (N, K, H / cell, W / cell), hole (N, 1, H, W) to guide logits."""
        known = F.pixel_unshuffle(torch.cat([grey * (1 - hole), hole], 1), 2)
        x = self.body(torch.cat([known, halved(guide, self.cell)], 1))
        if self.cell == 1:
            return F.pixel_shuffle(self.head(x), 2)
        return self.head(F.pixel_unshuffle(x, self.cell // 2))


class Painter(nn.Module):
    """From a picture begun, hole and guide to the whole face: a U-Net with a dilated middle, working from half size.

    Args:
        channels: 1 or 3.
        bins, cell: of the guide; 0 bins: there is none.
        width: channels at half size (multiple of 8).
        blocks: dilated residual blocks at an eighth of the size.
        size: side of the pictures it is made for.
        gated: its units are gated ones; the plain convolutions between them stay.
        detail: it is also shown what is fine in the picture, made louder: beside the large shapes of a face, the little
            that decides how a line goes on would hardly be heard.

    Source: the inpainter of "A Novel Face Inpainting Approach Based on Guided Deep Learning" (two halvings, eight
    dilated residual blocks, decoder), made cheaper: it begins at half size, and has skips.
    """

    def __init__(
        self, channels: int, bins: int, cell: int, width: int, blocks: int, size: int, gated: bool = False,
        detail: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.cell, self.detail, unit = cell, detail, GatedUnit if gated else ConvUnit
        inside = 4 * (channels * (1 + detail) + 1) + (_at_half(bins, cell) if bins else 0)
        self.body = UNet(inside, width, 2, useful_dilations(blocks, size), unit)
        self.refine = unit(width, width)
        self.head = nn.Conv2d(width, 4 * channels, 3, 1, 1)
        init_he(self.body)
        init_he(self.refine)
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor, hole: Tensor, guide: Tensor | None = None) -> Tensor:
        """Pictures begun (N, C, H, W), hole (N, 1, H, W), H and W divisible by 8, and guide, to (N, C, H, W), free."""
        fine = [LOUD * laplacian(images)] if self.detail else []
        known = F.pixel_unshuffle(torch.cat([images, hole, *fine], 1), 2)
        known = known if guide is None else torch.cat([known, halved(guide, self.cell)], 1)
        return F.pixel_shuffle(self.head(self.refine(self.body(known))), 2)


class PartialUnit(nn.Module):
    """A convolution over seen places alone, scaled up by how few they are; what it saw any of counts as seen.

    Args:
        inside, outside, stride, dilation: as of :class:`facelab.nets.blocks.ConvUnit`.
        bent: leaky ReLU 0.2 after the norm.

    Source: Liu et al. 2018, "Image Inpainting for Irregular Holes Using Partial Convolutions", equations 1 and 2.
    """

    def __init__(self, inside: int, outside: int, stride: int = 1, dilation: int = 1, bent: bool = True):
        super().__init__()
        kernel, padding = (4, 1) if stride == 2 else (3, dilation)
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding, dilation, bias=False)
        self.norm, self.bent = group_norm(outside), bent

    def forward(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, C, H, W) and where they are seen (N, 1, H, W), 0 or 1, to both after it."""
        conv = self.conv
        with torch.no_grad():
            taps = seen.new_ones(1, 1, *conv.kernel_size)
            count = F.conv2d(seen, taps, stride=conv.stride, padding=conv.padding, dilation=conv.dilation)
            scale = taps.numel() / count.clamp(min=1.0)
        y = self.norm(conv(x * seen) * scale)
        return (F.leaky_relu(y, 0.2) if self.bent else y), (count > 0).to(seen)


class PartialPainter(nn.Module):
    """:class:`Painter` without a guide, its units partial, two plain 1×1 convolutions and the head apart.

    Arguments as its.
    """

    def __init__(self, channels: int, width: int, blocks: int, size: int):
        super().__init__()
        w = width
        self.stem = PartialUnit(4 * channels, w)
        self.down = nn.ModuleList(
            PartialUnit(*a) for a in ((w, 2 * w, 2), (2 * w, 2 * w), (2 * w, 4 * w, 2), (4 * w, 4 * w))
        )
        pairs = [
            (PartialUnit(4 * w, 4 * w, 1, d), PartialUnit(4 * w, 4 * w, bent=False))
            for d in useful_dilations(blocks, size)
        ]
        self.middle = nn.ModuleList(nn.ModuleList(pair) for pair in pairs)
        self.narrow = nn.ModuleList(nn.Conv2d(2 * a, a, 1, bias=False) for a in (2 * w, w))
        self.up = nn.ModuleList(PartialUnit(2 * a, a) for a in (2 * w, w))
        self.refine = PartialUnit(w, w)
        self.head = nn.Conv2d(w, 4 * channels, 3, 1, 1)
        init_he(self)
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def forward(self, images: Tensor, hole: Tensor, guide: Tensor | None = None) -> Tensor:
        """Pictures (N, C, H, W) and hole (N, 1, H, W) to (N, C, H, W), free; there is no guide."""
        seen = (F.avg_pool2d(1 - hole, 2) > 0).to(images)
        x, seen = self.stem(F.pixel_unshuffle(images * (1 - hole), 2), seen)
        maps = []
        for place, unit in enumerate(self.down):
            maps += [] if place % 2 else [(x, seen)]
            x, seen = unit(x, seen)
        for first, second in self.middle:
            change, after = second(*first(x, seen))
            x, seen = x + change, after
        for narrow, unit in zip(self.narrow, self.up, strict=True):
            kept, where = maps.pop()
            x, seen = (F.interpolate(y, scale_factor=2.0, mode="nearest") for y in (narrow(x), seen))
            x, seen = unit(torch.cat([x, kept], 1), torch.maximum(seen, where))
        x, _ = self.refine(x, seen)
        return F.pixel_shuffle(self.head(x), 2)


class ContextEncoder(nn.Module):
    """The picture through a narrow door: strided convolutions, every place to every place, and up again; no skips.

    Args:
        channels: 1 or 3.
        width: channels at half size (multiple of 8).
        size: side of the pictures, fixed: the door is that wide. A multiple of 16.

    Source: Pathak et al. 2016, "Context Encoders", with the channel-wise fully connected layer of their section 3.1.
    """

    def __init__(self, channels: int, width: int, size: int):
        super().__init__()
        widths = [channels + 1, *(width * 2**k for k in (0, 1, 2, 2))]
        self.down = nn.Sequential(*(ConvUnit(a, b, stride=2) for a, b in zip(widths, widths[1:], strict=False)))
        places = (size // 16) ** 2
        self.across = nn.Parameter(torch.empty(widths[-1], places, places))
        self.mix = nn.Conv2d(widths[-1], widths[-1], 1)
        back = [*widths[:0:-1], width]
        self.up = nn.ModuleList(ConvUnit(a, b) for a, b in zip(back, back[1:], strict=False))
        self.head = nn.Conv2d(width, channels, 3, 1, 1)
        init_he(self)
        nn.init.normal_(self.across, 0.0, places**-0.5)
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def forward(self, images: Tensor, hole: Tensor, guide: Tensor | None = None) -> Tensor:
        """(N, C, size, size) and hole (N, 1, size, size) to (N, C, size, size), free; there is no guide."""
        x = self.down(torch.cat([images, hole], 1))
        x = self.mix(torch.einsum("ncp,cpq->ncq", x.flatten(2), self.across.to(x.dtype)).view_as(x))
        for up in self.up:
            x = up(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.head(x)
