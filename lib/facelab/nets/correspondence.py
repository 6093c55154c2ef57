"""Which place of a turned face belongs to which place of a frontal one, by asking every place.

A flow that convolutions predict must be *computed*: where the nose is in the input has to travel as numbers through the
whole net. Here each place of the input says what it shows, each place of a frontal face asks for what belongs there,
and the flow follows from where the answers come from. It pays where matches are known: each question then has an answer
that is right, and a cross-entropy of its own.
Source: ours; places that look for their counterparts: Rocco et al. 2017, "Convolutional Neural Network Architecture
for Geometric Matching"; the mean place of a softmax: Levine et al. 2016.
Taught in: lesson 07.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.blocks import ConvUnit, DilatedBlock
from facelab.nets.warping import mirrored_field, places, sized, warp

SIDE = 16  # places along a side for which questions are learned; they are interpolated to another side
SHARP = 16.0  # by which cosines are multiplied at first
MOST = 0.98  # of a flow: the plan it goes into is bounded by tanh
REACH = 1  # places to each side that are compared when a flow is made finer
STEP = 0.1  # half sides; the unit of what is added to a flow then


class Found(NamedTuple):
    """Where each place of a frontal face is seen.

    ``flow`` (N, 2, H, W), 1 = half the picture's side; ``gate`` (N, 1, H, W), how sure it is that it is seen there, in
    the units of a plan: tanh of it goes from -1 to 1; ``answers`` (N, P², P²) logits, question and place, P a side.
    """

    flow: Tensor
    gate: Tensor
    answers: Tensor


class Correspondence(nn.Module):
    """Where each place of a frontal face is seen in a turned one: first coarsely, among all places, then finely.

    At a quarter of the size each question is put to all places. At half the size what was fetched is compared with what
    was wished for, at :data:`REACH` places to each side; from that the flow is corrected, and it is said whether the
    place is seen at all.

    Args:
        widths: channels of the encoder's maps at strides 2, 4 and 8. deep: of a deeper one, which knows the whole face.
        length: of a question, and the channels at which it is asked; half of it at half the size.

    Source: ours; correlations near a first guess: Sun et al. 2018, "PWC-Net".
    """

    def __init__(self, widths: Sequence[int], deep: int, length: int = 64):
        super().__init__()
        half, window = length // 2, (2 * REACH + 1) ** 2
        self.levels = nn.ModuleList(nn.Conv2d(channels, length, 1) for channels in (*widths[1:3], deep))
        self.join = nn.Sequential(ConvUnit(length, length), DilatedBlock(length, 2), DilatedBlock(length, 1))
        self.say = nn.Conv2d(length, length, 1)
        self.questions = nn.Parameter(torch.randn(1, length, SIDE, SIDE))
        self.sharp = nn.Parameter(torch.tensor(math.log(SHARP)))
        self.keys, self.wish = ConvUnit(widths[0] + length, half), nn.Conv2d(2 * length, half, 1)
        self.compare = nn.Sequential(ConvUnit(window + 2 * half + 2, length), ConvUnit(length, length))
        self.correct = nn.Conv2d(length, 3, 3, 1, 1)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, maps: Sequence[Tensor], deep: Tensor) -> Found:
        """Maps (N, C, H, W) at strides 2, 4 and 8, and a deeper one, to what is found, at stride 2."""
        fine, size = maps[0], maps[1].shape[-2:]
        known = [sized(level(part), size) for level, part in zip(self.levels, (*maps[1:3], deep), strict=True)]
        said = self.join(sum(known))
        answers, asked = self.ask(self.say(said))
        flow = flow_of(answers, size)
        heard = (answers.softmax(2).to(said.dtype) @ said.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, size)
        wish = self.wish(
            sized(torch.cat([asked.expand(len(heard), -1, -1, -1).to(heard.dtype), heard], 1), fine.shape[-2:])
        )
        keys = self.keys(torch.cat([fine, sized(said, fine.shape[-2:])], 1))
        return Found(*self.refine(sized(flow, fine.shape[-2:]), wish, keys), answers)

    def ask(self, said: Tensor) -> tuple[Tensor, Tensor]:
        """What places say (N, length, H, W) to logits (N, asked, said), and the questions (1, length, H, W).

        Questions and places go row by row, H · W of each.
        """
        asked = sized(self.questions, said.shape[-2:])
        with torch.autocast(said.device.type, enabled=False):
            alike = F.normalize(asked.flatten(2), dim=1).transpose(1, 2) @ F.normalize(said.float().flatten(2), dim=1)
            return self.sharp.exp() * alike, asked

    def refine(self, flow: Tensor, wish: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """A flow made finer, and its gate; wishes and keys (N, C, H, W) as the flow (N, 2, H, W)."""
        here = warp(keys, flow).to(keys.dtype)
        alike = torch.stack([(wish * near).mean(1) for near in _around(here)], 1)
        change = self.correct(self.compare(torch.cat([alike, wish, here, flow.to(here.dtype)], 1))).float()
        return flow + STEP * change[:, :2], change[:, 2:]


def _around(maps: Tensor) -> list[Tensor]:
    """Maps shifted by up to :data:`REACH` places each way, zeros beyond the edge."""
    height, width = maps.shape[-2:]
    wide, shifts = F.pad(maps, [REACH] * 4), range(2 * REACH + 1)
    return [wide[..., down : down + height, right : right + width] for down in shifts for right in shifts]


def flow_of(answers: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean place of the answers to each question, as a flow (N, 2, H, W), 1 = half the picture's side.

    Args:
        answers: (N, H · W, H · W) logits, of :class:`Correspondence`. size: H and W.
    """
    here = places(*size, answers.device).flatten(1)
    with torch.autocast(answers.device.type, enabled=False):  # half a per cent of the side would be lost
        return ((answers.float().softmax(2) @ here.T).transpose(1, 2) - here).unflatten(2, tuple(size))


def as_plan(flow: Tensor, gate: Tensor, views: int) -> Tensor:
    """What was found as a plan (N, 3 · views, H, W): of the picture, and of its mirror image."""
    own = torch.cat([torch.atanh(flow.clamp(-MOST, MOST)), gate], 1)
    return torch.cat([own, mirrored_field(own)][:views], 1)
