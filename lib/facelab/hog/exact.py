"""The five stages of HOG, one function each, and all of them in a row.

Source: Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection", in the form of
``skimage.feature.hog``: central differences, votes of whole pixels without interpolation between bins or cells.
Taught in: lesson 09.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import BadConfig
from facelab.images import to_unit

BLOCK_NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")
EPS = 1e-5
CHUNK = 8  # pictures at a time: what fits into a processor's cache is several times as fast


def normalise_light(images: Tensor, transform_sqrt: bool = False) -> Tensor:
    """Stage 1, the values that gradients are taken of.

    Args:
        images: (N, C, H, W) in [-1, 1].
        transform_sqrt: take their square roots, so that shadows count as much as lights.

    Returns:
        The same shape, in [0, 1].
    """
    unit = to_unit(images)
    # In double precision: the vectorised square root of singles is off by one in the last place, here and there.
    return unit.double().clamp(min=0).sqrt().to(unit.dtype) if transform_sqrt else unit


def gradients(values: Tensor) -> tuple[Tensor, Tensor]:
    """Stage 2, differences between the two neighbours of each pixel; 0 along the picture's edge.

    Args:
        values: (N, C, H, W). Of several channels each pixel's steepest one counts.

    Returns:
        across and down, (N, H, W) each; not halved.
    """
    across, down = torch.zeros_like(values), torch.zeros_like(values)
    across[..., 1:-1] = values[..., 2:] - values[..., :-2]
    down[..., 1:-1, :] = values[..., 2:, :] - values[..., :-2, :]
    if values.shape[1] == 1:
        return across[:, 0], down[:, 0]
    steepest = torch.hypot(across.double(), down.double()).to(values.dtype).argmax(1, keepdim=True)
    return across.gather(1, steepest)[:, 0], down.gather(1, steepest)[:, 0]


def cell_histograms(across: Tensor, down: Tensor, orientations: int = 9, cell: int = 8) -> Tensor:
    """Stage 3, what each cell contains: every pixel gives its slope to the one bin its direction falls into.

    Directions have no sign: 0° (across) to 180°, ``orientations`` bins of the same width, the first from 0°.

    Args:
        across, down: (N, H, W), see :func:`gradients`.
        orientations: number of bins.
        cell: side of a cell, pixels; rows and columns beyond the last whole cell are left out.

    Returns:
        (N, orientations, H // cell, W // cell), the mean over the cell's pixels.
    """
    rows, columns = across.shape[1] // cell, across.shape[2] // cell
    across, down = across[:, : rows * cell, : columns * cell], down[:, : rows * cell, : columns * cell]
    slope = torch.hypot(across, down)
    angle = torch.rad2deg(torch.atan2(down.double(), across.double())).remainder_(180.0)
    place = angle.mul_(orientations / 180.0).long()
    if slope.is_cuda:  # there, adding in place has no fixed order, and the same seed would not give the same bits
        return torch.stack([F.avg_pool2d(slope * (place == k), cell) for k in range(orientations)], 1)
    out = slope.new_zeros(len(slope), rows, columns, orientations + 1)  # an angle a hair below 0 is 180: nobody's
    split = lambda x: x.unflatten(1, (rows, cell)).unflatten(3, (columns, cell)).transpose(2, 3).flatten(3)  # noqa: E731
    out.scatter_add_(3, split(place), split(slope))
    return (out[..., :orientations] / cell**2).permute(0, 3, 1, 2)


def unfold_blocks(histograms: Tensor, block: int = 2) -> Tensor:
    """Every ``block`` × ``block`` neighbourhood of cells, (N, K, h, w) to (N, h', w', block, block, K)."""
    windows = histograms.unfold(2, block, 1).unfold(3, block, 1)
    return windows.permute(0, 2, 3, 4, 5, 1)


def normalise_blocks(blocks: Tensor, block_norm: str = "L2-Hys", soft: bool = False) -> Tensor:
    """Stage 4, each block over its own size, so that light and contrast drop out.

    Args:
        blocks: (N, h', w', b, b, K), see :func:`unfold_blocks`.
        block_norm: "L1", "L1-sqrt", "L2", or "L2-Hys": L2, cut at 0.2, and L2 again.
        soft: round off the root of "L1-sqrt" at 0, where it has no derivative.

    Returns:
        The same shape.

    Raises:
        BadConfig: another name.
    """
    if block_norm not in BLOCK_NORMS:
        raise BadConfig("block_norm", block_norm, "one of " + ", ".join(BLOCK_NORMS))
    axes = (-3, -2, -1)
    if block_norm.startswith("L1"):
        out = blocks / (blocks.abs().sum(axes, keepdim=True) + EPS)
        if block_norm == "L1":
            return out
        return (out + EPS).sqrt() - EPS**0.5 if soft else out.sqrt()
    over = lambda x: x / (x.square().sum(axes, keepdim=True) + EPS**2).sqrt()  # noqa: E731
    return over(blocks) if block_norm == "L2" else over(over(blocks).clamp(max=0.2))


def hog(
    images: Tensor, orientations: int = 9, pixels_per_cell: int = 8, cells_per_block: int = 2,
    block_norm: str = "L2-Hys", transform_sqrt: bool = False,
) -> Tensor:  # fmt: skip
    """HOG of a batch: the five stages in a row; the fifth lays all blocks end to end.

    Equal to ``skimage.feature.hog(picture in [0, 1], ...)`` of each picture, in its order, to 1e-6; for colour with its
    ``channel_axis``.

    Args:
        images: (N, 1 or 3, H, W) in [-1, 1].
        orientations: bins of the half circle.
        pixels_per_cell: side of a cell, pixels.
        cells_per_block: side of a block, cells. Dalal & Triggs: 2 (scikit-image's own default is 3).
        block_norm: see :func:`normalise_blocks`.
        transform_sqrt: see :func:`normalise_light`.

    Returns:
        (N, blocks down · blocks across · cells_per_block² · orientations); 8,100 numbers for 128 × 128 pixels.

    Raises:
        BadConfig: a picture smaller than one block, or an unknown block norm.

    Taught in: lesson 09.
    """
    refuse_small(images, pixels_per_cell * cells_per_block)
    parts = []
    for some in images.split(CHUNK):
        histograms = cell_histograms(*gradients(normalise_light(some, transform_sqrt)), orientations, pixels_per_cell)
        parts.append(normalise_blocks(unfold_blocks(histograms, cells_per_block), block_norm).flatten(1))
    return torch.cat(parts)


def refuse_small(images: Tensor, least: int) -> None:
    """Raise ``BadConfig`` where pictures have no room for one block of ``least`` pixels."""
    if min(images.shape[-2:]) < least:
        raise BadConfig("size", tuple(images.shape[-2:]), f"at least {least} pixels, one block")
