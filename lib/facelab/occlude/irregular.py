"""Irregular holes: brush strokes and blobs that hide just as much of the picture as is asked for.

Source: the kinds of holes that inpainting is measured on since Liu et al. 2018 ("Image Inpainting for Irregular Holes
Using Partial Convolutions": six ranges of the hidden share, half of the holes touch the picture's border) and Yu et
al. 2019 (free-form strokes). Ours: strokes and blobs are discs that grow together until the share is exact.
Taught in: lesson 09.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude.chance import Draws
from facelab.restoration import HIDDEN_LIMIT

BUCKETS = tuple((low / 10, (low + 1) / 10) for low in range(6))
"""Ranges of the hidden share, from and to."""
MARGIN = 0.06  # share of the side that stays visible along the border of a hole that must not touch it
PARTS, DISCS = 48, 20  # strokes and blobs of a hole, at most; discs of each
BRUSH = (0.012, 0.08)  # radius in sides of the picture: from a pen's, as in QD-IMD, to the widest of Yu et al.
LENGTH = (0.15, 0.75)  # of a stroke, in sides of the picture


def irregular_holes(
    count: int,
    generator: torch.Generator,
    size: int | tuple[int, int],
    share: tuple[float, float] | Tensor = (0.0, 0.6),
    border: bool | None = None,
) -> Tensor:
    """Draw holes.

    Args:
        count: how many.
        generator: of every draw.
        size: side, or (height, width), pixels.
        share: hidden share of the picture, from and to, drawn evenly; or (count,), one for each.
        border: True: each touches the picture's border; False: none does; None: either, as often.

    Returns:
        (count, 1, H, W), 1 = hidden, 0 or 1; the share is exact to a pixel.

    Raises:
        BadConfig: a share outside 0 to 0.75, more than there is room for away from the border, or not one for each.
    """
    height, width = (size, size) if isinstance(size, int) else size
    draws = Draws(generator, count)
    shares = share if isinstance(share, Tensor) else draws.uniform(*share)
    if len(shares) != count:
        raise BadConfig("share", len(shares), f"{count} of them, one a hole")
    if count and not (0 <= shares.min() and shares.max() <= HIDDEN_LIMIT):
        raise BadConfig("share", [shares.min().item(), shares.max().item()], f"from 0 to {HIDDEN_LIMIT}")
    room = _inside((height, width)).float().mean()
    if border is False and count and shares.max() > room:
        raise BadConfig("share", shares.max().item(), f"at most {room:.2f} for holes that keep away from the border")
    touching = draws.chance(0.5) | (shares > room) if border is None else torch.full((count,), border)
    places, radii = _discs(draws, shares, touching)
    return torch.cat([
        _grown(places[k], radii[k], (height, width), shares[k], bool(touching[k])) for k in range(count)
    ] or [torch.zeros(0, 1, height, width)])  # fmt: skip


def _discs(draws: Draws, shares: Tensor, touching: Tensor) -> tuple[Tensor, Tensor]:
    """Middles (N, PARTS · DISCS, 2) and radii (N, PARTS · DISCS), in sides of the picture."""
    start = draws.uniform(0.0, 1.0, PARTS, 2)
    edge = draws.pick([0, 1, 2, 3])  # the first part of a hole that touches the border begins there
    for side in range(4):
        mine = touching & (edge == side)
        start[mine, 0, side % 2] = float(side // 2)
    brush = torch.exp(
        draws.uniform(math.log(BRUSH[0]), math.log(BRUSH[1]), 1)
    )  # one brush a hole, pressed more or less
    thick = brush * torch.exp(draws.uniform(-0.3, 0.3, PARTS))
    wide = (thick * 2.5).clamp(min=0.03, max=0.12)[..., None]
    length = torch.minimum(draws.uniform(*LENGTH, PARTS, 1), 1.6 * DISCS * thick[..., None])  # or one sees the discs
    stroke = draws.uniform(0, 1, PARTS) < 0.75
    heap = torch.where(stroke[..., None, None], _stroke(draws, length), _blob(draws, wide))
    radii = torch.where(stroke[..., None], thick[..., None], wide * draws.uniform(0.4, 1.0, PARTS, DISCS))
    radii[:, :, 0] = radii.amax(2)
    area = torch.where(stroke, 2 * thick * length[..., 0], 5 * wide[..., 0].square())
    enough = -torch.log1p(-shares)[:, None] * draws.uniform(0.7, 1.1, 1)  # parts overlap, the more the fuller it is
    absent = area.cumsum(1) - area >= enough
    absent[:, 0] = False
    radii = radii.masked_fill(absent[..., None], 0.0)
    return (heap + start[:, :, None]).flatten(1, 2), radii.flatten(1, 2)


def _stroke(draws: Draws, length: Tensor) -> Tensor:
    """A walk that bends as a hand does, (N, PARTS, DISCS, 2), beginning at 0, ``length`` (N, PARTS, 1) long."""
    bend = draws.normal(PARTS, 4).mul_(0.35).repeat_interleave(DISCS // 4, 2)
    turn = draws.uniform(0, 6.2832, PARTS, 1) + (bend + 0.15 * draws.normal(PARTS, DISCS)).cumsum(2)
    steps = torch.stack([turn.cos(), turn.sin()], -1) * (length / DISCS)[..., None]
    return steps.cumsum(2) - steps[:, :, :1]


def _blob(draws: Draws, wide: Tensor) -> Tensor:
    """A heap around a middle, (N, PARTS, DISCS, 2), the first disc at 0, about as far spread as discs are ``wide``."""
    heap = draws.normal(PARTS, DISCS, 2) * wide[..., None] * 0.8
    heap[:, :, 0] = 0
    return heap


def _grown(middles: Tensor, radii: Tensor, size: tuple[int, int], share: Tensor, touches: bool) -> Tensor:
    """(1, 1, H, W): all discs, larger or smaller by one factor, so that they hide ``share`` of the picture."""
    height, width = size
    field = _nearest(middles, radii, size)
    if touches:  # the place of the border that is reached first is hidden before all others
        rim = _rim(size)
        field = torch.where(rim & (field == field[..., rim].min()), -1.0, field)
    else:
        field = field.masked_fill(~_inside(size), torch.inf)
    wanted = round(share.item() * height * width)
    hole = torch.zeros(height * width)
    hole[field.flatten().argsort(stable=True)[:wanted]] = 1
    return hole.view(1, 1, height, width)


def _inside(size: tuple[int, int]) -> Tensor:
    """bool (H, W): where a hole that keeps away from the border may be."""
    inside, margin = torch.zeros(size, dtype=torch.bool), [max(1, round(MARGIN * side)) for side in size]
    inside[margin[0] : size[0] - margin[0], margin[1] : size[1] - margin[1]] = True
    return inside


def _rim(size: tuple[int, int]) -> Tensor:
    """bool (H, W): the outermost pixels."""
    rim = torch.ones(size, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    return rim


def _nearest(middles: Tensor, radii: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, 1, H, W): for each pixel the least factor by which discs must grow to reach it."""
    height, width = size
    here, half = radii > 0, (-(-height // 2), -(-width // 2))  # distances are smooth: half the resolution does
    down, across = ((torch.arange(n) + 0.5) / n for n in half)
    points = torch.stack([across.repeat(half[0]), down.repeat_interleave(half[1])], 1)
    # (p - m)² / r² as one product of matrices: [p², p, 1] · [1, -2m, m²] / r²
    scale = radii[here].square().reciprocal()
    left = torch.cat([points.square().sum(1, keepdim=True), points, torch.ones(len(points), 1)], 1)
    middle = middles[here]
    right = torch.cat([torch.ones(len(middle), 1), -2 * middle, middle.square().sum(1, keepdim=True)], 1).T * scale
    field = (left @ right).amin(1).clamp(min=0).sqrt().view(1, 1, *half)
    return F.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]
