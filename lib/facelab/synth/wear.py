"""What somebody wears for one picture: glasses with thin or thick frames, sunglasses, a cap. K-FACE's accessories.

Taught in: lesson 07.
"""

from __future__ import annotations

import numpy as np

from facelab.synth import spectra
from facelab.synth.hair import shell
from facelab.synth.head import smooth_step
from facelab.synth.part import Part, grid_part

ACCESSORIES = ("plain", "glasses", "horn-rimmed", "sunglasses", "cap", "cap, horn-rimmed")
"""In K-FACE's order, S001 to S006."""
_CURVE = 0.0035  # of lenses, 1 / mm
_RADIUS = {"glasses": 0.9, "horn-rimmed": 2.0, "sunglasses": 1.6}  # mm, of the frame


def worn(
    accessory: str, points: np.ndarray, marks: np.ndarray, grain: int, fine: float
) -> tuple[list[Part], list[Part]]:  # fmt: skip
    """Solid parts and transparent ones.

    Args:
        accessory: one of :data:`ACCESSORIES`.
        points, marks: (V, 3) and (68, 3), the head and its landmarks of whoever wears it, mm.
        grain: decides about shape and colour.
        fine: of the head's grid.

    Returns:
        Parts in mm; caps for the mean skull.
    """
    solid, clear = [], []
    if accessory.startswith("cap"):
        solid += cap(grain, fine)
    kind = accessory.split(", ")[-1]
    if kind in _RADIUS:
        frame, lenses = glasses(kind, points, marks, grain)
        solid, clear = solid + frame, lenses
    return solid, clear


def glasses(kind: str, points: np.ndarray, marks: np.ndarray, grain: int) -> tuple[list[Part], list[Part]]:
    """Rims, bridge and temples; and two lenses.

    Args:
        kind: a key of the table of radii. points, marks: (V, 3) and (68, 3) mm. grain: decides about shape and colour.
    """
    random = np.random.default_rng([grain, 3])
    eyes = np.stack([marks[36:42].mean(0), marks[42:48].mean(0)])
    wide, high = random.uniform(24, 27), random.uniform(17, 22) * (1.1 if kind == "sunglasses" else 1)
    power = random.uniform(0.55, 1.0)  # 1: round
    ahead = max(marks[27, 2] + 1.5, eyes[:, 2].max() + 13, _ridge(points, eyes, high))
    turn = np.linspace(0, 2 * np.pi, 33)
    colour = spectra.cloth(np.full(3, 0.012) if random.random() < 0.6 else random.random(3) ** 2 * 0.25)
    solid, clear, rims = [], [], []
    for side, eye in zip((-1, 1), eyes, strict=True):
        dx = wide * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
        dy = high * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
        x = side * max(abs(eye[0]), wide + 6) + dx
        rim = np.stack([x, eye[1] - 3 + dy, ahead - _CURVE * x**2], -1)
        rims.append(rim)
        solid.append(tube(rim, _RADIUS[kind], colour))
        disc = rim.mean(0) + (rim - rim.mean(0)) * np.linspace(1, 0, 5)[:, None, None]
        shade = "dark" if kind == "sunglasses" else "clear"
        clear.append(grid_part(disc, np.array(spectra.LENS[shade]), "lenses", gloss=1.0, two_sided=True))
    inner = [rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]]
    middle = (inner[0] + inner[1]) / 2 + (0, 3, 3)
    solid.append(tube(_curve([inner[0] + (0, 3, 0), middle, inner[1] + (0, 3, 0)]), _RADIUS[kind], colour))
    for side, rim in zip((-1, 1), rims, strict=True):
        hinge = rim[np.argmax(side * rim[:, 0])] + (0, 6, 0)
        jaw = marks[0 if side < 0 else 16]
        bend = np.array([side * (abs(jaw[0]) + 4), hinge[1] - 2, 30.0])
        solid.append(tube(_curve([hinge, bend, bend + (side * 1.5, 1, -40)]), _RADIUS[kind] * 1.1, colour))
    return solid, clear


def _ridge(points: np.ndarray, eyes: np.ndarray, high: float) -> float:
    """How far ahead, mm, lenses of a half height must stand so that brows stay behind them, frowning too."""
    x, y, z = points.T
    over = y - eyes[:, 1].mean()
    near = (over > 2) & (over < high) & (np.abs(x) > 10) & (np.abs(x) < 58) & (z > 40)
    return float((z + _CURVE * x**2)[near].max()) + 2.0


def _curve(points: list[np.ndarray], count: int = 9) -> np.ndarray:
    """A quadratic curve through three points, (count, 3)."""
    a, b, c = points
    t = np.linspace(0, 1, count)[:, None]
    control = 2 * b - (a + c) / 2
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * c


def tube(path: np.ndarray, radius: float, albedo: np.ndarray, sides: int = 7) -> Part:
    """A tube.

    Args:
        path: (N, 3) mm. radius: mm. albedo: (4,). sides: corners of its section, the first one counted twice.
    """
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = np.cross(along, (0.31, 0.17, 0.93))
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    third = np.cross(along, across)
    turn = np.linspace(0, 2 * np.pi, sides)
    ring = across[:, None] * np.cos(turn)[None, :, None] + third[:, None] * np.sin(turn)[None, :, None]
    return grid_part(path[:, None] + radius * ring, albedo, "glasses", gloss=0.5, two_sided=True)


def cap_line(fine: float) -> np.ndarray:
    """Height (C,) of a cap's lower edge, mm, at the azimuths of :func:`facelab.synth.hair.shell`."""
    return 47 - 22 * smooth_step(np.abs(shell(fine)[2]), 0.6, 2.2)


def cap(grain: int, fine: float) -> list[Part]:
    """A cap's crown and its peak, mm.

    Args:
        grain: decides about the colour. fine: of the head's grid.
    """
    random = np.random.default_rng([grain, 4])
    base, out, turn = shell(fine)
    crown = base[base[:, 0, 1] >= 0] + out[base[:, 0, 1] >= 0] * 9.0
    colour = spectra.cloth(random.random(3) ** 2 * 0.6 + 0.015)
    seams = 1 - 0.25 * (np.abs(np.sin(turn * 3)) < 0.08)
    top = grid_part(crown, colour * seams[None, :, None] * np.ones((*crown.shape[:2], 1)), "cap", gloss=0.03,
                    cover=crown[..., 1] - cap_line(fine), two_sided=True, closed=True)  # fmt: skip
    across, reach = np.linspace(-1, 1, 25)[None, :], np.linspace(0, 1, 8)[:, None]
    x = across * (60 - 6 * reach)
    z = 92 * np.sqrt(np.clip(1 - (across * 0.72) ** 2, 0, 1)) + 60 * reach * np.sqrt(np.clip(1 - across**4, 0, 1))
    y = 52 - 12 * reach - 9 * across**2 * (1 + reach)
    peak = grid_part(np.stack([x, y, z], -1), colour * 0.9, "cap", gloss=0.05, two_sided=True)
    return [top, peak]
