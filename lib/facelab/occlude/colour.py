"""Colours: palettes of any kind, greys and skin among them."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws

SCHEMES = ("any", "muted", "grey", "dark", "light", "skin", "earth", "vivid")
SHADES = 5


def hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue, saturation and value (…) in [0, 1] to RGB (…, 3) in [0, 1]."""
    offsets = torch.tensor([5.0, 3.0, 1.0])
    k = (offsets + 6 * hue[..., None]) % 6
    ramp = torch.minimum(k, 4 - k).clamp(0, 1)
    return value[..., None] * (1 - saturation[..., None] * ramp)


def _bases(draws: Draws) -> Tensor:
    """(N, schemes, 3): one base colour of every scheme."""
    u = draws.uniform(0.0, 1.0, 10)
    hue, s, v = u[:, 0], u[:, 1], u[:, 2]
    zero = torch.zeros_like(hue)
    options = [
        (hue, s, 0.1 + 0.9 * v),
        (hue, 0.1 + 0.3 * s, 0.2 + 0.7 * v),
        (zero, zero, v),
        (hue, 0.4 * s, 0.02 + 0.2 * v),
        (hue, 0.15 * s, 0.75 + 0.25 * v),
        (0.02 + 0.07 * hue, 0.25 + 0.4 * s, 0.25 + 0.7 * v),
        (0.05 + 0.35 * hue, 0.2 + 0.5 * s, 0.15 + 0.55 * v),
        (hue, 0.7 + 0.3 * s, 0.5 + 0.5 * v),
    ]
    return hsv(*(torch.stack(values, 1) for values in zip(*options, strict=True)))


def palettes(draws: Draws, schemes: tuple[str, ...] = SCHEMES, spreads: tuple[float, ...] = (0.05, 0.15, 0.35, 0.7)):
    """Colours that go together, five a sample.

    Args:
        draws: where the randomness comes from.
        schemes: which of ``SCHEMES`` may be drawn.
        spreads: how far the shades may lie apart; one is drawn a sample.

    Returns:
        (N, 5, 3) in [0, 1].
    """
    rows = torch.tensor([SCHEMES.index(name) for name in schemes])
    chosen = rows[torch.randint(len(rows), (draws.count,), generator=draws.generator)]
    base = _bases(draws)[torch.arange(draws.count), chosen]
    spread = draws.pick(spreads).view(-1, 1, 1)
    lightness, tone = draws.uniform(-1.0, 1.0, SHADES, 1), draws.uniform(-1.0, 1.0, SHADES, 3)
    tone = tone * (chosen != SCHEMES.index("grey")).view(-1, 1, 1)
    return (base[:, None] + spread * (0.75 * lightness + 0.4 * tone)).clamp(0, 1)
