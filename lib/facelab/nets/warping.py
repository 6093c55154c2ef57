"""Fetch maps from where they belong: flows, gates, and the skip that predicts them.

Source: Zhou et al. 2016, "View Synthesis by Appearance Flow"; Siarohin et al. 2018, "Deformable GANs" for warped skips.
Taught in: lesson 07.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = 25.0  # of the flows' heads, over their number of taps: as plain convolutions they would leap at the first steps


class Look(NamedTuple):
    """Where one view of the input is looked at, for every place of the output.

    ``flow`` (N, 2, H, W) in (-1, 1): from how far to the right and below it is fetched, 1 = half the picture's side;
    ``gate`` (N, 1, H, W) in (0, 1): how much of it comes through.
    """

    flow: Tensor
    gate: Tensor


def warp(maps: Tensor, flow: Tensor) -> Tensor:
    """Fetch every place from where its flow points, bilinearly; beyond the edge lies the edge. In fp32.

    Args:
        maps: (N, C, H, W).
        flow: (N, 2, H, W), to the right and downwards, 1 = half the picture's side; zero changes nothing.

    Returns:
        (N, C, H, W), fp32. On a GPU its gradient does not repeat to the bit.

    Source: Jaderberg et al. 2015, "Spatial Transformer Networks", equation 5.
    Taught in: lesson 07.
    """
    with torch.autocast(maps.device.type, enabled=False):
        down, across = (centres(side, maps.device) for side in maps.shape[-2:])
        there = torch.stack([flow[:, 0].float() + across, flow[:, 1].float() + down[:, None]], -1)
        return F.grid_sample(maps.float(), there, "bilinear", "border", align_corners=False)


def centres(side: int, device: torch.device | None = None) -> Tensor:
    """Where the pixels of a side lie between -1 and 1, (side,)."""
    return (2 * torch.arange(side, device=device) + 1) / side - 1


def places(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(2, height, width): x and y of every place, -1 … 1."""
    y, x = torch.meshgrid(centres(height, device), centres(width, device), indexing="ij")
    return torch.stack([x, y])


def mirrored_field(field: Tensor) -> Tensor:
    """Flows and what goes with them, (N, 2 and more, H, W), of the mirror image, as far as faces are symmetric.

    What a place asks of the mirror image is what its mirrored place asks of the picture; what lay to the right lies to
    the left.
    """
    flipped = field.flip(-1)
    return torch.cat([-flipped[:, :1], flipped[:, 1:]], 1)


def looks(plan: Tensor) -> list[Look]:
    """Numbers (N, 3 · views, H, W), three a view, to flows and gates: of the input, then of its mirror image."""
    bounded = torch.tanh(plan)
    return [Look(view[:, :2], 0.5 + 0.5 * view[:, 2:]) for view in bounded.split(3, 1)]


def brought(maps: Tensor, plan: Tensor) -> list[Tensor]:
    """The views of one map, warped, (N, C, H, W) each.

    Args:
        maps: (N, C, H, W), of the encoder, or the picture itself.
        plan: (N, 3 · views, H, W), see :func:`looks`; two views are the map and its mirror image.
    """
    return [warp(view, look.flow) for view, look in zip((maps, maps.flip(-1)), looks(plan), strict=False)]


def fetched(maps: Tensor, plan: Tensor) -> Tensor:
    """The views of one map, warped and gated, (N, views · C, H, W); arguments as of :func:`brought`."""
    return gated(brought(maps, plan), plan)


def gated(views: list[Tensor], plan: Tensor) -> Tensor:
    """Views of :func:`brought`, each times its gate, (N, views · C, H, W)."""
    return torch.cat([view * look.gate for view, look in zip(views, looks(plan), strict=True)], 1)


class WarpedSkip(nn.Module):
    """A skip that says where to look: flows and gates from the decoder's features, on top of the coarser level's.

    It begins at rest: flows 0, gates 0.5.

    Args:
        inside: channels of the decoder's features.
        mirror: the mirror image is looked at, too.
    """

    def __init__(self, inside: int, mirror: bool = True):
        super().__init__()
        self.scale = GAIN / (9 * inside)
        self.head = nn.Conv2d(inside, 6 if mirror else 3, 3, 1, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor, coarser: Tensor | None) -> Tensor:
        """Features (N, inside, H, W), and the plan of the level below (half the size) or None, to a plan."""
        plan = self.scale * self.head(x).float()
        return plan if coarser is None else plan + sized(coarser, x.shape[-2:])


def sized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (N, C, H, W) of another size, bilinearly; shrunk ones as means."""
    if maps.shape[-1] > size[-1]:
        return F.adaptive_avg_pool2d(maps, size)
    return maps if maps.shape[-2:] == tuple(size) else F.interpolate(maps, size=size, mode="bilinear")
