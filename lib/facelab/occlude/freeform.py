"""Free shapes: blobs, stars, rings, strokes, clouds and their unions, of any texture."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.face import sides
from facelab.occlude.geometry import (
    Shape,
    by_variant,
    capsule,
    col,
    cover,
    dome,
    halves,
    local,
    oval,
    radial,
    texture_space,
)
from facelab.occlude.plain import anywhere
from facelab.occlude.surface import ANY, sample_surface
from facelab.occlude.texture import fractal

SPOKES = 96


def smooth_radii(draws: Draws) -> Tensor:
    """(N, SPOKES) outline radii about 1: low harmonics of random strength."""
    t = torch.arange(SPOKES) * (2 * torch.pi / SPOKES)
    wild = draws.uniform(0.05, 0.5, 1)
    total = torch.zeros(draws.count, SPOKES)
    for k in range(2, 9):
        total = total + draws.normal(1) / k**1.1 * torch.sin(k * t + draws.uniform(0, 6.283, 1))
    return (1 + wild * total).clamp(0.25, 1.8)


def _spikes(draws: Draws) -> Tensor:
    """(N, SPOKES) radii of polygons and stars: straight sides between random corners."""
    corners = draws.pick([3, 4, 5, 6, 8, 12, 16])
    uneven = draws.uniform(0.0, 0.75, 1)
    reach = 1 - uneven * draws.uniform(0.0, 1.0, 16)
    star = draws.chance(0.4)[:, None] & (torch.arange(16)[None] % 2 == 1)
    reach = torch.where(star, reach * draws.uniform(0.3, 0.7, 1), reach)
    place = torch.arange(SPOKES)[None] * corners[:, None] / SPOKES
    low = place.floor().long()
    a, b = reach.gather(1, low % corners[:, None]), reach.gather(1, (low + 1) % corners[:, None])
    inside, wedge = place - low, 6.2832 / corners[:, None]
    side = a * torch.sin(wedge * inside) + b * torch.sin(wedge * (1 - inside))
    return (a * b * torch.sin(wedge) / side.clamp(min=1e-3)).clamp(0.15, 1.5)


def sample_freeform(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A shape without a name, anywhere, a sixth to two thirds of the frame across."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    base = min(frame) * draws.uniform(0.2, 0.65)
    ratio = torch.exp(draws.uniform(-0.5, 0.5))
    variant = draws.pick(range(6), [0.28, 0.14, 0.12, 0.16, 0.15, 0.15])
    radii = torch.where((variant == 1)[:, None], _spikes(draws), smooth_radii(draws))
    steps = draws.normal(6, 2).cumsum(1)
    steps = (steps - steps.mean(1, keepdim=True)) / steps.abs().amax((1, 2), keepdim=True)
    return sample_surface(draws, ANY) | anywhere(draws, frame) | {
        "variant": variant, "width": base * ratio, "height": base / ratio, "angle": draws.uniform(0.0, 360.0),
        "radii": radii, "points": steps, "thick": draws.uniform(0.12, 0.45), "ring": draws.uniform(0.15, 0.4),
        "lobes": torch.cat([draws.uniform(-0.7, 0.7, 5, 2), draws.uniform(0.2, 0.6, 5, 2)], -1),
        "level": draws.uniform(0.45, 0.6), "bevel": torch.exp(draws.uniform(-3.5, -0.7)),
    }  # fmt: skip


def _finish(distance: Tensor, params: Params, p: Tensor, q: Tensor, size: tuple[int, int]) -> Shape:
    u, v = texture_space(p, q, size)
    height = dome(distance, col(params["bevel"]) * min(size))
    return Shape(cover(distance, params["softness"]), height, u, v)


def outline_distance(params: Params, p: Tensor, q: Tensor) -> Tensor:
    """Signed distance to the sample's radial outline, stretched to its width and height."""
    hw, hh = halves(params)
    mean = (params["width"] * params["height"]).sqrt() / 2
    return radial(p * col(mean) / hw, q * col(mean) / hh, params["radii"] * mean[:, None])


def _blob(params: Params, size: tuple[int, int]) -> Shape:
    p, q = local(params, size)
    return _finish(outline_distance(params, p, q), params, p, q, size)


def _ring(params: Params, size: tuple[int, int]) -> Shape:
    """A band around a hole."""
    p, q = local(params, size)
    hw, hh = halves(params)
    distance = (outline_distance(params, p, q)).abs() - col(params["ring"]) * torch.minimum(hw, hh)
    return _finish(distance, params, p, q, size)


def _stroke(params: Params, size: tuple[int, int]) -> Shape:
    """A brush stroke that wanders over six points and changes its thickness."""
    p, q = local(params, size)
    hw, hh = halves(params)
    x, y = params["points"][..., 0], params["points"][..., 1]
    thick = col(params["thick"]) * torch.minimum(hw, hh)
    distance = torch.full_like(p, 1e3)
    for k in range(5):
        start, end = (col(x[:, k]) * hw, col(y[:, k]) * hh), (col(x[:, k + 1]) * hw, col(y[:, k + 1]) * hh)
        r0, r1 = (0.6 + 0.8 * col(params["radii"][:, 7 * j] - 0.5).clamp(0, 1) for j in (k, k + 1))
        distance = torch.minimum(distance, capsule(p, q, start, end, thick * r0, thick * r1))
    return _finish(distance, params, p, q, size)


def _lobes(params: Params, size: tuple[int, int]) -> Shape:
    """Up to five overlapping ovals."""
    p, q = local(params, size)
    hw, hh = halves(params)
    distance = torch.full_like(p, 1e3)
    for k in range(5):
        x, y, w, h = (col(params["lobes"][:, k, j]) for j in range(4))
        distance = torch.minimum(distance, oval(p - x * hw, q - y * hh, w * hw, h * hh))
    return _finish(distance, params, p, q, size)


def _cloud(params: Params, size: tuple[int, int]) -> Shape:
    """Noise above a level: ragged islands with holes."""
    p, q = local(params, size)
    hw, hh = halves(params)
    side = max(size)
    noise = fractal(params["seed"], (7,), side, 0.3 + 0 * params["rough"])[:, 0, : size[0], : size[1]]
    away = ((p / hw).square() + (q / hh).square()).sqrt()
    field = noise - col(params["level"]) + 0.35 * (1 - away.clamp(max=3))
    return _finish(-field * 0.25 * side, params, p, q, size)


def shape_freeform(params: Params, size: tuple[int, int]) -> Shape:
    """Variant 0 blob, 1 polygon or star, 2 ring, 3 stroke, 4 ovals, 5 noise islands."""
    return by_variant(params, (_blob, _blob, _ring, _stroke, _lobes, _cloud), size)
