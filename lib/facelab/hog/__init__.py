"""Histograms of oriented gradients, in batches: exact, differentiable, blind to holes, and as a picture.

Equal to ``skimage.feature.hog`` with the same parameters, in the same order.
Taught in: lesson 09.
"""

from facelab.hog.exact import (
    BLOCK_NORMS,
    cell_histograms,
    gradients,
    hog,
    normalise_blocks,
    normalise_light,
    unfold_blocks,
)
from facelab.hog.guide import NORMS, fold_blocks, guide_from, guide_of, touched_cells
from facelab.hog.picture import hog_picture, strokes
from facelab.hog.soft import soft_histograms, soft_hog

__all__ = [
    "BLOCK_NORMS", "NORMS", "cell_histograms", "fold_blocks", "gradients", "guide_from", "guide_of", "hog",
    "hog_picture", "normalise_blocks", "normalise_light", "soft_histograms", "soft_hog", "strokes", "touched_cells",
    "unfold_blocks",
]  # fmt: skip
