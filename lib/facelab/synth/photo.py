"""Turn the head in a photograph: the picture is laid over the mean head's relief, and the relief is turned.

What a photograph from the front did not see, the far side of a cheek or an ear, cannot come out of it: there the
picture is stretched. What turns away behind the nose or the cheek is hidden as it would be.
Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

from facelab.errors import BadConfig
from facelab.synth.head import mean_head
from facelab.synth.match import RIM, deepest_around
from facelab.synth.part import grid_faces
from facelab.synth.raster import NEAREST, rasterize

VERSION = 2  # raise when a picture would come out differently
MOST = 60.0  # degrees a photograph may be turned
_CAMERA = 1500.0  # mm from the head
_FALL, _BEHIND = 1.7, -95.0  # behind the head's outline the relief falls so steeply, to so many mm behind the ears
_EYES = 61.0  # mm between the middles of the mean head's eyes


@lru_cache(maxsize=1)
def _mean_points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean head for a relief: points (V, 3) mm, triangles (F, 3), landmarks (68, 3) mm."""
    head = mean_head(2.0)
    index, weight = head.marks
    return head.points, head.faces, (head.points[index] * weight[..., None]).sum(1)


def relief(landmarks: Tensor, size: int) -> np.ndarray:
    """How near each pixel of a frontal photograph is, from the mean head bent to its landmarks.

    Args:
        landmarks: (68, 2) pixels.
        size: side of the photograph, pixels.

    Returns:
        (size, size) pixels towards the camera, 0 at the ears.

    Raises:
        ValueError: landmarks that are not finite, or eyes that coincide.

    Source: Hassner et al. 2015, "Effective face frontalization in unconstrained images", section 3, lays one mean head
    under all photographs, too; theirs is not bent. Bookstein 1989 for thin-plate splines.
    """
    points, faces, marks = _mean_points()
    seen = landmarks.double().numpy()
    scale = np.linalg.norm(seen[42:48].mean(0) - seen[36:42].mean(0)) / _EYES
    if not (np.isfinite(seen).all() and scale > 0):
        raise ValueError("a photograph needs 68 finite landmarks and two eyes")
    # A thin plate bends least between the landmarks, and so carries crown and cheeks along without folding. It is
    # smoothed (40 in the kernel's mm² log mm: landmarks are missed by 0.2 % of the distance between the eyes, seldom
    # by 2 %): they are found to a pixel or so, and two close ones on each other's wrong side would crease the relief.
    moved = seen - marks[:, :2] * (scale, -scale)
    bend = RBFInterpolator(marks[:, :2], moved, smoothing=40.0, kernel="thin_plate_spline")
    places = points[:, :2] * (scale, -scale) + bend(points[:, :2])
    ones, both = np.ones(len(points)), np.zeros(len(faces), bool)
    found = rasterize(places, _CAMERA - points[:, 2], faces, size, ones, both)
    depth = np.full(size * size, np.nan)
    depth[found.pixels] = _CAMERA - found.depth
    depth = depth.reshape(size, size)
    away, nearest = distance_transform_edt(np.isnan(depth), return_indices=True)
    outside = depth[tuple(nearest)] - _FALL * np.maximum(away - 0.06 * size, 0) / scale
    filled = np.where(np.isnan(depth), np.maximum(outside, _BEHIND), depth)
    far = np.clip(away / (0.05 * size), 0, 1)  # behind the outline the relief is guessed, and smooth
    filled = gaussian_filter(filled, size / 120) * (1 - far) + gaussian_filter(filled, size / 24) * far
    return filled * scale


def turn(image: Tensor, landmarks: Tensor, yaw: float, pitch: float = 0.0, depth: np.ndarray | None = None) -> Tensor:
    """A photograph from the front as if the head had turned. It is read bicubically at the places that come forward.

    Args:
        image: (C, S, S) in [-1, 1], a face roughly from the front.
        landmarks: (68, 2) pixels.
        yaw: degrees by which the head turns to the image's right, -60 to 60.
        pitch: degrees by which the camera rises, -30 to 30.
        depth: of :func:`relief`, where it is at hand.

    Returns:
        (C, S, S) in [-1, 1]. Uncovered places repeat the photograph's edge.

    Raises:
        BadConfig: an angle out of range.
        ValueError: the picture is not square, the depth is another picture's, or landmarks are missing.

    Source: the relief apart, depth-image-based rendering (Fehn 2004), with triangles for his pixels.
    Taught in: lesson 07.
    """
    _refuse(yaw, pitch)
    size = image.shape[-1]
    depth = relief(landmarks, size) if depth is None else depth
    if not image.shape[-2] == size == len(depth):
        raise ValueError(f"a picture {tuple(image.shape)} and a depth {depth.shape}: one square side is needed")
    scale = _scale(landmarks)
    places, faces, source = _sheet(depth, size)
    x, y, z = _mover(landmarks, depth, yaw, pitch)(places).T
    xy = np.stack([x, y], 1)
    ones, both = np.ones(len(xy)), np.zeros(len(faces), bool)
    found = rasterize(xy, _away(z / scale), faces, size, ones, both)
    at, far = np.full((size * size, 2), np.nan), np.zeros(size * size, bool)
    at[found.pixels] = found.of(source, faces)
    far[found.pixels] = found.depth > _CAMERA - 0.6 * _BEHIND
    return _sample(image, at.reshape(size, size, 2), far.reshape(size, size))


def _refuse(yaw: float, pitch: float) -> None:
    """Raise ``BadConfig`` for angles that a photograph cannot be turned by; NaN is none."""
    for name, value, most in (("yaw", yaw, MOST), ("pitch", pitch, 30.0)):
        if not abs(value) <= most:
            raise BadConfig(name, value, f"from {-most:g} to {most:g} degrees: a photograph does not show more")


def _scale(landmarks: Tensor) -> float:
    """Pixels of a millimetre."""
    scale = float((landmarks[42:48].mean(0) - landmarks[36:42].mean(0)).norm()) / _EYES
    if not (torch.isfinite(landmarks).all() and scale > 0):
        raise ValueError("a photograph needs 68 finite landmarks and two eyes")
    return scale


def _on(landmarks: Tensor, depth: np.ndarray) -> np.ndarray:
    """Landmarks (68, 3) on a relief, pixels."""
    marks = landmarks.double().numpy()
    at = np.rint(marks).clip(0, len(depth) - 1).astype(int)
    return np.concatenate([marks, depth[at[:, 1], at[:, 0], None]], 1)


def _mover(landmarks: Tensor, depth: np.ndarray, yaw: float, pitch: float) -> Callable[[np.ndarray], np.ndarray]:
    """What turns points (V, 3), pixels, and puts the face back to where it was in the picture."""
    marks = _on(landmarks, depth)
    middle = np.append(marks[27, :2] * 0.4 + marks[8, :2] * 0.6, 0.0)
    shift = np.append(_middle(marks) - _middle(_turned(marks - middle, yaw, pitch)), 0.0)
    return lambda points: _turned(points - middle, yaw, pitch) + shift


def _away(near: np.ndarray) -> np.ndarray:
    """Distance from the camera of what is so near, mm. The far corners of a photograph with a small face in it would
    swing past the camera; they are kept in front of it, outside the picture."""
    return np.maximum(_CAMERA - near, NEAREST)


def turned_landmarks(landmarks: Tensor, yaw: float, pitch: float, depth: np.ndarray) -> Tensor:
    """Where :func:`turn` brings the landmarks.

    Args:
        landmarks: (68, 2) pixels. yaw, pitch: degrees, as of :func:`turn`. depth: of :func:`relief`.

    Returns:
        (68, 2) pixels.

    Raises:
        BadConfig: an angle out of range.
    """
    _refuse(yaw, pitch)
    after = _mover(landmarks, depth, yaw, pitch)(_on(landmarks, depth))
    return torch.from_numpy(after[:, :2]).to(landmarks.dtype)


def turned_match(landmarks: Tensor, yaw: float, pitch: float, size: int, depth: np.ndarray) -> np.ndarray:
    """Where :func:`turn` brings each place of a photograph: the counterpart of :func:`facelab.synth.match.match`.

    Args:
        landmarks: (68, 2) pixels of the photograph.
        yaw, pitch: degrees.
        size: places along a side of the map.
        depth: (S, S), of :func:`relief` for the photograph.

    Returns:
        (3, size, size) float32: to the right and below (1 = half the side), and 1 where the place is still seen, and
        not at an edge. What lies behind the head is left out: 0.
    """
    side, scale = len(depth), _scale(landmarks)
    places, faces, _ = _sheet(depth, side)
    move = _mover(landmarks, depth, yaw, pitch)
    x, y, z = move(places).T
    ones, both = np.ones(len(x)), np.zeros(len(faces), bool)
    found = rasterize(np.stack([x, y], 1), _away(z / scale), faces, side, ones, both)
    front = np.full(side * side, -np.inf)
    front[found.pixels] = _CAMERA - found.depth
    at = (2 * np.arange(size) + 1) / size - 1
    here = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
    column, row = np.rint((here + 1) / 2 * side - 0.5).astype(int).T
    near = depth[row, column]
    x, y, z = move(np.concatenate([(here + 1) / 2 * side - 0.5, near[:, None]], 1)).T
    there = (2 * np.stack([x, y], 1) + 1) / side - 1
    column, row = (np.clip(np.rint(v).astype(int), 0, side - 1) for v in (x, y))
    pixel, head = row * side + column, near / scale > 0.5 * _BEHIND
    inner = deepest_around(-front.reshape(side, side)).ravel()[pixel] < RIM - z / scale
    seen = (np.abs(there) < 1).all(1) & (z / scale > front[pixel] - 9.0) & inner & head
    out = np.concatenate([(there - here) * head[:, None], seen[:, None]], 1)
    return np.ascontiguousarray(out.reshape(size, size, 3).transpose(2, 0, 1), dtype=np.float32)


def _turned(points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Points (V, 3), y down, after the head has turned and the camera has risen; degrees."""
    a, b = np.radians([yaw, pitch])
    x, y, z = points.T
    x, z = x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)
    return np.stack([x, y * np.cos(b) + z * np.sin(b), z * np.cos(b) - y * np.sin(b)], 1)


def _middle(marks: np.ndarray) -> np.ndarray:
    """Middle (2,) of the landmarks' box."""
    return (marks[:, :2].min(0) + marks[:, :2].max(0)) / 2


@lru_cache(maxsize=4)
def _rows(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Grid places of a sheet that reaches a photograph's half beyond its edges, and its triangles."""
    at = np.linspace(-size / 2, size * 1.5, round(size * 1.5))
    y, x = np.meshgrid(at[::-1], at, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], 1), grid_faces(len(at), len(at))


def _sheet(depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 3) in pixels, y down, triangles, and where in the photograph each is (V, 2)."""
    source, faces = _rows(size)
    inside = np.rint(source).clip(0, size - 1).astype(int)
    return np.concatenate([source, depth[inside[:, 1], inside[:, 0], None]], 1), faces, source


def _sample(image: Tensor, at: np.ndarray, far: np.ndarray) -> Tensor:
    """The image read at places (S, S, 2), pixels, NaN where unknown: the nearest place ``far`` behind is repeated."""
    unknown = np.isnan(at[..., 0])
    if unknown.any():
        source = far if far.any() else ~unknown
        nearest = distance_transform_edt(~source, return_distances=False, return_indices=True)
        at = np.where(unknown[..., None], at[tuple(nearest)], at)
    size = image.shape[-1]
    grid = torch.from_numpy((at + 0.5) / size * 2 - 1).to(image)
    read = F.grid_sample(image[None], grid[None], mode="bicubic", padding_mode="border", align_corners=False)
    return read[0].clamp(-1, 1)
