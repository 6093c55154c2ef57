"""Everything that stands before the camera: a head with its expression, and what is around it and on it.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facelab.synth.body import clothes_part, ear_parts, neck_part
from facelab.synth.eyes import paint_eyes
from facelab.synth.hair import STYLES, hair_part, scalp
from facelab.synth.head import mean_head
from facelab.synth.modes import DEEP, LONG, WIDE, expressions, shapes
from facelab.synth.paint import paint_mouth, paint_skin
from facelab.synth.part import LABELS, Part, grid_normals
from facelab.synth.person import Person
from facelab.synth.view import View
from facelab.synth.wear import cap_line, worn

OPENING = ("smile", "open", "jaw")  # movements that part the lips
Movement = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Scene:
    """Everything in front of the camera as one list of points and triangles.

    Args:
        points: (V, 3) mm. faces: (F, 3).
        painted: (V, 10) albedo 4, normal 3, gloss, light, strand; see :class:`facelab.synth.part.Part`.
        label: (V,). cover: (V,). two_sided: (F,).
        clear: transparent parts, not among the points.
        marks: (68, 3) landmarks, mm.
    """

    points: np.ndarray
    faces: np.ndarray
    painted: np.ndarray
    label: np.ndarray
    cover: np.ndarray
    two_sided: np.ndarray
    clear: list[Part]
    marks: np.ndarray


class _Layers(NamedTuple):
    """Parts put together: points (V, 3), painted (10, V) float32, label (V,), cover (V,); see :class:`Scene`."""

    points: np.ndarray
    painted: np.ndarray
    label: np.ndarray
    cover: np.ndarray


class _Still(NamedTuple):
    """What stays as it is from picture to picture, whatever face and dress.

    Args:
        before, after: the parts before and behind the clothes in a scene's list; there may be none behind.
        clear, faces, two_sided: of :class:`Scene`, the head's and the clothes' triangles included.
    """

    before: _Layers
    after: list[_Layers]
    clear: list[Part]
    faces: np.ndarray
    two_sided: np.ndarray


def face(who: Person, view: View, fine: float) -> tuple[np.ndarray, np.ndarray]:
    """Somebody's head with a view's expression.

    Args:
        who: whose. view: only its expression counts. fine: of the head's grid.

    Returns:
        Points (V, 3) and landmarks (68, 3), mm.
    """
    return _moved(who, fine, tuple(sorted(view.expression.items())))


@lru_cache(maxsize=8)
def _at_rest(who: Person, fine: float) -> np.ndarray:
    """Points (V, 3) of a head without expression, mm."""
    return mean_head(fine).points + np.einsum("k,kvc->vc", who.shape, shapes(fine)[1])  # BLAS's bits depend on threads


@lru_cache(maxsize=8)
def _moved(who: Person, fine: float, movement: Movement) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) and landmarks (68, 3) of a head, mm."""
    points, (names, moves) = _at_rest(who, fine), expressions(fine)
    for name, amount in movement:
        points = points + amount * moves[names.index(name)]
    index, weight = mean_head(fine).marks
    return points.astype(np.float32), (points[index] * weight[..., None]).sum(1)


@lru_cache(maxsize=8)
def _painted(who: Person, fine: float) -> tuple[np.ndarray, ...]:
    """Albedo, gloss, light and label of a head, the roots of its hair included."""
    albedo, gloss, light, label = paint_skin(who, fine)
    rooted, left = scalp(who, mean_head(fine))
    albedo = albedo * (1 - rooted[:, None]) + who.hair * rooted[:, None]
    return albedo, gloss * (1 - 0.7 * rooted), light * left, np.where(rooted > 0.5, LABELS.index("hair"), label)


def _head_part(who: Person, view: View, fine: float) -> tuple[Part, np.ndarray]:
    """The head, and its landmarks (68, 3)."""
    head = mean_head(fine)
    points, marks = face(who, view, fine)
    normals = grid_normals(points.reshape(*head.shape, 3), closed=True)
    albedo, gloss, light, label = (layer.copy() for layer in _painted(who, fine))
    paint_eyes(points, normals, albedo, gloss, light, label, who.iris, view.gaze, fine)
    paint_mouth(albedo, gloss, light, label, sum(view.expression.get(name, 0) for name in OPENING), fine)
    zero = np.zeros(len(points), np.float32)
    return Part(points, head.faces, normals, albedo, label, gloss, light, zero, zero + 1), marks


def _fit(who: Person) -> np.ndarray:
    """(3,) by how much somebody's skull is larger than the mean one: hair and caps follow."""
    names = shapes()[0]
    return np.array([1 + by * who.shape[names.index(name)] for name, by in
                     (("wide head", WIDE), ("long head", LONG), ("deep head", DEEP))])  # fmt: skip


@lru_cache(maxsize=4)
def _around(who: Person, fine: float, accessory: str) -> _Still:
    """What neither moves with the face nor changes with the dress: ears, neck, hair, and what is worn."""
    points, marks = _moved(who, fine, ())
    width = np.abs(points[np.abs(points[:, 1] + 10) < 14, 0]).max()  # where the ears sit
    hidden = who.style != "bald" and STYLES[who.style].hangs
    before = [*([] if hidden else ear_parts(who, width, fine)), neck_part(who, fine)]
    solid, clear = worn(accessory, points, marks, who.grain, fine)
    hair = hair_part(who, fine, cap_line(fine) if accessory.startswith("cap") else None)
    after, fit = solid if hair is None else [hair, *solid], _fit(who)
    for part in after:
        if part.label[0] in (LABELS.index("hair"), LABELS.index("cap")):
            part.points = part.points * fit
    triangles = _triangles([*before, clothes_part(0, fine), *after], fine)
    return _Still(_layers(before), [_layers(after)] if after else [], clear, *triangles)


def _layers(parts: list[Part]) -> _Layers:
    """Everything but the triangles of parts."""
    painted = [np.concatenate([p.albedo.T, p.normals.T, [p.gloss, p.light, p.strand]], dtype=np.float32) for p in parts]
    points, label, cover = ([getattr(p, name) for p in parts] for name in ("points", "label", "cover"))
    return _Layers(np.concatenate(points), np.concatenate(painted, 1), np.concatenate(label), np.concatenate(cover))


def _triangles(parts: list[Part], fine: float) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3) of a head and of parts behind it in the list, and which are two-sided (F,).

    Clothes of every cut have the same triangles.
    """
    head = mean_head(fine)
    starts = np.cumsum([0, len(head.points), *(len(part.points) for part in parts[:-1])])
    faces = [each.faces.T + start for each, start in zip([head, *parts], starts, strict=True)]
    sides = [np.full(len(part.faces), part.two_sided) for part in parts]
    return np.concatenate(faces, 1).T, np.concatenate([np.zeros(len(head.faces), bool), *sides])


def scene_of(who: Person, view: View, fine: float) -> Scene:
    """All parts put together.

    Args:
        who: stands there. view: expression, gaze, dress and accessory count. fine: of the head's grid.
    """
    head, marks = _head_part(who, view, fine)
    still = _around(who, fine, view.accessory)
    layers = [_layers([head]), still.before, _layers([clothes_part(view.dress, fine)]), *still.after]
    points, painted, label, cover = zip(*layers, strict=True)
    return Scene(np.concatenate(points), still.faces, np.concatenate(painted, 1).T, np.concatenate(label),
                 np.concatenate(cover), still.two_sided, still.clear, marks)  # fmt: skip
