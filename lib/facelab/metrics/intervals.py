"""How far a mean could move had other people been in the test set."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

_CELLS = 4_000_000  # resampled group numbers held at once


def bootstrap(
    values: Tensor,
    generator: torch.Generator,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    draws: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean, resampling whole groups.

    Twenty pictures of one person are not twenty independent results. With ``groups`` set to the identities,
    people are drawn with replacement and each brings all of his or her pictures.

    Args:
        values: (N,) one metric a picture; NaN entries are left out.
        generator: CPU generator.
        groups: N labels, e.g. identities; None treats every picture as its own group.
        level: share of the bootstrap means between the two ends, in (0, 1).
        draws: number of resamplings.

    Returns:
        (lo, hi) in the unit of ``values``; NaN, NaN where no value is left.

    Raises:
        ValueError: groups of another length, or a level outside (0, 1).

    Source: Davison & Hinkley 1997, *Bootstrap Methods and their Application*, 3.8 (whole clusters) and 5.3.
    Taught in: 10
    """
    _check(groups, len(values), level)
    sums, counts = _per_group(values.detach().cpu().double(), groups)
    if not len(sums):
        return float("nan"), float("nan")
    means = _resampled_means(sums, counts, draws, generator)
    lo, hi = torch.quantile(means, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=means.dtype)).tolist()
    return lo, hi


def _check(groups: Sequence[Hashable] | None, count: int, level: float) -> None:
    if groups is not None and len(groups) != count:
        raise ValueError(f"{len(groups)} groups for {count} values; one a value is needed")
    if not 0 < level < 1:
        raise ValueError(f"level = {level} is not possible; give a share between 0 and 1, e.g. 0.95")


def _numbered(groups: Sequence[Hashable]) -> tuple[Tensor, int]:
    """Groups as numbers from 0, in the order in which they first come, and how many there are."""
    number: dict[Hashable, int] = {}
    label = torch.tensor([number.setdefault(group, len(number)) for group in groups], dtype=torch.long)
    return label, len(number)


def _per_group(values: Tensor, groups: Sequence[Hashable] | None) -> tuple[Tensor, Tensor]:
    """Sum and number of the values of each group; groups without a value are dropped."""
    keep = ~torch.isnan(values)
    if groups is None:
        return values[keep], torch.ones_like(values[keep])
    label, size = _numbered(groups)
    label = label[keep]
    sums = values.new_zeros(size).index_add_(0, label, values[keep])
    counts = values.new_zeros(size).index_add_(0, label, torch.ones_like(values[keep]))
    return sums[counts > 0], counts[counts > 0]


def _resampled_means(sums: Tensor, counts: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    means, at_once = [], max(1, _CELLS // len(sums))
    for start in range(0, draws, at_once):
        pick = torch.randint(len(sums), (min(at_once, draws - start), len(sums)), generator=generator)
        means.append(sums[pick].sum(1) / counts[pick].sum(1))
    return torch.cat(means)


def bootstrap_runs(
    values: Tensor,
    generator: torch.Generator,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    draws: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over runs and people, resampling both.

    Another seed would have given another model, other people another test. Runs and whole groups are drawn with
    replacement, independently, and every drawn run brings its values for every drawn group. Of n there are n − 1 drawn
    (one where there is but one), so that the variance of the drawn means is right and not too small by (n − 1) / n.
    With three runs and eight people the interval is still too short, because so few cannot say how wide they
    scatter; a test measures by how much. Show each run, too.

    Args:
        values: (R, N) one metric, a row a run, a column a picture; NaN entries are left out.
        generator, groups, level, draws: see :func:`bootstrap`.

    Returns:
        (lo, hi) in the unit of ``values``; NaN, NaN where no value is left.

    Raises:
        ValueError: groups of another length, or a level outside (0, 1).

    Source: Owen 2007, "The pigeonhole bootstrap", section 2; Rao and Wu 1988 for drawing n − 1.
    Taught in: 05
    """
    runs, pictures = values.shape
    _check(groups, pictures, level)
    label, people = _numbered(range(pictures) if groups is None else groups)
    known = ~torch.isnan(values.double())
    if not known.any():
        return float("nan"), float("nan")
    place = torch.zeros(pictures, people, dtype=torch.double).scatter_(1, label.view(-1, 1), 1.0)
    sums, counts = values.detach().double().nan_to_num(0.0) @ place, known.double() @ place  # (R, people)
    drawn_runs, drawn_people = (_times_drawn(size, draws, generator) for size in (runs, people))
    total = (drawn_runs @ sums * drawn_people).sum(1)
    means = total / (drawn_runs @ counts * drawn_people).sum(1)
    lo, hi = torch.nanquantile(means, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=means.dtype)).tolist()
    return lo, hi


def _times_drawn(size: int, draws: int, generator: torch.Generator) -> Tensor:
    """(draws, size): how often each of ``size`` things came up when one fewer were drawn with replacement."""
    pick = torch.randint(size, (draws, max(1, size - 1)), generator=generator)
    return torch.zeros(draws, size, dtype=torch.double).scatter_add_(1, pick, torch.ones(pick.shape).double())
