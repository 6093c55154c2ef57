"""Hair: a shell around the skull that is there where the style has it, and hangs below.

Taught in: lesson 07.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from facelab.synth.head import Head, columns, plain, smooth_step
from facelab.synth.paint import noise
from facelab.synth.part import Part, grid_normals, grid_part
from facelab.synth.person import Person


class Style(NamedTuple):
    """What a style looks like.

    Args:
        top, side: how much of the volume there is, above and at the sides.
        hangs: whether hair falls beside the face. edge: degrees from the front where it begins to.
        fringe: mm of hair below the hairline, in front. part: degrees of the parting, None without one.
        curl: mm of bumps. nape: mm, lowest hair at the back where none hangs.
        ragged: mm, how uneven the hairline is.
    """

    top: float
    side: float
    hangs: bool = False
    edge: float = 66.0
    fringe: float = 0.0
    part: float | None = None
    curl: float = 0.0
    nape: float = -62.0
    ragged: float = 3.0


STYLES = {
    "shaven": Style(0.10, 0.06, ragged=2.0), "short": Style(0.8, 0.32), "parted": Style(1.15, 0.5, part=24.0),
    "swept": Style(1.45, 0.45, ragged=4.0), "curly": Style(1.7, 1.15, curl=3.4, ragged=5.0, nape=-75),
    "bob": Style(1.1, 1.1, hangs=True, edge=70, part=10.0), "long": Style(1.0, 1.0, hangs=True, edge=64, part=2.0),
    "tied": Style(0.45, 0.25, ragged=2.0), "fringe": Style(1.1, 1.05, hangs=True, edge=66, fringe=34.0, ragged=5.0),
}  # fmt: skip
_HAIRLINE = PchipInterpolator([0, 20, 38, 50, 60, 68, 76, 180], [70, 69, 62, 52, 38, 22, 8, 8])
_PRESSED = 4.0  # mm of hair under a cap
_EAR = 22.0  # mm, hair above an ear
_LOWEST, _SPACING = -165.0, 4.2


@lru_cache(maxsize=4)
def shell(fine: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The skull's surface continued straight down.

    Returns:
        (R, C, 3) points, mm; (R, C, 3) unit directions outside; (C,) azimuths, radians.
    """
    rows = np.concatenate([np.arange(_LOWEST, 0, _SPACING * fine), np.linspace(0, 113, round(34 / fine))])
    turn = columns(1.45 * fine)
    points = plain(np.maximum(rows, 0), turn)
    points[..., 1] += np.minimum(rows, 0)[:, None]
    out = grid_normals(points, closed=True).reshape(points.shape)
    return points, out, turn


def hairline(style: Style, who: Person, degrees: np.ndarray) -> np.ndarray:
    """Height of the lowest hair.

    Args:
        style: of the hair. who: whose.
        degrees: (C,) azimuths, 0 in front.

    Returns:
        (C,) mm above the pupils; below them where hair hangs.
    """
    away = np.abs(degrees)
    front = _HAIRLINE(away) + who.hairline * (away < 60) - style.fringe * smooth_step(away, 62, 48)
    sideburn = -8.0 if who.beard != "full" else -40.0
    line = front + (sideburn - front) * smooth_step(away, 66, 73)
    line = line + (_EAR - sideburn) * smooth_step(away, 78, 84) + (style.nape - _EAR) * smooth_step(away, 97, 122)
    return np.where(style.hangs & (away > style.edge), -who.length, line)


def hair_part(who: Person, fine: float, lid: np.ndarray | None = None) -> Part | None:
    """Somebody's hair, mm; None where there is none.

    Args:
        who: whose. fine: of the head's grid.
        lid: (C,) mm; above it a cap presses hair to the skull, and a little higher there is none. None: no cap.
    """
    if who.style == "bald":
        return None
    style, (base, out, turn) = STYLES[who.style], shell(fine)
    random = np.random.default_rng([who.grain, 1])
    shape, degrees = base.shape[:2], np.degrees(turn)
    strands = noise(shape, random, (7 / fine, 0.55)).reshape(shape) * 0.8
    strands = strands + noise(shape, random, (4, 2.2)).reshape(shape) * 0.6
    bumps = noise(shape, random, 1.7 / fine).reshape(shape)
    uneven = noise((1, shape[1]), random, (0, 0.8)) * style.ragged + noise((1, shape[1]), random, (0, 5)) * style.ragged
    line = hairline(style, who, degrees) + uneven
    cover = base[..., 1] - line + 0.5 * strands * style.ragged
    height = smooth_step(base[..., 1], 15, 85)
    thick = who.volume * (style.side + (style.top - style.side) * height) * (0.35 + 0.65 * smooth_step(cover, 0, 22))
    thick = 1.2 + thick + 0.5 * strands + style.curl * bumps
    if style.part is not None:
        furrow = np.exp(-(((degrees - style.part) / 7) ** 2)) * smooth_step(base[..., 1], 50, 80)
        thick, strands = thick - 0.5 * who.volume * furrow, strands - 1.5 * furrow
    if lid is not None:
        thick, cover = _under_cap(base[..., 1] - lid, thick, cover)
    points = base + out * thick[..., None]
    drop = smooth_step(base[..., 1], 0, -120)
    points[..., 0] *= 1 + 0.10 * drop * np.sin(who.grain % 7 + base[..., 1] / 45)
    points[..., 2] += 6 * drop
    tone = np.clip(1 + 0.27 * strands + 0.12 * bumps * (style.curl > 0), 0.35, 1.9)
    albedo = who.hair * tone[..., None]
    light = np.clip(0.6 + 0.4 * smooth_step(cover, -2, 16) - 0.25 * drop, 0.3, 1)
    looks = {"gloss": 0.32, "light": light, "strand": 1.0, "cover": cover}
    return grid_part(points, albedo, "hair", **looks, two_sided=True, closed=True)


def _under_cap(above: np.ndarray, thick: np.ndarray, cover: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thickness and cover of hair so many mm above a cap's edge: pressed near it, and gone above."""
    pressed = smooth_step(above, -24, -3)
    return thick * (1 - pressed) + np.minimum(thick, _PRESSED) * pressed, np.minimum(cover, 12 - above)


def scalp(who: Person, head: Head) -> tuple[np.ndarray, np.ndarray]:
    """On the head's own points: where hair is rooted, and how much light it leaves.

    Returns:
        Both (V,) 0..1.
    """
    if who.style == "bald":
        return np.zeros(len(head.rest)), np.ones(len(head.rest))
    line = hairline(STYLES[who.style]._replace(hangs=False), who, np.degrees(head.azimuth))
    above = head.rest[:, 1] - line
    return smooth_step(above, -1.5, 4.0), 1 - 0.3 * smooth_step(above, -13, 0) * (who.style != "shaven")
