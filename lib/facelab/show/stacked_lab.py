"""A lab whose pictures stand in several rows, so that six of them stay large on a page of usual width."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from facelab.show.lab import Lab, page_width, strip


@dataclass
class StackedLab(Lab):
    """A :class:`facelab.show.lab.Lab` with so many pictures a row.

    Args:
        across: pictures a row.

    Others as of :class:`facelab.show.lab.Lab`.

    Taught in: lesson 08.
    """

    across: int = 3

    def page(self, panels: Mapping[str, Tensor], foot: Sequence[str] = ()) -> bytes:
        """The panels in rows as PNG bytes."""
        return stacked(panels, self.across, foot)

    def width(self) -> int:
        """Natural width of a row in the page, CSS pixels."""
        return page_width(self.across)


def stacked(panels: Mapping[str, Tensor], across: int, foot: Sequence[str] = ()) -> bytes:
    """Labelled images in rows as PNG bytes.

    Args:
        panels: label → image (C, H, W) in [-1, 1].
        across: images a row; where the last row has fewer, the rest of it stays white.
        foot: words below all, see :func:`facelab.show.lab.strip`.

    Taught in: lesson 08.
    """
    named, white = list(panels.items()), torch.ones(1, 8, 8)
    named += [(" " * blank, white) for blank in range(-len(named) % across)]
    rows = [dict(named[k : k + across]) for k in range(0, len(named), across)]
    drawn = [strip(row, foot if row is rows[-1] else ()) for row in rows]
    sheets = [Image.open(io.BytesIO(content)) for content in drawn]
    whole, top = Image.new("RGB", (sheets[0].width, sum(sheet.height for sheet in sheets)), "white"), 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    out = io.BytesIO()
    whole.save(out, format="PNG", compress_level=6 if foot else 1)  # what moves is made fast, what stays small
    return out.getvalue()
