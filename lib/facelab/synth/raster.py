"""Which triangle is seen at which pixel: a z-buffer over all triangles at once.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
            (P, ...), linear between the corners.
        """
        at, weights = corners[self.faces], self.weights.astype(values.dtype)
        column = (slice(None),) + (None,) * (values.ndim - 1)
        return sum(values[at[:, k]] * weights[:, k][column] for k in range(3))


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
    xy, inverse = xy.astype(np.float32), (1.0 / distance).astype(np.float32)
    use, area = _facing(xy, corners, cover, two_sided)
    corners = corners[use]
    places = np.take(xy, corners, 0)  # (F, 3, 2)
    first = np.ceil(_each(np.minimum, places)).clip(0, size)
    extent = np.floor(_each(np.maximum, places)).clip(-1, size - 1) - first + 1
    wide, high = extent.T
    reach = np.where((wide > 0) & (high > 0), np.maximum(wide, high), 0)
    nearness = np.zeros(size * size, np.int64)
    for low, most in zip((0, *_WIDEST), _WIDEST, strict=False):
        some = np.flatnonzero((reach > low) & (reach <= most))
        if len(some):
            at = corners[some]
            _draw(nearness, places[some], inverse[at], cover[at], area[some], first[some], most, some, size)
    pixels = np.flatnonzero(nearness)
    faces = nearness[pixels] & 0xFFFFFFFF
    seen = _resolved(pixels, faces, places, inverse[corners[faces]], area, size)
    return replace(seen, faces=use[seen.faces])


def _facing(
    xy: np.ndarray, corners: np.ndarray, cover: np.ndarray, two_sided: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which triangles are drawn at all, (M,) places among ``corners``, and twice their areas (M,)."""
    x, y = xy.T.copy()
    a, b, c = corners.T.copy()
    left, top = x[a], y[a]
    area = (x[b] - left) * (y[c] - top) - (y[b] - top) * (x[c] - left)
    wanted = (area < 0) | (two_sided & (area > 0))
    there = cover >= 0
    if not there.all():
        wanted &= there[a] | there[b] | there[c]
    use = np.flatnonzero(wanted)
    return use, area[use]


def _each(best: np.ufunc, values: np.ndarray) -> np.ndarray:
    """The best of three corners, (F, 3, ...) to (F, ...); numpy reduces short axes slowly."""
    return best(best(values[:, 0], values[:, 1]), values[:, 2])


def _draw(nearness, places, inverse, cover, area, first, side, numbers, size) -> None:
    """Enter triangles that are at most ``side`` pixels wide: the nearest one keeps a pixel."""
    column, row = np.tile(np.arange(side), side), np.repeat(np.arange(side), side)
    window = np.stack([column, row, np.ones(side * side)]).astype(np.float32)
    planes = _planes(places - first[:, None], area)  # (M, 3, 3): each corner's weight is linear in the pixel's place
    weights = [planes[:, k] @ window for k in range(3)]
    inside = np.minimum(np.minimum(weights[0], weights[1]), weights[2]) >= -1e-5
    inside &= np.einsum("mk,mkc->mc", cover, planes) @ window >= 0
    which, at = np.divmod(np.flatnonzero(inside), side * side)
    near = (np.einsum("mk,mkc->mc", inverse, planes) @ window)[which, at]
    px, py = first[which, 0].astype(np.int64) + column[at], first[which, 1].astype(np.int64) + row[at]
    keep = (px < size) & (py < size)
    # One number for both: nearness in the upper 31 bits (0.51 m and more fit), the triangle in the lower 32.
    key = (near.astype(np.float64) * 2.0**40).astype(np.int64) << 32 | numbers[which]
    np.maximum.at(nearness, (py * size + px)[keep], key[keep])


def _planes(places: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Coefficients (M, 3, 3) of x, y and 1 in the weight of each of three corners (M, 3, 2)."""
    a, b = places[:, [1, 2, 0]], places[:, [2, 0, 1]]
    step = (b - a) / area[:, None, None]
    offset = step[..., 1] * a[..., 0] - step[..., 0] * a[..., 1]
    return np.stack([-step[..., 1], step[..., 0], offset], -1).astype(np.float32)


def _resolved(pixels, faces, places, inverse, area, size) -> Seen:
    """What is seen at pixels whose triangles are known.

    A corner's weight is linear in the picture only after division by its distance; divided by their sum, the weights
    are those on the triangle itself.
    """
    at = np.stack([pixels % size, pixels // size, np.ones(len(pixels))], 1)
    flat = np.einsum("pkc,pc->pk", _planes(places[faces].astype(np.float64), area[faces]), at)
    near = flat * inverse
    total = near.sum(1, keepdims=True)
    return Seen(pixels, faces, near / total, 1.0 / total[:, 0])
