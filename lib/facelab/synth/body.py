"""What a head needs around it: ears, neck, clothes.

Taught in: lesson 07.
"""

from __future__ import annotations

import numpy as np

from facelab.synth import spectra
from facelab.synth.head import columns, smooth_step
from facelab.synth.paint import noise
from facelab.synth.part import Part, grid_part
from facelab.synth.person import Person


def ear_parts(who: Person, width: float, fine: float) -> list[Part]:
    """Both ears.

    Args:
        who: whose. width: mm from the middle of the head to where an ear sits. fine: of the head's grid.

    Returns:
        The ear at the image's left, and the one at its right; mm.
    """
    ring, turn = np.linspace(1, 0, round(12 / fine**0.5)), np.linspace(0, 2 * np.pi, round(30 / fine**0.5))
    r, a = ring[:, None], turn[None, :]
    high = 31.0 * who.ears * np.where(np.sin(a) > 0, 1.0, 0.94)
    deep = 16.5 * who.ears * (1 + 0.22 * np.sin(a))
    u, v = r * np.cos(a) * deep, r * np.sin(a) * high
    rim = 4.6 * np.exp(-(((r - 0.86) / 0.12) ** 2)) * smooth_step(np.sin(a) - 0.4 * np.cos(a), -0.9, -0.1)
    bowl = -6.0 * np.exp(-(((r * np.cos(a) - 0.12) / 0.5) ** 2 + ((r * np.sin(a) + 0.12) / 0.42) ** 2))
    fold = 2.4 * np.exp(-(((r - 0.58) / 0.11) ** 2)) * smooth_step(np.sin(a), -0.3, 0.4)
    out = 7.5 + rim + bowl + fold - 8.0 * smooth_step(r, 0.88, 1.0) + 0 * a
    light = np.clip(1 + 0.09 * (bowl + 0.4 * fold), 0.35, 1)
    skin = spectra.skin(who.melanin, who.blood + 0.35, who.carotene) * np.ones((*out.shape, 1))
    parts = []
    for side in (-1, 1):
        x = width - 2.5 + out * 0.92 + (8 - u) * 0.40 * 0.5  # the back edge stands off
        z = -9 + u - 0.30 * v * 0.5 + out * 0.25
        points = np.stack([side * x, -12 + v + 0 * a, z], -1)
        order = slice(None) if side < 0 else slice(None, None, -1)
        points, tone, shadow = points[:, order], skin[:, order], light[:, order]
        parts.append(grid_part(points, tone, "ears", gloss=0.10, light=shadow, two_sided=True))
    return parts


def neck_part(who: Person, fine: float) -> Part:
    """The neck, mm; the chin throws its shadow on it.

    Args:
        who: whose. fine: of the head's grid.
    """
    rows, turn = np.arange(-205, -48, 6.0 * fine), columns(2.2 * fine)
    flare = smooth_step(rows, -118, -190)[:, None]
    x = (49 + 26 * flare) * np.sin(turn)
    z = -16 + (46 + 14 * flare) * np.cos(turn) - 10 * smooth_step(rows, -120, -180)[:, None]
    points = np.stack([x, np.broadcast_to(rows[:, None], x.shape), z], -1)
    random = np.random.default_rng([who.grain, 2])
    tone = (1 + 0.04 * noise(x.shape, random, 3)).reshape(x.shape)
    skin = spectra.skin(who.melanin + 0.02, who.blood - 0.05, who.carotene) * tone[..., None]
    light = 1 - 0.55 * smooth_step(rows, -165, -112)[:, None] * smooth_step(np.cos(turn), -0.6, 0.6)
    return grid_part(points, skin, "neck", gloss=0.06, light=light, closed=True)


def clothes_part(dress: int, fine: float) -> Part:
    """Shoulders in something that changes from picture to picture, mm.

    Args:
        dress: seed of cut and colour, ≥ 0. fine: of the head's grid.
    """
    random = np.random.default_rng([9, dress])
    rows, turn = np.linspace(0, 1, round(22 / fine)), columns(2.6 * fine)
    t = rows[::-1, None]
    neckline = -136 - 12 * random.random() - 22 * random.random() * np.exp(-((turn / 0.55) ** 2))
    y = neckline - 150 * t**1.5
    wide = 63 + 165 * smooth_step(t, 0.0, 0.55) * (0.92 + 0.16 * random.random())
    deep = 60 + 42 * smooth_step(t, 0.0, 0.6)
    points = np.stack([wide * np.sin(turn), y + 0 * turn, -26 + deep * np.cos(turn)], -1)
    hue = _dye(random)
    tone = 1 + 0.07 * noise(points.shape[:2], random, 1.6).reshape(points.shape[:2])
    if random.random() < 0.25:  # stripes
        tone = tone * np.where(np.sin(y / random.uniform(2.5, 6)) > 0, 1.25, 0.75)
    light = np.clip(0.55 + 0.45 * smooth_step(t, 0, 0.25) + 0 * turn, 0, 1)
    return grid_part(points, spectra.cloth(hue) * tone[..., None], "clothes", gloss=0.02, light=light, closed=True)


def _dye(random: np.random.Generator) -> np.ndarray:
    """Linear colour (3,) of cloth: a muted one, or black, grey or white."""
    if random.random() < 0.7:
        return (0.5 * random.random(3) + 0.5 * random.random()) ** 1.7 * 0.7 + 0.02
    return np.full(3, random.choice([0.02, 0.05, 0.6, 0.75]))
