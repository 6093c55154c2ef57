"""What a turned face shows, put where it belongs and into the light it is wanted in.

A net that may paint every pixel paints the mean of all that it is unsure of. What is seen need not be painted: it is
copied, and only its light may change, which changes slowly from place to place. So detail, and with it the person,
comes through from the first steps on.
Source: ours; a coarse grid of local affine colour changes: Gharbi et al. 2017, "Deep Bilateral Learning".
Taught in: lesson 07.
"""

from __future__ import annotations

from torch import Tensor, nn

from facelab.nets.warping import looks, sized


def copied(views: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
    """What is seen of a face: first in the picture; where that hides a place, in its mirror image.

    Args:
        views: (N, views · C, H, W), the picture as :func:`facelab.nets.warping.fetched` gives it.
        plan: (N, 3 · views, H, W), by which it was fetched.

    Returns:
        the copy (N, C, H, W), times how much of each place is seen, and that share (N, 1, H, W) in (0, 1).
    """
    found = looks(plan)
    copy, seen = 0.0, 0.0
    for view, look in zip(views.float().chunk(len(found), 1), found, strict=True):
        copy, seen = copy + (1 - seen) * view, seen + (1 - seen) * look.gate.float()
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
        gain, offset = sized(self.say(grid).float(), copy.shape[-2:]).chunk(2, 1)
        return copy * (1 + gain) + seen * offset
