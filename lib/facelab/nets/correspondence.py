"""Which place of a turned face belongs to which place of a frontal one, by asking every place.

A flow that convolutions predict must be *computed*: where the nose is in the input has to travel as numbers through the
whole net. Here each place of the input says what it shows, each place of a frontal face asks for what belongs there,
and the flow follows from where the answers come from. That is learned many times faster.
Source: ours; places that look for their counterparts: Rocco et al. 2017, "Convolutional Neural Network Architecture
for Geometric Matching"; the mean place of a softmax: Levine et al. 2016.
Taught in: lesson 07.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit
from facelab.nets.warping import centres

SIDE = 16  # places along a side for which questions are learned; they are interpolated to another side
SHARP = 16.0  # by which cosines are multiplied at first
MOST = 0.98  # of a flow: the plan it goes into is bounded by tanh


class Correspondence(nn.Module):
    """Where each place of a frontal face is seen in a turned one.

    Args:
        fine: channels of the map whose places are asked, at stride 4.
        deep: channels of a deeper map, which knows what surrounds them.
        length: of a question.
    """

    def __init__(self, fine: int, deep: int, length: int = 64):
        super().__init__()
        self.near, self.far = nn.Conv2d(fine, length, 1), nn.Conv2d(deep, length, 1)
        self.join, self.say = ConvUnit(length, length), nn.Conv2d(length, length, 1)
        self.questions = nn.Parameter(torch.randn(1, length, SIDE, SIDE))
        self.sharp = nn.Parameter(torch.tensor(math.log(SHARP)))

    def forward(self, fine: Tensor, deep: Tensor) -> Tensor:
        """Maps (N, fine, H, W) and (N, deep, h, w) to logits (N, asked, said): how well does a place answer a question?

        Questions and places go row by row, H · W of each.
        """
        size = fine.shape[-2:]
        far = F.interpolate(self.far(deep), size=size, mode="bilinear", align_corners=False)
        said = self.say(self.join(self.near(fine) + far)).flatten(2).float()
        asked = F.interpolate(self.questions, size=size, mode="bilinear", align_corners=False).flatten(2)
        with torch.autocast(fine.device.type, enabled=False):
            alike = F.normalize(asked, dim=1).transpose(1, 2) @ F.normalize(said, dim=1)
            return self.sharp.exp() * alike


def flow_of(answers: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean place of the answers to each question, as a flow (N, 2, H, W), 1 = half the picture's side.

    Args:
        answers: (N, H · W, H · W) logits, of :class:`Correspondence`. size: H and W.
    """
    here = places(*size, answers.device)
    return ((answers.softmax(2) @ here.T).transpose(1, 2) - here).unflatten(2, size)


def places(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(2, height · width): x and y of every place, -1 … 1, row by row."""
    y, x = torch.meshgrid(centres(height, device), centres(width, device), indexing="ij")
    return torch.stack([x.flatten(), y.flatten()])


def as_plan(flow: Tensor, views: int) -> Tensor:
    """A flow as the beginning of a plan (N, 3 · views, H, W), gates half open: of the picture, and of its mirror image.

    As far as faces are symmetric, what a place asks of the mirror image is what its mirrored place asks of the picture.
    """
    mirrored = flow.flip(-1) * torch.tensor([-1.0, 1.0], device=flow.device).view(1, 2, 1, 1)
    gate = torch.zeros_like(flow[:, :1])
    both = [torch.cat([torch.atanh(one.clamp(-MOST, MOST)), gate], 1) for one in (flow, mirrored)]
    return torch.cat(both[:views], 1)
