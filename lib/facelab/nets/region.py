"""What a critic of the hidden part looks at."""

from __future__ import annotations

import torch
from torch import Tensor


def region_of(images: Tensor, hole: Tensor) -> Tensor:
    """A square of half the side around the middle of each hole: what the second critic looks at.

    Args:
        images: (N, C, H, W).
        hole: (N, 1, H, W), 1 = hidden.

    Returns:
        (N, C, H / 2, W / 2), whole pixels of the picture; around its middle where nothing is hidden.
    """
    height, width = images.shape[-2:]
    weight = hole.detach().float()[:, 0] + 1e-6
    down = torch.arange(height, device=hole.device, dtype=torch.float32)
    across = torch.arange(width, device=hole.device, dtype=torch.float32)
    total = weight.sum((1, 2))
    y, x = (weight.sum(2) * down).sum(1) / total, (weight.sum(1) * across).sum(1) / total
    top = (y - height / 4 + 0.5).round().long().clamp(0, height - height // 2).tolist()
    left = (x - width / 4 + 0.5).round().long().clamp(0, width - width // 2).tolist()
    return torch.stack([
        image[:, a : a + height // 2, b : b + width // 2] for image, a, b in zip(images, top, left, strict=True)
    ])  # fmt: skip
