"""Who agrees with whom: the orders that two judges give to the variants of a sweep.

Taught in: lesson 10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facelab.show.canvas import COLOURS, FOOT, GREY, INK, LINE, broken, needed, new_figure, put_foot, put_title, styled
from facelab.show.judging_charts import box
from facelab.show.verdicts import named

WHOLE = ("07", "08")
"""Lessons in which all of a picture is hidden, and PSNR in the hole is that of the picture."""


def by_chance(variants: int) -> float:
    """Kendall's tau that two orders without any relation reach in 1 of 20 cases, about: 1.96 standard deviations.

    Args:
        variants: how many were put in order; at least 2.

    Source: Kendall 1938, "A new measure of rank correlation": variance 2 (2n + 5) / 9n (n − 1).
    Taught in: lesson 10.
    """
    return 1.96 * math.sqrt(2 * (2 * variants + 5) / (9 * variants * (variants - 1)))


@styled
def agreement_plot(
    found: Mapping[str, Mapping[Any, Any]], *, pairs: Sequence[tuple[str, str]] | None = None, title: str = "",
    wide: float = 3.9,
) -> Figure:  # fmt: skip
    """Do two judges put the same variants in the same order? A line a pair of judges, a dot a record of runs.

    A dot that could be chance, as 1 of 20 orders without any relation are, is hollow, see :func:`by_chance`.

    Args:
        found: record → pair (two metrics, or ``"one | other"``) → ``{"tau": Kendall's tau, "variants": how many were
            put in order, "seeds": of a variant, fewest and most}``, of :func:`facelab.studies.agreement.agreement`.
        pairs: those shown, in order; None = all.
        title: one line above all.
        wide: inches of the chart.

    Taught in: lesson 10.
    """
    found = {name: {as_pair(pair): cell for pair, cell in cells.items()} for name, cells in found.items()}
    pairs = list(dict.fromkeys(pair for cells in found.values() for pair in cells)) if pairs is None else list(pairs)
    labels = [_judges(pair, found) for pair in pairs]
    legend = {name: f"{lesson(name)}: {_counted(cells)} variants" for name, cells in found.items()}
    left, top, tall = needed(labels, 9) + 0.2, 0.3 * bool(title) + 0.28, 0.36 * len(pairs)
    across = left + wide + needed(list(legend.values()), 9) + 0.55
    foot = broken(_foot(found, pairs, labels), across - 0.1, 8.5)
    figure = new_figure(across, max(top + tall + 0.5, top + 0.21 * len(found) + 0.2) + FOOT * len(foot))
    put_title(figure, title)
    put_foot(figure, foot)
    axes = box(figure, left, top, wide, tall)
    for k, (name, cells) in enumerate(found.items()):
        shift = (k - (len(found) - 1) / 2) * 0.7 / len(found)  # side by side where they would lie on another
        style = {"color": COLOURS[k % len(COLOURS)], "marker": "os^Dv"[k // len(COLOURS) % 5], "ls": "", "ms": 5.5}
        for pair, cell in cells.items():
            if pair in pairs:
                sure = abs(cell["tau"]) > by_chance(cell["variants"])
                axes.plot(cell["tau"], pairs.index(pair) + shift, **style, mfc=None if sure else "white", mew=1.2)
        axes.plot([], [], **style, label=legend[name])
    _between_orders(axes, labels)
    figure.legend(loc="upper right", bbox_to_anchor=(1, 1 - top / figure.get_figheight()), handletextpad=0.2)
    return figure


def lesson(name: str) -> str:
    """A record's name in words: ``"05_lfw"`` is ``"lesson 05, lfw"``."""
    number, _, data = name.partition("_")
    return f"lesson {number}, {data}" if data and number.isdigit() else name


def _judges(pair: tuple[str, str], found: Mapping[str, Mapping[Any, Any]]) -> str:
    """Two judges in words; where all was hidden in some record, no hole is spoken of."""
    whole = any(name[:2] in WHOLE for name, cells in found.items() if pair in cells)
    return " and ".join("PSNR" if whole and metric == "psnr_hole" else named(metric) for metric in pair)


def _foot(found: Mapping[str, Mapping[Any, Any]], pairs: Sequence[tuple[str, str]], labels: Sequence[str]) -> str:
    """What stands behind a dot, as far as it is known, and what PSNR is meant."""
    seeds = [end for cells in found.values() for pair in pairs for end in cells.get(pair, {}).get("seeds", ())]
    few, most = min(seeds, default=0), max(seeds, default=0)
    said = [f"A dot ranks means over {few if few == most else f'{few} to {most}'} seeds."] if seeds else []
    if any("psnr_hole" in pair and named("psnr_hole") not in label for pair, label in zip(pairs, labels, strict=True)):
        said.append("PSNR: in the hole; in lessons 07 and 08 all of a picture is hidden.")
    return " ".join(said)


def _counted(cells: Mapping[Any, Mapping[str, Any]]) -> str:
    counts = sorted({cell["variants"] for cell in cells.values()})
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else "no"


def _between_orders(axes: Axes, labels: Sequence[str]) -> None:
    """The axis of Kendall's tau, its three landmarks named."""
    axes.axvline(0, color=INK, lw=0.8)
    axes.set(xlim=(-1.08, 1.08), ylim=(len(labels) - 0.5, -0.5))
    axes.set_xlabel("Kendall's tau; hollow: could be chance", fontsize=9.5)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set_yticks(range(len(labels)), labels)
    axes.set_yticks([k + 0.5 for k in range(len(labels) - 1)], minor=True)
    axes.tick_params(axis="y", which="both", left=False)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="y", which="minor", color=LINE)
    for x, text in ((-1, "reversed"), (0, "no relation"), (1, "same order")):
        axes.text(x, -0.6, text, ha="center", va="bottom", fontsize=8.5, color=GREY)


def as_pair(pair: Any) -> tuple[str, str]:
    """Two metrics' names from a pair, or from one string with ``|``, a comma or "and" between them."""
    if isinstance(pair, str):
        for mark in ("|", " and ", ", ", ","):
            if mark in pair:
                one, other = pair.split(mark)
                return one.strip(), other.strip()
        raise ValueError(f"{pair!r} names no pair of metrics; write it as 'psnr|ssim'")
    one, other = pair
    return one, other
