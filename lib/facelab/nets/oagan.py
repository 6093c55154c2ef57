"""OA-GAN's networks: find the occluder, cut its features out, complete the rest.

Source: Cai et al., "Semi-Supervised Natural Face De-Occlusion", IEEE TIFS 16, 2021 (OA-GAN), and the released code.
Changed: the gate is written in holes (1 = hidden) where the paper writes visibility (1 = visible); the discriminator
returns (N, 1, h, w) and never drops the batch axis.
Taught in: lesson 04.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, DilatedBlock, ResidualBlock, init_he, init_normal, instance_norm
from facelab.nets.finder import Finder, PlainFinder
from facelab.nets.unet import UNet


class Guess(NamedTuple):
    """What a generator says about a batch: ``hole_logits`` (N, 1, H, W), ``raw`` image (N, C, H, W) in [-1, 1]."""

    hole_logits: Tensor
    raw: Tensor


def _down(inside: int, outside: int) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 4, 2, 1, bias=False), instance_norm(outside), nn.ReLU(inplace=True)]


def _up(inside: int, outside: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False), instance_norm(outside), nn.ReLU(inplace=True)]


def _cycle(dilations: tuple[int, ...], count: int) -> tuple[int, ...]:
    return tuple(dilations[place % len(dilations)] for place in range(count))


class FindAndComplete(nn.Module):
    """What both generators share: ``find`` gives features and a hole, ``complete`` paints behind it."""

    def forward(self, occluded: Tensor, hole: Tensor | None = None) -> Guess:
        """Occluded image (N, C, H, W), H and W divisible by 8, to a :class:`Guess`; a given hole shuts the gate."""
        features, logits = self.find(occluded)
        return Guess(logits, self.complete(occluded, features, torch.sigmoid(logits) if hole is None else hole))


class OAGANGenerator(FindAndComplete):
    """The published generator: 13,925,696 parameters at width 64, 3 channels, 6 residual blocks.

    Args:
        channels: 1 or 3.
        width: channels of the first convolution.
        residuals: residual blocks in the trunk.
    """

    def __init__(self, channels: int = 3, width: int = 64, residuals: int = 6):
        super().__init__()
        w = width
        first = [nn.Conv2d(channels, w, 7, 1, 3, bias=False), instance_norm(w), nn.ReLU(inplace=True)]
        blocks = [ResidualBlock(4 * w) for _ in range(residuals)]
        self.trunk = nn.Sequential(
            *first, *_down(w, 2 * w), *_down(2 * w, 4 * w), *blocks, *_up(4 * w, 2 * w), *_up(2 * w, w)
        )
        self.hole_head = nn.Conv2d(w, 1, 7, 1, 3, bias=False)
        self.completion = nn.Sequential(
            *_down(w, 2 * w), *_down(2 * w, 4 * w), *_down(4 * w, 8 * w),
            *_up(8 * w, 4 * w), *_up(4 * w, 2 * w), *_up(2 * w, w),
        )  # fmt: skip
        self.image_head = nn.Conv2d(w, channels, 7, 1, 3, bias=False)
        init_normal(self)

    def find(self, occluded: Tensor) -> tuple[Tensor, Tensor]:
        """The first part alone: features (N, width, H, W) and hole logits (N, 1, H, W)."""
        features = self.trunk(occluded)
        return features, self.hole_head(features)

    def complete(self, occluded: Tensor, features: Tensor, hole: Tensor) -> Tensor:
        """The second part alone: the whole picture (N, C, H, W), features under the hole (N, 1, H, W) gated away."""
        return torch.tanh(self.image_head(self.completion(features * (1 - hole.to(features.dtype)))))


class OAGANUNet(FindAndComplete):
    """Our generator: the same three parts (find, gate, complete), each with skips, and a gate on the pixels too.

    In the published network every visible pixel must pass through the gate's features and a bottleneck without
    skips. Here the completion net sees the visible pixels themselves, so its capacity goes into what is hidden. It
    works at half size: 2×2 pixels become four channels at the door and are unfolded at the exit, which loses nothing.

    Args:
        channels: 1 or 3.
        width: channels of the completion net at half size (multiple of 8).
        hole_width: channels of the hole net at half size (multiple of 8).
        encoder: eyes of the hole net: "effnet-lite0", or "none" for one that starts from nothing.
        pretrained: read the encoder's ImageNet weights; False where all weights are read later.
        blocks: residual blocks in the middle of the completion net, at an eighth of the size.
        outline_blocks: residual blocks behind the hole net's eyes, at half size, for thin and soft outlines.
        enlarge: how many times larger the encoder sees the picture, 1 or 2.
    """

    def __init__(
        self, channels: int = 3, width: int = 48, hole_width: int = 32, encoder: str = "none", pretrained: bool = True,
        blocks: int = 5, outline_blocks: int = 0, enlarge: int = 1,
    ):  # fmt: skip
        super().__init__()
        fresh = encoder == "none"
        self.trunk = PlainFinder(channels, hole_width) if fresh else Finder(channels, hole_width, pretrained, enlarge)
        self.outline = nn.Sequential(*(DilatedBlock(hole_width, d) for d in _cycle((1, 2, 4), outline_blocks)))
        self.hole_head = nn.Conv2d(hole_width, 4, 3, 1, 1)
        dilations = _cycle((1, 2, 4, 8, 2), blocks)
        self.completion = UNet(4 * (channels + 1) + hole_width, width, depth=2, dilations=dilations)
        self.refine = ConvUnit(width, width)
        self.image_head = nn.Conv2d(width, 4 * channels, 3, 1, 1)
        for part in (self.outline, self.hole_head, self.completion, self.refine):
            init_he(part)
        nn.init.normal_(self.image_head.weight, 0.0, 0.02)
        nn.init.zeros_(self.image_head.bias)

    def find(self, occluded: Tensor) -> tuple[Tensor, Tensor]:
        """The first part alone: features (N, hole_width, H / 2, W / 2) and hole logits (N, 1, H, W)."""
        features = self.outline(self.trunk(occluded))
        return features, F.pixel_shuffle(self.hole_head(features), 2)

    def complete(self, occluded: Tensor, features: Tensor, hole: Tensor) -> Tensor:
        """The second part alone: the whole picture (N, C, H, W), pixels and features under the hole gated away."""
        hidden = hole.to(features.dtype)
        pixels = F.pixel_unshuffle(torch.cat([occluded * (1 - hidden), hidden], 1), 2)
        gated = torch.cat([pixels, features * (1 - F.avg_pool2d(hidden, 2))], 1)
        return torch.tanh(F.pixel_shuffle(self.image_head(self.refine(self.completion(gated))), 2))


class OAGANDiscriminator(nn.Module):
    """The critic: strided convolutions, then patch scores, and on request an identity (or attribute) head.

    Published: width 64, ``downs`` 6 on 128 px, so a 2×2 map of 2,048 channels; 44,778,432 parameters with 7
    attributes. Fewer ``downs`` give a finer map of smaller patches.

    Args:
        channels: 1 or 3.
        width: channels after the first convolution, doubled at each further one up to 32 × width.
        downs: number of halvings.
        classes: outputs of the second head; 0 leaves it out.
        size: side of the picture in pixels (only the second head needs it).
        norm: "none" (published), "instance" or "spectral".
    """

    def __init__(
        self, channels: int = 3, width: int = 64, downs: int = 6, classes: int = 0, size: int = 128, norm: str = "none"
    ):
        super().__init__()
        layers, inside = [], channels
        for level in range(downs):
            outside = width * 2**level
            layers.append(nn.Conv2d(inside, outside, 4, 2, 1))
            layers += [instance_norm(outside)] if norm == "instance" and level else []
            layers.append(nn.LeakyReLU(0.01))
            inside = outside
        self.body = nn.Sequential(*layers)
        self.score = nn.Conv2d(inside, 1, 3, 1, 1, bias=False)
        self.classify = nn.Conv2d(inside, classes, size // 2**downs, bias=False) if classes else None
        if norm == "spectral":  # afterwards: it draws numbers too, and critics of one seed should begin alike
            for layer in [layer for layer in self.modules() if isinstance(layer, nn.Conv2d)]:
                nn.utils.parametrizations.spectral_norm(layer)

    def forward(self, image: Tensor) -> Tensor:
        """Image (N, C, H, W) to patch logits (N, 1, H / 2**downs, W / 2**downs)."""
        return self.score(self.body(image))

    def both(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Patch logits, and class logits (N, classes)."""
        features = self.body(image)
        return self.score(features), self.classify(features).flatten(1)
