"""A small classifier for a closed set of people: each picture shows one of K, and the question is which.

The stages of :class:`facelab.nets.face_network.FaceNetwork`, and over them one direction a person.
Taught in: lesson 08.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.face_network import FaceNetwork

SCALE = 16.0  # cosines reach from -1 to 1 only; times this, they can say that they are sure


class CosineHead(nn.Module):
    """How well vectors agree with each person's own direction.

    Args:
        length: of a vector.
        people: K.
        scale: of the cosines, > 0.

    Source: Wang et al. 2017, "NormFace", section 3.3; ours: the scale is fixed.
    Taught in: lesson 08.
    """

    def __init__(self, length: int, people: int, scale: float = SCALE):
        super().__init__()
        self.scale, self.directions = scale, nn.Parameter(torch.randn(people, length) / length**0.5)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (N, length) to logits (N, K) in [-scale, scale]."""
        return self.scale * F.normalize(vectors.float(), dim=1) @ F.normalize(self.directions.float(), dim=1).T


class Identifier(nn.Module):
    """A network that describes faces, and a head that names them.

    Args:
        body: pictures (N, C, H, W) to vectors (N, ``length``); has ``length``.
        people: K.

    Taught in: lesson 08.
    """

    def __init__(self, body: nn.Module, people: int):
        super().__init__()
        self.body, self.head = body, CosineHead(body.length, people)

    def forward(self, images: Tensor) -> Tensor:
        """Pictures (N, C, H, W) in [-1, 1] to logits (N, K)."""
        return self.head(self.body(images))


def small_identifier(people: int, width: int = 16, channels: int = 1, length: int = 128) -> Identifier:
    """An identifier from scratch.

    Args:
        people: K.
        width: channels at half size (multiple of 8).
        channels: 1 or 3.
        length: of the vectors.

    Taught in: lesson 08.
    """
    return Identifier(FaceNetwork(channels, width, length), people)
