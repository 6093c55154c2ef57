"""How somebody is looked at: camera, light, expression, what is worn; and where that puts things in the picture.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from facelab.errors import BadConfig
from facelab.synth.modes import MOVEMENTS
from facelab.synth.wear import ACCESSORIES

DISTANCE = 1300.0  # mm from the camera to the middle of the head
MARGIN, RAISED = 1.56, 0.085  # of :func:`frame`; :func:`facelab.faces.portrait.portrait` has the same
PIVOT = np.array([0.0, -30.0, 0.0])  # the camera looks here, and heads turn about it


def _within(field: str, value: float, high: float, unit: str = "", low: float | None = None) -> None:
    """Refuse a number that is not from ``low`` (None: minus ``high``) to ``high``; NaN is not."""
    low = -high if low is None else low
    if not low <= value <= high:
        raise BadConfig(field, value, f"from {low:g} to {high:g} {unit}".strip())


@dataclass(frozen=True)
class Light:
    """Where light comes from, fixed to the room in which the subject looks straight ahead.

    Args:
        azimuth: degrees, 0 from where the subject looks, positive from the image's right of a frontal picture;
            -180..180.
        elevation: degrees, positive from above; -90..90.
        strength: of the lamp, 0..1.
        ambient: light from everywhere, 0..1.
        warmth: -1 blue to 1 yellow.
        near: mm from the lamp to the middle of the head; what is farther from the lamp is darker, see
            :func:`facelab.synth.shade.reach`. 0 = so far away that everything gets the same; 0, or 300..10,000.

    Raises:
        BadConfig: a number out of its range.
    """

    azimuth: float = 0.0
    elevation: float = 35.0
    strength: float = 0.62
    ambient: float = 0.44
    warmth: float = 0.0
    near: float = 0.0

    def __post_init__(self):
        if self.near != 0:
            _within("near", self.near, 10_000, "mm", low=300)
        _within("azimuth", self.azimuth, 180, "degrees")
        _within("elevation", self.elevation, 90, "degrees")
        _within("warmth", self.warmth, 1)
        _within("strength", self.strength, 1, low=0)
        _within("ambient", self.ambient, 1, low=0)


CANONICAL_LIGHT = Light()


@dataclass(frozen=True)
class View:
    """How somebody is looked at.

    Args:
        yaw: degrees, positive = the subject turns to the image's right; -90..90.
        pitch: degrees, positive = seen from above; -60..60.
        roll: degrees, positive = the head leans to the image's right; -180..180.
        light: where light comes from.
        expression: movement (of :func:`facelab.synth.modes.expressions`) → amount, 0..1.
        accessory: one of :data:`facelab.synth.wear.ACCESSORIES`.
        gaze: degrees to the image's right, and up, in the head; -60..60.
        dress: seed of clothes. backdrop: seed of what is behind; 0 is plain grey.
        camera: seed of sensor noise and of small differences of exposure; 0 has none.
        zoom: 1 as framed by :func:`frame`; 0.8 shows more around the face; 0.1..10.
        shift: (x, y) by which the face is moved to the right and down, shares of the picture's side; -1..1.

    Raises:
        BadConfig: a number out of its range, or a name that does not exist.

    Taught in: lesson 07.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    light: Light = CANONICAL_LIGHT
    expression: dict[str, float] = field(default_factory=dict)
    accessory: str = "plain"
    gaze: tuple[float, float] = (0.0, 0.0)
    dress: int = 0
    backdrop: int = 0
    camera: int = 0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self):
        for name, most in (("yaw", 90), ("pitch", 60), ("roll", 180)):
            _within(name, getattr(self, name), most, "degrees")
        if self.accessory not in ACCESSORIES:
            raise BadConfig("accessory", self.accessory, "one of " + "; ".join(ACCESSORIES))
        for name, amount in self.expression.items():
            if name not in MOVEMENTS:
                raise BadConfig("expression", name, "one of " + ", ".join(MOVEMENTS))
            _within(f"expression {name}", amount, 1, low=0)
        for degrees, share in zip(self.gaze, self.shift, strict=True):
            _within("gaze", degrees, 60, "degrees")
            _within("shift", share, 1)
        for name in ("dress", "backdrop", "camera"):
            seed = getattr(self, name)
            if not isinstance(seed, int | np.integer) or seed < 0:
                raise BadConfig(name, seed, "a whole number, 0 or more")
        _within("zoom", self.zoom, 10, low=0.1)


def frontal(view: View) -> View:
    """The canonical counterpart of a view: from the front, neutral, plain light and backdrop, the same accessory."""
    return View(accessory=view.accessory)


def roomier(view: View, times: float) -> View:
    """The same look at a square so many times as wide, with the same middle.

    Args:
        view: any. times: more than 1 shows more around the face.

    Taught in: lesson 08.
    """
    right, down = view.shift
    return replace(view, zoom=view.zoom / times, shift=(right / times, down / times))


def rotation(view: View) -> np.ndarray:
    """The matrix (3, 3) from the head's axes to the camera's: the head turns, then it is nodded, then it leans."""
    yaw, pitch, roll = np.radians([view.yaw, view.pitch, -view.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    lean = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return lean @ nod @ turn


def project(points: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Where points appear.

    Args:
        points: (V, 3) mm, in the head's axes.

    Returns:
        (V, 2) mm in the plane through the head's middle, x to the right and y up; and (V,) mm from the camera's plane.
    """
    there = rotation(view) @ (points - PIVOT).T
    distance = DISTANCE - there[2]
    return (there[:2] * (DISTANCE / distance)).T, distance


def frame(marks: np.ndarray, view: View) -> tuple[np.ndarray, float]:
    """The square around a face: its centre (2,), and its side, both in the plane of :func:`project`, mm.

    The longer side of the landmarks' box, half as long again, and a little higher: forehead and chin are in it, as in
    crops of LFW.

    Args:
        marks: (68, 2) projected landmarks, mm.
        view: its zoom and shift count.
    """
    low, high = marks.min(0), marks.max(0)
    side = MARGIN * (high - low).max() / view.zoom
    return (low + high) / 2 + (0, RAISED * side * view.zoom) + np.array(view.shift) * side * (-1, 1), side


def pixels(plane: np.ndarray, centre: np.ndarray, side: float, size: int) -> np.ndarray:
    """Places in the plane as pixels.

    Args:
        plane: (V, 2) mm, y up. centre: (2,) and side: of the square that is shown, mm, see :func:`frame`.
        size: of the picture, pixels.

    Returns:
        (V, 2) pixel (x, y), y down; pixel centres at whole numbers.
    """
    return (plane - centre) * (1, -1) * (size / side) + (size / 2 - 0.5)


def towards(light: Light) -> np.ndarray:
    """Unit vector (3,) from the head to the lamp, in the head's axes."""
    azimuth, elevation = np.radians([light.azimuth, light.elevation])
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
