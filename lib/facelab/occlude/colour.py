"""Colours: palettes of any kind, greys and skin among them."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws

# scheme: ranges of hue, saturation and value
RANGES = {
    "any": (0.0, 1.0, 0.0, 1.0, 0.1, 1.0), "muted": (0.0, 1.0, 0.1, 0.4, 0.2, 0.9),
    "grey": (0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    "dark": (0.0, 1.0, 0.0, 0.4, 0.02, 0.22), "light": (0.0, 1.0, 0.0, 0.15, 0.75, 1.0),
    "skin": (0.02, 0.09, 0.25, 0.65, 0.25, 0.95), "earth": (0.05, 0.4, 0.2, 0.7, 0.15, 0.7),
    "vivid": (0.0, 1.0, 0.7, 1.0, 0.5, 1.0),
}  # fmt: skip
SCHEMES = tuple(RANGES)
_TABLE = torch.tensor(list(RANGES.values())).view(-1, 3, 2)
GREY = SCHEMES.index("grey")
SHADES = 5


def hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue, saturation and value (…) in [0, 1] to RGB (…, 3) in [0, 1]."""
    offsets = torch.tensor([5.0, 3.0, 1.0])
    k = (offsets + 6 * hue[..., None]) % 6
    ramp = torch.minimum(k, 4 - k).clamp(0, 1)
    return value[..., None] * (1 - saturation[..., None] * ramp)


def palettes(
    draws: Draws, schemes: tuple[str, ...] | Tensor = SCHEMES, spreads: tuple[float, ...] = (0.05, 0.15, 0.35, 0.7)
) -> Tensor:
    """Colours that go together, five a sample.

    Args:
        draws: where the randomness comes from.
        schemes: which of ``SCHEMES`` may be drawn, or the number of each sample's, (N,).
        spreads: how far the shades may lie apart; one is drawn a sample.

    Returns:
        (N, 5, 3) in [0, 1].
    """
    chosen = schemes
    if not isinstance(schemes, Tensor):
        rows = torch.tensor([SCHEMES.index(name) for name in schemes])
        chosen = rows[torch.randint(len(rows), (draws.count,), generator=draws.generator)]
    low, high = _TABLE[chosen].unbind(-1)
    base = hsv(*torch.lerp(low, high, draws.uniform(0.0, 1.0, 3)).unbind(1))
    spread = draws.pick(spreads).view(-1, 1, 1)
    lightness, tone = draws.uniform(-1.0, 1.0, SHADES, 1), draws.uniform(-1.0, 1.0, SHADES, 3)
    tone = tone * (chosen != GREY).view(-1, 1, 1)
    return (base[:, None] + spread * (0.75 * lightness + 0.4 * tone)).clamp(0, 1)
