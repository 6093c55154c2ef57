"""A picture of somebody, with everything that is known about it.

Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.synth.part import LABELS, Part
from facelab.synth.person import Person, person
from facelab.synth.raster import Seen, rasterize
from facelab.synth.scene import Scene, face, scene_of
from facelab.synth.shade import backdrop, encode, reach, sensor, shade
from facelab.synth.view import DISTANCE, View, frame, pixels, project, rotation

VERSION = 2  # raise when a picture of the same view would come out differently
BEHIND = 1500.0  # mm from the middle of the head to the backdrop, which counts only where a lamp is near
_SLACK = 9.0  # mm by which something must be nearer than a landmark to hide it: landmarks lie on the skin


@dataclass(frozen=True)
class Rendered:
    """A rendered picture of S × S pixels and its exact truth.

    Args:
        image: (3, S, S) in [-1, 1].
        nir: (1, S, S) in [-1, 1], at 850 nm under the same lamps.
        landmarks: (68, 2) pixel (x, y), hidden ones too.
        visible: (68,) which of them nothing stands before; False outside the picture.
        labels: (S, S) int64, places in :data:`facelab.synth.part.LABELS`.
        depth: (S, S) mm from the camera's plane; infinite behind.
    """

    image: Tensor
    nir: Tensor
    landmarks: Tensor
    visible: Tensor
    labels: Tensor
    depth: Tensor


class _Camera(NamedTuple):
    """How a view falls on ``wide`` × ``wide`` samples, ``smooth`` × ``smooth`` of them a pixel."""

    view: View
    centre: np.ndarray
    side: float
    wide: int
    smooth: int

    @property
    def eye(self) -> np.ndarray:
        """(3,) unit, from the head to the camera, in the head's axes."""
        return rotation(self.view).T @ np.array([0.0, 0.0, 1.0])

    def seen(self, points, faces, cover, two_sided) -> Seen:
        """What is seen of triangles."""
        plane, distance = project(points, self.view)
        return rasterize(pixels(plane, self.centre, self.side, self.wide), distance, faces, self.wide, cover, two_sided)


class _Samples(NamedTuple):
    """What every sample shows: light (4, W·W), distance (W·W,) mm, label (W·W,)."""

    linear: np.ndarray
    depth: np.ndarray
    labels: np.ndarray


def detail(size: int) -> float:
    """How coarse a head's grid may be for pictures of ``size`` pixels."""
    return 1.0 if size > 72 else 1.6


def render(who: Person | int, view: View | None = None, size: int = 128, smooth: int = 2) -> Rendered:
    """A picture of somebody. The same person, view and size give the same bits.

    Args:
        who: a person or a number. view: how he or she is looked at; None: the canonical frontal view.
        size: side of the picture, pixels, 16 to 1024.
        smooth: every pixel is the mean of so many samples squared, 1 to 4.

    Raises:
        BadConfig: an impossible person, size or number of samples.

    Taught in: lesson 07.
    """
    for name, value, low, high in (("size", size, 16, 1024), ("smooth", smooth, 1, 4)):
        if not isinstance(value, int | np.integer) or not low <= value <= high:
            raise BadConfig(name, value, f"a whole number from {low} to {high}")
    if size * smooth > 2048:
        raise BadConfig("smooth", smooth, f"at most {2048 // size} for {size} pixels")
    view = view or View()
    scene = scene_of(who if isinstance(who, Person) else person(who), view, detail(size))
    camera = _Camera(view, *frame(project(scene.marks, view)[0], view), size * smooth, smooth)
    samples = _drawn(scene, camera)
    for lens in scene.clear:
        _look_through(samples, lens, camera)
    return _finished(scene, samples, camera)


def landmarks_of(who: Person | int, view: View, size: int) -> Tensor:
    """The landmarks that :func:`render` would give, without a picture.

    Args:
        who, view, size: as of :func:`render`.

    Returns:
        (68, 2) pixels.
    """
    marks = face(who if isinstance(who, Person) else person(who), view, detail(size))[1]
    plane = project(marks, view)[0]
    return torch.from_numpy(pixels(plane, *frame(plane, view), size)).float()


def _drawn(scene: Scene, camera: _Camera) -> _Samples:
    """All solid parts before the backdrop."""
    count = camera.wide**2
    seen = camera.seen(scene.points, scene.faces, scene.cover, scene.two_sided)
    out = _Samples(_behind(camera), np.full(count, np.inf), np.zeros(count, np.int64))
    for band, light in zip(out.linear, _shaded(scene, seen, camera).T, strict=True):
        band[seen.pixels] = light
    out.depth[seen.pixels] = seen.depth
    out.labels[seen.pixels] = scene.label[scene.faces[seen.faces, _largest(*seen.weights.T)]]
    return out


def _behind(camera: _Camera) -> np.ndarray:
    """Light (4, W·W) from the backdrop; it is the same in every light, but a lamp that is near hardly reaches it."""
    light, found = camera.view.light, backdrop(camera.wide, camera.view.backdrop).transpose(2, 0, 1).reshape(4, -1)
    return found * (light.strength * reach(light, DISTANCE + BEHIND) + light.ambient) if light.near else found


def _largest(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Which of three (P,) is the largest, (P,) 0, 1 or 2: what argmax says, which is slow on short axes."""
    return np.where(c > np.maximum(a, b), 2, b > a)


def _shaded(scene: Scene, seen: Seen, camera: _Camera) -> np.ndarray:
    """Light (P, 4) from what is seen."""
    painted = seen.of(scene.painted, scene.faces).T
    x, y, z = painted[4:7]
    normals = painted[4:7] / (np.sqrt(x**2 + y**2 + z**2) + 1e-9)
    two = np.flatnonzero(scene.two_sided[seen.faces])
    behind = two[np.ascontiguousarray(normals[:, two].T) @ camera.eye < 0]
    normals[:, behind] *= -1  # seen from the other side
    light = camera.view.light
    return shade(painted[:4].T, normals.T, *painted[7:], camera.eye, light, reach(light, seen.depth))


def _look_through(samples: _Samples, lens: Part, camera: _Camera) -> None:
    """Lay a transparent part over what is behind it, in place."""
    seen = camera.seen(lens.points, lens.faces, lens.cover, np.ones(len(lens.faces), bool))
    nearer = seen.depth < samples.depth[seen.pixels]
    at = seen.pixels[nearer]
    normals = np.ascontiguousarray(seen.of(lens.normals, lens.faces)[nearer])
    normals = normals * np.sign(normals @ camera.eye)[:, None]
    one, none = np.ones(len(at)), np.zeros(len(at))
    light, away = camera.view.light, seen.depth[nearer]
    glint = shade(np.full((len(at), 4), 0.012), normals, one, one, none, camera.eye, light, reach(light, away))
    samples.linear[:, at] = samples.linear[:, at] * lens.albedo[0][:, None] + np.minimum(0.2 * glint.T, 0.12)
    samples.labels[at] = LABELS.index("lenses")


def _finished(scene: Scene, samples: _Samples, camera: _Camera) -> Rendered:
    """Samples pooled to pixels, as the camera records them; and which landmarks are seen."""
    wide, smooth = camera.wide, camera.smooth
    size = wide // smooth
    small = _pooled(samples.linear.reshape(4, wide, wide), smooth, np.add) / smooth**2
    picture = sensor(encode(small).transpose(1, 2, 0), camera.view.camera).astype(np.float32)
    near = _pooled(samples.depth.reshape(wide, wide), smooth, np.minimum)
    plane, distance = project(scene.marks, camera.view)
    marks = pixels(plane, camera.centre, camera.side, size)
    row, column = np.clip(np.rint(marks[:, ::-1]).astype(int), 0, size - 1).T
    inside = ((marks > -0.5) & (marks < size - 0.5)).all(1)
    tensor = torch.from_numpy(picture).permute(2, 0, 1) * 2 - 1
    middle = samples.labels.reshape(wide, wide)[smooth // 2 :: smooth, smooth // 2 :: smooth]
    return Rendered(
        tensor[:3].contiguous(), tensor[3:].contiguous(), torch.from_numpy(marks).float(),
        torch.from_numpy(inside & (distance < near[row, column] + _SLACK)), torch.from_numpy(middle.copy()),
        torch.from_numpy(near).float(),
    )  # fmt: skip


def _pooled(field: np.ndarray, smooth: int, join: Callable) -> np.ndarray:
    """Squares of ``smooth`` × ``smooth`` places joined into one."""
    parts = [field[..., row::smooth, column::smooth] for row in range(smooth) for column in range(smooth)]
    return reduce(join, parts)
