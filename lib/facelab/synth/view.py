"""How somebody is looked at: camera, light, expression, what is worn; and where that puts things in the picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facelab.errors import BadConfig
from facelab.synth.wear import ACCESSORIES

DISTANCE = 1300.0  # mm from the camera to the middle of the head
PIVOT = np.array([0.0, -30.0, 0.0])  # the camera looks here, and heads turn about it


@dataclass(frozen=True)
class Light:
    """Where light comes from, fixed to the room in which the subject looks straight ahead.

    Args:
        azimuth: degrees, 0 from where the subject looks, positive from the image's right of a frontal picture.
        elevation: degrees, positive from above.
        strength: of the lamp, 0..1.
        ambient: light from everywhere, 0..1.
        warmth: -1 blue to 1 yellow.
    """

    azimuth: float = 0.0
    elevation: float = 35.0
    strength: float = 0.62
    ambient: float = 0.44
    warmth: float = 0.0


CANONICAL_LIGHT = Light()


@dataclass(frozen=True)
class View:
    """How somebody is looked at.

    Args:
        yaw: degrees, positive = the subject turns to the image's right; -90..90.
        pitch: degrees, positive = seen from above; -60..60.
        roll: degrees, positive = the head leans to the image's right.
        light: where light comes from.
        expression: movement (of :func:`facelab.synth.modes.expressions`) → amount, 0..1.
        accessory: one of :data:`facelab.synth.wear.ACCESSORIES`.
        gaze: degrees to the image's right, and up, in the head.
        dress: seed of clothes. backdrop: seed of what is behind; 0 is plain grey.
        camera: seed of sensor noise and of small differences of exposure; 0 has none.
        zoom: 1 as framed by :func:`frame`; 0.8 shows more around the face.
        shift: (x, y) of the frame, shares of its side.
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
        if not -90 <= self.yaw <= 90:
            raise BadConfig("yaw", self.yaw, "from -90 to 90 degrees")
        if not -60 <= self.pitch <= 60:
            raise BadConfig("pitch", self.pitch, "from -60 to 60 degrees")
        if self.accessory not in ACCESSORIES:
            raise BadConfig("accessory", self.accessory, "one of " + "; ".join(ACCESSORIES))
        if self.zoom <= 0:
            raise BadConfig("zoom", self.zoom, "more than 0")


def frontal(view: View) -> View:
    """The canonical counterpart of a view: from the front, neutral, plain light and backdrop, the same accessory."""
    return View(accessory=view.accessory)


def rotation(view: View) -> np.ndarray:
    """(3, 3) from the head's axes to the camera's."""
    yaw, pitch, roll = np.radians([view.yaw, view.pitch, -view.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    lean = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return lean @ nod @ turn


def project(points: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) to (V, 2) millimetres in the plane through the head's middle (x right, y up), and distances (V,)."""
    there = (points - PIVOT) @ rotation(view).T
    distance = DISTANCE - there[:, 2]
    return there[:, :2] * (DISTANCE / distance)[:, None], distance


def frame(marks: np.ndarray, view: View) -> tuple[np.ndarray, float]:
    """The square around a face: its centre (2,), and its side, both in the plane of :func:`project`, mm.

    The longer side of the landmarks' box, half as long again, and a little higher: forehead and chin are in it, as in
    crops of LFW.

    Args:
        marks: (68, 2) projected landmarks.
    """
    low, high = marks.min(0), marks.max(0)
    side = 1.56 * (high - low).max() / view.zoom
    return (low + high) / 2 + (0, 0.085 * side * view.zoom) + np.array(view.shift) * side * (-1, 1), side


def pixels(plane: np.ndarray, centre: np.ndarray, side: float, size: int) -> np.ndarray:
    """Places in the plane (V, 2), mm, to pixel (x, y) of a picture ``size`` wide; pixel centres at whole numbers."""
    return (plane - centre) * (1, -1) * (size / side) + (size / 2 - 0.5)


def towards(light: Light) -> np.ndarray:
    """(3,) unit vector from the head to the lamp, in the head's axes."""
    azimuth, elevation = np.radians([light.azimuth, light.elevation])
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


