"""K-FACE's names: a person, an accessory, a light, an expression and a camera, and what each number means.

``Middle_Resolution/19062421/S001/L1/E01/C7.jpg`` in the published tree, ``001-001-01-01-07.jpg`` in pair folders.
Taught in: lesson 07.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

from facelab.errors import BadConfig

RESOLUTIONS = ("Middle", "High", "Low")  # in this order; the first one that is there is read
INPUTS, TARGETS = "X", "Y"


class Camera(NamedTuple):
    """Where a camera stands, degrees.

    ``yaw``: as in all of facelab positive = the subject turns to the *image's* right. The publisher's +90 (C1) stands
    at the subject's own right, whence the nose points to the image's right: the signs agree. ``pitch``: the camera's
    elevation, positive = the face is seen from above.
    """

    yaw: float
    pitch: float


class Light(NamedTuple):
    """What shines: ``lux`` 0 … 1000; from ``elevation`` degrees above; from ``azimuth`` degrees, positive = from the
    subject's own right, which in a frontal picture is the image's left; ``all_round``: from everywhere instead."""

    lux: int
    elevation: float
    azimuth: float
    all_round: bool


def _lights() -> dict[int, Light]:
    found = [Light(lux, 0, 0, True) for lux in (1000, 400, 200, 150, 100, 40, 0)]
    found += [Light(lux, up, 0, False) for up in (30, -15) for lux in (400, 200, 100, 40)]
    found += [Light(lux, 0, side, False) for side in (90, 45, 0, -45, -90) for lux in (400, 200, 100)]
    return dict(enumerate(found, 1))


ROW = tuple(range(1, 14))
"""The cameras of the horizontal row, C1 … C13: yaw +90 … -90 in steps of 15 degrees."""
_OTHERS = ((45, 30), (15, 30), (0, 30), (-15, 30), (-45, 30), (30, -15), (-30, -15))
CAMERAS = {n: Camera(105 - 15 * n, 0) for n in ROW} | {n: Camera(*at) for n, at in enumerate(_OTHERS, 14)}
LIGHTS = _lights()
ACCESSORIES = dict(
    enumerate(("none", "glasses", "horn-rimmed glasses", "sunglasses", "hat", "hat, horn-rimmed glasses"), 1)
)
EXPRESSIONS = {1: "neutral", 2: "big smile", 3: "frown"}
FRONTAL_CAMERA = 7

_TREE = re.compile(r"(?:^|/)(?P<p>\d{8})/S(?P<a>\d{3})/L(?P<l>\d{1,2})/E(?P<e>\d{2})/C(?P<c>\d{1,2})\.\w+$")
_FLAT = re.compile(r"(?:^|/)(?P<p>\d{3,8})-(?P<a>\d{3})-(?P<e>\d{2})-(?P<l>\d{2})-(?P<c>\d{2})\.\w+$")


def angle_index(yaw: float) -> int:
    """Place 0 … 12 in :data:`ROW` of the camera nearest to a yaw; half-way between two, the more frontal one.

    Args:
        yaw: degrees; 90 (and more) gives 0, 0 gives 6, -90 gives 12.

    Raises:
        BadConfig: it is not a number.
    """
    if not abs(yaw) <= 180:
        raise BadConfig("yaw", yaw, "degrees from -180 to 180")
    return min(range(len(ROW)), key=lambda i: (abs(CAMERAS[ROW[i]].yaw - yaw), abs(CAMERAS[ROW[i]].yaw)))


@dataclass(frozen=True, order=True)
class Shot:
    """What a picture shows, as its name says.

    Args:
        person: digits, eight in the published tree.
        accessory: 1 … 6, see :data:`ACCESSORIES`.
        light: 1 … 30, see :data:`LIGHTS`.
        expression: 1 … 3, see :data:`EXPRESSIONS`.
        camera: 1 … 20, see :data:`CAMERAS`.

    Raises:
        BadConfig: one of them does not exist.

    Taught in: 07.
    """

    person: str
    accessory: int
    light: int
    expression: int
    camera: int

    def __post_init__(self):
        tables = {"accessory": ACCESSORIES, "light": LIGHTS, "expression": EXPRESSIONS, "camera": CAMERAS}
        for name, table in tables.items():
            if getattr(self, name) not in table:
                raise BadConfig(name, getattr(self, name), f"1 to {len(table)}")

    @property
    def target(self) -> Shot:
        """The canonical frontal of the same person and accessory: brightest light, neutral, camera 7."""
        return replace(self, light=1, expression=1, camera=FRONTAL_CAMERA)

    @property
    def is_target(self) -> bool:
        """Whether it is the canonical frontal itself."""
        return (self.light, self.expression, self.camera) == (1, 1, FRONTAL_CAMERA)

    def path(self, resolution: str = "Middle") -> PurePosixPath:
        """Where the published tree has it, from ``Middle_Resolution/`` on (``High``, ``Low``)."""
        if resolution not in RESOLUTIONS:
            raise BadConfig("resolution", resolution, f"one of {', '.join(RESOLUTIONS)}")
        tail = f"S{self.accessory:03d}/L{self.light}/E{self.expression:02d}/C{self.camera}.jpg"
        return PurePosixPath(f"{resolution}_Resolution/{self.person}/{tail}")


def shot_of(path: PurePath | str) -> Shot | None:
    """What a path says: of the published tree, or ``PPP-AAA-EE-LL-CC.jpg`` of the pair folders; None = of neither.

    A picture that lies in a folder ``Y`` is the canonical frontal, under the name of the picture it belongs to.
    """
    text = path.as_posix() if isinstance(path, PurePath) else path.replace("\\", "/")
    found = _TREE.search(text) or _FLAT.search(text)
    if found is None:
        return None
    try:
        shot = Shot(found["p"], *(int(found[key]) for key in "alec"))
    except BadConfig:
        return None
    return shot.target if found.re is _FLAT and f"/{text}".endswith(f"/{TARGETS}{found[0]}") else shot
