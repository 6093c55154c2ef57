"""The published networks of guided inpainting, and the critic with spectral norm that judges pictures and guides.

Source: "A Novel Face Inpainting Approach Based on Guided Deep Learning" describes its networks in words that fit
those of EdgeConnect (Nazeri et al. 2019, "EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning")
and gives no sizes of its own. On a GPU these two do not repeat to the bit: there torch's gradient of mirrored padding
does not.
Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import init_normal


def _norm(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels)


class DilatedResidual(nn.Module):
    """k3 with dilation 2, IN, ReLU, k3, IN, added to the input; the picture is mirrored beyond its edge."""

    def __init__(self, channels: int, wrap):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(2), wrap(nn.Conv2d(channels, channels, 3, dilation=2)), _norm(channels), nn.ReLU(True),
            nn.ReflectionPad2d(1), wrap(nn.Conv2d(channels, channels, 3)), _norm(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x + self.body(x)


class EdgeConnectGenerator(nn.Module):
    """Both published generators: two halvings, eight dilated residual blocks, two transposed convolutions.

    Args:
        inside, outside: channels in and out.
        width: channels of the first convolution; published: 64.
        blocks: published: 8.
        spectral: spectral norm on all but the last convolution (the first generator's).
    """

    def __init__(self, inside: int, outside: int, width: int = 64, blocks: int = 8, spectral: bool = False):
        super().__init__()
        w, relu = width, nn.ReLU(True)
        wrap = nn.utils.parametrizations.spectral_norm if spectral else lambda layer: layer
        down = [nn.ReflectionPad2d(3), wrap(nn.Conv2d(inside, w, 7)), _norm(w), relu]
        for a in (w, 2 * w):
            down += [wrap(nn.Conv2d(a, 2 * a, 4, 2, 1)), _norm(2 * a), relu]
        up = []
        for a in (4 * w, 2 * w):
            up += [wrap(nn.ConvTranspose2d(a, a // 2, 4, 2, 1)), _norm(a // 2), relu]
        last = [nn.ReflectionPad2d(3), nn.Conv2d(w, outside, 7)]
        self.body = nn.Sequential(*down, *(DilatedResidual(4 * w, wrap) for _ in range(blocks)), *up, *last)
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W), H and W divisible by 4, to (N, outside, H, W) without a last nonlinearity."""
        return self.body(x)


class PublishedPredictor(nn.Module):
    """The published predictor of guides. Arguments as of :class:`facelab.nets.inpainting.GuidePredictor`."""

    def __init__(self, bins: int, cell: int, width: int = 64, blocks: int = 8):
        super().__init__()
        self.cell, self.body = cell, EdgeConnectGenerator(2 + bins, bins, width, blocks, spectral=True)

    def forward(self, grey: Tensor, guide: Tensor, hole: Tensor) -> Tensor:
        """Visible grey, visible guide (N, K, H / cell, W / cell) and hole to guide logits."""
        large = F.interpolate(guide, scale_factor=float(self.cell), mode="nearest")
        return F.avg_pool2d(self.body(torch.cat([grey * (1 - hole), large, hole], 1)), self.cell)


class PublishedPainter(nn.Module):
    """The published inpainter, told the hole. Arguments as of :class:`facelab.nets.inpainting.Painter`."""

    def __init__(self, channels: int, bins: int, cell: int, width: int = 64, blocks: int = 8):
        super().__init__()
        self.cell, self.body = cell, EdgeConnectGenerator(channels + 1 + bins, channels, width, blocks)

    def forward(self, images: Tensor, hole: Tensor, guide: Tensor | None = None) -> Tensor:
        """Pictures begun (N, C, H, W), hole (N, 1, H, W) and guide to (N, C, H, W), free."""
        seen = [images, hole]
        if guide is not None:
            seen.append(F.interpolate(guide, scale_factor=float(self.cell), mode="nearest"))
        return self.body(torch.cat(seen, 1))


class SpectralPatchDiscriminator(nn.Module):
    """The published judge: logits of overlapping patches of 70 × 70 pixels, spectral norm, no bias.

    Args:
        inside: channels in: the picture's, or those of grey and guide together.
        width: channels after the first convolution; published: 64.

    Source: Isola et al. 2017 (PatchGAN), with spectral norm (Miyato et al. 2018).
    """

    def __init__(self, inside: int, width: int = 64):
        super().__init__()
        layers: list[nn.Module] = []
        for level, stride in enumerate((2, 2, 2, 1)):
            layers += [nn.Conv2d(inside, width * 2**level, 4, stride, 1, bias=False), nn.LeakyReLU(0.2)]
            inside = width * 2**level
        self.body = nn.Sequential(*layers, nn.Conv2d(inside, 1, 4, 1, 1, bias=False))
        init_normal(self)
        for layer in [layer for layer in self.body if isinstance(layer, nn.Conv2d)]:
            nn.utils.parametrizations.spectral_norm(layer)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, inside, H, W) to patch logits (N, 1, H / 8 - 2, W / 8 - 2)."""
        return self.body(pictures)
