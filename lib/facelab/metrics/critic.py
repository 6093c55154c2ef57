"""How steep is a critic? What holds it, measured instead of believed.

A critic is K-Lipschitz if its score never changes faster than K times its picture. A penalty asks for that at some
pictures; spectral norm promises it layer by layer, by a number that is not quite a convolution's norm.
Taught in: lessons 03 and 05.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

from facelab.losses.penalties import Critic, input_gradient_norm

_FEW = 8  # a matrix with so few rows or columns is written out
_TOLERANCE = 1e-3  # ARPACK's bound on the error of the squared norm; what comes out is far closer


def slopes(critic: Critic, images: Tensor, chunk: int = 32) -> Tensor:
    """Length of the critic's gradient at each image: a lower bound of its Lipschitz constant.

    Args:
        critic: images (N, C, H, W), or points (N, D), to logits of any shape, averaged for each.
        images: (N, C, H, W) or (N, D), e.g. real, fake, or anywhere between.
        chunk: how many at a time.

    Returns:
        (N,), without a graph.
    """
    with torch.enable_grad():
        return torch.cat([input_gradient_norm(critic, part).detach() for part in images.split(chunk)])


def operator_norm(layer: nn.Conv2d, size: int | tuple[int, int], generator: torch.Generator) -> float:
    """The largest factor by which a convolution can lengthen a picture of a given size: its first singular value.

    Args:
        layer: a convolution with zero padding; its bias plays no part.
        size: height and width of its input, pixels; near the edge a norm depends on them.
        generator: of the picture that the search (ARPACK's) begins with.

    Source: Sedghi, Gupta and Long 2019, for why the norm of a kernel is not it.
    """
    height, width = (size, size) if isinstance(size, int) else size
    weight = layer.weight.detach().double().cpu()
    if not weight.any():
        return 0.0
    how = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation, "groups": layer.groups}
    inside = (1, layer.in_channels, height, width)
    outside = F.conv2d(torch.zeros(inside, dtype=weight.dtype), weight, None, **how).shape

    def there(x: np.ndarray) -> np.ndarray:
        return F.conv2d(torch.from_numpy(x).view(inside), weight, None, **how).numpy().ravel()

    def back(y: np.ndarray) -> np.ndarray:
        return conv2d_input(inside, weight, torch.from_numpy(y).view(outside), **how).numpy().ravel()

    rows, columns = outside.numel(), math.prod(inside)
    if min(rows, columns) < _FEW:
        return float(np.linalg.norm(np.stack([back(row) for row in np.eye(rows)]), 2))
    matrix = LinearOperator((rows, columns), matvec=there, rmatvec=back, dtype=np.float64)
    begin = torch.randn(min(rows, columns), generator=generator, dtype=torch.float64).numpy()
    return float(svds(matrix, k=1, v0=begin, tol=_TOLERANCE, return_singular_vectors=False)[0])


def kernel_norm(layer: nn.Conv2d) -> float:
    """The number that spectral norm divides by: the largest singular value of the kernel as an (out, in·k·k) matrix.

    With stride s and kernel k the convolution's own norm is at most k / s times this, rounded up.

    Source: Miyato et al. 2018, section 2.1.
    """
    return torch.linalg.matrix_norm(layer.weight.detach().double().flatten(1), 2).item()
