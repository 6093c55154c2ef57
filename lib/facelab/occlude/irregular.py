"""Irregular holes: brush strokes and blobs that hide just as much of the picture as is asked for.

Source: the kinds of holes that inpainting is measured on since Liu et al. 2018 ("Image Inpainting for Irregular Holes
Using Partial Convolutions": six ranges of the hidden share, half of the holes touch the picture's border) and Yu et
al. 2019 (free-form strokes). Ours: strokes and blobs are discs that grow together until the share is exact.
Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude.chance import Draws

BUCKETS = tuple((low / 10, (low + 1) / 10) for low in range(6))
"""Ranges of the hidden share, from and to."""
MARGIN = 0.06  # share of the side that stays visible along the border of a hole that must not touch it
PARTS, DISCS = 22, 20  # strokes and blobs of a hole, at most; discs of each
FEWEST, SPREAD = 1.0, 26.0  # parts of a hole: so many, and so many more for a hidden share of one


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
        BadConfig: a share outside 0 to 0.75.
    """
    height, width = (size, size) if isinstance(size, int) else size
    draws = Draws(generator, count)
    shares = share if isinstance(share, Tensor) else draws.uniform(*share)
    if count and not (0 <= shares.min() and shares.max() <= 0.75):
        raise BadConfig("share", [shares.min().item(), shares.max().item()], "from 0 to 0.75")
    touching = draws.chance(0.5) if border is None else torch.full((count,), border)
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
    stroke = draws.uniform(0, 1, PARTS) < 0.7
    middles = torch.where(stroke[..., None, None], _stroke(draws), _blob(draws)) + start[:, :, None]
    thick = torch.exp(draws.uniform(-3.6, -2.5, PARTS))[..., None].expand(-1, -1, DISCS)
    wide = torch.exp(draws.uniform(-3.2, -2.2, PARTS))[..., None] * draws.uniform(0.4, 1.0, PARTS, DISCS)
    radii = torch.where(stroke[..., None], thick, wide)
    radii[:, :, 0] = radii.amax(2)
    several = FEWEST + SPREAD * shares * draws.uniform(0.5, 1.2)
    absent = torch.arange(PARTS)[None] >= several.clamp(max=PARTS)[:, None]
    radii = radii.masked_fill(absent[..., None], 1e-6)
    return middles.flatten(1, 2), radii.flatten(1, 2)


def _stroke(draws: Draws) -> Tensor:
    """A walk that bends as a hand does, (N, PARTS, DISCS, 2), beginning at 0."""
    bend = draws.normal(PARTS, 4).mul_(0.35).repeat_interleave(DISCS // 4, 2)
    turn = draws.uniform(0, 6.2832, PARTS, 1) + (bend + 0.15 * draws.normal(PARTS, DISCS)).cumsum(2)
    length = draws.uniform(0.15, 0.75, PARTS, 1) / DISCS
    steps = torch.stack([turn.cos(), turn.sin()], -1) * length[..., None]
    return steps.cumsum(2) - steps[:, :, :1]


def _blob(draws: Draws) -> Tensor:
    """A heap around a middle, (N, PARTS, DISCS, 2), the first disc at 0."""
    heap = draws.normal(PARTS, DISCS, 2) * torch.exp(draws.uniform(-3.4, -2.6, PARTS, 1, 1))
    heap[:, :, 0] = 0
    return heap


def _grown(middles: Tensor, radii: Tensor, size: tuple[int, int], share: Tensor, touches: bool) -> Tensor:
    """(1, 1, H, W): all discs, larger or smaller by one factor, so that they hide ``share`` of the picture."""
    height, width = size
    half = (-(-height // 2), -(-width // 2))  # distances are smooth: half the resolution does
    down, across = ((torch.arange(n) + 0.5) / n for n in half)
    points = torch.stack(torch.meshgrid(across, down, indexing="ij"), -1).transpose(0, 1).reshape(-1, 2)
    here = radii > 1e-5
    apart = torch.cdist(points[None], middles[here][None])[0] / radii[here]
    field = apart.amin(1).view(1, 1, *half)
    field = F.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]
    inside = torch.zeros(height, width, dtype=torch.bool)
    top, left = round(MARGIN * height), round(MARGIN * width)
    inside[top : height - top, left : width - left] = True
    field = field if touches else field.masked_fill(~inside, torch.inf)
    wanted = round(share.item() * height * width)
    hole = torch.zeros(height * width)
    hole[field.flatten().argsort(stable=True)[:wanted]] = 1
    return hole.view(1, 1, height, width)
