"""What judges say, as charts: every system on one protocol, and what each does to faces that nothing was drawn on.

Taught in: lesson 10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facelab.metrics.identity import SAME_PERSON
from facelab.show.canvas import COLOURS, FOOT, GREY, INK, LINE, broken, needed, new_figure, put_foot, put_title, styled
from facelab.show.verdicts import mean_of, named, there
from facelab.studies.judging import SIDES

ROW = 0.215  # inches of a line
WIDE = 1.78  # inches of a column
BASELINES = ("input", "mean face", "biharmonic", "somebody else")
"""How rows without a network begin; they are drawn grey."""
LEVELS = {"identity": SAME_PERSON, "sharpness": 1.0}
"""Metric → where a dashed line is drawn."""
DASHED = {"identity": f"{SAME_PERSON:g}, dlib's same person", "sharpness": "1, the truth's sharpness"}
BETTER = {1: "more is better →", -1: "← less is better", 0: "best at 1"}
"""Side of :data:`facelab.studies.judging.SIDES` → its words."""


def is_baseline(name: str) -> bool:
    """Whether a row of a protocol is one without a network."""
    return name.startswith(BASELINES)


@styled
def protocol_plot(
    protocol: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[str] = ("psnr", "ssim", "identity", "sharpness", "frechet"),
    *,
    told: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Every system on the same people, damaged in several ways: a dot is the mean, a line its 95 % interval.

    Dots, dashed lines and which side is better are explained below it.

    Args:
        protocol: damage → ``{"count", "people", "rows": row → metric → {"mean", "low", "high"}}``, of
            :func:`facelab.studies.side_by_side.protocol`; keys without rows are passed over.
        metrics: a column each, where they were measured.
        told: systems that are told the hole; said beside their names.
        title: one line above all.

    Taught in: lesson 10.
    """
    damages = {name: part["rows"] for name, part in protocol.items() if isinstance(part, Mapping) and "rows" in part}
    metrics = there(
        metrics, {f"{damage} {name}": row for damage, rows in damages.items() for name, row in rows.items()}
    )
    labels = {name: f"{name} (told)" if name in told else name for rows in damages.values() for name in rows}
    left, top = needed(list(labels.values()), 9) + 0.2, 0.3 * bool(title) + 0.1
    heads, wide = 0.24, left + WIDE * len(metrics) + 0.1
    foot = broken(_legend(metrics), wide - 0.1, 8.5)
    high = top + sum(heads + ROW * len(rows) + 0.1 for rows in damages.values()) + 0.54 + FOOT * len(foot)
    figure = new_figure(wide, high)
    put_title(figure, title)
    put_foot(figure, foot)
    for k, metric in enumerate(metrics):
        y, span = top, _span(metric, damages)
        for number, (damage, rows) in enumerate(damages.items(), 1):
            tall = ROW * len(rows)
            axes = box(figure, left + k * WIDE, y + heads, WIDE - 0.18, tall)
            _dots(axes, rows, metric, list(rows), span)
            axes.set_yticks(range(len(rows)), [labels[name] for name in rows] if k == 0 else [])
            axes.tick_params(axis="y", left=False, labelsize=9)
            axes.tick_params(axis="x", labelbottom=number == len(damages))
            if k == 0:
                _said(figure, 0.05, y + heads - 0.11, damage)
            if number == len(damages):
                axes.set_xlabel(named(metric, unit=True), fontsize=9.5, labelpad=2)
                _better(axes, metric)
            y += heads + tall + 0.1
    return figure


def _legend(metrics: Sequence[str]) -> str:
    """What is to be known of the dots and lines."""
    said = "Dot: mean; line: its 95 % interval over people; one training each. Grey: rows without a network."
    dashed = "; ".join(f"{named(metric)} {DASHED[metric]}" for metric in metrics if metric in DASHED)
    return f"{said} Dashed: {dashed}." if dashed else said


def _better(axes: Axes, metric: str) -> None:
    """Below the words of an axis: which of its sides is the better one."""
    words = BETTER.get(SIDES.get(metric, 2), "")
    style = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8, "color": GREY}
    axes.annotate(words, (0.5, 0), (0, -36), ha="center", va="center", **style)


def box(figure: Figure, x: float, y: float, wide: float, tall: float) -> Axes:
    """Axes in inches from the top left corner."""
    width, height = figure.get_size_inches()
    return figure.add_axes((x / width, 1 - (y + tall) / height, wide / width, tall / height))


def _said(figure: Figure, x: float, y: float, text: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, ha="left", va="center", fontsize=9.5, weight="bold")


def _ends(cell: Any) -> tuple[float, float, float]:
    """Mean, low and high of a cell; NaN where there is none."""
    mean = mean_of(cell)
    if not isinstance(cell, Mapping):
        return mean, mean, mean
    low, high = (mean if cell.get(end) is None else float(cell[end]) for end in ("low", "high"))
    return mean, low, high


def _span(metric: str, parts: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    """One axis for all damages of a metric, so that they can be compared."""
    cells = [_ends(row.get(metric)) for rows in parts.values() for row in rows.values()]
    ends = [end for cell in cells for end in cell if math.isfinite(end)]
    ends += [LEVELS[metric]] if metric in LEVELS else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _dots(axes: Axes, rows: Mapping[str, Mapping[str, Any]], metric: str, names: Sequence[str], span) -> None:
    for k, name in enumerate(names):
        mean, low, high = _ends(rows[name].get(metric))
        colour = GREY if is_baseline(name) else COLOURS[0]
        if math.isfinite(mean):
            axes.plot([low, high], [k, k], color=colour, lw=3.2, alpha=0.45, solid_capstyle="butt")
            axes.plot(mean, k, "o", color=colour, ms=4.5, mew=0)
            if metric.startswith("psnr"):  # of others left out are those that have no value
                _equal_ones(axes, k, (mean, max(mean, high)), rows[name].get(metric), span)
        else:
            text = "untouched: equal" if math.isinf(mean) else "–"
            axes.text(0.03, k, text, transform=axes.get_yaxis_transform(), color=GREY, fontsize=8, va="center")
    if metric in LEVELS:
        axes.axvline(LEVELS[metric], color=INK, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    axes.set(xlim=span, ylim=(len(names) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_color(LINE)
    axes.locator_params(axis="x", nbins=4)


def _equal_ones(axes: Axes, k: int, ends: tuple[float, float], cell: Any, span: tuple[float, float]) -> None:
    """How many pictures a mean leaves out because they are equal to what they are held against."""
    if isinstance(cell, Mapping) and cell.get("left_out"):
        right = ends[1] < sum(span) / 2  # towards the middle, inside the frame
        style = {"textcoords": "offset points", "va": "center", "fontsize": 7.5, "color": GREY}
        place, side = ((6, "left") if right else (-8, "right")), ends[1] if right else 2 * ends[0] - ends[1]
        axes.annotate(f"{cell['left_out']} more: equal", (side, k), (place[0], 0), ha=place[1], **style)


HARMS = {"changed": "share of pixels changed", "hole": "share filled", "psnr": "PSNR to the input (dB)",
         "identity": "identity distance to the input"}  # fmt: skip
"""Measure of :func:`facelab.studies.side_by_side.harm` → its words."""


@styled
def harm_plot(
    harm: Mapping[str, Mapping[str, Any]], measures: Sequence[str] | None = None, *, title: str = ""
) -> Figure:
    """What each system does to faces that nothing was drawn on: a dot is the mean, a line the 95 % interval.

    Args:
        harm: system → measure → ``{"mean", "low", "high"}``, of :func:`facelab.studies.side_by_side.harm`.
        measures: a column each; by default those of :data:`HARMS` that are there.
        title: one line above all.

    Taught in: lesson 10.
    """
    found = {measure for row in harm.values() for measure in row}
    measures = [measure for measure in HARMS if measure in found] if measures is None else measures
    left, top, tall = needed(list(harm), 9) + 0.2, 0.3 * bool(title) + 0.08, ROW * len(harm)
    figure = new_figure(left + 2.4 * len(measures), top + tall + 0.45)
    put_title(figure, title)
    for k, measure in enumerate(measures):
        axes = box(figure, left + k * 2.4, top, 2.0, tall)
        low, high = _span(measure, {"": harm})
        share = measure in ("changed", "hole")
        _dots(axes, harm, measure, list(harm), (-0.03, max(1.0, high)) if share else (low, high))
        if share:
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_yticks(range(len(harm)), list(harm) if k == 0 else [])
        axes.tick_params(axis="y", left=False, labelsize=9)
        axes.set_xlabel(HARMS.get(measure, named(measure, unit=True)), fontsize=9.5, labelpad=2)
    return figure
