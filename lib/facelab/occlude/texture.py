"""Procedural textures: a field in [0, 1] from one of many families, coloured by a palette.

All families work on a square tile, on the whole batch that asks for them, and depend on their parameters alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.occlude.chance import Params, grain, hashed, hashed_keys, keys
from facelab.occlude.colour import SHADES
from facelab.occlude.geometry import col

OCTAVES = (3, 6, 12, 24, 48)


def _grown(knots: Tensor, side: int, mode: str) -> Tensor:
    return F.interpolate(knots, size=(side, side), mode=mode, align_corners=True)


@cache
def _knot_keys(salts: tuple[int, ...]) -> Tensor:
    return torch.cat([keys(salt * 8 + k, (cells + 1) ** 2) for k, cells in enumerate(OCTAVES) for salt in salts])


def fractal(seed: Tensor, salts: Sequence[int], side: int, rough: Tensor) -> Tensor:
    """Value noise over five octaves, stretched to [0, 1].

    Args:
        seed: (N,) int64.
        salts: which of many independent fields, K of them.
        side: tile side, pixels.
        rough: (N, K) weight of each octave against the one before, 0.2 (clouds) to 0.9 (grit).

    Returns:
        (N, K, side, side).
    """
    rough = rough.flatten()
    weights = [rough.pow(octave).view(-1, 1, 1, 1) for octave in range(len(OCTAVES))]
    drawn = hashed_keys(seed, _knot_keys(tuple(salts))).split([len(salts) * (cells + 1) ** 2 for cells in OCTAVES], 1)
    knots = [part.reshape(-1, 1, cells + 1, cells + 1) for part, cells in zip(drawn, OCTAVES, strict=True)]
    small = -(-side // 4)  # the two broadest octaves are smooth enough to be worked out on a quarter of the grid
    broad = sum(w * _grown(k, small, "bicubic") for w, k in zip(weights[:2], knots[:2], strict=True))
    total = _grown(broad, side, "bilinear")
    for weight, knot in zip(weights[2:], knots[2:], strict=True):
        total = total.addcmul(weight, _grown(knot, side, "bilinear"))
    total = total[:, 0]
    low, high = total.amin((1, 2), keepdim=True), total.amax((1, 2), keepdim=True)
    return ((total - low) / (high - low + 1e-6)).unflatten(0, (-1, len(salts)))


def _square(x: Tensor, sharp: Tensor) -> Tensor:
    """A sine pressed towards a square wave, in [0, 1]."""
    return 0.5 + 0.5 * (torch.sin(6.2832 * x) * (1 + 12 * sharp)).clamp(-1, 1)


def _flat(u, v, n, m, r):
    return 0.5 + 0.08 * (n - 0.5)


def _gradient(u, v, n, m, r):
    return torch.where(r[3] < 0.6, (u * r[0] + v * (1 - r[0])), ((u - r[0]).square() + (v - r[1]).square()).sqrt())


def _noise(u, v, n, m, r):
    return n


def _marble(u, v, n, m, r):
    return 0.5 + 0.5 * torch.sin(6.2832 * (2 * u * r[0] + 3 * v * r[1] + 3 * n))


def _ridged(u, v, n, m, r):
    return (2 * n - 1).abs().mul(1.6).clamp(max=1)


def _stripes(u, v, n, m, r):
    return _square((3 + 15 * r[0]) * u, r[1])


def _checks(u, v, n, m, r):
    rate = 2 + 8 * r[0]
    a, b = _square(rate * u, r[1]) - 0.5, _square(rate * v, r[1]) - 0.5
    return 0.5 + 2 * a * b


def _dots(u, v, n, m, r):
    rate = 4 + 10 * r[0]
    y = v * rate
    x = u * rate + 0.5 * (y.floor() % 2) * (r[1] > 0.5)
    distance = ((x - x.floor() - 0.5).square() + (y - y.floor() - 0.5).square()).sqrt()
    return (0.5 + (0.15 + 0.25 * r[2] - distance) * 8).clamp(0, 1)


def _plaid(u, v, n, m, r):
    rate = 2 + 5 * r[0]
    broad = _square(rate * u, r[2]) + _square(rate * v, r[2])
    thin = _square(4 * rate * u + 0.3, r[2]) + _square(4 * rate * v + 0.3, r[2])
    return (0.36 * broad + 0.14 * thin).clamp(0, 1)


def _knit(u, v, n, m, r):
    rate = 9 + 12 * r[0]
    slant = (u * rate - (u * rate).floor() - 0.5).abs()
    loops = _square(v * rate + 0.9 * slant, 0.1 * r[1])
    return (0.25 + 0.5 * loops * (1 - 0.8 * slant) + 0.3 * _square(2 * v + m, r[3]) * (r[2] > 0.5)).clamp(0, 1)


def _wood(u, v, n, m, r):
    rings = 6 * r[0] * u + 1.2 * n + 0.15 * m + 0.3 * v * r[1]
    return (2 + 5 * r[2]) * rings % 1.0


def _speckle(u, v, n, m, r):
    return ((m - 0.35 - 0.3 * r[0]) * 9).clamp(0, 1)


def _text(u, v, n, m, r):
    """Rows of short marks, like print seen from too far away."""
    rate = 8 + 10 * r[0]
    row, inside = (v * rate).floor(), v * rate % 1.0
    letters = torch.sin(u * rate * 7 + 9.1 * row) + torch.sin(u * rate * 11.3 + 4.7 * row * r[1])
    marks = (letters > -0.2) & (inside > 0.3) & (inside < 0.75) & (torch.sin(row * 12.9 + u * rate * 0.7) > -0.75)
    return 0.92 - 0.85 * marks.float() + 0.06 * n


def _voronoi(u, v, n, m, r):
    """Cells around random points, each of its own shade, or the walls between them."""
    key = (r[0] * 1e6).long().flatten()
    places = hashed(key, 5, 44).view(-1, 22, 2)
    du = u[:, None] - places[:, :, 0, None, None]
    dv = v[:, None] - places[:, :, 1, None, None]
    distance = du * du + dv * dv
    near, index = distance.min(1)
    shades = hashed(key, 6, 22).gather(1, index.flatten(1)).view_as(u)
    return torch.where(r[1] < 0.65, shades, (near.sqrt() * 4).clamp(0, 1))


def _weave(u, v, n, m, r):
    rate = 8 + 14 * r[0]
    over = (((u * rate).floor() + (v * rate).floor()) % 2) > 0.5
    return torch.where(over, _square(v * rate * 2, r[1] * 0.2), 0.8 * _square(u * rate * 2, r[1] * 0.2))


def _bricks(u, v, n, m, r):
    rate = 3 + 6 * r[0]
    row = (v * rate * 2).floor()
    x, y = (u * rate + 0.5 * (row % 2)) % 1.0, v * rate * 2 % 1.0
    wall = (x < 0.08) | (y < 0.14)
    return torch.where(wall, 0.05 + 0 * n, 0.4 + 0.6 * n)


def _terrace(u, v, n, m, r):
    """Noise cut into steps: camouflage, maps, flower prints."""
    steps = 3 + (3 * r[0]).floor()
    return (n * steps).floor() / steps


FAMILIES = {
    "flat": _flat, "gradient": _gradient, "noise": _noise, "marble": _marble, "ridged": _ridged, "stripes": _stripes,
    "checks": _checks, "dots": _dots, "plaid": _plaid, "knit": _knit, "wood": _wood, "speckle": _speckle,
    "text": _text, "voronoi": _voronoi, "weave": _weave, "bricks": _bricks, "terrace": _terrace,
}  # fmt: skip
FAMILY_NAMES = tuple(FAMILIES)


def _fields(family: Tensor, u: Tensor, v: Tensor, n: Tensor, m: Tensor, chances: Tensor) -> Tensor:
    """The field of each sample's family, (N, T, T) in [0, 1]."""
    out = torch.empty_like(n)
    for number in family.unique().tolist():
        rows = (family == number).nonzero()[:, 0]
        r = [col(chances[rows, k]) for k in range(chances.shape[1])]
        out[rows] = FAMILIES[FAMILY_NAMES[number]](u[rows], v[rows], n[rows], m[rows], r)
    return out.clamp(0, 1)


def _coloured(field: Tensor, palette: Tensor) -> Tensor:
    """Field (N, T, T) through a palette (N, 5, 3), straight lines between the shades: (N, 3, T, T)."""
    position = field.flatten(1)[:, None] * (SHADES - 1)
    weights = (1 - (position - torch.arange(SHADES).view(1, -1, 1)).abs()).clamp(min=0)
    return (palette.transpose(1, 2) @ weights).unflatten(2, field.shape[1:])


def _second_family(params: Params, first: Tensor, u, v, n, m, chances) -> Tensor:
    """Where a sample mixes two families, noise decides which of them shows."""
    rows = (params["mix"] > 0.01).nonzero()[:, 0]
    if not len(rows):
        return first
    other = _fields(params["family2"][rows], v[rows], u[rows], m[rows], n[rows], chances[rows].flip(1))
    share = ((m[rows] - 1 + col(params["mix"][rows])) * 6 + 0.5).clamp(0, 1)
    return first.index_copy(0, rows, torch.lerp(first[rows], other, share))


def paint(params: Params, side: int) -> Tensor:
    """Texture tiles.

    Args:
        params: ``seed family family2 mix warp rough turn palette uneven``, each (N,) but the palette (N, 5, 3).
        side: tile side, pixels.

    Returns:
        (N, 3, side, side) in [0, 1].
    """
    seed = params["seed"]
    rough = torch.stack([params["rough"], (params["rough"] + 0.2).clamp(max=0.95)], 1)
    n, m = fractal(seed, (1, 2), side, rough).unbind(1)
    axis = torch.linspace(0, 1, side)
    warp = col(params["warp"])
    turn = torch.deg2rad(col(params["turn"]))
    x, y = axis.view(1, 1, -1) + warp * (n - 0.5), axis.view(1, -1, 1) + warp * (m - 0.5)
    u, v = torch.cos(turn) * x + torch.sin(turn) * y, torch.cos(turn) * y - torch.sin(turn) * x
    chances = hashed(seed, 3, 4)
    field = _fields(params["family"], u, v, n, m, chances)
    field = _second_family(params, field, u, v, n, m, chances)
    rough = col(params["uneven"]) * (0.6 * (m - 0.5) + 0.08 * grain(seed, 1, (side, side))[:, 0])
    return (_coloured(field, params["palette"]) * (1 + rough)[:, None]).clamp(0, 1)
