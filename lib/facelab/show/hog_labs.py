"""The labs of lesson 09: what a HOG is made of, and a hole of one's own that is filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from facelab import hog
from facelab.images import composite, resize, to_channels
from facelab.metrics.image import psnr_inside
from facelab.occlude.irregular import irregular_holes
from facelab.restoration import HIDDEN_LIMIT
from facelab.seeding import generator
from facelab.show.eraser import Eraser, hole_from_bytes, hole_to_bytes
from facelab.show.lab import LABEL, Drawn, Lab, chooser, face_chooser, slider

DRAWN = 3  # times larger than the picture: a star of lines needs room


def hog_lab(images: Tensor, names: Sequence[str] | None = None) -> Lab:
    """Take a face apart into edge directions, with settings of your choice.

    Args:
        images: (N, C, H, W) in [-1, 1].
        names: of the faces.

    Returns:
        A lab; its controls are ``face cell orientations norm over``.

    Taught in: 09.
    """
    faces = to_channels(images.detach().float().cpu(), 1)

    def draw(face, cell, orientations, norm, over) -> Drawn:
        one = faces[face : face + 1]
        across, down = hog.gradients(hog.normalise_light(one))
        histograms = hog.cell_histograms(across, down, orientations, cell)
        blocks = hog.normalise_blocks(hog.unfold_blocks(histograms), norm)
        slope = torch.hypot(across, down)[None]
        large = [size * DRAWN for size in (histograms.shape[2] * cell, histograms.shape[3] * cell)]
        under = resize(one[..., : large[0] // DRAWN, : large[1] // DRAWN], tuple(large))
        raw, normal = (hog.hog_picture(each, cell * DRAWN) for each in (histograms, hog.fold_blocks(blocks)))
        shown = torch.lerp(normal, torch.maximum(under, normal), over)
        panels = {"face": one[0], "slope": (slope / slope.max().clamp(min=1e-8) * 2 - 1)[0], "cells": raw[0],
                  "blocks, over the face": shown[0]}  # fmt: skip
        count = blocks[0].numel()
        words = (
            f"<b>{count:,} numbers</b>: {blocks.shape[1]} × {blocks.shape[2]} blocks of 2 × 2 cells of {orientations} "
        )
        words += f"bins; the picture has {one[0].numel():,} pixels. Fullest bin: {histograms.max():.3f} before the "
        return panels, words + f"norm, {blocks.max():.3f} after it."

    return Lab(draw, {
        "face": face_chooser(len(faces), names),
        "cell": chooser("cell (pixels)", [4, 8, 16], 8),
        "orientations": ipywidgets.IntSlider(9, min=2, max=18, description="orientations",
                                             layout=ipywidgets.Layout(width="300px"), style=LABEL),
        "norm": chooser("block norm", list(hog.BLOCK_NORMS), "L2-Hys"),
        "over": slider("face under it", 0.7, 0.0, 1.0, 0.05),
    })  # fmt: skip


def erase_lab(
    images: Tensor,
    restore: Callable[..., Any],
    guide: Callable[[Tensor, Tensor], Tensor | None] | None = None,
    names: Sequence[str] | None = None,
    cell: int = 4,
) -> Lab:
    """Erase parts of a face with the mouse and see it filled.

    Args:
        images: (N, C, S, S) in [-1, 1].
        restore: pictures and holes to a ``Restoration``.
        guide: pictures and holes to the guide that was predicted for them, which is then shown, too.
        names: of the faces.
        cell: of the guide, pixels.

    Returns:
        A lab; its controls are ``face brush stroke hole``, the last of them an
        :class:`facelab.show.eraser.Eraser` that begins with a hole drawn by the library.

    Taught in: 09.
    """
    faces, side = images.detach().float().cpu(), images.shape[-1]
    first = irregular_holes(1, generator(0, "erase lab"), side, (0.2, 0.25), border=False)[0]
    eraser = Eraser(side=side, brush=0.1 * side, value=hole_to_bytes(first))
    eraser.show(faces[0])

    @lru_cache(maxsize=1)  # neither brush nor stroke changes the picture
    def filled_in(face: int, hole: bytes) -> Drawn:
        return _filled(faces[face : face + 1], hole_from_bytes(hole, side)[None], restore, guide, cell)

    draw = lambda face, brush, stroke, hole: filled_in(face, bytes(hole))  # noqa: E731
    faces_list = face_chooser(len(faces), names)
    brush = slider("brush (pixels)", 0.1 * side, 2.0, 0.3 * side, 1.0)
    stroke = chooser("a stroke", [("erases", True), ("gives back", False)])
    faces_list.observe(lambda change: eraser.show(faces[change["new"]]), names="value")
    ipywidgets.link((brush, "value"), (eraser, "brush"))
    ipywidgets.link((stroke, "value"), (eraser, "erases"))
    return Lab(draw, {"face": faces_list, "brush": brush, "stroke": stroke, "hole": eraser})


def _filled(one: Tensor, hole: Tensor, restore: Callable, guide: Callable | None, cell: int) -> Drawn:
    """What becomes of one face (1, C, S, S) with a hole (1, 1, S, S)."""
    filled = restore(one, hole).image.detach().cpu()  # on whatever device the network is
    panels = {"what is left": composite(one, torch.zeros(()), hole)[0]}
    if guide is not None and (found := guide(one, hole)) is not None:
        panels["guide, predicted"] = hog.hog_picture(found.detach().cpu(), cell * DRAWN)[0]
    panels |= {"filled": filled[0], "truth": one[0]}
    if not (share := hole.mean().item()):
        return panels, "Nothing is erased: drag over the large face."
    words = f"<b>{share:.0%}</b> erased; in the hole {psnr_inside(filled, one, hole).item():.1f} dB"
    return panels, words + (
        f"; more than {HIDDEN_LIMIT:.0%}, which <code>facelab restore</code> refuses" if share > HIDDEN_LIMIT else ""
    )
