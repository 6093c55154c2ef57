"""Hide parts of faces, a whole batch at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude.catalogue import SHAPES, TRAIN_KINDS, WEIGHTS
from facelab.occlude.chance import Params, apart, take, together
from facelab.occlude.cutouts import Cutout, sample_cutout, shape_cutout
from facelab.occlude.face import fill
from facelab.occlude.geometry import Shape, join_shapes
from facelab.occlude.surface import SURFACE, coverage_of, hole_of, render

ROUNDS = 10
SLIDES = {"cap": -1.0, "scarf": 1.0}  # these leave the frame, up or down, instead of shrinking


@dataclass(frozen=True)
class Occluded:
    """Images with something in front of the face.

    Args:
        image: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W) in [0, 1], 1 = hidden, to be filled: twice the coverage, at most 1.
        kinds: what hides each face.
    """

    image: Tensor
    hole: Tensor
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class _Setting:
    """What stays the same while a batch is drawn."""

    table: dict[str, tuple[Callable, Callable]]
    kinds: tuple[str, ...]
    points: Tensor
    generator: torch.Generator
    size: tuple[int, int]


@dataclass
class _Drawn:
    """One occluder a sample: its kind, parameters, shape and coverage."""

    names: list[str]
    params: list[Params]
    shape: Shape
    coverage: Tensor


def _pick(kinds: Sequence[str], count: int, generator: torch.Generator) -> list[str]:
    odds = torch.tensor([WEIGHTS.get(name, 1.0) for name in kinds])
    return [kinds[k] for k in torch.multinomial(odds, count, replacement=True, generator=generator).tolist()]


def _draw(setting: _Setting, names: list[str], params: list[Params | None], points: Tensor) -> _Drawn:
    """Sample parameters where there are none yet, and make all shapes, one call a kind."""
    shapes, order, out = [], [], list(params)
    for name in sorted(set(names)):
        sample, shape = setting.table[name]
        rows = [k for k, other in enumerate(names) if other == name]
        fresh = [k for k in rows if out[k] is None]
        if fresh:
            new = sample(points[fresh], setting.generator, setting.size)
            for row, one in zip(fresh, apart(new), strict=True):
                out[row] = one
        shapes.append(shape(together([out[k] for k in rows]), setting.size))
        order += rows
    joined = join_shapes(shapes, torch.tensor(order))
    return _Drawn(list(names), out, joined, coverage_of(joined, _surface(out)))


def _surface(params: Sequence[Params]) -> Params:
    return together(params, SURFACE)


def _rescaled(name: str, params: Params, factor: float) -> Params:
    """The same occluder, larger or smaller about its centre, or moved further in or out."""
    factor = min(max(factor, 0.4), 2.5)
    if name in SLIDES:
        shift = SLIDES[name] * (1 - min(max(factor, 0.5), 1.3) ** 2) * params["width"] * 0.4
        return params | {"y": params["y"] + shift}
    return params | {key: params[key] * factor for key in ("width", "height")}


def _share(coverage: Tensor) -> Tensor:
    return (hole_of(coverage) > 0.5).float().mean((1, 2, 3))


def _miss(coverage: Tensor, area: tuple[float, float]) -> Tensor:
    """(N,) how far the hidden share lies outside ``area``; 0 inside."""
    share = _share(coverage)
    return (area[0] - share).clamp(min=0) + (share - area[1]).clamp(min=0)


def _proposals(setting: _Setting, last: _Drawn, goal: float, change: bool) -> tuple[list[str], list[Params | None]]:
    """What to try next for samples that miss: another size, or another kind."""
    if change:
        names = _pick(setting.kinds, len(last.names), setting.generator)
        return names, [None] * len(names)
    factors = [(goal / max(share, 0.05 * goal)) ** 0.5 for share in _share(last.coverage).tolist()]
    return last.names, [_rescaled(*each) for each in zip(last.names, last.params, factors, strict=True)]


def _within(setting: _Setting, best: _Drawn, area: tuple[float, float]) -> None:
    """Try again, a bounded number of times, what misses ``area``; the nearest stays in ``best``."""
    goal = (area[0] * area[1]) ** 0.5 if area[0] > 0 else 0.5 * area[1]
    miss, last, rows = _miss(best.coverage, area), best, list(range(len(best.names)))
    for attempt in range(ROUNDS):
        keep = [k for k, row in enumerate(rows) if miss[row] > 0]
        if not keep:
            return
        rows = [rows[k] for k in keep]
        last = _Drawn([last.names[k] for k in keep], [last.params[k] for k in keep], last.shape, last.coverage[keep])
        names, params = _proposals(setting, last, goal, attempt % 3 == 2)
        last = _draw(setting, names, params, setting.points[rows])
        _keep_better(best, miss, last, _miss(last.coverage, area), rows)


def _settled(setting: _Setting, count: int, area: tuple[float, float] | None) -> _Drawn:
    """One occluder a sample, inside ``area`` where that can be had."""
    names = _pick(setting.kinds, count, setting.generator)
    drawn = _draw(setting, names, [None] * count, setting.points)
    if area is not None:
        _within(setting, drawn, area)
    return drawn


def _keep_better(best: _Drawn, miss: Tensor, new: _Drawn, new_miss: Tensor, rows: list[int]) -> None:
    better = [k for k, row in enumerate(rows) if new_miss[k] < miss[row]]
    if not better:
        return
    target, source = torch.tensor([rows[k] for k in better]), torch.tensor(better)
    best.shape.put(target, new.shape.rows(source))
    best.coverage[target], miss[target] = new.coverage[source], new_miss[source]
    for k in better:
        best.names[rows[k]], best.params[rows[k]] = new.names[k], new.params[k]


def _rendered(images: Tensor, drawn: _Drawn) -> Tensor:
    """The pictures, a few at a time: what fits a processor's cache is up to a third faster."""
    few = max(4, 2**17 // (images.shape[-2] * images.shape[-1]))
    surface, done = _surface(drawn.params), []
    for rows in torch.arange(len(images)).split(few):
        done.append(render(images[rows], drawn.shape.rows(rows), take(surface, rows), drawn.coverage[rows])[0])
    return torch.cat(done)


def _checked(kinds: Sequence[str], area, cutouts: Sequence[Cutout] | None) -> tuple[dict, tuple[str, ...]]:
    """The table of kinds and the names to draw from, or an error that says what to give instead."""
    table = dict(SHAPES)
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if cutouts:
        table["cutouts"] = (partial(sample_cutout, cutouts), partial(shape_cutout, cutouts))
        kinds = kinds if "cutouts" in kinds else (*kinds, "cutouts")
    unknown = [name for name in kinds if name not in table]
    if unknown or not kinds:
        raise BadConfig(
            "kinds", unknown or kinds, f"names from {', '.join(table)}; cutouts needs cutouts=load_cutouts(…)"
        )
    if area is not None and not 0 <= area[0] < area[1] <= 1:
        raise BadConfig("area", area, "(low, high) with 0 <= low < high <= 1")
    return table, kinds


def occlude(
    images: Tensor,
    landmarks: Tensor | None,
    generator: torch.Generator,
    kinds: Sequence[str] = TRAIN_KINDS,
    area: tuple[float, float] | None = None,
    cutouts: Sequence[Cutout] | None = None,
) -> Occluded:
    """Put one occluder in front of each face.

    Args:
        images: (N, C, H, W) in [-1, 1], C 1 or 3, on the CPU; not changed.
        landmarks: (N, 68, 2) pixels (x, y); None, or rows with a NaN, stand for a canonical frontal face.
        generator: the only source of randomness; the same state gives the same bits.
        kinds: names from ``KINDS`` to choose from.
        area: (low, high) share of the frame to hide (hole > 0.5); occluders are rescaled, then redrawn, a bounded
            number of times, and the nearest is kept: measure ``hole`` where it matters.
        cutouts: from ``cutouts.load_cutouts``; adds the kind ``cutouts``.

    Raises:
        BadConfig: an unknown kind, or an area outside 0 ≤ low < high ≤ 1.

    Source: OA-GAN (Cai et al., IEEE TIFS 16, 2021), whose occluders are cut-out photographs; these are drawn.
    Taught in: 02_occlusions.
    """
    table, kinds = _checked(kinds, area, cutouts)
    count, _, *size = images.shape
    setting = _Setting(table, kinds, fill(landmarks, count, tuple(size)), generator, tuple(size))
    drawn = _settled(setting, count, area)
    return Occluded(_rendered(images, drawn), hole_of(drawn.coverage), tuple(drawn.names))
