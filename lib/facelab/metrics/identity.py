"""Is it still the same person?"""

from __future__ import annotations

from torch import Tensor

from facelab.faces.descriptor import descriptors

SAME_PERSON = 0.6
"""Distance below which dlib's recognition network was trained to call two pictures the same person."""


def identity_distance(a: Tensor, b: Tensor, landmarks: Tensor | None = None) -> Tensor:
    """Euclidean distance between the 128-d face descriptors of two batches, pair by pair.

    Args:
        a: (N, C, H, W) in [-1, 1], e.g. restored faces.
        b: same shape, e.g. the true faces.
        landmarks: (N, 68, 2) pixels, used for *both*, so that the distance shows the faces and not a detector's
            jitter. None: found in each picture; see :func:`facelab.faces.descriptor.descriptors` for what happens
            where no face is found.

    Returns:
        (N,) ≥ 0: 0 for equal pictures, about 0.4 for two photographs of one person, 0.8 for two people's.

    Raises:
        MissingPart: dlib or its model files are not installed.
        ValueError: the shapes differ.

    Taught in: 04
    """
    if a.shape != b.shape:
        raise ValueError(f"two batches of one shape are needed, not {tuple(a.shape)} and {tuple(b.shape)}")
    return (descriptors(a, landmarks) - descriptors(b, landmarks)).norm(dim=1)
