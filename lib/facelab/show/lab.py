"""Labs: controls beside a picture that the library computes anew at every move.

A lab ends a cell. In JupyterLab it lives; below it stands a still picture of its first state, so that headless runs,
printed pages and the book show it too. The still picture goes away at the first move.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facelab.images import to_channels, to_pil
from facelab.show.canvas import INK

SIDE, GAP, HEAD = 240, 8, 24  # pixels: a panel, between panels, the words above
Drawn = tuple[Mapping[str, Tensor], str]


@dataclass
class Lab:
    """Controls, the picture they make, and one line of words.

    Args:
        draw: values of all controls by name → (label → image (C, H, W) in [-1, 1]; words).
        controls: by name; moving one draws anew.
        columns: controls a row.
        picture: the widget that shows the PNG, class ``facelab-lab`` in the page.
        words: the widget below the picture.
    """

    draw: Callable[..., Drawn]
    controls: dict[str, ipywidgets.Widget]
    columns: int = 3
    picture: ipywidgets.Image = field(default_factory=lambda: ipywidgets.Image(format="png"), repr=False)
    words: ipywidgets.HTML = field(default_factory=ipywidgets.HTML, repr=False)
    _still: Any = field(default=None, repr=False)

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
        panels, words = self.draw(**self.values())
        self.picture.value = strip(panels)
        self.words.value = f"<span style='font-size:90%'>{words}</span>"
        if change is not None and self._still is not None:
            from IPython.display import HTML

            still, self._still = self._still, None
            still.update(HTML(""))

    def box(self) -> ipywidgets.VBox:
        """Controls above the picture, ready to be displayed."""
        controls = list(self.controls.values())
        lines = [controls[k : k + self.columns] for k in range(0, len(controls), self.columns)]
        return ipywidgets.VBox([*(ipywidgets.HBox(line) for line in lines), self.picture, self.words])

    def _ipython_display_(self) -> None:
        from IPython.display import Image as Still
        from IPython.display import display

        display(self.box())
        self._still = display(Still(self.picture.value, format="png"), display_id=True)


def strip(panels: Mapping[str, Tensor]) -> bytes:
    """Labelled images side by side as PNG bytes.

    Args:
        panels: label → image (C, H, W) in [-1, 1].
    """
    sheet = Image.new("RGB", (len(panels) * (SIDE + GAP) - GAP, HEAD + SIDE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for k, (label, image) in enumerate(panels.items()):
        picture = to_pil(to_channels(image, 3).clamp(-1, 1))
        smooth = Image.Resampling.BICUBIC if max(picture.size) >= 64 else Image.Resampling.NEAREST
        sheet.paste(picture.resize((SIDE, SIDE), smooth), (k * (SIDE + GAP), HEAD))
        pen.text((k * (SIDE + GAP) + SIDE / 2, HEAD / 2), label, INK, font, anchor="mm")
    out = io.BytesIO()
    sheet.save(out, format="PNG", compress_level=1)
    return out.getvalue()


def slider(label: str, value: float, low: float, high: float, step: float) -> ipywidgets.FloatSlider:
    """A slider that draws while it moves; the arrow keys move it by ``step``."""
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=step, description=label, readout_format=".2f" if step < 1 else ".0f",
        layout=ipywidgets.Layout(width="290px"),
    )  # fmt: skip


def chooser(label: str, options: Sequence, value: Any = None) -> ipywidgets.Dropdown:
    """A list to choose one of."""
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    layout = ipywidgets.Layout(width="290px")
    return ipywidgets.Dropdown(
        options=options, value=first if value is None else value, description=label, layout=layout
    )


def face_chooser(count: int, names: Sequence[str] | None) -> ipywidgets.Dropdown:
    """A list of faces; its value is the face's number."""
    names = [f"face {k}" for k in range(count)] if names is None else [str(n) for n in names]
    if len(names) != count:
        raise ValueError(f"{len(names)} names for {count} faces")
    return chooser("face", [(f"{k}: {name}", k) for k, name in enumerate(names)])
