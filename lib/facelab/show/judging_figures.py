"""What judges make of damaged and of restored pictures, as pictures. Charts are in :mod:`facelab.show.judging_charts`,
and can be had from here.

Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from facelab.metrics.image import psnr
from facelab.show.agreement_chart import agreement_plot
from facelab.show.canvas import GREY, INK, broken, needed, put, put_title, sheet, styled, write
from facelab.show.failures import failure_gallery, worst
from facelab.show.judging_charts import harm_plot, protocol_plot
from facelab.show.verdicts import Table, mean_of, named, number, places, shade, there
from facelab.studies.judging import ATTACKS
from facelab.studies.trials import Trial

__all__ = [
    "agreement_plot", "attack_table", "equal_psnr_strip", "failure_gallery", "harm_plot", "protocol_plot", "worst",
]  # fmt: skip

GAP, ROW, OWN = 0.05, 0.235, 0.15  # inches between pictures, of a line of a table, of a number below a picture
SAYS = "we say"
JUDGES = ("psnr", "ssim", "identity", "sharpness", "frechet")


def said_level(name: str, level: float) -> str:
    """How strong an attack is, in words; ``""`` where it knows no strength."""
    attack = ATTACKS.get(name)
    if attack is None or attack.levels[0] == attack.levels[1]:
        return ""
    if attack.unit.startswith("share"):
        return f"{level:.0%}"
    unit, _, of = attack.unit.partition(" of ")
    return f"{of} {level:.1f} {unit}".strip()


@styled
def equal_psnr_strip(
    test: Trial,
    pictures: Mapping[str, tuple[float, Tensor]],
    values: Table,
    *,
    faces: Sequence[int] = (0,),
    metrics: Sequence[str] = JUDGES,
    title: str = "",
    side: float = 1.12,
) -> Figure:
    """Pictures of one PSNR that nobody would confuse, and below them what each judge says of the whole trial.

    Below each picture stands its own PSNR.

    Args:
        test: whose truth stands at the left.
        pictures: attack → its mean level and the pictures (N, C, H, W), of
            :func:`facelab.studies.judging.equal_psnr`.
        values: attack → metric → (N,) values, or ``{"mean": …}``, of :func:`facelab.studies.judging.judged`.
        faces: numbers of the faces that are shown, a row each.
        metrics: a line of the table each. Blue is what a judge likes best, red least.
        title: one line above all.
        side: of a picture, inches.

    Source: Wang and Bovik 2009, "Mean squared error: love it or leave it?", figure 2.
    Taught in: lesson 10.
    """
    names, metrics = list(pictures), there(metrics, values)
    heads = [[("truth", INK)], *(_head(name, pictures[name][0], side) for name in names)]
    verdicts = [broken(ATTACKS[name].harm if name in ATTACKS else "", side, 8.5) for name in names]
    left = needed([*map(named, metrics), SAYS], 9.5) + 0.15
    above = 0.32 * bool(title) + 0.04 + 0.155 * max(map(len, heads))
    pitch = side + GAP + OWN
    below, deep = above + len(faces) * pitch + 0.03, 0.15 * max(map(len, verdicts))
    figure, axes = sheet(left + len(heads) * (side + GAP), below + deep + ROW * len(metrics) + 0.08)
    put_title(figure, title)
    for k, (head, strip) in enumerate(zip(heads, [test.truth, *(pictures[name][1] for name in names)], strict=True)):
        x = left + k * (side + GAP)
        for row, (line, colour) in enumerate(reversed(head)):
            write(axes, x + side / 2, above - 0.09 - 0.155 * row, line, 9, color=colour)
        for row, face in enumerate(faces):
            put(axes, strip[face].clamp(-1, 1), x, above + row * pitch, side)
            own = number("psnr", psnr(strip[[face]], test.truth[[face]]).item(), unit=True) if k else "its own PSNR:"
            write(axes, x + side / 2, above + row * pitch + side + OWN / 2 + 0.01, own, 8, color=GREY)
    write(axes, left - 0.1, below + deep / 2, SAYS, 9.5, "right", style="italic")
    for k, verdict in enumerate(verdicts, 1):
        for row, line in enumerate(verdict):
            y = below + deep / 2 + 0.14 * (row - (len(verdict) - 1) / 2)
            write(axes, left + k * (side + GAP) + side / 2, y, line, 8.5, style="italic")
    _judged_lines(axes, names, values, metrics, (left, below + deep + 0.04), side)
    return figure


def _head(name: str, level: float, side: float) -> list[tuple[str, str]]:
    """Lines above a column, each with its colour."""
    head = [(line, INK) for line in broken(name, side + GAP, 9)]
    return head + ([(f"mean {text}", GREY)] if (text := said_level(name, level).replace("sigma", "σ")) else [])


def _judged_lines(axes: Axes, names, values: Table, metrics, corner: tuple[float, float], side: float) -> None:
    """A line a judge below the columns of a strip, the first column left out."""
    for row, metric in enumerate(metrics):
        means = [mean_of(values[name].get(metric)) for name in names]
        y = corner[1] + row * ROW
        write(axes, corner[0] - 0.1, y + ROW / 2, named(metric, unit=False), 9.5, "right")
        for k, (mean, place) in enumerate(zip(means, places(metric, means), strict=True), 1):
            _cell(axes, corner[0] + k * (side + GAP), y, side + GAP, number(metric, mean, unit=True), place)


def _cell(axes: Axes, x: float, y: float, wide: float, text: str, place: float) -> None:
    axes.add_patch(Rectangle((x - GAP / 2, y), wide, ROW, facecolor=shade(place), edgecolor="white", linewidth=1))
    write(axes, x - GAP / 2 + wide / 2, y + ROW / 2 + 0.01, text, 9)


@styled
def attack_table(
    values: Table, metrics: Sequence[str] = JUDGES, *, harms: Mapping[str, str] | None = None, title: str = ""
) -> Figure:
    """Attack by judge: every judge's number, and by its colour how that judge ranks the attacks.

    Args:
        values: row → metric → number, ``{"mean": …}`` or (N,) values; a row an attack.
        metrics: a column each.
        harms: row → what we say; None: what :data:`facelab.studies.judging.ATTACKS` says.
        title: one line above all.

    Taught in: lesson 10.
    """
    metrics = there(metrics, values)
    harms = {name: attack.harm for name, attack in ATTACKS.items()} if harms is None else harms
    said, heads = [harms.get(name, "") for name in values], [named(metric, unit=True) for metric in metrics]
    left, beside, column = needed(values, 9.5) + 0.2, needed([*said, SAYS], 9) + 0.25, 0.3
    widths = [max(0.8, needed([head], 9) + column) for head in heads]
    top = 0.3 * bool(title) + 0.28
    figure, axes = sheet(left + beside + sum(widths) + 0.06, top + ROW * len(values) + 0.05)
    put_title(figure, title)
    write(axes, left + 0.05, top - 0.13, SAYS, 9, "left", style="italic")
    for row, (name, harm) in enumerate(zip(values, said, strict=True)):
        write(axes, left - 0.1, top + (row + 0.5) * ROW, name, 9.5, "right")
        write(axes, left + 0.05, top + (row + 0.5) * ROW, harm, 9, "left", style="italic", color=INK)
    for k, (metric, head) in enumerate(zip(metrics, heads, strict=True)):
        x, means = left + beside + sum(widths[:k]), [mean_of(values[name].get(metric)) for name in values]
        write(axes, x + widths[k] / 2, top - 0.13, head, 9)
        for row, (mean, place) in enumerate(zip(means, places(metric, means), strict=True)):
            _cell(axes, x + GAP / 2, top + row * ROW, widths[k], number(metric, mean), place)
    return figure
