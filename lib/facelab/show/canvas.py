"""What every figure stands on: a white sheet measured in inches, and the way from a figure to bytes and files.

Figures are made without pyplot: nothing is kept open, nothing depends on a backend, and a figure that ends a notebook
cell is shown wherever the notebook runs.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from PIL import Image
from torch import Tensor

from facelab import files

INK, GREY, LINE = "#1f2933", "#7b8794", "#d9dee4"
COLOURS = ("#1c6dd0", "#e8590c", "#2b8a3e", "#ae3ec9", "#0b7285", "#c92a2a", "#5c677d", "#e67700")
STYLE = {
    "font.family": "sans-serif", "font.size": 10.0, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GREY,
    "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.6, "axes.axisbelow": True, "xtick.color": GREY,
    "ytick.color": GREY, "xtick.labelsize": 9, "ytick.labelsize": 9, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "legend.frameon": False, "legend.fontsize": 9, "lines.linewidth": 1.8, "lines.solid_capstyle": "round",
}  # fmt: skip
DPI = 144  # of the bytes; a notebook shows them at 96, so that they stay crisp on fine screens
LIMIT = 150 * 1024
QUALITIES = (92, 88, 84, 78, 70)
FOOT = 0.155  # inches of a line below all


def styled(function):
    """Run a drawing function under the house style, leaving matplotlib's own settings as they were."""

    @functools.wraps(function)
    def draw(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)

    return draw


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure, inches; ends a cell as a picture."""
    figure = Figure(figsize=(width, height), facecolor="white")
    figure._repr_png_ = functools.partial(_for_notebook, figure)
    return figure


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one bare axes over all of it, in inches from the top left corner."""
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as PNG bytes, the same bytes for the same figure."""
    out = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


def _for_notebook(figure: Figure) -> tuple[bytes, dict[str, int]]:
    width, height = figure.get_size_inches()
    return png(figure), {"width": round(width * 96), "height": round(height * 96)}


def save(figure: Figure, path: str | Path, dpi: int = DPI, limit: int = LIMIT) -> Path:
    """Write a figure, atomically and as well as ``limit`` bytes allow: as JPEG (photographs) or PNG (all else).

    Args:
        figure: what to write.
        path: ``.jpg`` for JPEG.
        dpi: pixels an inch at best.
        limit: bytes of the file.

    Raises:
        ValueError: it does not fit, neither in fewer pixels nor in fewer colours or less quality.
    """
    for content in _jpegs(figure, dpi) if Path(path).suffix == ".jpg" else _pngs(figure, dpi):
        if len(content) <= limit:
            files.write_bytes(path, content)
            return Path(path)
    raise ValueError(f"{path}: the figure does not fit into {limit} bytes; draw fewer or smaller pictures")


def _pngs(figure: Figure, dpi: int) -> Iterator[bytes]:
    for scale, colours in ((1.0, None), (1.0, 256), (0.8, 256), (0.65, 256), (0.5, 128), (0.5, 32)):
        content = png(figure, round(dpi * scale))
        yield content if colours is None else _fewer_colours(content, colours)


def _jpegs(figure: Figure, dpi: int) -> Iterator[bytes]:
    for scale in (1.0, 0.85, 0.7):
        picture = Image.open(io.BytesIO(png(figure, round(dpi * scale)))).convert("RGB")
        for quality in QUALITIES:
            out = io.BytesIO()
            picture.save(out, format="JPEG", quality=quality, optimize=True, subsampling=0)
            yield out.getvalue()


def _fewer_colours(content: bytes, colours: int) -> bytes:
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    palette = picture.quantize(colours, method=Image.Quantize.MEDIANCUT, kmeans=3)
    shades = palette.getpalette()
    palette.putpalette([255 if min(shades[k // 3 * 3 : k // 3 * 3 + 3]) >= 248 else v for k, v in enumerate(shades)])
    flat = picture.quantize(palette=palette, dither=Image.Dither.NONE)  # dithered, plain walls would have specks
    flat.save(out, format="PNG", optimize=True)
    return out.getvalue()


def pixels(image: Tensor, hole: bool = False) -> np.ndarray:
    """An image (C, H, W) in [-1, 1], or a hole (1, H, W) in [0, 1], as values 0..1 for matplotlib.

    Raises:
        ValueError: a range that belongs to neither, which would be drawn wrong without a word.
    """
    image = image.detach().float().cpu()
    low, high = (0.0, 1.0) if hole else (-1.0, 1.0)
    lowest, highest = float(image.min()), float(image.max())
    if lowest < low - 0.25 or highest > high + 0.25:
        what = "a hole is in [0, 1]" if hole else "an image is in [-1, 1]"
        raise ValueError(f"values from {lowest:.3g} to {highest:.3g} cannot be drawn: {what}")
    unit = ((image - low) / (high - low)).clamp(0, 1).permute(1, 2, 0).numpy()
    return unit[:, :, 0] if unit.shape[2] == 1 else unit


def put(axes: Axes, image: Tensor, x: float, y: float, side: float, hole: bool = False, points: Tensor | None = None):
    """Draw an image, thinly framed, top left corner at (x, y), ``side`` inches high; ``points`` (K, 2) in pixels."""
    height, width = image.shape[-2:]
    scale = side / height
    axes.imshow(
        pixels(image, hole), cmap="gray", vmin=0, vmax=1, extent=(x, x + width * scale, y + side, y), aspect="auto"
    )
    axes.add_patch(Rectangle((x, y), width * scale, side, fill=False, edgecolor=LINE, linewidth=0.6))
    if points is not None:
        where = (points.detach().cpu() + 0.5) * scale
        axes.plot(x + where[:, 0], y + where[:, 1], ".", color="#40c057", ms=max(2.5, 3.2 * side), mew=0)


def write(axes: Axes, x: float, y: float, text: str, size: float = 9.5, align: str = "center", **style) -> None:
    """Words at (x, y), centred vertically."""
    axes.text(x, y, text, fontsize=size, ha=align, va=style.pop("va", "center"), **style)


def needed(texts: Sequence[str], size: float = 9.5) -> float:
    """How many inches the longest line of some texts takes, or a little more."""
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    drawn = (TextPath((0, 0), line, size=size, usetex=False).get_extents().x1 / 72 for line in lines)  # m is wide
    return max([0.0, *drawn, *(len(line) * size * 0.0078 for line in lines)])


def broken(text: str, room: float, size: float) -> list[str]:
    """A text in lines of at most ``room`` inches, never broken within a word."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and needed([longer], size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def put_title(figure: Figure, title: str, size: float = 10.5) -> None:
    """One bold line above all, in letters that fit."""
    if title:
        wide, high = figure.get_size_inches()
        size = min(size, size * (wide - 0.1) / (1.12 * needed([title], size)))  # bold letters are wider
        figure.text(0.05 / wide, 1 - 0.16 / high, title, va="center", fontsize=size, weight="bold")


def put_foot(figure: Figure, lines: Sequence[str], size: float = 8.5) -> None:
    """Grey lines below all, the last one at the lower edge; :data:`FOOT` inches each."""
    wide, high = figure.get_size_inches()
    for row, line in enumerate(lines, 1 - len(lines)):
        figure.text(0.05 / wide, (0.1 - FOOT * row) / high, line, va="center", fontsize=size, color=GREY)
