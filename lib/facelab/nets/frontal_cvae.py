"""The published conditional autoencoder: two numbers and an angle are a face.

Source: the project of :mod:`facelab.nets.frontal_published`; Kingma and Welling 2014; Sohn et al. 2015 (conditional).
Corrected: the output is bounded by tanh, its was ReLU's, which has no slope where a pixel is black.
Taught in: lesson 07.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.nets.frontal_published import init_glorot

ANGLES = 13
"""How many yaws are told apart: index k is +90 - 15 k degrees, 6 is the front."""
FRONT = 6


class ConditionalVAE(nn.Module):
    """Face and angle to a point and its spread, and back: 3,338,967 parameters as published, for 128 px in colour.

    Args:
        channels: 1 or 3.
        width: channels of the first convolution; published: 16.
        size: side of the pictures, divisible by 4: it takes no other.
        latent: numbers of a face's code; published: 2.
    """

    def __init__(self, channels: int = 3, width: int = 16, size: int = 128, latent: int = 2):
        super().__init__()
        self.shape, self.code = (channels, size, size), (2 * width, size // 4, size // 4)
        w, numbers = width, 2 * width * (size // 4) ** 2
        self.told = nn.Linear(ANGLES, channels * size**2)
        self.look = nn.Sequential(
            nn.Conv2d(2 * channels, w, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(w, 2 * w, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(numbers, 4 * w), nn.ReLU(),
        )  # fmt: skip
        self.mu, self.logvar = nn.Linear(4 * w, latent), nn.Linear(4 * w, latent)
        self.begin = nn.Sequential(nn.Linear(latent + ANGLES, numbers), nn.ReLU())
        self.paint = nn.Sequential(
            nn.Conv2d(2 * w, 2 * w, 3, 1, 1), nn.ReLU(), nn.Upsample(scale_factor=2.0),
            nn.Conv2d(2 * w, 2 * w, 3, 1, 1), nn.ReLU(), nn.Upsample(scale_factor=2.0),
            nn.Conv2d(2 * w, w, 3, 1, 1), nn.ReLU(), nn.Conv2d(w, channels, 3, 1, 1),
        )  # fmt: skip
        init_glorot(self)

    def encode(self, images: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (N, C, size, size) in [-1, 1] and their angles (N,) 0..12 to mean and log variance (N, latent)."""
        told = self.told(one_hot(angle)).view(-1, *self.shape)
        found = self.look(torch.cat([images, told.to(images.dtype)], 1))
        return self.mu(found).float(), self.logvar(found).float()

    def decode(self, z: Tensor, angle: Tensor) -> Tensor:
        """Codes (N, latent) and wanted angles (N,) to pictures (N, C, size, size) in [-1, 1]."""
        begun = self.begin(torch.cat([z, one_hot(angle)], 1))
        return torch.tanh(self.paint(begun.view(-1, *self.code)))

    def forward(self, images: Tensor, angle: Tensor) -> Tensor:
        """Turned faces and their angles to the same faces from the front."""
        return self.decode(self.encode(images, angle)[0], torch.full_like(angle, FRONT))


def one_hot(angle: Tensor) -> Tensor:
    """Angles (N,) int64 to (N, 13): 1 at the angle, else 0."""
    return F.one_hot(angle, ANGLES).float()
