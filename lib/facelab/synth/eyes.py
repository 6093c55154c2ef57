"""Eyeballs: painted where the lids are open, round whatever the shape of the lids.

Taught in: lesson 07.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from facelab.synth import spectra
from facelab.synth.head import mean_head, smooth_step
from facelab.synth.paint import eye_opening, regions
from facelab.synth.part import LABELS

IRIS_RADIUS, PUPIL_RADIUS, BALL_RADIUS = 5.9, 2.1, 12.2
"""Millimetres. Source: Bron et al. 1997, "Wolff's Anatomy of the Eye and Orbit"."""


@lru_cache(maxsize=4)
def _open(fine: float) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Points near an eye's opening, how far inside they are at rest, and which of them surround each eye."""
    head = mean_head(fine)
    x, y = head.rest[:, 0], head.rest[:, 1]
    near = np.flatnonzero((regions(fine)["eye"] > 0) & (np.cos(head.azimuth) > 0.5))
    return near, eye_opening(x, y)[near], (np.flatnonzero(x[near] < 0), np.flatnonzero(x[near] > 0))


def paint_eyes(
    points: np.ndarray, normals: np.ndarray, albedo: np.ndarray, gloss: np.ndarray, light: np.ndarray,
    label: np.ndarray, iris: np.ndarray, gaze: tuple[float, float], fine: float,
) -> None:  # fmt: skip
    """Paint both eyes into the arrays of a head, in place.

    Args:
        points: (V, 3) mm, of the head with its expression.
        normals: (V, 3) unit; they become an eyeball's where an eye is open.
        albedo, gloss, light, label: (V, 4) and (V,), what is painted so far; see :class:`facelab.synth.part.Part`.
        iris: (4,) reflectance. gaze: degrees to the image's right, and up.
        fine: of the head's grid.
    """
    near, depth, sides = _open(fine)
    share = regions(fine)["eye"][near]
    label[near[share > 0.5]] = LABELS.index("eyes")
    for side in sides:
        rows = near[side]
        here, inside = points[rows], depth[side]
        low, high = here[:, :2].min(0), here[:, :2].max(0)
        centre = (low + high) / 2 + np.sin(np.radians(gaze)) * BALL_RADIUS + (0, 0.3)
        away = np.hypot(*(here[:, :2] - centre).T)
        colour, shade = _ball(away, inside, iris)
        weight = share[side][:, None]
        albedo[rows] = albedo[rows] * (1 - weight) + colour * weight
        gloss[rows] = gloss[rows] * (1 - weight[:, 0]) + 0.9 * weight[:, 0]
        light[rows] = light[rows] * (1 - weight[:, 0]) + shade * weight[:, 0]
        middle = (low + high) / 2
        ball = np.concatenate([(here[:, :2] - middle) / BALL_RADIUS, np.ones((len(rows), 1))], 1)
        ball[:, 2] = np.sqrt(np.clip(1 - (ball[:, :2] ** 2).sum(1), 0.05, 1))
        normals[rows] = normals[rows] * (1 - weight) + ball * weight


def _ball(away: np.ndarray, inside: np.ndarray, iris: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour (P, 4) and light (P,) of an eyeball: white, iris with its dark rim, pupil, shadow of the lid."""
    share = smooth_step(away, IRIS_RADIUS + 0.7, IRIS_RADIUS - 0.4)[:, None]
    rim = 1 - 0.6 * np.exp(-(((away - IRIS_RADIUS + 0.5) / 1.1) ** 2))[:, None]
    out = spectra.SCLERA * (1 - share) + iris * (0.75 + 0.6 * np.exp(-((away / 4) ** 2)))[:, None] * rim * share
    hole = smooth_step(away, PUPIL_RADIUS + 0.5, PUPIL_RADIUS - 0.4)[:, None]
    return out * (1 - hole) + spectra.PUPIL * hole, 0.5 + 0.5 * smooth_step(inside, 0.2, 2.6)
