"""Clothing over a face: scarf, cap and face mask."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.face import fill, measures, sides
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
    polygon,
    texture_space,
    wave,
)
from facelab.occlude.surface import CLOTH, sample_surface


def sample_scarf(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A wrap over the lower face, its upper edge between nose and chin, with folds."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    width = face["width"] * draws.uniform(1.1, 2.1)
    top = torch.lerp(face["nose"][:, 1], face["chin"][:, 1], draws.uniform(-0.1, 0.75))
    bottom = torch.maximum(
        top + 0.3 * width, torch.where(draws.chance(0.75), 1.2 * frame[0], face["chin"][:, 1] + 0.1 * width)
    )
    surface = sample_surface(draws, CLOTH)
    surface["relief"], surface["gloss"] = surface["relief"] * 0.8 + 0.2, surface["gloss"] * 0.3
    return surface | {
        "x": face["chin"][:, 0] + 0.08 * width * draws.normal(), "y": (top + bottom) / 2,
        "width": width, "height": bottom - top, "angle": 0.6 * face["roll"] + 5 * draws.normal(),
        "curve": draws.uniform(-0.25, 0.3), "folds": draws.uniform(1.5, 6.0), "depth": draws.uniform(0.012, 0.045),
        "wavy": draws.uniform(0.01, 0.07), "phases": draws.uniform(0.0, 1.0, 3), "cross": draws.uniform(-0.6, 0.6),
    }  # fmt: skip


def shape_scarf(params: Params, size: tuple[int, int]) -> Shape:
    """Between an upper and a lower wavy curve; folds follow the curve and cross it slowly."""
    p, q = local(params, size)
    hw, hh = halves(params)
    a = p / hw
    ripple = wave(a, params["phases"])
    bend = hw * (col(params["curve"]) * a * a + col(params["wavy"]) * ripple)
    below = q - bend
    side = p.abs() - hw * (1 + 0.08 * wave(q / hw, params["phases"].flip(1)))
    distance = torch.maximum(torch.maximum(-hh - below, below - hh), side)
    across = (below + hh) / hw + col(params["cross"]) * a + 0.25 * ripple
    fold = torch.sin(col(params["folds"]) * across * 2 + 2 * ripple) + 0.4 * torch.sin(
        2.3 * col(params["folds"]) * across - ripple
    )
    height = dome(distance, 0.05 * min(size)) + fold * col(params["depth"]) * min(size) - 0.12 * hw * a * a
    u, v = texture_space(p, below + fold * 0.01 * min(size), size)
    crease = -0.18 * (-fold - 0.5).clamp(0, 1)
    return Shape(cover(distance, params["softness"]), height, u, v, glow=crease)


def sample_cap(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A cap with a brim, a knitted hat or a hood's edge over the forehead, casting a shadow."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    width = face["width"] * draws.uniform(1.05, 1.4)
    surface = sample_surface(draws, CLOTH)
    surface["shadow"], surface["shadow_y"] = draws.uniform(0.15, 0.55), draws.uniform(0.02, 0.07)
    surface["gloss"] = surface["gloss"] * 0.4
    return surface | {
        "variant": draws.pick([0, 1, 2], [0.5, 0.3, 0.2]),
        "x": face["brow"][:, 0] + 0.05 * width * draws.normal(),
        "y": face["brow"][:, 1] + width * draws.uniform(-0.16, 0.1),
        "width": width, "height": width * draws.uniform(0.6, 0.9), "angle": face["roll"] + 5 * draws.normal(),
        "brim": draws.uniform(0.1, 0.3), "arch": draws.uniform(-0.12, 0.16),
        "logo": draws.chance(0.5) * draws.uniform(0.1, 0.3),
        "tone": draws.chance(0.5).float(), "phases": draws.uniform(0.0, 1.0, 3),
    }  # fmt: skip


def _crown(p: Tensor, q: Tensor, hw: Tensor, tall: Tensor) -> Tensor:
    """The upper half of a rounded body standing on q = 0."""
    return torch.maximum(oval(p, q, hw, tall, 2.6), q)


def _brimmed(params: Params, size: tuple[int, int]) -> Shape:
    """Crown with seams and a badge; the brim is the area between two arcs."""
    p, q = local(params, size)
    hw, hh = halves(params)
    a = p / hw
    line = q - col(params["arch"]) * hw * (1 - a * a)
    crown = _crown(p, line, 0.93 * hw, 2 * hh)
    reach = col(params["brim"]) * 2 * hw * (1 - (a.abs() * 0.97).pow(2.4)).clamp(min=0)
    brim = torch.maximum(torch.maximum(line - reach, -line - 0.1 * hw * (1 - a * a)), p.abs() - hw)
    sign = col(params["logo"]).clamp(min=0.02) * hw
    badge = oval(p, line + 0.8 * hh, sign, 0.8 * sign, 3.0)
    distance = torch.minimum(crown, brim)
    on_brim = cover(brim)
    seam = (1 - 0.6 * (torch.sin(2.6 * a / (1 - 0.3 * (line / hh).clamp(-2, 0)).clamp(min=0.3)) * hw).abs()).clamp(0, 1)
    height = torch.where(brim < 0, -0.4 * line - 0.25 * hw * a * a, dome(crown, 0.6 * hw))
    second = torch.maximum(on_brim * col(params["tone"]), cover(badge) * (1 - on_brim) * (col(params["logo"]) > 0))
    rim = (1 - (line - reach).abs() / 1.3).clamp(0, 1) * on_brim
    glow = -0.12 * seam * (1 - on_brim) - 0.3 * on_brim * (1 - (line / (0.12 * hw)).clamp(0, 1)) + 0.1 * rim
    u, v = texture_space(p, line, size)
    return Shape(cover(distance, params["softness"]), height, u, v, second, glow)


def _knitted(params: Params, size: tuple[int, int]) -> Shape:
    """A hat without a brim, with a turned-up band."""
    p, q = local(params, size)
    hw, hh = halves(params)
    line = q - hw * (col(params["arch"]) * (1 - (p / hw).square()) + 0.02 * wave(p / hw, params["phases"]))
    band = torch.maximum(torch.maximum(line - 0.12 * hw, -line - 0.3 * hw), p.abs() - 0.98 * hw)
    crown = _crown(p, line, 0.95 * hw, 2 * hh)
    on_band = cover(band)
    height = (
        torch.where(band < 0, dome(band, 0.15 * hw), dome(crown, 0.6 * hw)) + 0.4 * torch.sin(p / hw * 40) * on_band
    )
    second = on_band * col(params["tone"])
    glow = -0.15 * (1 - ((line + 0.33 * hw) / (0.06 * hw)).abs()).clamp(0, 1)
    u, v = texture_space(p, line, size)
    return Shape(cover(torch.minimum(crown, band), params["softness"]), height, u, v, second, glow)


def _hood(params: Params, size: tuple[int, int]) -> Shape:
    """Cloth around the face: everything outside an egg-shaped opening."""
    p, q = local(params, size)
    hw, hh = halves(params)
    deep = 1.5 * hw
    opening = oval(p, q - deep, 0.82 * hw * (1 + 0.05 * wave(q / hw, params["phases"])), deep, 2.3)
    outer = torch.maximum(oval(p, q - 0.9 * hw, 1.3 * hw, 1.3 * hw + hh, 2.4), -opening)
    fold = torch.sin(opening * 6 / hw + 2 * wave(p / hw, params["phases"]))
    u, v = texture_space(p, opening, size)
    height = dome(outer, 0.12 * hw) + 0.8 * fold
    return Shape(cover(outer, params["softness"]), height, u, v, glow=-0.1 * (-fold).clamp(min=0))


def shape_cap(params: Params, size: tuple[int, int]) -> Shape:
    """Variant 0 brimmed cap, 1 knitted hat, 2 hood."""
    return by_variant(params, (_brimmed, _knitted, _hood), size)


def _facemask_outline(points: Tensor, draws: Draws) -> Tensor:
    """Corners (N, 17, 2) in pixels: along the jaw from ear to ear, and back over the nose."""
    inner = draws.pick([1, 2, 3], [0.3, 0.5, 0.2])[:, None]
    rows = torch.arange(2, 15)[None].expand(draws.count, -1)
    rows = torch.where(rows < 8, torch.maximum(rows, inner + 1), torch.minimum(rows, 15 - inner))
    jaw = points.gather(1, rows[..., None].expand(-1, -1, 2))
    ridge = torch.lerp(points[:, 27], points[:, 33], draws.uniform(0.1, 0.75, 1))
    across = (jaw[:, -1] - jaw[:, 0]) * draws.uniform(0.12, 0.25, 1)
    rise = draws.uniform(0.1, 0.7, 1)
    left, right = (torch.lerp(end, ridge, rise) + s * across for end, s in ((jaw[:, 0], -0.6), (jaw[:, -1], 0.6)))
    return torch.cat([jaw, torch.stack([right, ridge + 0.5 * across, ridge - 0.5 * across, left], 1)], 1)


def sample_facemask(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A surgical or cloth mask over nose and mouth, from the jaw's and the nose's landmarks."""
    draws = Draws(generator, len(landmarks))
    points = fill(landmarks, draws.count, sides(size))
    face = measures(points)
    outline = _facemask_outline(points, draws)
    centre = outline.mean(1)
    offsets = (outline - centre[:, None]) * draws.uniform(0.98, 1.12, 1, 1) / face["width"][:, None, None]
    turn = torch.deg2rad(-face["roll"])[:, None]
    x, y = offsets.unbind(-1)
    offsets = torch.stack([x * torch.cos(turn) - y * torch.sin(turn), x * torch.sin(turn) + y * torch.cos(turn)], -1)
    schemes = ("light", "light", "dark", "any", "muted", "vivid", "grey", "skin")
    surface = sample_surface(draws, ("flat", "flat", "flat", *CLOTH), schemes, mixed=0.15)
    return surface | {
        "x": centre[:, 0] + 0.02 * face["width"] * draws.normal(),
        "y": centre[:, 1] + 0.02 * face["width"] * draws.normal(),
        "width": face["width"], "height": face["width"].clone(), "angle": face["roll"] + 2 * draws.normal(),
        "outline": offsets, "variant": draws.pick([0.0, 1.0, 2.0], [0.5, 0.25, 0.25]),
        "pleats": draws.uniform(2.0, 4.0),
        "strap": draws.chance(0.75) * draws.uniform(0.008, 0.025),
        "border": draws.chance(0.5) * draws.uniform(0.02, 0.05),
    }  # fmt: skip


def shape_facemask(params: Params, size: tuple[int, int]) -> Shape:
    """A polygon with pleats (variant 0), a central ridge (1) or smooth cloth (2), a border and ear loops."""
    p, q = local(params, size)
    stretch = torch.stack([params["width"], params["height"]], -1)[:, None]
    points = params["outline"] * stretch
    distance = polygon(p, q, points) - 0.02 * col(params["width"])
    wide, style = col(params["width"]), col(params["variant"])
    pleats = torch.sin(q / wide * 6.28 * col(params["pleats"]) - 1.5 * (p / wide).square())
    relief = torch.where(style == 0, 0.012 * wide * pleats, torch.where(style == 1, -0.35 * p.abs(), 0 * p))
    height = dome(distance, 0.35 * wide) * 0.8 + relief
    edge = (
        1 - (distance + 0.5 * col(params["border"]) * wide).abs() / (0.5 * col(params["border"]) * wide + 1e-3)
    ).clamp(0, 1)
    glow = 0.12 * (edge > 0) - 0.14 * (style == 0) * (pleats < -0.8) * cover(distance + 0.06 * wide)
    thin, loops = col(params["strap"]) * wide, torch.full_like(p, 1e3)
    for corner, sign in ((0, -1), (12, 1)):
        x, y = (points[:, corner, k, None, None] for k in (0, 1))
        ear = (x + sign * 0.14 * wide, y - 0.08 * wide)
        for start in ((x * 0.97, y), (x * 0.9, y + 0.22 * wide)):
            loops = torch.minimum(loops, capsule(p, q, start, ear, thin))
    loops = torch.where(thin > 0, loops, 1e3)
    u, v = texture_space(p, q + 0.01 * wide * pleats * (style == 0), size)
    return Shape(cover(torch.minimum(distance, loops), params["softness"]), height, u, v, glow=glow)
