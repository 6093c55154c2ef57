"""The lab of lesson 06: put a facemask on a face, slip it, turn it, and take it off again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from facelab.metrics.holes import iou
from facelab.metrics.image import psnr
from facelab.occlude.facemask import FITS, PRINTS, TYPES, Look, wear
from facelab.seeding import generator
from facelab.show.lab import LABEL, Drawn, Lab, chooser, face_chooser, slider
from facelab.show.widgets import AS_DRAWN, COLOURS


def facemask_lab(
    images: Tensor,
    landmarks: Tensor | None = None,
    names: Sequence[str] | None = None,
    restore: Callable[..., Any] | None = None,
) -> Lab:
    """Put a facemask of your choice on a face; the library draws it and the hole it makes.

    Args:
        images: (N, C, H, W) in [-1, 1], bare faces.
        landmarks: (N, 68, 2) pixels (x, y); None or rows of NaN stand for a canonical face.
        names: of the faces.
        restore: pictures, and a hole where one is given, to a ``Restoration``: then what the network makes of it is
            shown too.

    Returns:
        A lab; its controls are ``face kind another colour print fit offset tilt``.

    Taught in: 06.
    """
    faces = images.detach().float().cpu()
    points = landmarks if landmarks is not None else torch.full((len(faces), 68, 2), torch.nan)

    def draw(face, kind, another, colour, print, fit, offset, tilt) -> Drawn:
        chosen = {name: None if value == AS_DRAWN else value for name, value in (("colour", colour), ("print", print))}
        if chosen["colour"] is not None:
            chosen["colour"] = COLOURS[colour]
        look = Look(**chosen, fit=fit, offset=offset, tilt=tilt)
        bare = faces[face : face + 1]
        worn = wear(bare, points[face : face + 1], generator(another, "lab", kind), kind, look)
        panels = {"face": faces[face], "worn": worn.image[0], "true hole": worn.hole[0] * 2 - 1}
        words = f"<b>{kind}</b> hides {float(worn.hole.mean()):.1%} of the picture"
        words += f"; the fit is doubtful: {worn.doubts[0]}" if worn.doubts[0] else ""
        if restore is not None:
            found, told = restore(worn.image), restore(worn.image, worn.hole)  # on whatever device the network is
            hole, image = found.hole.detach().cpu(), found.image.detach().cpu()
            panels |= {"hole found": hole[0] * 2 - 1, "taken off": image[0]}
            gain, best = (
                float(psnr(after, bare) - psnr(worn.image, bare)) for after in (image, told.image.detach().cpu())
            )
            words += f"; hole found with IoU <b>{float(iou(hole, worn.hole)):.2f}</b>"
            words += f"; gain <b>{gain:+.1f} dB</b>, told the true hole {best:+.1f} dB"
        return panels, words

    return Lab(draw, _controls(len(faces), names))


def _controls(count: int, names: Sequence[str] | None) -> dict[str, ipywidgets.Widget]:
    layout = ipywidgets.Layout(width="300px")
    return {
        "face": face_chooser(count, names),
        "kind": chooser("type", list(TYPES)),
        "another": ipywidgets.IntSlider(0, min=0, max=50, description="another mask", layout=layout, style=LABEL),
        "colour": chooser("colour", [AS_DRAWN, *COLOURS]),
        "print": chooser("print", [AS_DRAWN, *PRINTS]),
        "fit": chooser("fit", list(FITS)),
        "offset": slider("slip (+ down)", 0.0, -0.4, 0.4, 0.02),
        "tilt": slider("tilt (°)", 0.0, -30.0, 30.0, 1.0),
    }
