"""Labs: controls beside a picture that the library computes anew at every move.

A lab ends a cell. In JupyterLab it lives, and the still picture that it leaves below itself is hidden. Where nothing
lives (headless runs, printed pages, the book, a notebook opened again) the still picture shows the lab as it was last.
"""

from __future__ import annotations

import asyncio
import html
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
import matplotlib
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facelab.images import to_channels, to_pil
from facelab.show.canvas import GREY, INK

DENSITY = 2  # pixels of the picture a pixel of the page, so that it is crisp on fine screens
SIDE, GAP, HEAD = 240 * DENSITY, 8 * DENSITY, 24 * DENSITY  # pixels: a panel, between panels, the words above
LETTERS, LINE = 13 * DENSITY, 19 * DENSITY  # pixels: height of the letters, of a line of words
REST = 0.4  # seconds without a move, after which the still picture is drawn
WHITE = 0.2
"""Difference that :func:`error_map` draws white, share of the range from black to white."""
STILL = "A still picture: run this cell to move the controls."
LABEL = {"description_width": "90px"}
HIDE_STILL = """<style>
.jp-OutputArea-child:has(.facelab-lab) + .jp-OutputArea-child:has(.jp-RenderedImage) { display: none; }
.output_container:has(.facelab-lab) + .output_container:has(img) { display: none; }
</style>"""  # is in the page only while the widget is: first JupyterLab and Notebook, then VS Code
Drawn = tuple[Mapping[str, Tensor], str]


@dataclass
class Rest:
    """Does something once the controls rest; a slider that is being dragged need not wait for it."""

    _timer: Any = None

    def after(self, call: Callable[[], None]) -> None:
        """Call once :data:`REST` seconds have passed without a further ``after``; at once where no loop runs."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(REST, call)
        except RuntimeError:  # nobody waits
            call()


@dataclass
class Lab:
    """Controls, the picture they make, and one line of words.

    Args:
        draw: values of all controls by name → (label → image (C, H, W) in [-1, 1]; words).
        controls: by name; moving one draws anew.
        columns: controls a row.
        picture: the widget that shows the PNG, class ``facelab-lab`` in the page, at most at its natural width.
        words: the widget below the picture.
    """

    draw: Callable[..., Drawn]
    controls: dict[str, ipywidgets.Widget]
    columns: int = 3
    picture: ipywidgets.Image = field(default_factory=lambda: ipywidgets.Image(format="png"), repr=False)
    words: ipywidgets.HTML = field(default_factory=ipywidgets.HTML, repr=False)
    _last: Drawn = field(default=({}, ""), repr=False)
    _still: Any = field(default=None, repr=False)
    _rest: Rest = field(default_factory=Rest, repr=False)

    def __post_init__(self):
        self.picture.add_class("facelab-lab")
        self.refresh()
        for control in self.controls.values():
            control.observe(self.refresh, names="value")

    def values(self) -> dict[str, Any]:
        """What every control says now."""
        return {name: control.value for name, control in self.controls.items()}

    def refresh(self, change: Any = None) -> None:
        """Draw the picture for the controls as they are."""
        self._last = panels, words = self.draw(**self.values())
        self.picture.value = self.page(panels)
        self.picture.layout.max_width = f"{self.width()}px"
        self.words.value = f"<span style='font-size:90%'>{words}</span>"
        if self._still is not None:
            self._rest.after(self._show_still)

    def still(self) -> bytes:
        """The panels as they are now with the words below them, as PNG bytes."""
        panels, words = self._last
        return self.page(panels, (plain(words), STILL))

    def page(self, panels: Mapping[str, Tensor], foot: Sequence[str] = ()) -> bytes:
        """The panels laid out as PNG bytes, side by side; with :meth:`width` all that another layout changes."""
        return strip(panels, foot)

    def width(self) -> int:
        """Natural width of :meth:`page` in the page, CSS pixels."""
        return page_width(len(self._last[0]))

    def box(self) -> ipywidgets.VBox:
        """Controls above the picture, ready to be displayed."""
        controls = list(self.controls.values())
        lines = [controls[k : k + self.columns] for k in range(0, len(controls), self.columns)]
        style = ipywidgets.HTML(HIDE_STILL, layout=ipywidgets.Layout(display="none"))
        return ipywidgets.VBox([*(ipywidgets.HBox(line) for line in lines), self.picture, self.words, style])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box())
        self._still = display(self._still_picture(), display_id=True)

    def _still_picture(self) -> Any:
        from IPython.display import Image as Still

        return Still(self.still(), format="png", width=self.width())

    def _show_still(self) -> None:
        self._still.update(self._still_picture())


def page_width(panels: int) -> int:
    """Width of so many panels in the page, CSS pixels."""
    return (panels * (SIDE + GAP) - GAP) // DENSITY


def plain(words: str) -> str:
    """Words without their HTML tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", words))


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", LETTERS)


def strip(panels: Mapping[str, Tensor], foot: Sequence[str] = ()) -> bytes:
    """Labelled images side by side as PNG bytes.

    Args:
        panels: label → image (C, H, W) in [-1, 1].
        foot: words below all, the last of them grey; long ones are broken into lines.
    """
    width, letter = len(panels) * (SIDE + GAP) - GAP, _font().getlength("x")
    lines = [(line, k) for k, text in enumerate(foot, 1) for line in textwrap.wrap(text, max(8, int(width / letter)))]
    sheet = Image.new("RGB", (width, HEAD + SIDE + len(lines) * LINE), "white")
    pen = ImageDraw.Draw(sheet)
    for k, (label, image) in enumerate(panels.items()):
        picture = to_pil(to_channels(image, 3).clamp(-1, 1))
        smooth = Image.Resampling.BICUBIC if max(picture.size) >= 64 else Image.Resampling.NEAREST
        sheet.paste(picture.resize((SIDE, SIDE), smooth), (k * (SIDE + GAP), HEAD))
        pen.text((k * (SIDE + GAP) + SIDE / 2, HEAD / 2), label, INK, _font(), anchor="mm")
    for k, (line, text) in enumerate(lines):
        colour = GREY if text == len(foot) else INK
        pen.text((0, HEAD + SIDE + (k + 0.6) * LINE), line, colour, _font(), anchor="lm")
    out = io.BytesIO()
    sheet.save(out, format="PNG", compress_level=6 if foot else 1)  # what moves is made fast, what stays small
    return out.getvalue()


def error_map(found: Tensor, wanted: Tensor) -> Tensor:
    """How far off every pixel is: black not at all, white by :data:`WHITE` of the range or more.

    Args:
        found, wanted: (..., C, H, W) in [-1, 1].

    Returns:
        (..., 1, H, W) in [-1, 1].
    """
    return ((found - wanted).abs().mean(-3, keepdim=True) / 2 / WHITE).clamp(0, 1) * 2 - 1


def slider(label: str, value: float, low: float, high: float, step: float) -> ipywidgets.FloatSlider:
    """A slider that draws while it moves; the arrow keys move it by ``step``."""
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=step, description=label, readout_format=".2f" if step < 1 else ".0f",
        layout=ipywidgets.Layout(width="300px"), style=LABEL,
    )  # fmt: skip


def chooser(label: str, options: Sequence, value: Any = None) -> ipywidgets.Dropdown:
    """A list to choose one of."""
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    layout, value = ipywidgets.Layout(width="300px"), first if value is None else value
    return ipywidgets.Dropdown(options=options, value=value, description=label, layout=layout, style=LABEL)


def face_chooser(count: int, names: Sequence[str] | None) -> ipywidgets.Dropdown:
    """A list of faces; its value is the face's number."""
    names = [f"face {k}" for k in range(count)] if names is None else [str(n) for n in names]
    if len(names) != count:
        raise ValueError(f"{len(names)} names for {count} faces")
    return chooser("face", [(f"{k}: {name}", k) for k, name in enumerate(names)])
