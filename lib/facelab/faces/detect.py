"""Where are the faces?"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from facelab.faces import models
from facelab.images import resize

_ENOUGH = 160  # short side of a face crop at which its face fills that window
_SMALL = 480  # pictures up to this short side are tried once more at twice the size
_MOST = 25_000_000  # pixels a picture is enlarged to at most: a long strip would fill the memory
_WEAK = 0.2  # detections scoring less are taken only where there is no better one: real faces score about 1.6
_PAD = 0.25  # share of the short side added around tight crops, whose faces touch the edge


class Box(NamedTuple):
    """A face's box in pixels; right and bottom belong to it. May reach over the picture's edge."""

    left: int
    top: int
    right: int
    bottom: int


def detect(image: Tensor, doubtful: bool = True) -> list[Box]:
    """Find upright faces, frontal to half-profile.

    Small pictures are enlarged first, because the detector sees no face below 80 pixels. Where it finds nothing, it
    looks again with the edge repeated outwards (crops so tight that forehead or chin are cut off), and in small
    pictures once more at twice the size. A doubtful face counts only where there is no clear one: it may be a badge.

    Args:
        image: (C, H, W) in [-1, 1], C 1 or 3.
        doubtful: False leaves doubtful faces out even where there is no clear one.

    Returns:
        Boxes in pixels of ``image``, largest first; empty where no face is found.

    Raises:
        MissingPart: dlib is not installed.

    Source: Dalal & Triggs 2005, *Histograms of oriented gradients*, as built into dlib.
    Taught in: 01
    """
    short = min(image.shape[-2:])
    scale = max(1.0, _ENOUGH / short)
    for pad, factor in ((0, 1), (round(_PAD * short), 1), (round(_PAD * short), 2)):
        if factor > 1 and short > _SMALL:
            break
        boxes = _pass(image, pad, scale * factor, doubtful)
        if boxes:
            return sorted(boxes, key=lambda b: (b.right - b.left) * (b.bottom - b.top), reverse=True)
    return []


def _pass(image: Tensor, pad: int, scale: float, doubtful: bool) -> list[Box]:
    """One look: pad by so many pixels, enlarge (as far as memory allows), detect, convert back."""
    padded = F.pad(image[None].float(), (pad,) * 4, mode="replicate")[0]
    height, width = padded.shape[-2:]
    scale = max(1.0, min(scale, (_MOST / (height * width)) ** 0.5))
    enlarged = resize(padded, (round(height * scale), round(width * scale)))
    with models.LOCK:
        found, scores, _ = models.detector().run(models.to_array(enlarged), 0, 0.0)
    enough = min(_WEAK, max(scores, default=0.0)) if doubtful else _WEAK
    found = [f for f, score in zip(found, scores, strict=True) if score >= enough]
    return [Box(*(round(v / scale) - pad for v in (f.left(), f.top(), f.right(), f.bottom()))) for f in found]
