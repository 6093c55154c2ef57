"""A small network that tells people apart, for losses that ask whose face has been painted.

It is trained by :func:`facelab.losses.contrastive.supervised_contrastive`, see :mod:`facelab.studies.face_network`.
Group norm, so that no answer depends on who else is in the batch.
Taught in: lesson 07.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from facelab.images import resize
from facelab.nets.blocks import ConvUnit, DilatedBlock, init_he

SIDE = 64  # pixels; larger pictures are shrunk to it
STAGES = 4


class FaceNetwork(nn.Module):
    """Pictures to vectors of length one: those of one person lie together, whichever way he or she looks.

    Args:
        channels: 1 or 3.
        width: channels at half size (multiple of 8).
        length: of a vector.
    """

    def __init__(self, channels: int = 3, width: int = 32, length: int = 128):
        super().__init__()
        self.channels, self.width, self.length = channels, width, length
        widths = [4 * channels, *(width * factor for factor in (1, 2, 4, 8))]
        self.stages = nn.ModuleList(
            nn.Sequential(ConvUnit(a, b, stride=1 if place == 0 else 2), DilatedBlock(b, 1))
            for place, (a, b) in enumerate(zip(widths, widths[1:], strict=False))
        )
        self.say = nn.Linear(16 * widths[-1], length, bias=False)
        init_he(self)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Pictures (N, C, H, W) in [-1, 1] to one map a stage, at strides 2, 4, 8 and 16 of :data:`SIDE` pixels."""
        x, maps = F.pixel_unshuffle(resize(images, SIDE), 2), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Pictures (N, C, H, W) in [-1, 1] to vectors (N, length) of length one."""
        return self.vector(self.maps(images)[-1])

    def vector(self, last: Tensor) -> Tensor:
        """The last of :meth:`maps` to vectors (N, length) of length one."""
        return F.normalize(self.say(F.adaptive_avg_pool2d(last, 4).flatten(1)).float(), dim=1)
