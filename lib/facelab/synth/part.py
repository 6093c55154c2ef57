"""A piece of a rendered head, and how pieces are put together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facelab.synth.head import grid_faces

LABELS = ("background", "skin", "neck", "ears", "brows", "eyes", "lips", "mouth", "hair", "glasses", "lenses", "cap", "clothes")
"""What a pixel shows; a segmentation holds places of this list."""


@dataclass
class Part:
    """Points, triangles and what is painted on them.

    Args:
        points: (V, 3) mm. faces: (F, 3).
        albedo: (V, 4) linear reflectances.
        label: (V,) places in :data:`LABELS`.
        gloss: (V,) strength of the highlight.
        light: (V,) share of the ambient light that arrives, 0..1.
        strand: (V,) 1 where light is scattered by hair, else 0.
        cover: (V,) ≥ 0 where there is anything; below, the part has a hole.
        shape: (rows, columns) of a grid, for smooth normals.
        two_sided: seen from behind, too.
    """

    points: np.ndarray
    faces: np.ndarray
    albedo: np.ndarray
    label: np.ndarray
    gloss: np.ndarray
    light: np.ndarray
    strand: np.ndarray
    cover: np.ndarray
    shape: tuple[int, int]
    two_sided: bool = False
    normals: np.ndarray = field(default=None)


def grid_part(
    points: np.ndarray, albedo: np.ndarray, label: str, *, gloss: float = 0.05, light: np.ndarray | float = 1.0,
    strand: float = 0.0, cover: np.ndarray | float = 1.0, two_sided: bool = False, closed: bool = False,
) -> Part:  # fmt: skip
    """A part from a grid of points (R, C, 3); what is given as one number holds everywhere."""
    rows, cols = points.shape[:2]
    full = lambda value, *tail: np.broadcast_to(value, (rows, cols, *tail)).reshape(-1, *tail).astype(np.float32)  # noqa: E731
    part = Part(
        points.reshape(-1, 3).astype(np.float32), grid_faces(rows, cols), full(albedo, 4),
        np.full(rows * cols, LABELS.index(label)), full(gloss), full(light), full(strand), full(cover), (rows, cols),
        two_sided,
    )  # fmt: skip
    part.normals = grid_normals(points, closed)
    return part


def grid_normals(points: np.ndarray, closed: bool = False) -> np.ndarray:
    """Unit normals (R·C, 3) of a grid (R, C, 3), outside; ``closed``: the last column is the first."""
    if closed:
        wide = np.concatenate([points[:, -2:-1], points, points[:, 1:2]], 1)
        along = (wide[:, 2:] - wide[:, :-2]).astype(np.float32)
    else:
        along = np.gradient(points, axis=1)
    up = np.gradient(points, axis=0)
    normals = np.cross(along, up)
    return (normals / (np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9)).reshape(-1, 3).astype(np.float32)
