"""Faces without photographs: smooth random pictures, a hole, and a made-up restoration."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from facelab.images import composite


@pytest.fixture
def faces():
    """(4, 3, 64, 64) in [-1, 1]."""
    noise = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return F.interpolate(noise, size=64, mode="bilinear")


@pytest.fixture
def hole():
    """(4, 1, 64, 64): a soft-edged block, another place each."""
    hole = torch.zeros(4, 1, 64, 64)
    for k in range(4):
        hole[k, :, 8 + 8 * k : 30 + 8 * k, 10:40] = 1
    return F.avg_pool2d(hole, 5, 1, 2)


@pytest.fixture
def restored(faces, hole):
    """What a network might say of ``faces`` with something in the hole: its raw guess is the negative."""
    raw = -faces
    return SimpleNamespace(image=composite(faces, raw, hole), hole=hole, raw=raw)
