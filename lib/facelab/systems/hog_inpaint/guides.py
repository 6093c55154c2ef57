"""HOG-guided inpainting: the guide of a whole face, of what is visible of it, and the predicted one."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.hog import guide_of, touched_cells
from facelab.images import composite, to_channels, to_unit
from facelab.systems.hog_inpaint.config import Config


def true_guide(images: Tensor, cfg: Config) -> Tensor | None:
    """The guide of whole faces, (N, C, H, W) to (N, K, H / cell, W / cell); None where nothing guides."""
    return known_guide(images, None, cfg)


def known_guide(images: Tensor, hole: Tensor | None, cfg: Config) -> Tensor | None:
    """The guide of what is visible; empty wherever the hole is touched, and independent of what it hides.

    Args:
        images: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W), hidden where > 0; None: nothing is.
        cfg: decides about the kind.
    """
    if cfg.guide == "none":
        return None
    if cfg.guide == "hog":
        return guide_of(images, hole, cfg.cell, cfg.orientations, cfg.norm)
    return canny_edges(images, hole, cfg.sigma)


def unknown_places(hole: Tensor, cfg: Config) -> Tensor:
    """Where the guide of the visible is empty and must be predicted, (N, 1, H / cell, W / cell), 1 = there."""
    if cfg.guide == "hog":
        return touched_cells(hole, cfg.cell)
    return F.max_pool2d((hole > 0).to(hole.dtype), 3, 1, 1)  # Canny finds no edge next to what it must not look at


def oracle_guide(truth: Tensor, hole: Tensor, cfg: Config) -> Tensor | None:
    """An oracle's guide: visible where it is known, the true one where it is not; None where nothing guides.

    Args:
        truth: (N, C, H, W). hole: (N, 1, H, W), 1 = hidden.
    """
    known, wanted = known_guide(truth, hole, cfg), true_guide(truth, cfg)
    return None if known is None or wanted is None else told(known, wanted, hole, cfg)


def told(known: Tensor, wanted: Tensor, hole: Tensor, cfg: Config) -> Tensor:
    """The second half of :func:`oracle_guide`, where both guides are at hand."""
    return composite(known, wanted, unknown_places(hole, cfg))


def canny_edges(images: Tensor, hole: Tensor | None = None, sigma: float = 1.0) -> Tensor:
    """Canny's edges of each picture, picture by picture on the CPU.

    Args:
        images: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W), hidden where > 0: no edge is found there or at its rim, and no hidden pixel is looked at.
        sigma: pixels, how soft the picture is made first.

    Returns:
        (N, 1, H, W), 1 on an edge.

    Source: Canny 1986, scikit-image's implementation, as EdgeConnect uses it.
    """
    from skimage.feature import canny

    grey = to_unit(to_channels(images, 1))[:, 0].double().cpu().numpy()
    seen = None if hole is None else (hole[:, 0] <= 0).cpu().numpy()
    found = [canny(g, sigma, mask=None if seen is None else seen[k]) for k, g in enumerate(grey)]
    return torch.from_numpy(np.stack(found)[:, None]).to(images)


def predicted_guide(G: nn.Module, images: Tensor, hole: Tensor, cfg: Config) -> Tensor | None:
    """Visible guide where it is known, predicted where it is not.

    Args:
        G: the generators, see :class:`facelab.systems.hog_inpaint.model.Generators`.
        images: (N, C, H, W) in [-1, 1]. hole: (N, 1, H, W), 1 = hidden.

    Returns:
        (N, K, H / cell, W / cell) in [0, 1]; None where nothing guides.
    """
    known = known_guide(images, hole, cfg)
    return None if known is None else completed(G, images, hole, known, cfg)[0]


def completed(G: nn.Module, images: Tensor, hole: Tensor, known: Tensor, cfg: Config) -> tuple[Tensor, Tensor]:
    """The second half of :func:`predicted_guide`, where the visible guide is at hand: the guide, and the logits."""
    logits = G.predict(to_channels(images, 1), known, hole).float()
    return composite(known, torch.sigmoid(logits), unknown_places(hole, cfg)), logits


def guide_loss(logits: Tensor, wanted: Tensor, unknown: Tensor, cfg: Config) -> Tensor:
    """How far a guide is from the true one where it had to be predicted: a mean over those places, then over pictures.

    L1 for a HOG; for edges, which are there or not, cross-entropy: the L1-best guess at a thin edge that may be here
    or there is none at all. EdgeConnect leaves edges to its critic.

    Args:
        logits: (N, K, H / cell, W / cell), of the predictor. wanted: the same shape, in [0, 1].
        unknown: (N, 1, H / cell, W / cell), see :func:`unknown_places`.
    """
    if cfg.guide == "canny":
        away = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    else:
        away = (torch.sigmoid(logits) - wanted).abs()
    places = unknown.flatten(1).sum(1).clamp(min=1.0) * logits.shape[1]
    return ((unknown * away).flatten(1).sum(1) / places).mean()


def enlarged(guide: Tensor, cfg: Config) -> Tensor:
    """A guide at the picture's own size, each number repeated: what the critic of guides looks at."""
    return F.interpolate(guide, scale_factor=float(cfg.guide_cell), mode="nearest")
