"""Games on the plane as pictures: the critic's landscape, its slopes, and the way the generated points went.

Taught in: lesson 03.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from facelab.metrics.critic import slopes
from facelab.seeding import generator
from facelab.show.canvas import COLOURS, GREY, INK, new_figure, styled
from facelab.studies.toy import Distribution, Snapshot

REACH = 1.7  # the plane is drawn from -REACH to REACH
STEEP = (-2.0, 6.0)  # powers of ten: slopes that a histogram tells apart; what lies beyond is in its last bar


def lattice(side: int, reach: float = REACH) -> Tensor:
    """Points (side², 2) of a square lattice, row by row from the top left corner."""
    line = torch.linspace(-reach, reach, side)
    y, x = torch.meshgrid(-line, line, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


def score_map(critic: nn.Module, side: int = 120, reach: float = REACH) -> Tensor:
    """The critic's logits (side, side) over the plane."""
    with torch.no_grad():
        return critic(lattice(side, reach)).view(side, side)


def slope_map(critic: nn.Module, side: int = 120, reach: float = REACH) -> Tensor:
    """Length of the critic's gradient (side, side) over the plane."""
    return slopes(critic, lattice(side, reach), chunk=side * side).view(side, side)


def shade_of(scores: Tensor) -> np.ndarray:
    """Scores as numbers 0..1 for a diverging map: the middle at the median, the ends at the 2 % most extreme."""
    centred = scores - scores.median()
    return (0.5 + 0.5 * (centred / centred.abs().quantile(0.98).clamp_min(1e-6)).clamp(-1, 1)).numpy()


def steepness_of(slope: Tensor) -> np.ndarray:
    """Slopes as numbers 0..1 for a diverging map: 0.5 at slope 1, the ends at 1/30 and 30."""
    return (0.5 + 0.5 * (slope.clamp_min(1e-6).log10() / np.log10(30)).clamp(-1, 1)).numpy()


@styled
def landscapes(
    moments: Mapping[str, Snapshot],
    target: Distribution,
    *,
    columns: int = 4,
    show: str = "score",
    reach: float = REACH,
) -> Figure:
    """One panel a game: the critic's landscape, where the real heaps lie (rings) and where the fakes are (dots).

    Args:
        moments: label → a moment of a game.
        target: what was to be imitated.
        columns: panels a row.
        show: ``"score"`` (red high, blue low, each panel on its own scale, with lines of equal score) or ``"slope"``
            (white 1, red steeper, blue flatter, one scale).
        reach: the plane is drawn from -reach to reach.
    """
    rows = -(-len(moments) // columns)
    figure = new_figure(2.15 * columns, 2.4 * rows + 0.1)
    for k, (name, moment) in enumerate(moments.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        values = (score_map if show == "score" else slope_map)(moment.critic, reach=reach)
        shade = shade_of(values) if show == "score" else steepness_of(values)
        extent = (-reach, reach, -reach, reach)
        axes.imshow(shade, cmap="RdBu_r", vmin=-0.15, vmax=1.15, extent=extent, interpolation="bilinear")
        if show == "score" and values.max() > values.min():
            axes.contour(shade, 9, extent=extent, origin="upper", colors=INK, linewidths=0.35, alpha=0.45)
        axes.scatter(*target.centres.T, s=60 * (REACH / reach) ** 2, facecolors="none", edgecolors=INK, linewidths=1.0)
        axes.scatter(*moment.fake.T, s=3 * REACH / reach, color=COLOURS[1], linewidths=0, alpha=0.7)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        axes.set_title(name, fontsize=9.5)
        for spine in axes.spines.values():
            spine.set_visible(False)
    figure.tight_layout(pad=0.6)
    return figure


@styled
def slope_histograms(moments: Mapping[str, Snapshot], target: Distribution, *, columns: int = 4) -> Figure:
    """How steep each critic is at real points, at fakes, and between the two: one panel a game, slope on a log scale.

    Args:
        moments: label → a moment of a game.
        target: where the real points come from.
        columns: panels a row.
    """
    rows = -(-len(moments) // columns)
    figure, edges = new_figure(2.3 * columns, 1.75 * rows + 0.2), np.logspace(*STEEP, 50)
    for k, (name, moment) in enumerate(moments.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        for (where, points), colour in zip(places(moment, target).items(), COLOURS, strict=False):
            found = slopes(moment.critic, points, chunk=len(points)).clamp(10 ** STEEP[0], 10 ** STEEP[1])
            axes.hist(found.numpy(), edges, color=colour, alpha=0.5, label=where)
        axes.axvline(1, color=INK, lw=0.9, ls=(0, (4, 3)))
        axes.set(xscale="log", yticks=[], xlim=(10 ** STEEP[0], 10 ** STEEP[1]), xticks=[1, 1e2, 1e4])
        axes.set_title(name, fontsize=9.5, loc="left")
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        if k >= len(moments) - columns:
            axes.set_xlabel("slope of the critic")
        if k == 0:
            axes.legend(fontsize=7.5, handlelength=1)
    figure.tight_layout(pad=0.5)
    return figure


def places(moment: Snapshot, target: Distribution, seed: int = 0) -> dict[str, Tensor]:
    """Where a critic's slope is looked at: ``real``, ``fake``, and ``between`` the two, (N, 2) each."""
    random = generator(seed, "places")
    real = target.sample(len(moment.fake), random)
    mix = torch.rand(len(real), 1, generator=random)
    return {"real": real, "fake": moment.fake, "between": mix * real + (1 - mix) * moment.fake}


@styled
def evolution(games: Mapping[str, Sequence[Snapshot]], target: Distribution, *, moments: int = 6) -> Figure:
    """Where the same latent points are as a game goes on: one row a game, one panel a moment.

    Args:
        games: label → its snapshots.
        target: what was to be imitated.
        moments: panels a row, evenly spread.
    """
    figure = new_figure(1.5 * moments + 1.1, 1.5 * len(games) + 0.25)
    for row, (name, game) in enumerate(games.items()):
        chosen = [round(k * (len(game) - 1) / max(1, moments - 1)) for k in range(moments)]
        for column, moment in enumerate(game[k] for k in chosen):
            left = (1.1 + 1.5 * column) / figure.get_figwidth()
            bottom = 1.5 * (len(games) - 1 - row) / figure.get_figheight()
            axes = figure.add_axes((left, bottom, 1.42 / figure.get_figwidth(), 1.42 / figure.get_figheight()))
            axes.scatter(*target.centres.T, s=45, facecolors="none", edgecolors=GREY, linewidths=0.9)
            axes.scatter(*moment.fake.T, s=2.5, color=COLOURS[1], linewidths=0, alpha=0.7)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if row == 0:
                axes.set_title(f"step {moment.step}", fontsize=9)
            if column == 0:
                axes.set_ylabel(name.replace(", ", "\n"), rotation=0, ha="right", va="center", labelpad=6, fontsize=9)
    return figure


@styled
def orbits(paths: Mapping[str, Tensor], *, columns: int = 4, reach: float = 2.2) -> Figure:
    """Games of two numbers: the way of the pair (fake's place θ, critic's slope ψ), from the dot to the cross.

    Args:
        paths: label → (steps, 2).
        columns: panels a row.
        reach: of both axes.
    """
    columns = min(columns, len(paths))
    rows = -(-len(paths) // columns)
    figure = new_figure(2.15 * columns, 2.25 * rows)
    for k, (name, path) in enumerate(paths.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.plot(*path.T, color=COLOURS[0], lw=0.9)
        axes.plot(*path[0], "o", color=INK, ms=5)
        axes.plot(*path[-1], "x", color=COLOURS[5], ms=7, mew=2)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="θ", ylabel="ψ" if k % columns == 0 else "")
        axes.set_title(name, fontsize=9.5)
    figure.tight_layout(pad=0.5)
    return figure
