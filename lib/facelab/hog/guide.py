"""HOG as a guide: a map of edge directions a cell, which knows nothing of what is hidden.

Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import BadConfig
from facelab.hog.exact import cell_histograms, gradients, normalise_blocks, normalise_light, refuse_small, unfold_blocks
from facelab.images import to_channels

BLOCK = 2
NORMS = ("contrast", "blocks")
GAIN, SMALL = 8.0, 1e-4  # of a guide that keeps contrast; a root has no derivative at 0


def touched_cells(hole: Tensor, cell: int = 8) -> Tensor:
    """Cells with a gradient that looks at a hidden pixel: theirs, or that of a direct neighbour.

    Args:
        hole: (N, 1, H, W), hidden where > 0.
        cell: side of a cell, pixels.

    Returns:
        (N, 1, H // cell, W // cell), 1 = touched.
    """
    hidden = (hole > 0).to(hole.dtype)
    across = F.max_pool2d(hidden, (1, 3), 1, (0, 1))
    down = F.max_pool2d(hidden, (3, 1), 1, (1, 0))
    return F.max_pool2d(torch.maximum(across, down), cell)


def fold_blocks(blocks: Tensor) -> Tensor:
    """Back from blocks to cells: each cell's histogram, averaged over the blocks it belongs to.

    Args:
        blocks: (N, h', w', b, b, K), normalised.

    Returns:
        (N, K, h' + b - 1, w' + b - 1).
    """
    n, rows, columns, block, _, bins = blocks.shape
    size = (rows + block - 1, columns + block - 1)
    flat = blocks.permute(0, 5, 3, 4, 1, 2).reshape(n, bins * block * block, rows * columns)
    count = F.fold(blocks.new_ones(1, block * block, rows * columns), size, block)
    return F.fold(flat, size, block) / count


def guide_of(
    images: Tensor, hole: Tensor | None = None, cell: int = 8, orientations: int = 9, norm: str = "contrast"
) -> Tensor:
    """The HOG of a picture as a map: what a shape predictor predicts, and what a painter is guided by.

    With a hole, cells that touch it are emptied, before any block is normalised: no edge of the hole is taken for an
    edge of the face, and not one number depends on what the hidden pixels hold.

    Args:
        images: (N, C, H, W) in [-1, 1]; colour is reduced to luminance.
        hole: (N, 1, H, W), hidden where > 0; None: nothing is.
        cell: side of a cell, pixels; it divides H and W.
        orientations: bins of the half circle.
        norm: see :func:`guide_from`.

    Returns:
        (N, orientations, H // cell, W // cell), in [0, 1].

    Raises:
        BadConfig: pictures smaller than two cells, or another norm.

    Source: the five stages of "A Novel Face Inpainting Approach Based on Guided Deep Learning", as a map of cells and
    not a vector. Its guide of the masked picture has the hole's own outline in it; this one does not.
    """
    refuse_small(images, BLOCK * cell)
    histograms = cell_histograms(*gradients(normalise_light(to_channels(images, 1))), orientations, cell)
    return guide_from(histograms, hole, cell, norm)


def guide_from(histograms: Tensor, hole: Tensor | None = None, cell: int = 8, norm: str = "contrast") -> Tensor:
    """The last steps of :func:`guide_of`, from cell histograms of any kind, soft ones too.

    Args:
        histograms: (N, K, h, w).
        hole: (N, 1, H, W), hidden where > 0; None: nothing is.
        cell: side of a cell, pixels.
        norm: "blocks": L2-Hys over 2 × 2 cells, folded back, as HOG has it; contrast is gone, and the noise of a wall
            is as loud as an eyebrow. "contrast": no block; the root of the slope, so that faint edges are not lost.

    Raises:
        BadConfig: another norm.
    """
    if norm not in NORMS:
        raise BadConfig("norm", norm, "one of " + ", ".join(NORMS))
    if hole is not None:
        histograms = histograms * (1 - touched_cells(hole, cell))
    if norm == "blocks":
        return fold_blocks(normalise_blocks(unfold_blocks(histograms, BLOCK)))
    return ((GAIN * histograms + SMALL).sqrt() - SMALL**0.5).clamp(max=1)
