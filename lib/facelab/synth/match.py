"""Where each place of a face's frontal picture is seen in a turned one: known to the pixel, because both are rendered.

Taught in: lesson 07.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import maximum_filter

from facelab.synth.person import person
from facelab.synth.raster import Seen, rasterize
from facelab.synth.scene import Scene, scene_of
from facelab.synth.view import View, frame, frontal, pixels, project

VERSION = 2  # raise when the same view, or a photograph turned alike, would have another map
SIZE = 32  # places along a side of a map
_FINE, _LOOK, _SLACK = 1.6, 96, 8.0  # the head's grid; pixels and mm of the check for what stands before
EDGE, RIM = 1 / 48, 30.0
"""What lies nearer to an edge of the head than so much of the picture's side is not seen: a flow that is a little off
would fetch what is behind the head. It is rounded to whole pixels, at least one. An edge is where the depth changes by
more than so many mm."""


@lru_cache(maxsize=8)
def _front(number: int, accessory: str, size: int) -> tuple[Seen, np.ndarray]:
    """What is seen at each place of the canonical frontal picture, and the triangles of the scene."""
    view = View(accessory=accessory)
    scene = scene_of(person(number), view, _FINE)
    plane, distance = project(scene.points, view)
    centre, side = frame(project(scene.marks, view)[0], view)
    places = pixels(plane, centre, side, size)
    return rasterize(places, distance, scene.faces, size, scene.cover, scene.two_sided), scene.faces


def match(number: int, view: View, size: int = SIZE) -> np.ndarray:
    """The flow from a person's canonical frontal picture to a turned one.

    Args:
        number: of the person.
        view: the turned picture's.
        size: places along a side.

    Returns:
        (3, size, size) float32: how far to the right and how far below a place's counterpart lies (1 = half the
        picture's side), and 1 where it is seen there, and not at an edge, see :data:`EDGE`; else 0. Behind the head all
        three are 0.
    """
    seen, faces = _front(number, frontal(view).accessory, size)
    scene = scene_of(person(number), view, _FINE)
    plane, distance = project(scene.points, view)
    centre, side = frame(project(scene.marks, view)[0], view)
    there = 2 * seen.of((plane - centre) * (1, -1) / side, faces)  # -1 … 1
    away = seen.of(distance, faces)
    here = np.stack([seen.pixels % size, seen.pixels // size], 1) * 2 + 1
    out = np.zeros((size * size, 3), np.float32)
    out[seen.pixels, :2] = there - (here / size - 1)
    out[seen.pixels, 2] = _visible(scene, pixels(plane, centre, side, _LOOK), distance, there, away)
    return np.ascontiguousarray(out.reshape(size, size, 3).transpose(2, 0, 1))


def _visible(scene: Scene, places: np.ndarray, distance: np.ndarray, there: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Which points (P,) are seen, at places (P, 2) in -1 … 1 and so many mm away (P,): nothing stands before them, and
    no edge is near."""
    found = rasterize(places, distance, scene.faces, _LOOK, scene.cover, scene.two_sided)
    depth = np.full(_LOOK * _LOOK, np.inf)
    depth[found.pixels] = found.depth
    column, row = np.rint((there + 1) / 2 * _LOOK - 0.5).T.astype(int)
    inside = (column >= 0) & (column < _LOOK) & (row >= 0) & (row < _LOOK)
    at = np.clip(row, 0, _LOOK - 1) * _LOOK + np.clip(column, 0, _LOOK - 1)
    inner = deepest_around(depth.reshape(_LOOK, _LOOK)).ravel()[at] < away + RIM
    return inside & inner & (away < depth[at] + _SLACK)


def deepest_around(depth: np.ndarray) -> np.ndarray:
    """How far away the farthest thing up to :data:`EDGE` from each pixel is.

    Args:
        depth: (S, S) mm, infinite where there is nothing.

    Returns:
        (S, S) mm.
    """
    return maximum_filter(depth, 2 * max(1, round(EDGE * len(depth))) + 1, mode="nearest")
