"""Pictures of faces, holes and results. Each function takes images in [-1, 1] and gives back a ``Figure``.

A hole is drawn white where something is hidden. Charts are in :mod:`facelab.show.charts`, and can be had from here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence, Sized

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from facelab.images import to_channels
from facelab.show.canvas import COLOURS, needed, png, put, save, sheet, styled, write
from facelab.show.charts import comparison, curves, histogram

__all__ = ["best_and_worst", "comparison", "curves", "face_grid", "histogram", "png", "rows", "save", "tinted"]
GAP = 0.05  # inches between pictures
BOLD, LEAST, LINE = 10.5, 8.0, 0.15  # points: a title's letters, the smallest before it is broken; inches a line


def _is_hole(name: str) -> bool:
    return name.strip().lower().endswith(("hole", "holes"))


@styled
def face_grid(
    images: Tensor,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    *,
    title: str = "",
    side: float = 1.1,
    landmarks: Tensor | None = None,
    hole: bool = False,
) -> Figure:
    """Images side by side, row by row.

    Args:
        images: (N, C, H, W) in [-1, 1]; (N, 1, H, W) in [0, 1] with ``hole``.
        titles: words under each.
        columns: pictures a row; by default at most 8.
        title: one line above all.
        side: height of a picture, inches.
        landmarks: (N, K, 2) pixels (x, y), drawn as dots; rows of NaN are left out.
        hole: the images are holes.

    Raises:
        ValueError: no images, another number of titles, or values in no known range.

    Taught in: 00.
    """
    _same_length({"images": images, "titles": images if titles is None else titles})
    columns = min(columns or 8, len(images))
    lines = -(-len(images) // columns)
    width = side * images.shape[-1] / images.shape[-2]
    below = 0.0 if titles is None else 0.03 + 0.16 * max(1, *(t.count("\n") + 1 for t in titles))
    said, size, above = _title(title, columns * (width + GAP), 0.32)
    figure, axes = sheet(columns * (width + GAP) + GAP, above + lines * (side + below + GAP) + 0.02)
    _put_title(axes, said, size, GAP)
    for k, image in enumerate(images):
        x, y = GAP + (k % columns) * (width + GAP), above + (k // columns) * (side + below + GAP)
        points = None if landmarks is None or torch.isnan(landmarks[k]).any() else landmarks[k]
        put(axes, image, x, y, side, hole, points)
        if titles is not None:
            write(axes, x + width / 2, y + side + 0.04, titles[k], 8.5, va="top")
    return figure


def _title(text: str, room: float, one: float) -> tuple[list[str], float, float]:
    """A title within ``room`` inches: its lines, their size in points, and the inches above what is below it.

    Letters shrink a little; what would need smaller ones than :data:`LEAST` is broken into lines.

    Args:
        text: one line, or nothing. room: inches. one: inches above, for a title of one line.
    """
    if not text:
        return [], BOLD, 0.02
    size = min(BOLD, BOLD * room / (1.12 * needed([text], BOLD)))  # bold letters are wider
    if size >= LEAST:
        return [text], size, one
    lines = textwrap.wrap(text, max(1, int(room / (1.12 * needed(["x"], LEAST)))))
    return lines, LEAST, one + LINE * (len(lines) - 1)


def _put_title(axes: Axes, lines: Sequence[str], size: float, left: float) -> None:
    for k, line in enumerate(lines):
        write(axes, left, 0.15 + LINE * k, line, size, "left", weight="bold")


@styled
def rows(
    strips: Mapping[str, Tensor],
    titles: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
    *,
    title: str = "",
    side: float = 1.1,
) -> Figure:
    """Labelled strips, one column a face: input, hole, output, truth ...

    Args:
        strips: label → (N, C, H, W) in [-1, 1]. A label that ends in "hole" names holes, in [0, 1], drawn white where
            hidden.
        titles: words above each column.
        notes: words below each column.
        title: one line above all.
        side: height of a picture, inches.

    Raises:
        ValueError: no faces, strips, titles or notes of different length, or values in no known range.

    Taught in: 00.
    """
    words = {"titles": titles, "notes": notes}
    _same_length({**strips, **{name: given for name, given in words.items() if given is not None}})
    columns = list(range(len(next(iter(strips.values())))))
    figure, _ = _strips(strips, columns, [0.0] * len(columns), titles, notes, title, side)
    return figure


def _same_length(strips: Mapping[str, Sized]) -> None:
    lengths = {name: len(strip) for name, strip in strips.items()}
    if len(set(lengths.values())) != 1 or not all(lengths.values()):
        raise ValueError(f"one and the same number of everything is needed, and at least one, not {lengths}")


def _strips(strips, columns: list[int], shifts: list[float], titles, notes, title: str, side: float, colours=None):
    """Draw the chosen columns, column k moved right by ``shifts[k]``; returns figure and axes."""
    first = next(iter(strips.values()))
    width = side * first.shape[-1] / first.shape[-2]
    left = needed(list(strips)) + 0.15
    below = 0.05 + (0.16 * max(n.count("\n") + 1 for n in notes) if notes else 0)
    total = left + len(columns) * (width + GAP) + max(shifts) + 0.02
    said, size, above = _title(title, total - left, 0.32)
    above += 0.22 * bool(titles)
    figure, axes = sheet(total, above + len(strips) * (side + GAP) + below)
    _put_title(axes, said, size, left)
    for r, (name, strip) in enumerate(strips.items()):
        y = above + r * (side + GAP)
        write(axes, left - 0.1, y + side / 2, name, 9.5, "right")
        for k, column in enumerate(columns):
            put(axes, strip[column], left + k * (width + GAP) + shifts[k], y, side, _is_hole(name))
    foot = above + len(strips) * (side + GAP)
    for k in range(len(columns)):
        x = left + k * (width + GAP) + shifts[k] + width / 2
        if titles:
            write(axes, x, above - 0.12, titles[k], 9)
        if notes:
            write(axes, x, foot + 0.02, notes[k], 8.5, va="top", color=colours[k] if colours else None)
    return figure, axes


@styled
def best_and_worst(
    strips: Mapping[str, Tensor],
    metric: Tensor,
    name: str = "PSNR",
    unit: str = "dB",
    *,
    count: int = 4,
    higher: bool = True,
    form: str = ".3g",
    title: str = "",
    side: float = 1.1,
) -> Figure:
    """The best faces by a metric beside the worst, the number under each column.

    Args:
        strips: as for :func:`rows`, all faces measured.
        metric: (N,), one number a face.
        name, unit: what the number is.
        count: how many of each; fewer where there are not enough faces.
        higher: more of it is better.
        form: how the number is written, e.g. ``"+.1f"``.

    Taught in: 04.
    """
    _same_length({**strips, "metric": metric})
    order = torch.argsort(torch.as_tensor(metric), descending=higher, stable=True).tolist()
    count = max(1, min(count, len(order) // 2))
    columns = order[:count] + order[-count:]
    shifts = [0.0] * count + [0.3] * count
    titles = ["best"] + [""] * (count - 1) + ["worst"] + [""] * (count - 1)
    notes = [f"{_number(float(metric[k]), form)} {unit}".strip() for k in columns]
    colours = [COLOURS[0]] * count + [COLOURS[5]] * count
    title = title or f"{len(order)} faces ordered by {name}"
    return _strips(strips, columns, shifts, titles, notes, title, side, colours)[0]


def _number(value: float, form: str) -> str:
    """A number as it is written; what is rounded to nothing has no sign."""
    text = f"{value:{form}}"
    return text if float(text) else text.lstrip("+-")


def tinted(images: Tensor, holes: Tensor, colour: Sequence[float] = (1.0, 0.42, 0.0), strength: float = 0.6) -> Tensor:
    """Colour what is hidden, to see where a hole lies on its face.

    Args:
        images: (N, C, H, W) in [-1, 1].
        holes: (N, 1, H, W) in [0, 1], 1 = hidden.
        colour: red, green, blue in [0, 1].
        strength: 0 leaves the images, 1 paints the hole over.

    Returns:
        (N, 3, H, W) in [-1, 1].
    """
    paint = torch.tensor(colour).view(1, 3, 1, 1) * 2 - 1
    return torch.lerp(to_channels(images, 3), paint.expand(len(images), 3, *images.shape[-2:]), holes * strength)
