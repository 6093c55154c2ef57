"""Numbers as pictures: rows with their intervals, curves of a run, spreads of a metric."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from facelab.show.canvas import COLOURS, GREY, INK, LINE, needed, new_figure, styled
from facelab.train.history import History

Row = Mapping[str, float | None] | float
MANY = 50  # rows of a history from which a running average says more than the rows


def _numbers(row: Row) -> tuple[float, float, float]:
    """Mean, low and high of a row; a bare number is its own interval."""
    if not isinstance(row, Mapping):
        return float(row), float(row), float(row)
    mean = float(row["mean"])
    low, high = row.get("low"), row.get("high")
    return mean, mean if low is None else float(low), mean if high is None else float(high)


@styled
def comparison(
    results: Mapping[str, Row],
    metric: str = "PSNR",
    unit: str = "dB",
    *,
    baselines: Sequence[str] = ("input", "mean face in the true hole", "biharmonic in the true hole"),
    higher: bool = True,
    digits: int = 1,
) -> Figure:
    """Rows of a result table as bars with intervals: baselines grey, everything else in colour.

    Args:
        results: row name → a number, or ``{"mean": …, "low": …, "high": …}`` (95 % interval).
        metric, unit: what is compared.
        baselines: rows drawn grey; the best of them is drawn through as a dashed line to beat.
        higher: more of it is better.
        digits: after the point, of the numbers beside the bars.

    Taught in: 04.
    """
    names = list(results)
    values = [_numbers(results[name]) for name in names]
    left = needed(names) + 0.2
    figure = new_figure(left + 4.8, 0.75 + 0.34 * len(names))
    height = 0.34 * len(names)
    total = figure.get_size_inches()
    axes = figure.add_axes((left / total[0], 0.5 / total[1], 4.2 / total[0], height / total[1]))
    for k, (name, (mean, low, high)) in enumerate(zip(names, values, strict=True)):
        colour = "#b8c0c9" if name in baselines else COLOURS[0]
        axes.barh(k, mean, 0.62, color=colour)
        axes.plot([low, high], [k, k], color=INK, lw=1.2)
        weight = None if name in baselines else "bold"
        right = mean >= 0
        end, shift, align = (max(mean, high), 7, "left") if right else (min(mean, low), -7, "right")
        style = {"textcoords": "offset points", "ha": align, "va": "center", "fontsize": 9, "weight": weight}
        axes.annotate(f"{mean:.{digits}f}", (end, k), (shift, 0), **style)
    grey = [v[0] for n, v in zip(names, values, strict=True) if n in baselines]
    if grey:
        axes.axvline(max(grey) if higher else min(grey), color=GREY, lw=0.9, ls=(0, (4, 3)), zorder=0.5)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.45, -0.55))
    lowest, highest = min(0.0, *(v[1] for v in values)), max(0.0, *(v[2] for v in values))
    room = 0.14 * (highest - lowest) or 1.0  # for the numbers
    axes.set_xlim(lowest - room * (lowest < 0), highest + room * (highest > 0 or lowest == 0))
    axes.set_xlabel(f"{metric} ({unit}), {'more' if higher else 'less'} is better" if unit else metric)
    axes.tick_params(left=False)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    return figure


def _room(low: float, high: float) -> tuple[float, float]:
    margin = 0.03 * (high - low) or 1.0
    return low - margin, high + margin


def smooth(values: Sequence[float], memory: float = 0.9) -> np.ndarray:
    """Exponential average, free of the start's pull towards zero."""
    total, weight, out = 0.0, 0.0, []
    for value in values:
        total, weight = memory * total + (1 - memory) * value, memory * weight + (1 - memory)
        out.append(total / weight)
    return np.array(out)


@styled
def curves(history: History, names: Sequence[str] | None = None, *, columns: int = 4, memory: float = 0.9) -> Figure:
    """One small chart a number of the history: what was measured; of many rows faint, with their running average.

    Args:
        history: of a run.
        names: which numbers; by default all but the time.
        columns: charts a row.
        memory: of the average, 0 = none.

    Taught in: 04.
    """
    found = dict.fromkeys(key for row in history.rows for key in row if key not in ("step", "seconds", "time"))
    series = {n: history.column(n) for n in (names or found) if n in found}
    series = {n: pair for n, pair in series.items() if pair[0] and not isinstance(pair[1][0], (str, bool))}
    columns = max(1, min(columns, len(series)))
    lines = max(1, math.ceil(len(series) / columns))
    ends = [step for steps, _ in series.values() for step in steps]
    figure = new_figure(2.45 * columns + 0.1, 1.75 * lines + 0.2)
    explained = None
    for k, (name, (steps, values)) in enumerate(series.items()):
        axes = figure.add_subplot(lines, columns, k + 1)
        few = len(values) < MANY  # e.g. a validation every 250 steps: an average would only lag behind
        axes.plot(steps, values, color=COLOURS[0], alpha=1.0 if few else 0.3, lw=1.0, marker="." if few else "")
        if not few:
            (line,) = axes.plot(steps, smooth(values, memory), color=COLOURS[0])
            explained = explained or axes.legend([line], ["running average"], loc="best", fontsize=7.5)
        axes.set_title(name, loc="left")
        axes.set_xlim(*_room(min(ends), max(ends)))  # one axis: what joined late is seen to have joined late
        axes.locator_params(nbins=4)
        axes.ticklabel_format(useOffset=False)
        if max(values) - min(values) < 1e-9 + 1e-6 * abs(values[0]):  # a constant: no ticks of rounding noise
            axes.set_ylim(values[0] - 0.5 * abs(values[0]) - 0.1, values[0] + 0.5 * abs(values[0]) + 0.1)
        if k >= len(series) - columns:
            axes.set_xlabel("step")
    if not series:
        figure.text(0.5, 0.5, "nothing recorded yet", ha="center", color=GREY)
    figure.tight_layout(pad=0.6)
    return figure


@styled
def histogram(
    values: Mapping[str, Tensor] | Tensor,
    name: str = "PSNR",
    unit: str = "dB",
    *,
    bins: int = 24,
    mark: tuple[float, str] | None = None,
) -> Figure:
    """How a metric spreads over faces; the dashed line of each set is its median.

    Args:
        values: (N,) numbers, or several sets by label; what is not finite is left out and counted.
        name, unit: what is measured.
        bins: how many bars.
        mark: a place on the axis, and its words.
    """
    sets = values if isinstance(values, Mapping) else {"": values}
    sets = {label: torch.as_tensor(v).float() for label, v in sets.items()}
    finite = {label: v[torch.isfinite(v)].numpy() for label, v in sets.items()}
    everything = np.concatenate(list(finite.values()))
    edges = np.histogram_bin_edges(everything, bins)
    figure = new_figure(5.2, 2.5)
    axes = figure.add_subplot()
    for (label, numbers), colour in zip(finite.items(), COLOURS, strict=False):
        left_out = len(sets[label]) - len(numbers)
        words = label + (f" ({left_out} not finite)" if left_out else "")
        axes.hist(numbers, edges, color=colour, alpha=0.55, label=words or None, edgecolor="white", lw=0.5)
        if len(numbers):
            axes.axvline(float(np.median(numbers)), color=colour, lw=1.3, ls=(0, (4, 3)))
    if mark is not None:
        axes.axvline(mark[0], color=INK, lw=1)
        axes.text(mark[0], 0.97, f" {mark[1]}", transform=axes.get_xaxis_transform(), va="top", fontsize=9)
    axes.set(xlabel=f"{name} ({unit})" if unit else name, ylabel="faces")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="x", visible=False)
    axes.spines["left"].set_color(LINE)
    if any(finite) and (len(finite) > 1 or any(axes.get_legend_handles_labels())):
        axes.legend()
    figure.tight_layout(pad=0.6)
    return figure


@styled
def lines(
    x: Sequence[float],
    values: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    *,
    log: str = "",
    level: tuple[float, str] | None = None,
) -> Figure:
    """Several quantities over one axis, each named at its line's end.

    Args:
        x: common places.
        values: label → as many numbers; what is not finite leaves a gap.
        xlabel, ylabel: what the axes say, with units.
        log: axes on a logarithmic scale: ``"x"``, ``"y"`` or ``"xy"``.
        level: a dashed horizontal line, and its words.

    Taught in: 03.
    """
    figure = new_figure(5.6 + needed(list(values)), 2.7)
    axes = figure.add_axes((0.8 / figure.get_figwidth(), 0.19, 4.6 / figure.get_figwidth(), 0.76))
    for row, colour in zip(values.values(), COLOURS, strict=False):
        axes.plot(x, np.asarray(row, float), color=colour)
    if level is not None:
        axes.axhline(level[0], color=INK, lw=0.9, ls=(0, (4, 3)))
        axes.text(0.01, level[0], level[1], transform=axes.get_yaxis_transform(), va="bottom", fontsize=8.5)
    axes.set(
        xlabel=xlabel, ylabel=ylabel, xscale="log" if "x" in log else "linear", yscale="log" if "y" in log else "linear"
    )
    axes.set_xlim(min(x), max(x))
    _name_ends(axes, list(values))
    return figure


def _name_ends(axes: Axes, labels: Sequence[str], apart: float = 11) -> None:
    """Each line's label at its last point, moved up or down where two would lie within ``apart`` points."""
    scale, ends = 72 / axes.figure.dpi, []
    for label, line in zip(labels, axes.lines, strict=False):
        points = line.get_xydata()
        points = points[np.isfinite(points).all(1)]
        if len(points):
            ends.append((axes.transData.transform(points[-1])[1] * scale, label, line.get_color(), points[-1]))
    ends.sort(key=lambda end: end[0])
    heights = [end[0] for end in ends]
    for _ in range(50):
        for k, (low, high) in enumerate(itertools.pairwise(heights)):
            push = max(0.0, apart - (high - low)) / 2
            heights[k], heights[k + 1] = heights[k] - push, heights[k + 1] + push
    for (height, label, colour, place), wanted in zip(ends, heights, strict=True):
        style = {"textcoords": "offset points", "va": "center", "color": colour, "fontsize": 9}
        axes.annotate(label, place, (6, wanted - height), annotation_clip=False, **style)
