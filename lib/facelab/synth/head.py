"""The mean head: a closed grid of points in millimetres, sculpted from measurements of grown-up faces.

Axes: x to the image's right, y up, z towards the camera; the origin lies between the ears at the height of the pupils.
A point keeps its *rest* coordinates for good. Everything that is painted is painted in rest coordinates and everything
that differs between people is a displacement, so that lips stay on lips whatever the shape.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from facelab.synth.marks import REST_MARKS

# Sections from throat to crown: height in front, height at the back, half width, depth in front, depth behind (mm).
# Source: heights, widths and depths near the means of Farkas 1994, "Anthropometry of the Head and Face".
SECTIONS = np.array([
    (-121.5, -66.0, 36.0, 25.0, -40.0), (-119.5, -65.5, 46.0, 64.0, -49.0),
    (-117.0, -64.0, 54.0, 80.0, -56.0), (-112.0, -58.0, 59.0, 86.5, -62.0),
    (-100.0, -50.0, 62.5, 89.0, -68.0), (-85.0, -40.0, 65.5, 88.0, -75.0),
    (-70.0, -28.0, 67.5, 91.5, -82.0), (-48.0, -10.0, 69.5, 91.0, -90.0),
    (-25.0, 8.0, 71.0, 90.5, -95.0), (0.0, 25.0, 72.0, 90.5, -98.0),
    (18.0, 40.0, 72.5, 95.0, -100.0), (45.0, 60.0, 72.5, 94.0, -99.0),
    (65.0, 74.0, 69.0, 87.0, -93.0), (85.0, 89.0, 58.5, 71.0, -80.0),
    (101.0, 102.5, 42.0, 50.0, -60.0), (110.0, 110.5, 24.0, 28.0, -35.0),
    (113.0, 113.0, 1.0, 1.0, -1.0),
])  # fmt: skip
CHIN, RISE = -117.0, 2.2
"""Height of the chin's edge at rest; rows below it are its underside and rise by so many times their way down."""
MOUTH, STRIP = -66.6, 0.16
"""Height of the closed lips; a strip of so many mm above and below is what opens."""
TILT = PchipInterpolator(np.radians([0, 26, 35, 45, 60, 90, 135, 180]), [0, 0, 0.05, 0.17, 0.4, 0.69, 0.9, 1.0])
FLATNESS = 0.76  # exponent that makes the front of a section flatter than an ellipse


@dataclass(frozen=True)
class Head:
    """The mean head.

    Args:
        rest: (V, 3) points, mm, before the face is sculpted.
        points: (V, 3) points of the mean head.
        faces: (F, 3) corners of triangles, counter-clockwise seen from outside.
        shape: rows and columns of the grid; V = rows × columns.
        azimuth: (V,) radians, 0 in front, positive at the image's right.
        inside: (V,) 0 on the skin; 0 < t < 1 in the mouth, from upper to lower lip.
        marks: (68, 4) indices and (68, 4) weights of the points that carry each landmark.
    """

    rest: np.ndarray
    points: np.ndarray
    faces: np.ndarray
    shape: tuple[int, int]
    azimuth: np.ndarray
    inside: np.ndarray
    marks: tuple[np.ndarray, np.ndarray]


Pair = tuple[float, float]


def bump(x: np.ndarray, y: np.ndarray, at: Pair, reach: Pair, power: float = 2.0) -> np.ndarray:
    """A hill of height 1 around a place of the face and around its mirror image.

    Args:
        x, y: (V,) mm, places at rest.
        at: mm, the top. reach: mm, where it has fallen to 1/e, across and up.
        power: 2 a bell; more, flatter on top and steeper.
    """

    def near(cx: float) -> np.ndarray:
        return np.exp(-((np.abs(x - cx) / reach[0]) ** power + (np.abs(y - at[1]) / reach[1]) ** power))

    return near(at[0]) if at[0] == 0 else near(at[0]) + near(-at[0])


def smooth_step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between; ``high`` may be the smaller."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def row_heights(fine: float) -> tuple[np.ndarray, np.ndarray]:
    """Heights of the grid's rows in front, from throat to crown, dense where the face is.

    Returns:
        (R,) mm; and (R,) 0 on the skin, 0 < t < 1 in the mouth, from upper to lower lip.
    """
    spans = [(-121.5, CHIN, 1.5), (CHIN, -112, 2.2), (-112, -84, 2.2), (-84, MOUTH - STRIP, 1.3),
             (MOUTH + STRIP, -56, 1.2), (-56, -34, 1.4), (-34, -10, 2.0), (-10, 12, 1.15), (12, 30, 1.6), (30, 75, 3.4),
             (75, 113, 4.2)]  # fmt: skip
    parts = [np.linspace(a, b, max(2, round((b - a) / (step * fine))), endpoint=False) for a, b, step in spans]
    parts.insert(4, np.linspace(MOUTH - STRIP, MOUTH + STRIP, 8, endpoint=False))
    rows = np.concatenate([*parts, [113.0]])
    inside = np.clip((MOUTH + STRIP - rows) / (2 * STRIP), 0, 1)
    return rows, np.where(inside > 1 - 1e-6, 0, inside)


def columns(fine: float) -> np.ndarray:
    """Azimuths of the grid's columns, radians: dense in front, the last one equal to the first."""
    front, side = round(64 / fine), round(16 / fine)
    right = np.concatenate([np.linspace(0, 62, front, endpoint=False), np.linspace(62, 100, side, endpoint=False),
                            np.linspace(100, 180, side)])  # fmt: skip
    return np.radians(np.concatenate([-right[:0:-1], right]))


def plain(rows: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """The head without features.

    Args:
        rows: (R,) mm, heights in front. azimuth: (C,) radians.

    Returns:
        (R, C, 3) mm.
    """
    front, back, width, ahead, behind = (PchipInterpolator(SECTIONS[:, 0], SECTIONS[:, k])(rows) for k in range(5))
    tilt = TILT(np.abs(azimuth))
    y = front[:, None] + (back - front)[:, None] * tilt
    cos = np.cos(azimuth)
    z = np.where(cos > 0, ahead[:, None] * np.abs(cos) ** FLATNESS, behind[:, None] * np.abs(cos))
    return np.stack([width[:, None] * np.sin(azimuth), y, z], -1)


def sculpt(rest: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """The mean face's features.

    Args:
        rest: (V, 3) mm, the plain head's points. azimuth: (V,) radians.

    Returns:
        (V, 3) mm, displacements of the points.
    """
    x, y = rest[:, 0], rest[:, 1]
    ahead = smooth_step(np.cos(azimuth), 0.0, 0.35)
    out = np.zeros_like(rest)
    depth = eye_depth(x, y) + nose_depth(x, y) + mouth_depth(x, y)
    depth += 4.0 * bump(x, y, (47, -22), (19, 15)) - 2.5 * bump(x, y, (40, -58), (14, 20))  # cheekbone, hollow below
    depth += 4.5 * bump(x, y, (0, -101), (17, 11)) - 3.0 * bump(x, y, (0, -86), (20, 5))  # chin, fold above it
    depth -= 2.0 * bump(x, y, (62, 20), (12, 22))  # temples
    out[:, 2] = depth * ahead
    out[:, 1] = 4.5 * (np.abs(x) / 30).clip(0, 1.4) ** 2 * smooth_step(y, -94, -114) * ahead  # the chin is round
    return out


def eye_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sockets, eyeballs under their lids, brow ridge; mm towards the camera."""
    socket = -9.0 * bump(x, y, (29, 0), (17, 11)) - 6.5 * bump(x, y, (15, 2), (7, 9))
    ball = 5.2 * bump(x, y, (31, -0.5), (12.5, 8.5), 2.4)
    fold = -1.6 * bump(x, y, (31, 8.2), (15, 1.8)) - 0.9 * bump(x, y, (31, -9.5), (13, 2.0))
    return socket + ball + fold + 3.6 * bump(x, y, (26, 17), (21, 7))


def nose_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bridge, tip, wings and the step to the upper lip; mm towards the camera."""
    y = y - 1.0
    height = PchipInterpolator([-200, -52, -49.5, -47, -43, -36, -28, -15, -3, 6, 16, 200],
                               [0, 0, 3.0, 11.0, 19.5, 23.0, 21.0, 14.5, 7.8, 4.2, 0, 0])(y)  # fmt: skip
    width = PchipInterpolator([-200, -50, -40, -30, -15, 0, 12, 200], [10, 10, 11, 9.5, 8.6, 7.0, 8, 8])(y)
    wings = 10.0 * bump(x, y, (13.2, -41.5), (5.6, 6.0), 2.6) - 2.2 * bump(x, y, (20.5, -42), (2.8, 7))
    nostrils = -5.0 * bump(x, y, (6.8, -48.0), (4.4, 2.2))
    return height * np.exp(-((np.abs(x) / width) ** 2.2)) + wings + nostrils


def mouth_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lips, the line between them, the groove above and the folds from nose to mouth; mm towards the camera."""
    upper = 3.6 * bump(x, y, (0, -63.0), (19, 3.8), 2.4)
    lower = 4.2 * bump(x, y, (0, -71.5), (17, 4.8), 2.4)
    line = -2.6 * np.exp(-(((y - MOUTH) / 1.5) ** 2)) * np.exp(-((np.abs(x) / 25) ** 6))
    groove = -1.3 * bump(x, y, (0, -55.5), (3.2, 5))
    corners = -2.6 * bump(x, y, (28, -67), (4, 4))
    along = np.abs(x) - (19.5 - 0.62 * (y + 42))
    fold = -0.7 * np.exp(-((along / 3.2) ** 2)) * smooth_step(y, -74, -62) * smooth_step(y, -36, -44)
    return upper + lower + line + groove + corners + fold + 2.5 * bump(x, y, (0, -66), (26, 15))


@lru_cache(maxsize=4)
def mean_head(fine: float = 1.0) -> Head:
    """The mean head; 48,600 triangles at the finest.

    Args:
        fine: scales the spacing of its points: 1 for pictures of 128 pixels, 1.6 for 64.
    """
    rows, inside = row_heights(fine)
    turn = columns(fine)
    rest = plain(rows, turn).reshape(-1, 3)
    azimuth = np.tile(turn, len(rows))
    under = np.repeat(np.maximum(CHIN - rows, 0), len(turn))
    points = rest + sculpt(rest, azimuth)
    points[:, 1] += RISE * under
    shape = (len(rows), len(turn))
    within = np.repeat(inside, len(turn)) * (np.abs(rest[:, 0]) < 26.5) * (np.abs(azimuth) < 1)
    unfit = (np.abs(azimuth) >= np.radians(88)) | (within > 0) | (under > 0)
    return Head(rest, points, grid_faces(*shape), shape, azimuth, within, carried(rest, unfit))


def grid_faces(rows: int, cols: int) -> np.ndarray:
    """Triangles of a grid whose rows go up and whose columns go to the right, seen from outside.

    Returns:
        (F, 3) int64 indices of its points taken row by row, counter-clockwise seen from outside.
    """
    at = np.arange(rows * cols).reshape(rows, cols)
    a, b, c, d = at[:-1, :-1].ravel(), at[:-1, 1:].ravel(), at[1:, 1:].ravel(), at[1:, :-1].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int64)


def carried(rest: np.ndarray, unfit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which points carry each landmark.

    Args:
        rest: (V, 3) mm, the plain head's points.
        unfit: (V,) those that carry nothing: behind, in the mouth, under the chin. Nor does one lip carry the other's
            landmarks.

    Returns:
        (68, 4) indices of points, and (68, 4) their weights, which sum to 1.
    """
    indices, weights = [], []
    for mark in REST_MARKS:
        other_lip = (rest[:, 1] - MOUTH) * (mark[1] - MOUTH) < 0
        away = ((rest[:, :2] - mark) ** 2).sum(1) + np.where(unfit | other_lip, 1e6, 0.0)
        near = np.argsort(away, kind="stable")[:4]
        weight = 1 / (away[near] + 0.05)
        indices.append(near)
        weights.append(weight / weight.sum())
    return np.array(indices), np.array(weights)
