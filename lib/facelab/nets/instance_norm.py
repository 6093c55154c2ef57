"""Instance norm that leaves pictures of channels-last layout as they lie in memory.

torch's own brings such maps to the other layout and back, forwards and backwards. Here every mean over a map is a
product of matrices.

Taught in: lesson 08.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

EPS = 1e-5


class InstanceNorm(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d`` without scale, shift or running figures: the same numbers, sooner where that can be.

    Args:
        channels: in and out.

    Source: Ulyanov et al. 2016, "Instance Normalization".
    """

    def __init__(self, channels: int):
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape: each map of each picture with mean 0 and variance 1.

        Raises:
            ValueError: maps of a single pixel, as torch's own does: their answer is 0 whatever they hold.
        """
        if x.shape[-2:].numel() == 1:
            raise ValueError(f"Expected more than 1 spatial element, got input size {tuple(x.shape)}")
        if x.device.type == "cpu" and x.shape[1] > 1 and x.is_contiguous(memory_format=torch.channels_last):
            return _Standardised.apply(x)
        return super().forward(x)


class _Standardised(torch.autograd.Function):
    """Values and gradient; the gradient has none of its own, which torch says to whoever asks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        rows = _rows(x)
        centred = rows - _means(rows)
        left = _means(centred)  # of bfloat16's rounding
        exact = torch.promote_types(x.dtype, torch.float32)
        scale = torch.rsqrt(_means(centred * centred).to(exact) - left.to(exact) ** 2 + EPS).to(x.dtype)
        out = (centred - left).mul_(scale)
        ctx.save_for_backward(out, scale)
        return _maps(out, x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        out, scale = ctx.saved_tensors
        rows = _rows(grad)
        return _maps((rows - _means(rows)).addcmul_(out, _means(rows * out), value=-1).mul_(scale), grad)


def _rows(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, H W, C); a view where the layout is channels-last."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1])


def _maps(rows: Tensor, like: Tensor) -> Tensor:
    return rows.view(len(like), *like.shape[2:], like.shape[1]).permute(0, 3, 1, 2)


def _means(rows: Tensor) -> Tensor:
    """(N, P, C) to (N, 1, C), summed in single precision."""
    with torch.autocast(rows.device.type, enabled=False):
        return torch.bmm(rows.new_full((1, 1, 1), 1 / rows.shape[1]).expand(len(rows), 1, rows.shape[1]), rows)
