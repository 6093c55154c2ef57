"""Does a flow point to where a place is really seen? Rendered heads and turned photographs know.

Taught in: lesson 07.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from facelab.nets.warping import places

HIDDEN = 0.1
"""Weight of places that something stands before or that lie at an edge: where they are is known, nothing is fetched."""


def match_l1(flow: Tensor, match: Tensor) -> Tensor:
    """Mean absolute difference of a flow and the true one, where there is one.

    Args:
        flow: (N, 2, H, W), 1 = half the picture's side; H and W multiples of h and w.
        match: (N, 3, h, w), the true flow and what is seen of it, see :func:`facelab.synth.match.match`.

    Returns:
        A number ≥ 0; hidden places count :data:`HIDDEN` as much as seen ones, unknown ones nothing.
    """
    true, weight = match[:, :2], _trust(match)
    off = (F.adaptive_avg_pool2d(flow.float(), match.shape[-2:]) - true).abs().sum(1, keepdim=True)
    return (weight * off).sum() / weight.sum().clamp(min=1.0)


def asked_cross_entropy(answers: Tensor, match: Tensor) -> Tensor:
    """Cross-entropy between where each question was answered and where its place really is.

    Args:
        answers: (N, P · P, P · P) logits, of :class:`facelab.nets.correspondence.Correspondence`; h and w are multiples
            of P.
        match: as of :func:`match_l1`.

    Returns:
        A number ≥ 0. The truth lies between places and is shared by the four around it; unknown ones count nothing.
    """
    side = math.isqrt(answers.shape[1])
    weight, pooled = _trust(match), lambda maps: F.adaptive_avg_pool2d(maps, side)
    total = pooled(weight)
    flow = pooled(match[:, :2] * weight) / total.clamp(min=1e-6)
    at = places(side, side, answers.device).flatten(1).T
    apart = (flow.flatten(2).transpose(1, 2) + at)[:, :, None] - at  # (N, asked, said, 2)
    target = (1 - apart.abs() * (side / 2)).clamp(min=0).prod(-1)
    inside = target.sum(2)  # 1; less where the truth lies beyond the picture
    loss = -(target * answers.log_softmax(2)).sum(2) / inside.clamp(min=0.5)
    counts = total.flatten(1) * (inside > 0.5)
    return (loss * counts).sum() / counts.sum().clamp(min=1.0)


def seen_bce(gate: Tensor, match: Tensor) -> Tensor:
    """Cross-entropy between how much is let through and what is really seen; a pair nothing is known of counts nothing.

    Args:
        gate: (N, 1, H, W) in (0, 1). match: as of :func:`match_l1`; all zero where nothing is known.
    """
    share = F.adaptive_avg_pool2d(gate.float(), match.shape[-2:]).clamp(1e-4, 1 - 1e-4)
    known = (match != 0).flatten(1).any(1).to(share.dtype)
    each = F.binary_cross_entropy(share, match[:, 2:], reduction="none").flatten(1).mean(1)
    return (known * each).sum() / known.sum().clamp(min=1.0)


def _trust(match: Tensor) -> Tensor:
    """(N, 1, h, w): 1 for seen places, :data:`HIDDEN` for hidden ones and edges, 0 for unknown ones."""
    true, seen = match[:, :2], match[:, 2:]
    known = (true != 0).any(1, keepdim=True).to(seen.dtype)
    return seen + HIDDEN * (1 - seen) * known
