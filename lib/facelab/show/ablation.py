"""An ablation as pictures: differences with their intervals, what was seen while training, faces side by side.

Taught in: lessons 05, 06, 09.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from facelab.metrics.holes import iou
from facelab.show.canvas import COLOURS, GREY, INK, LINE, needed, new_figure, styled
from facelab.show.lab import Drawn, Lab, chooser
from facelab.studies.ablation.record import Sheet
from facelab.studies.ablation.table import Line
from facelab.studies.ablation.variants import VARIANTS, Variant

ROW = 0.225  # inches of a line of the table
VERDICTS = {
    "better": COLOURS[0],
    "worse": COLOURS[5],
    "sharper": COLOURS[3],
    "softer": COLOURS[4],
    "open": GREY,
    "breaks": COLOURS[5],
    "": INK,
}
NAMES = {"psnr_hole": "PSNR in the hole (dB)", "identity": "identity distance", "iou": "IoU of the hole",
         "sharpness": "sharpness (1 = the truth's)", "psnr_told": "PSNR, true hole given (dB)",
         "real": "photographs well covered"}  # fmt: skip


@styled
def differences(*columns: Sequence[Line], variants: Sequence[Variant] = VARIANTS, wide: float = 2.6) -> Figure:
    """Each variant's difference to its parent, one column a metric: a bar is the 95 % interval, a dot one seed.

    Args:
        columns: lines of :func:`facelab.studies.ablation.table.lines`, one metric each.
        variants: the table; its groups divide the figure. Whose parent was not run has no row.
        wide: inches of a column.
    """
    drawn = {line.variant for line in columns[0] if line.parent and (line.apart or line.failed)}
    shown = [v for v in variants if v.name in drawn]  # a parent that was not run leaves nothing to draw
    parents = {v.parent for v in shown}
    labels = [f"{v.name}  ←  {v.parent}" if len(parents) > 1 else v.name for v in shown]
    left, top = needed(labels, 9) + 0.3, 0.5
    groups = [k for k, v in enumerate(shown) if k and v.group != shown[k - 1].group]
    place = {v.name: k + 0.7 * sum(k >= start for start in groups) for k, v in enumerate(shown)}
    height = ROW * (max(place.values()) + 1)
    figure = new_figure(left + wide * len(columns) + 0.1, height + top + 0.45)
    for number, column in enumerate(columns):
        box = (left + number * wide, 0.45, wide - 0.25, height)
        axes = figure.add_axes(tuple(v / figure.get_size_inches()[i % 2] for i, v in enumerate(box)))
        _forest(axes, [line for line in column if line.variant in place], place)
        axes.set_title(_words(column[0].metric), fontsize=9.5)
        if number == 0:
            axes.set(yticks=list(place.values()), yticklabels=labels)
            axes.tick_params(axis="y", labelsize=9)
        else:
            axes.set_yticks([])
    whom = "the parent" if len(parents) > 1 else ", ".join(parents)
    figure.text(0.5, 0.08 / figure.get_figheight(), f"difference to {whom}", ha="center", color=GREY, fontsize=9)
    return figure


def _words(metric: str) -> str:
    """A metric's title; ``"psnr, TRIAL"`` is PSNR over the whole picture, on that trial."""
    name, _, trial = metric.partition(", ")
    return f"PSNR (dB), {trial}" if (name, bool(trial)) == ("psnr", True) else NAMES[metric]


def _forest(axes: Axes, lines: Sequence[Line], place: Mapping[str, float]) -> None:
    for line in lines:
        y, colour = place[line.variant], VERDICTS[line.verdict]
        if line.failed:
            seeds = ", ".join(map(str, line.failed))
            axes.text(0.02, y, f"seed {seeds} breaks", transform=axes.get_yaxis_transform(), color=colour, fontsize=7.5)
        axes.plot([line.low, line.high], [y, y], color=colour, lw=3.2, alpha=0.45, solid_capstyle="butt")
        axes.plot(line.difference, y, "|", color=colour, ms=9, mew=2)
        axes.plot(list(line.apart.values()), [y] * len(line.apart), ".", color=colour, ms=4.5, mew=0)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_ylim(max(place.values()) + 0.6, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)


def median_course(looks: Sequence[Mapping[str, Any]], variant: str, number: str) -> tuple[list[int], list[float]]:
    """Steps, and the median over seeds of one number seen while a variant trained; what is missing is left out."""
    by_step: dict[int, list[float]] = {}
    for look in looks:
        if look["variant"] == variant and look.get(number) is not None:
            by_step.setdefault(look["step"], []).append(look[number])
    return list(by_step), [float(np.median(values)) for values in by_step.values()]


@styled
def courses(
    looks: Sequence[Mapping[str, Any]], names: Sequence[str], numbers: Mapping[str, str], *, columns: int = 3,
    log: Sequence[str] = (), levels: Mapping[str, float] | None = None,
) -> Figure:  # fmt: skip
    """What was seen while some variants trained: one panel a number, one line a variant (median over seeds).

    Args:
        looks: rows of ``course.jsonl``.
        names: of the variants.
        numbers: number → title of its panel.
        columns: panels a row.
        log: numbers on a logarithmic scale.
        levels: number → a dashed line.
    """
    if len(names) > len(COLOURS):
        raise ValueError(f"{len(names)} variants cannot be told apart; show at most {len(COLOURS)}")
    rows, wide = math.ceil(len(numbers) / columns), 2.9 * columns
    beside = max(1, min(len(names), int(wide / (needed(names, 9) + 0.75))))  # words of the legend, a line
    below = 0.12 + 0.2 * math.ceil(len(names) / beside)
    figure = new_figure(wide, 2.05 * rows + 0.13 + below)
    for k, (number, title) in enumerate(numbers.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        for name, colour in zip(names, COLOURS, strict=False):
            for seed in sorted({look["seed"] for look in looks if look["variant"] == name}):
                one = [look for look in looks if look["seed"] == seed]
                axes.plot(*median_course(one, name, number), color=colour, lw=0.8, alpha=0.3)
            axes.plot(*median_course(looks, name, number), color=colour, label=name)
        if number in (levels or {}):
            axes.axhline(levels[number], color=INK, lw=0.8, ls=(0, (4, 3)))
        axes.set_title(title, loc="left", fontsize=9.5)
        axes.set_yscale("log" if number in log else "linear")
        if k >= len(numbers) - columns:
            axes.set_xlabel("step")
    handles, labels = axes.get_legend_handles_labels()
    figure.tight_layout(pad=0.6, rect=(0, below / figure.get_figheight(), 1, 1))
    figure.legend(handles, labels, loc="lower center", ncols=beside, fontsize=9, labelspacing=0.2)
    return figure


@styled
def against(
    points: Mapping[str, tuple[float, float]], xlabel: str, ylabel: str, *, named: Sequence[str] = (), log: bool = True
) -> Figure:
    """One dot a variant, or a run: does one number go with another?

    Args:
        points: name → (x, y).
        xlabel, ylabel: what they are.
        named: those that carry their names; the others are grey. All carry them where empty.
        log: x on a logarithmic scale; an x of 0 is drawn at the left edge.
    """
    figure = new_figure(6.4, 3.9)
    axes = figure.add_subplot()
    least = min((x for x, _ in points.values() if x > 0), default=1.0)
    middle = float(np.median([x for x, _ in points.values()] or [0.0]))
    for name, (x, y) in points.items():
        x, says = max(x, least / 2) if log else x, not named or name in named
        axes.plot(x, y, "o", color=COLOURS[0] if says else GREY, ms=4.5, alpha=1 if says else 0.5)
        if says:
            place, side = (-5, "right") if x > middle else (5, "left")  # towards the middle, inside the frame
            axes.annotate(name, (x, y), (place, 2), textcoords="offset points", fontsize=8, ha=side)
    axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if log else "linear")
    axes.grid(color=LINE)
    figure.tight_layout(pad=0.6)
    return figure


def variants_lab(sheet: Sheet, scores: Mapping[str, Tensor] | None = None, start: Sequence[str] = ()) -> Lab:
    """Compare any two variants face by face.

    Args:
        sheet: see :class:`facelab.studies.ablation.record.Sheet`.
        scores: variant → (N,) of the faces shown, e.g. PSNR in the hole, dB; told in words.
        start: the two variants to begin with.

    Returns:
        A lab; its controls are ``face left right show``.

    Taught in: 05.
    """
    names = list(sheet.images)
    first, second = start or (names[0], names[-1])
    controls = {
        "face": chooser("face", [(f"face {k}", k) for k in range(len(sheet.truth))]),
        "left": chooser("left", names, first),
        "right": chooser("right", names, second),
        "show": chooser("show", ["picture", "hole"]),
    }

    def draw(face: int, left: str, right: str, show: str) -> Drawn:
        pick = sheet.images if show == "picture" else {name: hole * 2 - 1 for name, hole in sheet.holes.items()}
        last = {"truth": sheet.truth[face]} if show == "picture" else {"true hole": sheet.hole[face] * 2 - 1}
        panels = {"input": sheet.occluded[face], left: pick[left][face]}
        panels |= {f"{right} " if right == left else right: pick[right][face]} | last
        told = _found(sheet, face) if show == "hole" else _scored(scores, face)
        words = " · ".join(f"{name} <b>{told(name)}</b>" for name in (left, right)) if told else ""
        return panels, words

    return Lab(draw, controls, columns=2)


def _found(sheet: Sheet, face: int) -> Callable[[str], str]:
    overlap = lambda name: iou(sheet.holes[name][face : face + 1], sheet.hole[face : face + 1]).item()  # noqa: E731
    return lambda name: f"IoU {overlap(name):.2f}" if sheet.hole[face].max() > 0 else "no hole to find"


def _scored(scores: Mapping[str, Tensor] | None, face: int) -> Callable[[str], str] | None:
    return (lambda name: f"{scores[name][face]:.1f} dB in the hole") if scores else None
