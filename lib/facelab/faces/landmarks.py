"""The 68 points of a face: jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from facelab.faces import models
from facelab.faces.align import eye_centres
from facelab.faces.detect import Box, detect
from facelab.images import resize

MEAN_LANDMARKS = torch.tensor([
    (0.184, 0.429), (0.190, 0.512), (0.199, 0.592), (0.213, 0.672), (0.239, 0.749), (0.283, 0.816),
    (0.345, 0.873), (0.417, 0.916), (0.500, 0.928), (0.583, 0.916), (0.655, 0.873), (0.717, 0.816),
    (0.761, 0.749), (0.787, 0.672), (0.801, 0.592), (0.810, 0.512), (0.816, 0.429), (0.239, 0.378),
    (0.277, 0.338), (0.334, 0.324), (0.394, 0.331), (0.450, 0.351), (0.550, 0.351), (0.606, 0.331),
    (0.666, 0.324), (0.723, 0.338), (0.761, 0.378), (0.500, 0.407), (0.500, 0.459), (0.500, 0.509),
    (0.500, 0.562), (0.436, 0.602), (0.467, 0.612), (0.500, 0.621), (0.533, 0.612), (0.564, 0.602),
    (0.306, 0.422), (0.340, 0.403), (0.380, 0.403), (0.417, 0.426), (0.378, 0.433), (0.339, 0.433),
    (0.583, 0.426), (0.620, 0.403), (0.660, 0.403), (0.694, 0.422), (0.661, 0.433), (0.622, 0.433),
    (0.377, 0.709), (0.422, 0.688), (0.467, 0.678), (0.500, 0.686), (0.533, 0.678), (0.578, 0.688),
    (0.623, 0.709), (0.580, 0.748), (0.536, 0.764), (0.500, 0.768), (0.464, 0.764), (0.420, 0.748),
    (0.396, 0.710), (0.466, 0.702), (0.500, 0.707), (0.534, 0.702), (0.604, 0.710), (0.534, 0.725),
    (0.500, 0.729), (0.466, 0.725),
])  # fmt: skip
"""The mean face, (68, 2) in unit coordinates of an aligned crop: median of 590 frontal photographs, made symmetric."""

_FACE = 200.0  # pixels: faces are enlarged to this width, as dlib's points are whole pixels
NOSE_DEPTH = 0.43
"""How far the tip of the nose stands in front of the eyes, in inter-ocular distances."""

# Which point becomes which when a face is mirrored.
MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
]  # fmt: skip


def find_landmarks(image: Tensor, box: Box | None = None) -> Tensor | None:
    """Locate the 68 points of one face.

    Args:
        image: (C, H, W) in [-1, 1], C 1 or 3.
        box: the face, as :func:`facelab.faces.detect.detect` gives it; None takes the largest one found.

    Returns:
        (68, 2) float, pixel (x, y); None where no box was given and no face is found.

    Raises:
        MissingPart: dlib or its model file is not installed.

    Source: Kazemi & Sullivan 2014, *One millisecond face alignment with an ensemble of regression trees*.
    Taught in: 01
    """
    if box is None:
        boxes = detect(image)
        if not boxes:
            return None
        box = boxes[0]
    height, width = image.shape[-2:]
    scale = max(1.0, _FACE / max(box.right - box.left + 1, 1))
    size = (round(height * scale), round(width * scale))
    ratio = torch.tensor([size[1] / width, size[0] / height])
    dlib = models.dlib_module()
    area = dlib.rectangle(*(round(v * scale) for v in box))
    with models.LOCK:
        found = models.predictor()(models.to_array(resize(image.float(), size)), area)
    points = torch.tensor([(p.x, p.y) for p in found.parts()], dtype=torch.float32)
    return (points + 0.5) / ratio - 0.5


def canonical_landmarks(height: int, width: int) -> Tensor:
    """The mean face's landmarks, laid into the largest centred square of a picture.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.

    Returns:
        (68, 2) pixels.
    """
    size = min(height, width)
    return MEAN_LANDMARKS * size - 0.5 + torch.tensor([(width - size) / 2, (height - size) / 2])


def flip(landmarks: Tensor, width: int) -> Tensor:
    """Landmarks of the mirrored picture: positions mirrored, and left and right points exchanged.

    Args:
        landmarks: (..., 68, 2) pixels.
        width: of the picture, pixels.

    Returns:
        (..., 68, 2) pixels of the picture mirrored left to right.
    """
    mirrored = landmarks[..., MIRROR, :]
    return torch.stack([width - 1 - mirrored[..., 0], mirrored[..., 1]], -1)


def yaw(landmarks: Tensor) -> Tensor:
    """Crude estimate of how far a head is turned, from the nose alone.

    The tip of the nose stands about 0.43 inter-ocular distances in front of the eyes; turning the head by ψ moves
    it sideways by 0.43 tan ψ of the distance between the eyes as seen. Good for sorting pictures into frontal and
    turned, not for measuring: expression and the individual nose count for some 10 degrees.

    Args:
        landmarks: (..., 68, 2) pixels.

    Returns:
        (...) degrees, within ±90; positive = the subject turns to the *image's* right.
    """
    left, right = eye_centres(landmarks).unbind(-2)
    axis = right - left
    ahead = landmarks[..., 30, :] - (left + right) / 2
    aside = (ahead * axis).sum(-1) / axis.square().sum(-1)
    return torch.atan(aside / NOSE_DEPTH) * (180 / math.pi)
