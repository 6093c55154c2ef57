"""Where in a photograph somebody is, and how the face is formed: what a lamp at the camera needs to know.

Landmarks and the mean head's relief say where the face is. Hair and shoulders are guessed from where they usually are
and from the picture's colours; nobody cut them out by hand.
Taught in: lesson 08.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, minimum_filter, uniform_filter
from skimage.draw import polygon2mask
from torch import Tensor

from facelab.synth.photo import relief

_RELIEF = 64  # pixels; the relief is smooth, and a larger one takes longer
_EYES = 61.0  # mm between the middles of the mean head's eyes
_BINS = 8  # of each colour channel, for what is inside and what is outside


class Shape(NamedTuple):
    """What is known about the place of a face in a photograph of S × S pixels; masks are soft, 0..1.

    Args:
        normals: (3, S, S) unit: to the right, down, towards the camera.
        near: (S, S) mm towards the camera, 0 at the ears.
        face: (S, S) from the chin to above the brows.
        features: (S, S) eyes, brows, nostrils and mouth in it.
        eyes: (S, S) only the eyes.
        person: (S, S) where head, hair and shoulders may be, before the picture was looked at.
    """

    normals: np.ndarray
    near: np.ndarray
    face: np.ndarray
    features: np.ndarray
    eyes: np.ndarray
    person: np.ndarray


def shape_of(landmarks: Tensor, size: int) -> Shape:
    """The place and form of a face.

    Args:
        landmarks: (68, 2) pixels. size: side of the photograph, pixels.

    Raises:
        ValueError: landmarks that are not finite, eyes that coincide, or a face outside the picture.

    Source: the relief is :func:`facelab.synth.photo.relief`'s, smoothed: the mean head's nose is never exactly there.
    """
    small = relief((landmarks + 0.5) * (_RELIEF / size) - 0.5, _RELIEF) * (size / _RELIEF)
    if not np.isfinite(small).all():
        raise ValueError("the landmarks' face lies outside the picture")
    wide = F.interpolate(torch.from_numpy(small)[None, None], (size, size), mode="bicubic", align_corners=False)
    depth = gaussian_filter(wide[0, 0].numpy(), size / 44)
    down, aside = np.gradient(depth)
    normals = np.stack([-aside, -down, np.ones_like(depth)])
    normals /= np.linalg.norm(normals, axis=0)
    p = landmarks.detach().cpu().double().numpy()
    left, right = p[36:42].mean(0), p[42:48].mean(0)
    up = (left + right) / 2 - p[8]
    near = depth / np.linalg.norm(right - left) * _EYES
    face = _filled(np.concatenate([p[:17], p[17:27][::-1] + 0.18 * up]), size, size / 64)
    eyes = _joined([_grown(p[36:42], 1.35), _grown(p[42:48], 1.35)], size)
    bands = [np.concatenate([brow - 0.04 * up, (brow + 0.08 * up)[::-1]]) for brow in (p[17:22], p[22:27])]
    others = _joined([*bands, _grown(p[48:60], 1.15), _grown(p[31:36], 1.2)], size)
    return Shape(normals, near, face, np.maximum(eyes, others), eyes, _likely(p, size))


def _filled(points: np.ndarray, size: int, soft: float) -> np.ndarray:
    """(S, S) 1 inside a polygon (N, 2), with an edge of ``soft`` pixels."""
    return gaussian_filter(polygon2mask((size, size), points[:, ::-1]).astype(float), soft)


def _joined(polygons: list[np.ndarray], size: int) -> np.ndarray:
    """(S, S) 1 inside any of some polygons."""
    return np.max([_filled(points, size, size / 96) for points in polygons], 0)


def _grown(points: np.ndarray, by: float) -> np.ndarray:
    """A polygon made larger about its middle."""
    return points.mean(0) + (points - points.mean(0)) * by


def _likely(p: np.ndarray, size: int) -> np.ndarray:
    """(S, S) where somebody's head with hair, neck and shoulders may be: an ellipse, and below it what widens."""
    y, x = np.mgrid[:size, :size]
    eyes = (p[36:42].mean(0) + p[42:48].mean(0)) / 2
    tall = np.linalg.norm(eyes - p[8])
    up = (eyes - p[8]) / max(tall, 1e-6)
    right = np.array([-up[1], up[0]])
    wide = max(np.abs((p[[0, 16]] - eyes) @ right).mean(), tall / 3)
    middle = 0.3 * (p[0] + p[16]) + 0.4 * eyes
    along = (x - middle[0]) * up[0] + (y - middle[1]) * up[1]
    across = np.abs((x - middle[0]) * right[0] + (y - middle[1]) * right[1])
    away = np.hypot(across / (1.18 * wide), along / (np.where(along > 0, 1.30, 1.15) * tall))
    head = _soft((1 - away) * 9)
    below = -along / tall - 0.75  # from the mouth down
    half = wide * (0.75 + 2.4 * np.clip(below - 0.35, 0, 1.2) ** 0.7)
    body = _soft((half - across) / (0.14 * wide)) * _soft(below * 9)
    return 1 - (1 - head) * (1 - body)


def _soft(x: np.ndarray) -> np.ndarray:
    """From 0 to 1, the logistic curve."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def matte(colours: np.ndarray, luminance: np.ndarray, shape: Shape) -> np.ndarray:
    """How much of each pixel is the person: the guess, corrected by colours, with edges where the picture has edges.

    Args:
        colours: (3, S, S) encoded, 0..1. luminance: (S, S) its logarithm.
        shape: of :func:`shape_of`.

    Returns:
        (S, S) 0..1.

    Source: Bayes' rule with histograms, as in Rother et al. 2004, "GrabCut", without their cut; He et al. 2013, section
    3.6, for a guided filter as matting.
    """
    guess, size = shape.person, len(luminance)
    red, green, blue = (colours.clip(0, 0.999) * _BINS).astype(int)
    place = (red * _BINS + green) * _BINS + blue
    sure = [np.clip(5 * guess - 4, 0, 1), np.clip(1 - 3 * guess, 0, 1)]
    inside, outside = (np.bincount(place.ravel(), weight.ravel(), _BINS**3) for weight in sure)
    floor = size * size / 4000  # a colour that was hardly seen says nothing
    share = max(sure[0].sum() / max(sure[1].sum(), 1), 1e-3)
    odds = np.log(_blurred(inside) + floor) - np.log(_blurred(outside) * share + floor)
    open_ = 1 - np.abs(2 * guess - 1) ** 6  # where the guess is sure, colours do not matter
    prior = guess.clip(0.002, 0.998)
    found = _soft(1.2 * np.log(prior / (1 - prior)) + 2 * open_ * odds[place])
    found = guided(luminance, minimum_filter(found, 3), max(2, size // 24), 0.03)
    return np.maximum(found.clip(0, 1), shape.face)


def _blurred(counts: np.ndarray) -> np.ndarray:
    """A histogram of colours whose neighbours share a little."""
    return gaussian_filter(counts.reshape(_BINS, _BINS, _BINS), 0.7).ravel()


def guided(guide: np.ndarray, values: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """Smooth, but not across the edges of another picture.

    Args:
        guide: (S, S). values: (..., S, S).
        radius: pixels. eps: variance of the guide below which a place counts as even, in the guide's unit squared.

    Returns:
        As ``values``.

    Source: He et al. 2013, "Guided image filtering", equations 5, 6 and 8.
    """
    axes = (-2, -1)
    mean = lambda x: uniform_filter(x, 2 * radius + 1, mode="nearest", axes=axes)  # noqa: E731
    flat, level = mean(guide), mean(values)
    slope = (mean(guide * values) - flat * level) / (mean(guide**2) - flat**2 + eps)
    return mean(slope) * guide + mean(level - slope * flat)
