"""Hide parts of faces, a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude.catalogue import SHAPES, TRAIN_KINDS, WEIGHTS
from facelab.occlude.chance import Params, join, take
from facelab.occlude.face import fill
from facelab.occlude.geometry import Shape, join_shapes
from facelab.occlude.surface import SURFACE, hole_of, render

ROUNDS = 10


@dataclass(frozen=True)
class Occluded:
    """Images with something in front of the face.

    Args:
        image: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        kinds: what hides each face.
    """

    image: Tensor
    hole: Tensor
    kinds: tuple[str, ...]


@dataclass
class _Batch:
    """What is settled so far: a kind, parameters and a shape a sample."""

    kinds: list[str]
    params: list[Params | None]
    shape: Shape | None = None


def _pick(kinds: Sequence[str], count: int, generator: torch.Generator) -> list[str]:
    odds = torch.tensor([WEIGHTS.get(name, 1.0) for name in kinds])
    return [kinds[k] for k in torch.multinomial(odds, count, replacement=True, generator=generator).tolist()]


def _drawn(names: list[str], params: list[Params | None], points: Tensor, generator, size) -> tuple[list[Params], Shape, Tensor]:
    """Parameters where there are none yet, and all shapes, one call a kind."""
    shapes, order, out = [], [], list(params)
    for name in sorted(set(names)):
        rows = [k for k, other in enumerate(names) if other == name]
        fresh = [k for k in rows if out[k] is None]
        if fresh:
            new = SHAPES[name][0](points[fresh], generator, size)
            for k, row in enumerate(fresh):
                out[row] = take(new, slice(k, k + 1))
        shapes.append(SHAPES[name][1](join([out[k] for k in rows]), size))
        order += rows
    shape = join_shapes(shapes, torch.tensor(order))
    surface = join([{key: p[key] for key in SURFACE} for p in out])
    return out, shape, hole_of(shape, surface)


def _rescaled(params: Params, factor: float) -> Params:
    """The same occluder, larger or smaller about its centre."""
    return params | {key: params[key] * factor for key in ("width", "height")}


def _put(shape: Shape, rows: Tensor, new: Shape) -> None:
    for name, value in vars(new).items():
        whole = getattr(shape, name)
        if name == "picture" and whole.stride(0) == 0:
            shape.picture = whole = whole.clone()
        whole[rows] = value


def _within_area(names, params, shape, hole, points, generator, kinds, area, size) -> Tensor:
    """Rescale what misses ``area``, then redraw it, and in between change its kind; keeps the nearest found."""
    goal = (area[0] * area[1]) ** 0.5 if area[0] > 0 else 0.5 * (area[0] + area[1])
    best = _miss(hole, area)
    trial_names, trial_params, trial_share = list(names), list(params), _share(hole)
    for attempt in range(1, ROUNDS + 1):
        rows = best.nonzero()[:, 0].tolist()
        if not rows:
            break
        if attempt % 3 == 0:
            for row, name in zip(rows, _pick(kinds, len(rows), generator), strict=True):
                trial_names[row], trial_params[row] = name, None
        else:
            for row in rows:
                factor = (goal / max(float(trial_share[row]), 0.2 * goal)) ** 0.5
                trial_params[row] = _rescaled(trial_params[row], min(max(factor, 0.4), 2.5))
        got, new, new_hole = _drawn([trial_names[k] for k in rows], [trial_params[k] for k in rows], points[rows], generator, size)
        miss, share = _miss(new_hole, area), _share(new_hole)
        for k, row in enumerate(rows):
            trial_params[row], trial_share[row] = got[k], share[k]
        better = [k for k, row in enumerate(rows) if miss[k] < best[row]]
        for k in better:
            row = rows[k]
            names[row], params[row], best[row] = trial_names[row], got[k], miss[k]
        if better:
            target, source = torch.tensor([rows[k] for k in better]), torch.tensor(better)
            _put(shape, target, Shape(**{n: v[source] for n, v in vars(new).items()}))
            hole[target] = new_hole[source]
    return hole


def _share(hole: Tensor) -> Tensor:
    return (hole > 0.5).float().mean((1, 2, 3))


def _miss(hole: Tensor, area: tuple[float, float]) -> Tensor:
    """(N,) how far the hidden share lies outside ``area``; 0 inside."""
    share = _share(hole)
    return (area[0] - share).clamp(min=0) + (share - area[1]).clamp(min=0)


def occlude(
    images: Tensor,
    landmarks: Tensor | None,
    generator: torch.Generator,
    kinds: Sequence[str] = TRAIN_KINDS,
    area: tuple[float, float] | None = None,
) -> Occluded:
    """Put one occluder in front of each face.

    Args:
        images: (N, C, H, W) in [-1, 1], C 1 or 3; not changed.
        landmarks: (N, 68, 2) pixels (x, y); None, or rows of NaN, stand for a canonical frontal face.
        generator: the only source of randomness; the same state gives the same bits.
        kinds: names from ``KINDS`` to choose from.
        area: (low, high) share of the frame to hide (hole > 0.5). Occluders are rescaled, then redrawn, a bounded
            number of times; the nearest is kept, so measure ``hole`` where it matters.

    Returns:
        The occluded images, their holes, and which kind each got.

    Raises:
        BadConfig: an unknown kind, or an area outside 0 ≤ low < high ≤ 1.

    Source: OA-GAN (Dong et al., CVPR Workshops 2020), whose occluders are cut-out photographs; these are drawn.
    Taught in: 02_occlusions.
    """
    unknown = [name for name in kinds if name not in SHAPES]
    if unknown or not kinds:
        raise BadConfig("kinds", unknown or kinds, ", ".join(SHAPES))
    if area is not None and not 0 <= area[0] < area[1] <= 1:
        raise BadConfig("area", area, "(low, high) with 0 <= low < high <= 1")
    count, _, height, width = images.shape
    points = fill(landmarks, count, (height, width))
    names = _pick(tuple(kinds), count, generator)
    params, shape, hole = _drawn(names, [None] * count, points, generator, (height, width))
    if area is not None:
        hole = _within_area(names, params, shape, hole, points, generator, tuple(kinds), area, (height, width))
    surface = join([{key: p[key] for key in SURFACE} for p in params])
    image, hole = render(images, shape, surface, hole)
    return Occluded(image, hole, tuple(names))
