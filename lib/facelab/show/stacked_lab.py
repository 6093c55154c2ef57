"""A lab whose pictures stand in several rows, so that six of them stay large on a page of usual width."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from facelab.show.lab import STILL, Lab, page_width, plain, strip


@dataclass
class StackedLab(Lab):
    """A :class:`facelab.show.lab.Lab` with so many pictures a row.

    Args:
        across: pictures a row.

    Others as of :class:`facelab.show.lab.Lab`.

    Taught in: lesson 08.
    """

    across: int = 3

    def refresh(self, change: Any = None) -> None:
        """Draw the picture for the controls as they are."""
        self._last = panels, words = self.draw(**self.values())
        self.picture.value = stacked(panels, self.across)
        self.picture.layout.max_width = f"{page_width(self.across)}px"
        self.words.value = f"<span style='font-size:90%'>{words}</span>"
        if self._still is not None:
            self._rest.after(self._show_still)

    def still(self) -> bytes:
        """The panels as they are now with the words below them, as PNG bytes."""
        panels, words = self._last
        return stacked(panels, self.across, (plain(words), STILL))

    def _still_picture(self) -> Any:
        from IPython.display import Image as Still

        return Still(self.still(), format="png", width=page_width(self.across))


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
