"""A piece of a rendered head, and how pieces are put together.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facelab.synth.head import grid_faces

LABELS = (
    "background", "skin", "neck", "ears", "brows", "eyes", "lips", "mouth", "hair", "glasses", "lenses", "cap",
    "clothes",
)  # fmt: skip
"""What a pixel shows; a segmentation holds places of this list."""


@dataclass
class Part:
    """Points, triangles and what is painted on them.

    Args:
        points: (V, 3) mm. faces: (F, 3), counter-clockwise seen from outside. normals: (V, 3) unit, outside.
        albedo: (V, 4) linear reflectances.
        label: (V,) places in :data:`LABELS`.
        gloss: (V,) strength of the highlight.
        light: (V,) share of the ambient light that arrives, 0..1.
        strand: (V,) 1 where light is scattered by hair, else 0.
        cover: (V,) ≥ 0 where there is anything; below, the part has a hole.
        two_sided: seen from behind, too.
    """

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray
    label: np.ndarray
    gloss: np.ndarray
    light: np.ndarray
    strand: np.ndarray
    cover: np.ndarray
    two_sided: bool = False


def grid_part(
    points: np.ndarray, albedo: np.ndarray, label: str, *, gloss: float = 0.05, light: np.ndarray | float = 1.0,
    strand: float = 0.0, cover: np.ndarray | float = 1.0, two_sided: bool = False, closed: bool = False,
) -> Part:  # fmt: skip
    """A part from a grid; what is given as one number holds everywhere.

    Args:
        points: (R, C, 3) mm, rows up and columns to the right, seen from outside.
        albedo: (4,) or (R, C, 4). label: one of :data:`LABELS`.
        gloss, light, strand, cover, two_sided: see :class:`Part`; (R, C) or one number.
        closed: the last column is the first.

    Triangles without anything there are left out.
    """
    rows, cols = points.shape[:2]

    def full(value: np.ndarray | float, *tail: int) -> np.ndarray:
        return np.broadcast_to(value, (rows, cols, *tail)).reshape(-1, *tail).astype(np.float32)

    faces, there = grid_faces(rows, cols), full(cover) >= 0
    return Part(
        points.reshape(-1, 3).astype(np.float32), faces[there[faces].any(1)], grid_normals(points, closed),
        full(albedo, 4), np.full(rows * cols, LABELS.index(label)), full(gloss), full(light), full(strand),
        full(cover), two_sided,
    )  # fmt: skip


def grid_normals(points: np.ndarray, closed: bool = False) -> np.ndarray:
    """Which way a grid's surface looks.

    Args:
        points: (R, C, 3) mm, rows up and columns to the right, seen from outside.
        closed: the last column is the first.

    Returns:
        (R·C, 3) unit normals, outside.
    """
    places = np.ascontiguousarray(points.transpose(2, 0, 1))  # numpy is slow on short axes
    if closed:
        wide = np.concatenate([places[..., -2:-1], places, places[..., 1:2]], 2)
        along = (wide[..., 2:] - wide[..., :-2]).astype(np.float32)
    else:
        along = np.gradient(places, axis=2)
    (ax, ay, az), (bx, by, bz) = along, np.gradient(places, axis=1)
    normals = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    length = np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2)
    return (normals / (length + 1e-9)).reshape(3, -1).astype(np.float32).T
