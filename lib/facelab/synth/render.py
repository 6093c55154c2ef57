"""A picture of somebody, with everything that is known about it.

Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.synth.body import clothes_part, ear_parts, neck_part
from facelab.synth.eyes import paint_eyes
from facelab.synth.hair import hair_part, scalp
from facelab.synth.head import mean_head
from facelab.synth.modes import expressions, shapes
from facelab.synth.paint import paint_mouth, paint_skin
from facelab.synth.part import LABELS, Part, grid_normals
from facelab.synth.person import Person, person
from facelab.synth.raster import Seen, rasterize
from facelab.synth.shade import backdrop, encode, sensor, shade
from facelab.synth.view import View, frame, pixels, project, rotation
from facelab.synth.wear import worn

VERSION = 1  # raise when a picture of the same view would come out differently
OPENING = ("smile", "open", "jaw")  # movements that part the lips


@dataclass(frozen=True)
class Rendered:
    """A rendered picture of S × S pixels and its exact truth.

    Args:
        image: (3, S, S) in [-1, 1].
        nir: (1, S, S) in [-1, 1], at 850 nm under the same lamps.
        landmarks: (68, 2) pixel (x, y), hidden ones too.
        visible: (68,) which of them nothing stands before.
        labels: (S, S) int64, places in :data:`facelab.synth.part.LABELS`.
        depth: (S, S) mm from the camera; infinite behind.
    """

    image: Tensor
    nir: Tensor
    landmarks: Tensor
    visible: Tensor
    labels: Tensor
    depth: Tensor


@dataclass(frozen=True)
class _Scene:
    """Everything in front of the camera as one list of points and triangles."""

    points: np.ndarray
    faces: np.ndarray
    painted: np.ndarray  # (V, 10): albedo 4, normal 3, gloss, light, strand
    label: np.ndarray
    cover: np.ndarray
    two_sided: np.ndarray
    clear: list[Part]
    marks: np.ndarray


def detail(size: int) -> float:
    """How coarse a head's grid may be for pictures of ``size`` pixels."""
    return 1.0 if size > 72 else 1.6


@lru_cache(maxsize=8)
def _face(number: int, fine: float, movement: tuple[tuple[str, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Somebody's head with an expression: points (V, 3) and landmarks (68, 3)."""
    head, (names, moves) = mean_head(fine), expressions(fine)
    points = head.points + np.tensordot(person(number).shape, shapes(fine)[1], 1)
    for name, amount in movement:
        points = points + amount * moves[names.index(name)]
    index, weight = head.marks
    return points.astype(np.float32), (points[index] * weight[..., None]).sum(1)


@lru_cache(maxsize=8)
def _painted(number: int, fine: float) -> tuple[np.ndarray, ...]:
    who, head = person(number), mean_head(fine)
    albedo, gloss, light, label = paint_skin(who, fine)
    rooted, left = scalp(who, head, fine)
    albedo = albedo * (1 - rooted[:, None]) + who.hair * rooted[:, None]
    return albedo, gloss * (1 - 0.7 * rooted), light * left, np.where(rooted > 0.5, LABELS.index("hair"), label)


def _head_part(who: Person, view: View, fine: float) -> tuple[Part, np.ndarray]:
    head = mean_head(fine)
    points, marks = _face(who.number, fine, tuple(sorted(view.expression.items())))
    normals = grid_normals(points.reshape(*head.shape, 3), closed=True)
    albedo, gloss, light, label = (layer.copy() for layer in _painted(who.number, fine))
    paint_eyes(points, normals, albedo, gloss, light, label, who.iris, view.gaze, fine)
    paint_mouth(albedo, gloss, light, label, sum(view.expression.get(name, 0) for name in OPENING), fine)
    zero = np.zeros(len(points), np.float32)
    return Part(points, head.faces, albedo, label, gloss, light, zero, zero + 1, head.shape, normals=normals), marks


@lru_cache(maxsize=8)
def _around(number: int, fine: float, dress: int, accessory: str) -> tuple[list[Part], list[Part]]:
    """What does not move with the face: hair, ears, neck, clothes, and what is worn; solid and clear parts."""
    who = person(number)
    points, marks = _face(number, fine, ())
    names = shapes(fine)[0]
    wide = 1 + 0.055 * who.shape[names.index("wide head")]
    level = np.abs(points[:, 1] + 10) < 14
    width = np.abs(points[level, 0]).max()
    parts = [*ear_parts(who, width, fine), neck_part(who, fine), clothes_part(who, dress, fine)]
    hair = hair_part(who, fine)
    solid, clear = worn(accessory, marks, who.grain, fine)
    fit = np.array([wide, 1 + 0.05 * who.shape[names.index("long head")], 1 + 0.04 * who.shape[names.index("deep head")]])
    if hair is not None:
        hair.points = hair.points * fit
        if accessory.startswith("cap"):
            hair.cover = np.minimum(hair.cover, 52 - hair.points[:, 1])
        parts.append(hair)
    for part in solid:
        if (part.label == LABELS.index("cap")).any():
            part.points = part.points * fit
    return parts + solid, clear


def _scene(who: Person, view: View, fine: float) -> _Scene:
    head, marks = _head_part(who, view, fine)
    solid, clear = _around(who.number, fine, view.dress, view.accessory)
    parts = [head, *solid]
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    painted = [np.concatenate([p.albedo, p.normals, p.gloss[:, None], p.light[:, None], p.strand[:, None]], 1) for p in parts]
    return _Scene(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate(painted).astype(np.float32), np.concatenate([part.label for part in parts]),
        np.concatenate([part.cover for part in parts]),
        np.concatenate([np.full(len(part.faces), part.two_sided) for part in parts]), clear, marks,
    )  # fmt: skip


def render(who: Person | int, view: View | None = None, size: int = 128, smooth: int = 2) -> Rendered:
    """A picture of somebody.

    Args:
        who: a person or a number. view: how he or she is looked at; None: the canonical frontal view.
        size: side of the picture, pixels, 16 to 1024.
        smooth: every pixel is the mean of so many squared.

    Raises:
        BadConfig: an impossible size.
    """
    if not 16 <= size <= 1024:
        raise BadConfig("size", size, "from 16 to 1024 pixels")
    who, view = person(who) if isinstance(who, int) else who, view or View()
    scene, wide = _scene(who, view, detail(size)), size * smooth
    plane, distance = project(scene.points, view)
    centre, side = frame(project(scene.marks, view)[0], view)
    seen = rasterize(pixels(plane, centre, side, wide), distance, scene.faces, wide, scene.cover, scene.two_sided)
    linear = backdrop(wide, view.backdrop).reshape(-1, 4)
    eye = rotation(view).T @ np.array([0.0, 0.0, 1.0])
    linear[seen.pixels] = _shaded(scene, seen, view, eye)
    depth, labels = np.full(wide * wide, np.inf), np.zeros(wide * wide, np.int64)
    depth[seen.pixels] = seen.depth
    labels[seen.pixels] = scene.label[scene.faces[seen.faces, seen.weights.argmax(1)]]
    for lens in scene.clear:
        _look_through(linear, depth, labels, lens, view, centre, side, wide, eye)
    return _finished(scene, view, linear, depth, labels, centre, side, size, smooth)


def landmarks_of(who: int, view: View, size: int) -> Tensor:
    """The landmarks (68, 2) that :func:`render` would give, pixels, without a picture."""
    marks = _face(who, detail(size), tuple(sorted(view.expression.items())))[1]
    plane = project(marks, view)[0]
    return torch.from_numpy(pixels(plane, *frame(plane, view), size)).float()


def _shaded(scene: _Scene, seen: Seen, view: View, eye: np.ndarray) -> np.ndarray:
    painted = seen.of(scene.painted, scene.faces)
    normals = painted[:, 4:7]
    normals = normals / (np.sqrt((normals**2).sum(1, keepdims=True)) + 1e-9)
    behind = (normals @ eye < 0) & scene.two_sided[seen.faces]
    normals = np.where(behind[:, None], -normals, normals)
    return shade(painted[:, :4], normals, painted[:, 7], painted[:, 8], painted[:, 9], eye, view.light)


def _look_through(linear, depth, labels, lens: Part, view: View, centre, side, wide, eye) -> None:
    """Lay a transparent part over what is behind it, in place."""
    plane, distance = project(lens.points, view)
    both = np.ones(len(lens.faces), bool)
    seen = rasterize(pixels(plane, centre, side, wide), distance, lens.faces, wide, lens.cover, both)
    nearer = seen.depth < depth[seen.pixels]
    at, through = seen.pixels[nearer], lens.albedo[0]
    normals = seen.of(lens.normals, lens.faces)[nearer]
    normals = normals * np.sign(normals @ eye)[:, None]
    count = len(at)
    glint = shade(np.full((count, 4), 0.012), normals, np.full(count, 1.0), np.ones(count), np.zeros(count), eye, view.light)
    linear[at] = linear[at] * through + np.minimum(0.2 * glint, 0.12)
    labels[at] = LABELS.index("lenses")


def _finished(scene, view: View, linear, depth, labels, centre, side, size: int, smooth: int) -> Rendered:
    wide = size * smooth
    small = _pooled(linear.reshape(wide, wide, 4), smooth, np.add) / smooth**2
    picture = sensor(encode(small), view.camera).astype(np.float32)
    near = _pooled(depth.reshape(wide, wide), smooth, np.minimum)
    plane, distance = project(scene.marks, view)
    marks = pixels(plane, centre, side, size)
    row, column = np.clip(np.rint(marks[:, ::-1]).astype(int), 0, size - 1).T
    inside = ((marks > -0.5) & (marks < size - 0.5)).all(1)
    tensor = torch.from_numpy(picture).permute(2, 0, 1) * 2 - 1
    middle = labels.reshape(wide, wide)[smooth // 2 :: smooth, smooth // 2 :: smooth]
    return Rendered(
        tensor[:3].contiguous(), tensor[3:].contiguous(), torch.from_numpy(marks).float(),
        torch.from_numpy(inside & (distance < near[row, column] + 9.0)), torch.from_numpy(middle.copy()),
        torch.from_numpy(near).float(),
    )  # fmt: skip


def _pooled(field: np.ndarray, smooth: int, join: Callable) -> np.ndarray:
    """Squares of ``smooth`` × ``smooth`` places joined into one."""
    parts = [field[row::smooth, column::smooth] for row in range(smooth) for column in range(smooth)]
    return reduce(join, parts)
