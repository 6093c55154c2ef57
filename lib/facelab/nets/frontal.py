"""A face turned aside to the same face from the front: a U-Net whose skips are pulled to where they belong.

A plain skip hands each map of the encoder on as it lies. That is right where input and output show the same thing at
the same place; here the eye of the input lies where the output has a cheek. So it is first found out where to look, see
:mod:`facelab.nets.correspondence`: a flow, one for the encoder's maps and one for their mirror images, since what the
far cheek hides the near one shows. Beside its own encoder it may have borrowed eyes, which learned to see elsewhere.

Source: ours. Warping by a predicted flow: Zhou et al. 2016, "View Synthesis by Appearance Flow"; warped skips:
Siarohin et al. 2018, "Deformable GANs"; the two halves of a face: Huang et al. 2017, TP-GAN, as a loss.
Taught in: lesson 07.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, DilatedBlock, SelfAttention, init_he
from facelab.nets.correspondence import Correspondence, as_plan
from facelab.nets.face_network import FaceNetwork
from facelab.nets.frontal_eyes import BorrowedEyes
from facelab.nets.relighting import Relight, copied
from facelab.nets.unet import useful_dilations
from facelab.nets.warping import Look, WarpedSkip, brought, fetched, gated, looks, places, sized

LEVELS = 4  # maps of the encoder, at strides 2, 4, 8 and 16
LIGHT = 2  # the level that says how light changes: eight places a side of 64 pixels
CODE = 128  # numbers about the whole face


def overview(size: int) -> int:
    """By how much a picture of ``size`` pixels is shrunk before it is decided where to look."""
    return max(1, size // 64)


def fourier_places(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """What says where a place is, (1, 14, height, width): x and y in -1 … 1, and sines and cosines of 1, 2 and 4 turns.

    Convolutions are told nothing of the kind, and the output has its eyes at one height, wherever the input has them.
    Source: Liu et al. 2018, "An intriguing failing of convolutional neural networks and the CoordConv solution";
    Tancik et al. 2020 for the sines.
    """
    plain = places(height, width, device)
    waves = [wave(math.pi * turns * plain) for turns in (1, 2, 4) for wave in (torch.sin, torch.cos)]
    return torch.cat([plain, *waves])[None]


PLACES = 14


class Placed(nn.Module):
    """Features joined with where they are, and scaled and shifted by what is known of the whole face.

    Args:
        inside: channels in. outside: channels out.
        code: length of the vector about the whole face.

    Source: Perez et al. 2018, "FiLM". It begins by scaling and shifting nothing.
    """

    def __init__(self, inside: int, outside: int, code: int):
        super().__init__()
        self.unit = ConvUnit(inside + PLACES, outside)
        self.say = nn.Linear(code, 2 * outside)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Features (N, inside, H, W) and codes (N, code) to (N, outside, H, W)."""
        where = fourier_places(*x.shape[-2:], x.device).to(x.dtype).expand(len(x), -1, -1, -1)
        scale, shift = self.say(code)[..., None, None].chunk(2, 1)
        return self.unit(torch.cat([x, where], 1)) * (1 + scale) + shift


class FaceCode(nn.Module):
    """One vector about the whole face: what is where, at 4 × 4 places. (N, C, H, W) to (N, code)."""

    def __init__(self, channels: int, code: int):
        super().__init__()
        self.say = nn.Sequential(nn.Linear(16 * channels, code), nn.LeakyReLU(0.2), nn.Linear(code, code))

    def forward(self, x: Tensor) -> Tensor:
        return self.say(F.adaptive_avg_pool2d(x, 4).flatten(1))


class Painting(NamedTuple):
    """A frontal picture (N, C, H, W), and what it was fetched by.

    ``plan`` (N, 3 · views, H, W) of :func:`facelab.nets.warping.looks`; None without flows. ``answers`` (N, P², P²) of
    :class:`facelab.nets.correspondence.Correspondence`; None where nobody asks.
    """

    image: Tensor
    plan: Tensor | None
    answers: Tensor | None


class FrontalNet(nn.Module):
    """Our generator: encoder, a middle that sees the whole face, a decoder with warped skips.

    It works from half size: 2×2 pixels become four channels at the door and are unfolded at the exit. Where to look is
    decided on an overview of about 64 pixels: a larger picture is shrunk for that, and only painted large. The picture
    itself is fetched along the finest flow, too. What is seen of it is copied, in another light, see
    :mod:`facelab.nets.relighting`; what is not seen is painted.

    Args:
        channels: 1 or 3.
        width: channels at half size (multiple of 8).
        blocks: dilated residual blocks at a sixteenth of the size.
        attention: heads of self-attention behind them; 0: none.
        warped: False makes it a plain U-Net, whose skips stay where they lie.
        mirror: the mirror image of the input is looked at, too.
        size: side of the pictures it is made for.
        ask: flows begin with :class:`facelab.nets.correspondence.Correspondence`; False: convolutions compute them.
        face: a face network; the decoder is told its vector of the turned face, too. It stays as it is.
        copy: what is seen is copied; False, and without flows: everything is painted.
        encoder: see :class:`facelab.nets.frontal_eyes.BorrowedEyes`; "none": the encoder learns alone.
        pretrained: read the weights of those; False where all weights are read later.
    """

    def __init__(
        self, channels: int = 3, width: int = 32, blocks: int = 4, attention: int = 4, warped: bool = True,
        mirror: bool = True, size: int = 64, ask: bool = True, face: FaceNetwork | None = None, copy: bool = True,
        encoder: str = "none", pretrained: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.shrink = overview(size)
        widths, views = (width, 2 * width, 4 * width, 6 * width), (2 if mirror else 1) if warped else 1
        pairs = list(zip(widths, widths[1:], strict=False))
        self.stem = nn.Sequential(ConvUnit(4 * channels, width), ConvUnit(width, width))
        self.down = nn.ModuleList(nn.Sequential(ConvUnit(a, b, stride=2), ConvUnit(b, b)) for a, b in pairs)
        self.middle = nn.Sequential(
            *(DilatedBlock(widths[-1], d) for d in useful_dilations(blocks, size // 2 // self.shrink))
        )
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1, bias=False) for a, b in pairs)
        self.join = nn.ModuleList(Placed((1 + views) * a, a, CODE) for a in widths)
        self.before = nn.ModuleList(Placed(a, a, CODE) for a in widths)
        self.code = FaceCode(widths[-1], CODE)
        finer = (DilatedBlock(width, dilation) for dilation in (1, 2))
        self.refine = nn.Sequential(ConvUnit(width + 4 * channels * views, width), *finer)
        self.head = nn.Conv2d(width + 4 * channels * views, 4 * channels, 3, 1, 1)
        self._begin()
        if attention:  # these begin at zero
            self.middle.append(SelfAttention(widths[-1], attention))
        self.views = views
        self.skips = nn.ModuleList(WarpedSkip(a, mirror) for a in widths) if warped and not ask else None
        self.match = Correspondence(widths, widths[-1], 2 * width) if warped and ask else None
        self.relight = Relight(widths[LIGHT], channels) if warped and copy else None
        self.face = None if face is None else deepcopy(face).requires_grad_(False)
        self.tell = None if face is None else nn.Linear(face.length, CODE)
        self.borrowed = None if encoder == "none" else BorrowedEyes(encoder, channels, widths, pretrained)

    def _begin(self) -> None:
        init_he(self)
        for placed in (*self.join, *self.before):  # they begin by scaling nothing
            nn.init.zeros_(placed.say.weight)
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1], H and W divisible by 16 times :func:`overview`, to the same shape and range."""
        return self.paint(images).image

    def paint(self, images: Tensor) -> Painting:
        """The picture, and what it was fetched by."""
        maps = self.encode(images)
        x, grid, plan, answers = self.decode(maps, self.describe(images, maps[-1]))
        x, seen = sized(x, (images.shape[-2] // 2, images.shape[-1] // 2)), images
        if plan is not None:
            plan = sized(plan, images.shape[-2:])
            views = brought(images, plan)
            seen = gated(views, plan).to(x.dtype)
        pixels = F.pixel_unshuffle(seen, 2)
        x = self.refine(torch.cat([x, pixels], 1))
        painted = torch.tanh(F.pixel_shuffle(self.head(torch.cat([x, pixels], 1)), 2))
        if self.relight is not None:
            copy, share = copied(views, plan)
            painted = (self.relight(copy, share, grid) + (1 - share) * painted).clamp(-1, 1)
        return Painting(painted, plan, answers)

    def find(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Only where to look; of a net that asks (``ask``).

        Args:
            images: (N, C, H, W) in [-1, 1].

        Returns:
            the plan and the answers of a :class:`Painting`, the plan (N, 3 · views, h, w) at half the overview's size.
        """
        maps = self.encode(images)
        found = self.match(maps, self.middle(maps[-1]))
        return as_plan(found.flow, found.gate, self.views), found.answers

    def encode(self, images: Tensor) -> list[Tensor]:
        """Pictures (N, C, H, W) to the maps of the encoder, the finest first: strides 2, 4, 8, 16 of the overview."""
        small = F.avg_pool2d(images, self.shrink)
        seen = None if self.borrowed is None else self.borrowed(images, small.shape[-2:])
        maps = [self.stem(F.pixel_unshuffle(small, 2))]
        for level in range(LEVELS):
            if level:
                maps.append(self.down[level - 1](maps[-1]))
            if seen is not None:
                maps[-1] = maps[-1] + seen[level]
        return maps

    def describe(self, images: Tensor, last: Tensor) -> Tensor:
        """What is known of the whole face (N, 128), from the encoder's last map and from the face network."""
        code = self.code(last)
        return code if self.face is None else code + self.tell(math.sqrt(CODE) * self.face(images))

    def decode(self, maps: list[Tensor], code: Tensor) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Maps and codes to the finest features (N, width, H / 2, W / 2) and those of :data:`LIGHT`, the finest plan,
        of the same size, and the answers."""
        x = grid = self.middle(maps[-1])
        plan = None
        found = None if self.match is None else self.match(maps, x)
        asked = None if found is None else as_plan(found.flow, found.gate, self.views)
        for level in reversed(range(LEVELS)):
            if level < LEVELS - 1:
                x = F.interpolate(self.narrow[level](x), scale_factor=2.0, mode="nearest")
            x, taken = self.before[level](x, code), maps[level]
            if asked is not None:
                plan = sized(asked, x.shape[-2:])
            elif self.skips is not None:
                plan = self.skips[level](x, plan)
            if plan is not None:
                taken = fetched(taken, plan).to(x.dtype)
            x = self.join[level](torch.cat([x, taken], 1), code)
            grid = x if level >= LIGHT else grid
        return x, grid, plan, None if found is None else found.answers

    @torch.no_grad()
    def explain(self, images: Tensor) -> list[Look]:
        """Where the net looked, at full size: at the input, and where it does so at its mirror image.

        Args:
            images: (N, C, H, W) in [-1, 1].

        Returns:
            a :class:`Look` a view; none for a net without flows.
        """
        plan = self.paint(images).plan
        return [] if plan is None else looks(plan)
