"""What a turned face shows, put where it belongs and into the light it is wanted in.

A net that may paint every pixel paints the mean of all that it is unsure of. What is seen need not be painted: it is
copied, and only its light may change, within bounds and slowly from place to place: enough for another lamp, too little
to wash out what is drawn there. So detail, and with it the person, comes through from the first steps on.
Source: ours; a coarse grid of local affine colour changes: Gharbi et al. 2017, "Deep Bilateral Learning".
Taught in: lesson 07.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from facelab.nets.warping import looks, sized

BRIGHTER, LIFT = math.log(2.0), 0.15
"""Light changes by a factor of 2 at most, either way, and by so much of half the range beside that."""


def decided(gate: Tensor) -> Tensor:
    """Gates in (0, 1) driven apart: 0.7 becomes 0.93. A place that is half seen here and half there shows a ghost."""
    yes, no = gate**3, (1 - gate) ** 3
    return yes / (yes + no)


def copied(views: list[Tensor], plan: Tensor) -> tuple[Tensor, Tensor]:
    """What is seen of a face: first in the picture; where that hides a place, in its mirror image.

    Where to look, and what counts as seen, is not for a loss on the picture to say. It would call everything hidden and
    paint it, or look at bare skin for want of a mean eye: no gradient runs to flows and gates from here.

    Args:
        views: of :func:`facelab.nets.warping.brought`, (N, C, H, W) each.
        plan: (N, 3 · views, H, W), by which they were fetched.

    Returns:
        the copy (N, C, H, W), times how much of each place is seen, and that share (N, 1, H, W) in (0, 1).
    """
    found = looks(plan.detach())
    copy, seen = 0.0, 0.0
    for view, look in zip(views, found, strict=True):
        share = (1 - seen) * decided(look.gate.float())
        copy, seen = copy + share * view.detach(), seen + share
    return copy, seen


class Relight(nn.Module):
    """A smooth change of light: at each place of a coarse grid a gain and an offset for every colour.

    It begins by changing nothing.

    Args:
        inside: channels of the features that say which. channels: of the pictures.
    """

    def __init__(self, inside: int, channels: int):
        super().__init__()
        self.say = nn.Conv2d(inside, 2 * channels, 1)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, copy: Tensor, seen: Tensor, grid: Tensor) -> Tensor:
        """A copy (N, C, H, W) and its share (N, 1, H, W) of :func:`copied`, and features (N, inside, h, w), to (N, C,
        H, W): the copy in another light."""
        gain, offset = sized(self.say(grid).float().tanh(), copy.shape[-2:]).chunk(2, 1)
        light = (copy + seen) * (BRIGHTER * gain).exp()  # black is -1
        return light - seen + LIFT * seen * offset
