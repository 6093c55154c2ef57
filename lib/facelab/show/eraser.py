"""A picture to erase parts of with mouse, pen or finger."""

from __future__ import annotations

import io
from pathlib import Path

import anywidget
import torch
import traitlets
from torch import Tensor

from facelab.images import to_pil


class Eraser(anywidget.AnyWidget):
    """A canvas in the page; what is erased on it comes back as a hole.

    Attributes:
        picture: PNG bytes of the picture.
        value: ``side`` × ``side`` bytes, 255 = hidden; set by the page whenever the pointer is lifted, or from here.
        side: pixels of the hole.
        brush: width of a stroke, pixels of the hole.
        erases: whether a stroke hides, or gives back.
    """

    _esm = Path(__file__).with_suffix(".js")
    picture = traitlets.Bytes(b"").tag(sync=True)
    value = traitlets.CBytes(b"").tag(sync=True)
    side = traitlets.Int(128).tag(sync=True)
    brush = traitlets.Float(12.0).tag(sync=True)
    erases = traitlets.Bool(True).tag(sync=True)

    def show(self, image: Tensor) -> None:
        """Put a picture (C, H, W) in [-1, 1] under the canvas; the hole stays."""
        out = io.BytesIO()
        to_pil(image.detach().cpu().clamp(-1, 1)).save(out, format="PNG")
        self.picture = out.getvalue()


def hole_to_bytes(hole: Tensor) -> bytes:
    """A hole (1, S, S), hidden where > 0.5, as an eraser's ``value``."""
    return bytes(((hole > 0.5).to(torch.uint8) * 255).flatten().tolist())


def hole_from_bytes(value: bytes, side: int) -> Tensor:
    """An eraser's ``value`` as a hole (1, side, side), 0 or 1; nothing is hidden where it holds nothing yet.

    Raises:
        ValueError: so many bytes are no square of this side.
    """
    if not value:
        return torch.zeros(1, side, side)
    if len(value) != side * side:
        raise ValueError(f"{len(value)} bytes are no hole of {side} × {side} pixels")
    return (torch.frombuffer(bytearray(value), dtype=torch.uint8) > 127).float().view(1, side, side)
