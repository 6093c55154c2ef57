"""How faces differ, and how one face moves: displacements of the mean head, in millimetres a unit.

A unit of a shape mode is one standard deviation among the people that are drawn. The functions of one region take the
mean head's places (x, y at rest, z sculpted, mm) and the cosine of the azimuth, (V,) each.
Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from facelab.synth.head import MOUTH, STRIP, bump, mean_head, smooth_step

MOVEMENTS = ("smile", "open", "jaw", "frown", "squint", "brows up")
"""What a face can do; the names of :func:`expressions`."""


WIDE, LONG, DEEP = 0.055, 0.05, 0.04
"""By which share a unit of "wide head", "long head" and "deep head" enlarges it."""


def _along(dx=0.0, dy=0.0, dz=0.0, x=None) -> np.ndarray:
    """Displacements (V, 3) from three parts; ``dx`` points away from the middle of the face."""
    return np.stack(np.broadcast_arrays(dx * np.sign(x) if x is not None else dx, dy, dz), -1) + 0.0


def _skull(x, y, z, cos) -> dict[str, np.ndarray]:
    low, ahead = smooth_step(y, -30, -95), smooth_step(cos, -0.2, 0.6)
    zero = np.zeros_like(x)
    return {
        "wide head": _along(WIDE * x), "long head": _along(zero, LONG * (y + 20)),
        "deep head": _along(zero, 0, DEEP * z),
        "wide jaw": _along(0.085 * x * low), "long chin": _along(zero, -5.0 * smooth_step(y, -72, -110) * ahead),
        "pointed chin": _along(-0.1 * x * smooth_step(y, -60, -112) * ahead,
                               -1.0 * bump(x, y, (0, -114), (16, 12)) * ahead),
        "chin ahead": _along(zero, 0, 4.2 * bump(x, y, (0, -103), (26, 18)) * ahead),
        "high forehead": _along(zero, 4.0 * smooth_step(y, 20, 80)),
        "steep forehead": _along(zero, 0, 4.5 * bump(x, y, (0, 55), (60, 30)) * ahead),
        "long midface": _along(zero, 3.2 * smooth_step(y, -45, -5) - 1.6),
    }  # fmt: skip


def _flesh(x, y, z, cos) -> dict[str, np.ndarray]:
    ahead, zero = smooth_step(cos, -0.1, 0.5), np.zeros_like(x)
    cheek, jowl = bump(x, y, (50, -50), (22, 26)), bump(x, y, (52, -84), (20, 20))
    return {
        "full cheeks": _along(4.0 * cheek * ahead, 0, 4.8 * cheek * ahead, x),
        "cheekbones": _along(2.6 * bump(x, y, (56, -14), (18, 14)) * ahead, 0,
                             3.0 * bump(x, y, (48, -17), (18, 12)) * ahead, x),
        "jowls": _along(1.7 * jowl * ahead, -1.0 * jowl * ahead, 1.0 * jowl * ahead, x),
        "square jaw": _along(3.0 * bump(x, y, (56, -72), (16, 18)) * smooth_step(cos, -0.3, 0.3), 0, zero, x),
        "brow ridge": _along(zero, 0, 2.2 * bump(x, y, (24, 16), (24, 7)) * ahead),
        "temples": _along(2.5 * bump(x, y, (66, 28), (16, 26)), 0, zero, x),
    }  # fmt: skip


def _eyes(x, y, z, cos) -> dict[str, np.ndarray]:
    ahead, zero, side = smooth_step(cos, 0.1, 0.5), np.zeros_like(x), np.abs(x) - 31
    near, wide = bump(x, y, (31, 0), (17, 11), 3) * ahead, bump(x, y, (31, 6), (21, 19), 3) * ahead
    brow = bump(x, y, (33, 17), (25, 9), 3) * ahead
    return {
        "eyes apart": _along(2.7 * wide, 0, zero, x), "eyes high": _along(zero, 2.8 * wide),
        "eyes large": _along(0.085 * side * near, 0.13 * y * near, zero, x),
        "eyes open": _along(zero, 0.13 * y * near), "eyes tilted": _along(zero, 0.1 * side * near),
        "eyes deep": _along(zero, 0, -2.4 * bump(x, y, (29, 1), (18, 12)) * ahead),
        "heavy lids": _along(zero, -0.7 * bump(x, y, (32, 7), (18, 4.5)) * ahead,
                             1.2 * bump(x, y, (32, 7), (16, 5)) * ahead),
        "brows high": _along(zero, 2.8 * brow), "brows tilted": _along(zero, 0.12 * side * brow),
        "brows arched": _along(zero, 2.2 * (bump(x, y, (38, 18), (10, 8)) - 0.35) * brow),
    }  # fmt: skip


def _nose(x, y, z, cos) -> dict[str, np.ndarray]:
    ahead, zero = smooth_step(cos, 0.2, 0.6), np.zeros_like(x)
    whole = bump(x, y, (0, -25), (22, 28), 4) * ahead
    tip, wing = bump(x, y, (0, -38), (13, 11)), bump(x, y, (0, -42), (24, 9), 4)
    return {
        "long nose": _along(zero, -3.9 * bump(x, y, (0, -44), (24, 17), 3) * ahead),
        "wide nose": _along(0.2 * x * wing * ahead),
        "wide bridge": _along(0.25 * x * bump(x, y, (0, -12), (15, 18)) * ahead),
        "high bridge": _along(zero, 0, 3.2 * bump(x, y, (0, -6), (11, 17)) * ahead),
        "nose ahead": _along(zero, 0, 3.5 * bump(x, y, (0, -34), (15, 17)) * ahead),
        "hump": _along(zero, 0, 2.2 * bump(x, y, (0, -16), (8, 9)) * ahead),
        "tip up": _along(zero, 2.6 * tip * ahead, 0.6 * tip * ahead), "broad tip": _along(0.2 * x * tip * ahead),
        "crooked": _along(1.2 * whole * np.sin((y + 5) / 14)),
    }  # fmt: skip


def _mouth(x, y, z, cos) -> dict[str, np.ndarray]:
    ahead, zero = smooth_step(cos, 0.2, 0.6), np.zeros_like(x)
    near, off = bump(x, y, (0, MOUTH), (34, 17), 4) * ahead, y - MOUTH
    upper = bump(x, y, (0, -61), (28, 9), 3) * (off > 0) * ahead
    lower = bump(x, y, (0, -74), (28, 12), 3) * (off < 0) * ahead
    return {
        "wide mouth": _along(0.135 * x * near), "low mouth": _along(zero, -2.7 * near),
        "full upper lip": _along(zero, 0.27 * off * upper, 1.1 * upper),
        "full lower lip": _along(zero, 0.26 * off * lower, 1.3 * lower),
        "mouth ahead": _along(zero, 0, 2.6 * bump(x, y, (0, -67), (30, 18)) * ahead),
        "corners up": _along(zero, 1.4 * bump(x, y, (26, -67), (9, 8)) * ahead),
        "bow": _along(zero, 1.2 * (bump(x, y, (7, -59), (5, 4)) - bump(x, y, (0, -60), (3, 3))) * ahead),
    }  # fmt: skip


def _expressions(x, y, z, cos) -> dict[str, np.ndarray]:
    ahead, zero, inner = smooth_step(cos, 0.1, 0.5), np.zeros_like(x), smooth_step(np.abs(x), 29, 6)
    below = smooth_step(y, MOUTH + STRIP, MOUTH - STRIP)
    lift, corner = bump(x, y, (42, -32), (19, 17)) * ahead, bump(x, y, (29, -65), (16, 13)) * ahead
    drop = -below * smooth_step(y, -150, -70) * inner
    mouth = smooth_step(np.abs(y - MOUTH), 0.4, 0.0) * inner
    jaw = smooth_step(y, -40, -100) * smooth_step(cos, -0.3, 0.5)
    return {
        "smile": _along(7.0 * corner - 1.0 * lift, 5.5 * corner + 3.0 * lift, 1.0 * lift - 4.0 * corner, x)
        + _along(zero, 3.2 * bump(x, y, (0, -60), (24, 9)) * (y > MOUTH - 0.1) * ahead * inner,
                 -2.0 * bump(x, y, (0, -66), (22, 12)) * ahead)
        + _along(zero, 2.0 * bump(x, y, (31, -6), (17, 6)) * ahead),
        "open": _along(zero, 9.0 * drop * ahead, -7.0 * mouth * ahead),
        "jaw": _along(zero, -8.0 * jaw - 7.0 * below * inner * ahead * smooth_step(y, -76, -67),
                      -3.0 * jaw - 9.0 * mouth * ahead),
        "frown": _along(-3.0 * bump(x, y, (17, 16), (12, 9)) * ahead, -4.5 * bump(x, y, (18, 17), (15, 9)) * ahead,
                        1.2 * bump(x, y, (8, 15), (7, 7)) * ahead, x)
        + _along(-1.0 * corner, -3.4 * corner, 0, x) + _along(zero, -1.3 * bump(x, y, (31, 3), (17, 5)) * ahead),
        "squint": _along(zero, -1.9 * bump(x, y, (31, 3.2), (17, 3.6)) * ahead
                         + 1.5 * bump(x, y, (31, -3.2), (17, 3.2)) * ahead),
        "brows up": _along(zero, 4.0 * bump(x, y, (32, 19), (27, 12), 3) * ahead),
    }  # fmt: skip


def _table(fine: float, parts: tuple[Callable, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    head = mean_head(fine)
    at = (head.rest[:, 0], head.rest[:, 1], head.points[:, 2], np.cos(head.azimuth))
    modes = {name: move for part in parts for name, move in part(*at).items()}
    return tuple(modes), np.stack(list(modes.values())).astype(np.float32)


@lru_cache(maxsize=4)
def shapes(fine: float = 1.0) -> tuple[tuple[str, ...], np.ndarray]:
    """How faces differ.

    Args:
        fine: of the head's grid.

    Returns:
        Names of the K shape modes, and their displacements (K, V, 3) of :func:`facelab.synth.head.mean_head`, mm a
        unit, float32.

    Source: ours, by hand; the use of them is that of Blanz and Vetter 1999, "A morphable model for the synthesis of
    3D faces", whose modes were learned from scans.
    """
    return _table(fine, (_skull, _flesh, _eyes, _nose, _mouth))


@lru_cache(maxsize=4)
def expressions(fine: float = 1.0) -> tuple[tuple[str, ...], np.ndarray]:
    """The same of the movements of a face, :data:`MOVEMENTS`; 1 unit is as far as it goes."""
    return _table(fine, (_expressions,))
