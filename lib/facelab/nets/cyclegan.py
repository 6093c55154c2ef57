"""CycleGAN's networks: the translator of residual blocks, and the critic that judges patches, pixels or whole pictures.

Source: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", appendix;
the translator is that of Johnson et al. 2016. On a GPU torch's gradient of mirrored padding does not repeat to the bit.
Taught in: lesson 08.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from facelab.images import to_channels
from facelab.nets.blocks import init_normal
from facelab.nets.instance_norm import InstanceNorm

NORMS = ("instance", "batch", "none")
UPS = ("transposed", "resized")
NEARLY = 0.97  # of a picture's range: white and black themselves lie at the infinite end of tanh
REACHES = {1: 0, 16: 1, 34: 2, 70: 3}
"""Side of what one logit sees, pixels → halvings of the critic."""


def norm_of(name: str, channels: int) -> nn.Module:
    """A norm by name: one of :data:`NORMS`."""
    kinds = {"instance": InstanceNorm, "batch": nn.BatchNorm2d, "none": nn.Identity}
    return kinds[name](channels)  # as published, instance norm learns neither scale nor shift


class ResnetBlock(nn.Module):
    """k3, norm, ReLU, k3, norm, added to the input; the picture is mirrored beyond its edge.

    Args:
        channels: in and out. norm: one of :data:`NORMS`.
    """

    def __init__(self, channels: int, norm: str = "instance"):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm_of(norm, channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm_of(norm, channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return x + self.body(x)


def _twice(inside: int, outside: int, up: str) -> list[nn.Module]:
    """Twice the size: a convolution of fractional stride, or pixels repeated and a plain convolution."""
    if up == "transposed":
        return [nn.ConvTranspose2d(inside, outside, 3, 2, 1, output_padding=1)]
    return [nn.Upsample(scale_factor=2.0, mode="nearest"), nn.ReflectionPad2d(1), nn.Conv2d(inside, outside, 3)]


class ResnetGenerator(nn.Module):
    """The translator: two halvings, residual blocks, back to the size; tanh at the end.

    11,378,179 parameters with three channels in and out, width 64 and nine blocks, 7,837,699 with six.

    Args:
        inside, outside: channels in and out.
        width: channels of the first convolution; published: 64.
        blocks: residual ones; published: 9 for 256 px, 6 for 128.
        norm: one of :data:`NORMS`; published: instance.
        up: one of :data:`UPS`. Published: transposed, whose overlapping taps leave a checkerboard; ours: resized.
        change: what is computed is a change to the picture, in the other domain's channels. Published: the picture
            itself, whose lines have to be learned first.

    Source for the checkerboards: Odena et al. 2016, "Deconvolution and Checkerboard Artifacts".
    """

    def __init__(
        self, inside: int = 3, outside: int = 3, width: int = 64, blocks: int = 9, norm: str = "instance",
        up: str = "transposed", change: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.outside, self.change = outside, change
        w, around = width, lambda channels: [norm_of(norm, channels), nn.ReLU()]
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(inside, w, 7), *around(w)]
        for a in (w, 2 * w):
            layers += [nn.Conv2d(a, 2 * a, 3, 2, 1), *around(2 * a)]
        layers += [ResnetBlock(4 * w, norm) for _ in range(blocks)]
        for a in (4 * w, 2 * w):
            layers += [*_twice(a, a // 2, up), *around(a // 2)]
        self.body = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, outside, 7))
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inside, H, W) in [-1, 1], H and W divisible by 4, to (N, outside, H, W) in [-1, 1]."""
        return torch.tanh(self.before_tanh(images))

    def before_tanh(self, images: Tensor) -> Tensor:
        """The same without the tanh at the end: (N, outside, H, W) of any size."""
        out = self.body(images)
        if self.change:
            out = out + torch.atanh(NEARLY * to_channels(images, self.outside))
        return out


def beyond_range(values: Tensor) -> Tensor:
    """By how much values before a tanh lie beyond :data:`NEARLY` white or black, where it saturates.

    Beyond, a tanh passes less than 6 % of a slope, and from about 9 on, in fp32, none at all: then no loss behind it
    brings a pixel back, and this one does.

    Args:
        values: of any shape.

    Returns:
        The mean, a scalar of 0 or more. A picture that is left as it is costs nothing.

    Source: ours. Taught in: lesson 08.
    """
    return (values.float().abs() - math.atanh(NEARLY)).clamp_min(0).mean()


class PatchDiscriminator(nn.Module):
    """Does each overlapping patch come from a real picture? 2,764,737 parameters for three channels and 70 px.

    Args:
        inside: channels in.
        width: channels after the first convolution; published: 64.
        reach: side of a patch, pixels, one of :data:`REACHES`; 0: one logit for the whole picture. Published: 70.
        norm: behind all convolutions but the first and the last, one of :data:`NORMS`; published: instance.
        size: side of the pictures, which only ``reach`` 0 needs; a power of two times 4.

    Source: Isola et al. 2017, appendix, has the critics of other reach.
    """

    def __init__(self, inside: int = 3, width: int = 64, reach: int = 70, norm: str = "instance", size: int = 256):
        super().__init__()
        strides = [2] * (size.bit_length() - 3) if reach == 0 else [*[2] * REACHES[reach], 1]
        kernel, layers, a = (1, 0) if reach == 1 else (4, 1), [], inside
        if reach == 1:
            strides = [1, 1]
        for level, stride in enumerate(strides):
            b = width * 2 ** min(level, 3)
            layers.append(nn.Conv2d(a, b, kernel[0], stride, kernel[1]))
            layers += [norm_of(norm, b)] if level else []
            layers.append(nn.LeakyReLU(0.2, inplace=level == 0))  # a norm keeps its output for its gradient
            a = b
        last = (4, 1, 0) if reach == 0 else (kernel[0], 1, kernel[1])
        self.body = nn.Sequential(*layers, nn.Conv2d(a, 1, *last))
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inside, H, W) to logits (N, 1, h, w): at a reach of 70 px h = H / 8 - 2."""
        return self.body(images)
