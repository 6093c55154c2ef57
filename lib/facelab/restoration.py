"""What every system's ``restore`` returns, and when a found hole has made up its mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Restoration(NamedTuple):
    """``image`` the composite, ``hole`` where it was filled (N, 1, H, W), ``raw`` the generator's whole picture."""

    image: Tensor
    hole: Tensor | None
    raw: Tensor


def decided(hole: Tensor, low: float = 0.1, high: float = 0.75) -> Tensor:
    """A predicted hole that has made up its mind: 0 below ``low`` (those pixels stay bit-identical), 1 above ``high``.

    A grey hole leaves a ghost of the occluder in the composite: better fill a little too much than half.

    Args:
        hole: belief of a finder, in [0, 1].
        low, high: chosen on validation people.
    """
    return ((hole - low) / (high - low)).clamp(0, 1)


HIDDEN_LIMIT = 0.75
"""A hole that somebody drew hides at most this share of the picture; more is more likely read the wrong way round."""


def border_share(hole: Tensor) -> Tensor:
    """How much of the picture's border a hole (1, H, W) hides, in [0, 1]; corners count twice."""
    inside, (height, width) = hole[0], hole.shape[-2:]
    hidden = inside[0].sum() + inside[-1].sum() + inside[:, 0].sum() + inside[:, -1].sum()
    return hidden / (2 * (height + width))


def is_two_valued(hole: Tensor) -> bool:
    """Whether a hole picture in [0, 1] is black and white: at most 2 % of its pixels lie between."""
    return bool(((hole > 0.1) & (hole < 0.9)).float().mean() <= 0.02)
