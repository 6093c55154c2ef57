"""Which triangle is seen at which pixel: a z-buffer over all triangles at once.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAREST = 600.0  # mm; nothing may be nearer: :func:`_draw` keeps distances in 31 bits
# Triangles are drawn together with others about as large, in windows of so many pixels.
_WIDEST = (1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, 2049)


@dataclass(frozen=True)
class Seen:
    """What is seen at each covered pixel.

    Args:
        pixels: (P,) row · width + column, increasing.
        faces: (P,) the triangle seen there.
        weights: (P, 3) of its corners, corrected for perspective.
        depth: (P,) its distance from the camera, mm.
    """

    pixels: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    depth: np.ndarray

    def of(self, values: np.ndarray, corners: np.ndarray) -> np.ndarray:
        """What is seen of something that points have.

        Args:
            values: (V, ...) of the points. corners: (F, 3) points of the triangles.

        Returns:
            (P, ...), linear between the corners; one channel after the other in memory, as is read fastest.
        """
        at, weights = np.take(corners.T, self.faces, 1), self.weights.T.astype(values.dtype)
        channels = np.ascontiguousarray(values.reshape(len(values), -1).T)
        found = channels.take(at[0], 1) * weights[0]
        for k in (1, 2):
            found += channels.take(at[k], 1) * weights[k]
        return found.T.reshape(-1, *values.shape[1:])


def rasterize(
    xy: np.ndarray, distance: np.ndarray, corners: np.ndarray, size: int, cover: np.ndarray, two_sided: np.ndarray
) -> Seen:
    """Draw triangles into a square picture.

    Args:
        xy: (V, 2) pixel places, x right and y down; pixel centres at whole numbers.
        distance: (V,) from the camera's plane, mm, at least :data:`NEAREST`.
        corners: (F, 3) indices of points, counter-clockwise seen from outside.
        size: side of the picture, pixels, up to 2048.
        cover: (V,) where it is below 0 there is nothing, linear between corners.
        two_sided: (F,) which triangles are drawn when seen from behind, too.

    Raises:
        ValueError: a point that is too near, or behind the camera.

    Source: Pineda 1988, "A Parallel Algorithm for Polygon Rasterization" for the edge functions; Catmull 1974 for the
    z-buffer.
    """
    if not distance.min() >= NEAREST:
        raise ValueError(f"points are {distance.min():g} mm from the camera; they may be {NEAREST:g} mm and more")
    x, y = np.ascontiguousarray(xy.T, np.float32)
    inverse, corners = (1.0 / distance).astype(np.float32), np.ascontiguousarray(corners.T)
    places = x[corners], y[corners]  # (3, F) each: numpy is slow where the last axis is short
    area = _area(*places)
    (left, wide), (top, high) = _extent(places[0], size), _extent(places[1], size)
    there = _drawn(area, corners, cover, two_sided) & (wide > 0) & (high > 0)
    reach, nearness = np.where(there, np.maximum(wide, high), 0), np.zeros(size * size, np.int64)
    for low, most in zip((0, *_WIDEST), _WIDEST, strict=False):
        some = np.flatnonzero((reach > low) & (reach <= most))
        if len(some):
            at, first = corners.take(some, 1), (left[some], top[some])
            here = (axis.take(some, 1) - start for axis, start in zip(places, first, strict=True))
            planes = _planes(*here, area[some])
            _draw(nearness, planes, inverse[at], cover[at], first, most, some, size)
    pixels = np.flatnonzero(nearness)
    faces = nearness[pixels] & 0xFFFFFFFF
    planes = _planes(*(axis.take(faces, 1).astype(np.float64) for axis in places), area[faces])
    return _resolved(pixels, faces, planes, inverse[corners.take(faces, 1)], size)


def _area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Twice the areas (F,) of triangles with corners (3, F), negative where the picture shows their outside."""
    return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])


def _extent(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Along one axis, the first pixel (F,) within triangles (3, F), and how many there are (F,); none: 0 or fewer."""
    first = np.ceil(np.minimum(np.minimum(places[0], places[1]), places[2])).clip(0, size)
    return first, np.floor(np.maximum(np.maximum(places[0], places[1]), places[2])).clip(-1, size - 1) - first + 1


def _drawn(area: np.ndarray, corners: np.ndarray, cover: np.ndarray, two_sided: np.ndarray) -> np.ndarray:
    """Which triangles (F,) are drawn at all, wherever they lie."""
    wanted, there = (area < 0) | (two_sided & (area > 0)), cover >= 0
    return wanted if there.all() else wanted & there[corners].any(0)


def _draw(nearness, planes, inverse, cover, first, side, numbers, size) -> None:
    """Enter triangles that are at most ``side`` pixels wide: the nearest one keeps a pixel."""
    row, column = np.divmod(np.arange(side * side), side)
    window = np.stack([column, row, np.ones(side * side)], 1).astype(np.float32)
    weights = window @ planes  # (3, side * side, M)
    inside = np.minimum(np.minimum(weights[0], weights[1]), weights[2]) >= -1e-5
    inside &= window @ _blend(cover, planes) >= 0
    found = np.flatnonzero(inside)
    at = found // len(numbers)
    which = found - at * len(numbers)
    near = (window @ _blend(inverse, planes)).ravel()[found]
    px, py = (start.astype(np.int64)[which] + step[at] for start, step in zip(first, (column, row), strict=True))
    keep = (px < size) & (py < size)
    # One number for both: nearness in the upper 31 bits (0.51 m and more fit), the triangle in the lower 32.
    key = (near.astype(np.float64) * 2.0**40).astype(np.int64) << 32 | numbers[which]
    np.maximum.at(nearness, (py * size + px)[keep], key[keep])


def _planes(x: np.ndarray, y: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The weight of each of three corners, (3, M) pixels, is linear in a pixel's place.

    Returns:
        (3, 3, M) float32: of each corner's weight, the coefficients of x, y and 1.
    """
    out = np.empty((3, *x.shape), np.float32)
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        step_x, step_y = (x[b] - x[a]) / area, (y[b] - y[a]) / area
        out[k] = -step_y, step_x, step_y * x[a] - step_x * y[a]
    return out


def _blend(values: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Coefficients (3, M) of x, y and 1 in something that corners have, (3, M)."""
    return values[0] * planes[0] + values[1] * planes[1] + values[2] * planes[2]


def _resolved(pixels, faces, planes, inverse, size) -> Seen:
    """What is seen at pixels whose triangles are known.

    A corner's weight is linear in the picture only after division by its distance; divided by their sum, the weights
    are those on the triangle itself.
    """
    x, y = (pixels % size).astype(np.float64), (pixels // size).astype(np.float64)
    near = (planes[:, 0] * x + planes[:, 1] * y + planes[:, 2]) * inverse
    total = near[0] + near[1] + near[2]
    return Seen(pixels, faces, (near / total).T, 1.0 / total)
