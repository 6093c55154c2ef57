"""Networks of face-mask removal: one finds the facemask, one paints the face behind it, two judge.

Ours: :class:`MaskRemover` and the critic of OA-GAN. As published (the code of 2022): :class:`MaskG`, :class:`FaceG`,
:class:`PatchDiscriminator`, with batch-instance norm.
Source: Din et al. 2020, "A Novel GAN-Based Network for Unmasking of Masked Face", IEEE Access 8, and a public
re-implementation of 2022.
Taught in: lesson 06.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, DilatedBlock, SelfAttention, init_he, init_normal
from facelab.nets.finder import Finder, PlainFinder
from facelab.nets.unet import UNet, useful_dilations


class FindAndEdit(nn.Module):
    """What both generators share: ``find`` gives a hole, ``edit`` paints the face from the picture and the hole.

    Args:
        hole_net: pictures (N, C, H, W) to logits (N, 1, H, W).
        editor: known pixels and hole (N, C + 1, H, W) to pictures (N, C, H, W) in [-1, 1].
    """

    def __init__(self, hole_net: nn.Module, editor: nn.Module):
        super().__init__()
        self.hole_net, self.editor = hole_net, editor

    def find(self, images: Tensor) -> Tensor:
        """Pictures (N, C, H, W) to hole logits (N, 1, H, W)."""
        return self.hole_net(images)

    def edit(self, images: Tensor, hole: Tensor) -> Tensor:
        """Pictures and a hole (N, 1, H, W), 1 = hidden, to whole pictures; hidden pixels are not shown to the net."""
        return self.editor(torch.cat([images * (1 - hole), hole], 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Hole logits, and the picture painted behind the predicted hole."""
        logits = self.find(images)
        return logits, self.edit(images, torch.sigmoid(logits))


class HoleNet(nn.Module):
    """A U-Net that marks the facemask; its encoder is ImageNet's and frozen, or starts from nothing.

    Args:
        channels: 1 or 3.
        width: channels at half size (multiple of 8).
        encoder: "effnet-lite0" or "none".
        pretrained: read the encoder's ImageNet weights; False where all weights are read later.
        blocks: residual blocks at half size, for thin straps and soft outlines.
        enlarge: how many times larger the encoder sees the picture, 1 or 2.
    """

    def __init__(self, channels: int, width: int, encoder: str, pretrained: bool, blocks: int, enlarge: int):
        super().__init__()
        fresh = encoder == "none"
        self.trunk = PlainFinder(channels, width) if fresh else Finder(channels, width, pretrained, enlarge)
        self.outline = nn.Sequential(*(DilatedBlock(width, (1, 2, 4)[k % 3]) for k in range(blocks)))
        self.head = nn.Conv2d(width, 4, 3, 1, 1)
        init_he(self.outline)
        init_he(self.head)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W), H and W divisible by 8, to logits (N, 1, H, W)."""
        return F.pixel_shuffle(self.head(self.outline(self.trunk(images))), 2)


class Editor(nn.Module):
    """The face behind the facemask: a U-Net with a dilated middle at an eighth of the size, working from half size.

    Args:
        channels: 1 or 3.
        width: channels at half size (multiple of 8).
        blocks: dilated residual blocks in the middle.
        attention: heads of self-attention after them; 0 leaves it out.
        size: side of the pictures it is made for: a dilation of more than half the middle's side would see nothing.
    """

    def __init__(self, channels: int, width: int, blocks: int, attention: int = 0, size: int = 128):
        super().__init__()
        self.body = UNet(4 * (channels + 1), width, depth=2, dilations=useful_dilations(blocks, size))
        self.refine = ConvUnit(width, width)
        self.head = nn.Conv2d(width, 4 * channels, 3, 1, 1)
        init_he(self.body)
        init_he(self.refine)
        if attention:  # afterwards: it begins at zero
            self.body.middle.append(SelfAttention(4 * width, attention))
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, known: Tensor) -> Tensor:
        """Known pixels and hole (N, C + 1, H, W), H and W divisible by 8, to (N, C, H, W) in [-1, 1]."""
        return torch.tanh(F.pixel_shuffle(self.head(self.refine(self.body(F.pixel_unshuffle(known, 2)))), 2))


class BatchInstanceNorm(nn.Module):
    """ρ · batch norm + (1 − ρ) · instance norm, then scale and shift; ρ is learned, a number in [0, 1] a channel.

    The published code keeps no running statistics: what it paints depends on who else is in the batch. So does this.

    Source: Nam & Kim 2018, "Batch-Instance Normalization".
    """

    def __init__(self, channels: int):
        super().__init__()
        self.rho = nn.Parameter(torch.ones(channels))
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        self.rho.data.clamp_(0, 1)  # the number itself, as published: clipped in the graph it could never come back
        rho = self.rho.view(1, -1, 1, 1)
        mixed = rho * F.batch_norm(x, None, None, training=True) + (1 - rho) * F.instance_norm(x)
        return mixed * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


def _conv(inside: int, outside: int, dilation: int = 1, norm: bool = True) -> list[nn.Module]:
    layers = [nn.Conv2d(inside, outside, 3, 1, dilation, dilation, bias=False)]
    return [*layers, *([BatchInstanceNorm(outside)] if norm else []), nn.LeakyReLU(0.2)]


def _up(inside: int, outside: int) -> nn.Module:
    return nn.ConvTranspose2d(inside, outside, 3, 2, 1, 1, bias=False)


class MaskG(nn.Module):
    """The published hole net: 5,685,408 parameters at width 32 with 3 channels. Logits; the code took tanh of them.

    Args:
        channels: 1 or 3.
        width: channels of the first level.
    """

    def __init__(self, channels: int = 3, width: int = 32):
        super().__init__()
        f = [width, 2 * width, 4 * width, 8 * width]
        first = nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1, bias=False), *_conv(width, width))
        pairs = zip(f, f[1:], strict=False)
        self.down = nn.ModuleList([first, *(nn.Sequential(*_conv(a, b), *_conv(b, b)) for a, b in pairs)])
        self.bridge = nn.Sequential(*_conv(f[3], f[3]), *_conv(f[3], f[3]))
        self.grow = nn.ModuleList(_up(a, b) for a, b in zip((f[3], *f[:0:-1]), f[::-1], strict=True))
        self.up = nn.ModuleList(nn.Sequential(*_conv(2 * a, a), *_conv(a, a)) for a in f[::-1])
        self.out = nn.Conv2d(width, 1, 3, 1, 1, bias=False)
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W), H and W divisible by 16, to logits (N, 1, H, W)."""
        maps, x = [], images
        for down in self.down:
            maps.append(down(x))
            x = F.max_pool2d(maps[-1], 2)
        x = self.bridge(x)
        for grow, up in zip(self.grow, self.up, strict=True):
            x = up(torch.cat([grow(x), maps.pop()], 1))
        return self.out(x)


class FaceG(nn.Module):
    """The published editing net: 3,253,074 parameters at width 64 with 3 channels.

    Args:
        channels: 1 or 3.
        width: channels of the first level.
    """

    def __init__(self, channels: int = 3, width: int = 64):
        super().__init__()
        f = width
        self.first = nn.Sequential(*_conv(channels + 1, f, norm=False), *_conv(f, f, norm=False))
        self.second = nn.Sequential(*_conv(f, 2 * f), *_conv(2 * f, 2 * f))
        middle = [layer for k, d in enumerate((2, 4, 8, 16)) for layer in _conv(4 * f if k else 2 * f, 4 * f, d)]
        self.middle = nn.Sequential(*middle)
        self.grow_second, self.grow_first = _up(4 * f, 2 * f), _up(2 * f, f)
        self.up_second = nn.Sequential(*_conv(4 * f, 2 * f), *_conv(2 * f, 2 * f))
        self.up_first = nn.Sequential(*_conv(2 * f, f), *_conv(f, f), *_conv(f, channels))
        self.out = nn.Conv2d(channels, channels, 1, bias=False)
        init_normal(self)

    def forward(self, known: Tensor) -> Tensor:
        """Known pixels and hole (N, C + 1, H, W), H and W divisible by 4, to (N, C, H, W) in [-1, 1]."""
        first = self.first(known)
        second = self.second(F.max_pool2d(first, 2))
        x = self.middle(F.max_pool2d(second, 2))
        x = self.up_second(torch.cat([self.grow_second(x), second], 1))
        return torch.tanh(self.out(self.up_first(torch.cat([self.grow_first(x), first], 1))))


class PatchDiscriminator(nn.Module):
    """The published judge: patch logits, 14×14 for 128 px.

    Args:
        channels: 1 or 3.
        width: channels after the first convolution.
    """

    def __init__(self, channels: int = 3, width: int = 64):
        super().__init__()
        layers, inside = [], channels
        for level, stride in enumerate((2, 2, 2, 1)):
            outside = width * 2**level
            layers.append(nn.Conv2d(inside, outside, 4, stride, 1, bias=False))
            layers += [BatchInstanceNorm(outside)] if level else []
            layers.append(nn.LeakyReLU(0.2))
            inside = outside
        self.body = nn.Sequential(*layers, nn.Conv2d(inside, 1, 4, 1, 1, bias=False))
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to patch logits (N, 1, H / 8 - 2, W / 8 - 2)."""
        return self.body(images)


class MaskRemover(FindAndEdit):
    """Our generator: :class:`HoleNet` and :class:`Editor`. Arguments as theirs."""

    def __init__(
        self, channels: int = 3, width: int = 40, hole_width: int = 32, encoder: str = "effnet-lite0",
        pretrained: bool = True, blocks: int = 8, outline_blocks: int = 2, enlarge: int = 1, attention: int = 0,
        size: int = 128,
    ):  # fmt: skip
        hole_net = HoleNet(channels, hole_width, encoder, pretrained, outline_blocks, enlarge)
        super().__init__(hole_net, Editor(channels, width, blocks, attention, size))


class PublishedRemover(FindAndEdit):
    """The published pair :class:`MaskG` and :class:`FaceG`."""

    def __init__(self, channels: int = 3, width: int = 64, hole_width: int = 32):
        super().__init__(MaskG(channels, hole_width), FaceG(channels, width))
