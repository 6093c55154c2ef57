"""Glasses and sunglasses: frames, bridge, arms, and lenses that hide a little, a lot, or all."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.colour import palettes
from facelab.occlude.face import fill, measures, sides
from facelab.occlude.geometry import Shape, capsule, col, cover, dome, halves, local, oval, texture_space
from facelab.occlude.surface import sample_surface


def _worn(landmarks: Tensor, draws: Draws, frame: tuple[int, int]) -> Params:
    """Place and outline shared by both kinds: by the eyes, a little off, about twice their distance wide."""
    face = measures(fill(landmarks, draws.count, frame))
    span = face["span"]
    width = span * draws.uniform(2.05, 2.5)
    return {
        "x": face["eyes"][:, 0] + 0.06 * span * draws.normal().clamp(-2, 2),
        "y": face["eyes"][:, 1] + span * draws.uniform(-0.08, 0.22),
        "angle": face["roll"] + 3 * draws.normal(),
        "width": width, "height": width * draws.uniform(0.24, 0.42),
        "power": torch.exp(draws.uniform(0.6, 1.9)), "taper": draws.uniform(-0.1, 0.3),
        "gap": draws.uniform(0.04, 0.12), "thick": span * draws.uniform(0.03, 0.14),
        "rim": draws.pick([0.0, 1.0, 2.0], [0.7, 0.18, 0.12]),
        "arms": draws.uniform(0.9, 1.15), "slant": draws.uniform(-1.0, 1.0), "streak": draws.uniform(-0.7, 0.7),
    }  # fmt: skip


def sample_glasses(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """Spectacles: the frame hides, the lens is clear or lightly tinted, a reflection hides part of it.

    Source: OA-GAN's released data loader: 100 px wide and about the eye line in a frame of 128 px.
    """
    frame, draws = sides(size), Draws(generator, len(landmarks))
    surface = sample_surface(draws, ("flat", "flat", "noise", "marble", "terrace"), mixed=0.15)
    surface["colour2"] = palettes(draws, ("light", "grey", "any"))[:, 0]
    surface["shadow"] = surface["shadow"] * 0.6
    return surface | _worn(landmarks, draws, frame) | {
        "tint": draws.chance(0.5) * draws.uniform(0.0, 0.4), "fade": torch.zeros(draws.count),
        "reflection": draws.chance(0.6) * draws.uniform(0.2, 0.95),
    }  # fmt: skip


def sample_sunglasses(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """Sunglasses: dark or coloured lenses, often lighter below, often with a reflection."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    surface = sample_surface(draws, ("flat", "flat", "noise", "marble", "terrace"), mixed=0.15)
    dark = palettes(draws, ("dark", "dark", "muted", "any", "earth"))[:, 0]
    surface["colour2"] = dark * draws.uniform(0.3, 1.0, 1)
    worn = _worn(landmarks, draws, frame)
    worn["height"] = worn["height"] * draws.uniform(1.0, 1.25)
    return surface | worn | {
        "tint": draws.uniform(0.85, 1.0), "fade": draws.chance(0.4) * draws.uniform(0.0, 0.5),
        "reflection": draws.chance(0.6) * draws.uniform(0.05, 0.5),
    }  # fmt: skip


def _lenses(params: Params, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Signed distance to both lenses, and their centre offset, half width and half height."""
    hw, hh = halves(params)
    gap = col(params["gap"])
    lens_w = hw * (0.94 - gap) / 2
    centre = hw * gap + lens_w
    narrowing = 1 - col(params["taper"]) * (q / hh).clamp(-1, 1)
    return oval((p.abs() - centre) / narrowing, q, lens_w, hh, col(params["power"])), centre, lens_w, hh


def _frame(params: Params, p: Tensor, q: Tensor, lens: Tensor, centre: Tensor, lens_w: Tensor, hh: Tensor) -> Tensor:
    """Signed distance to rims, bridge and arms; rims may be full, only above, or absent."""
    thick = col(params["thick"]).clamp(min=0.9)
    rim = lens.abs() - thick / 2
    kind = col(params["rim"])
    rim = torch.where((kind == 1) & (q > 0.1 * hh), 1e3, rim)
    rim = torch.where(kind == 2, 1e3, rim)
    bend = q + 0.35 * hh - 0.15 * hh * (1 - (p / (centre - 0.8 * lens_w)).square()).clamp(min=0)
    bridge = torch.maximum(bend.abs() - thick / 2, p.abs() - (centre - 0.9 * lens_w))
    hw = col(params["width"]) / 2
    arm = capsule(p.abs(), q, (centre + 0.9 * lens_w, -0.35 * hh), (hw * col(params["arms"]), -0.45 * hh), thick * 0.6)
    return torch.minimum(torch.minimum(rim, bridge), arm)


def shape_glasses(params: Params, size: tuple[int, int]) -> Shape:
    """Frame over lenses; the alpha of a lens is its tint, plus its reflection."""
    p, q = local(params, size)
    lens, centre, lens_w, hh = _lenses(params, p, q)
    frame = _frame(params, p, q, lens, centre, lens_w, hh)
    solid, glass = cover(frame, params["softness"]), cover(lens, params["softness"])
    along = (p.abs() - centre) / lens_w * torch.sign(p) + col(params["slant"]) * q / hh - col(params["streak"])
    band = (1.2 - 3 * along.abs()).clamp(0, 1) + 0.6 * (1 - 6 * (along - 0.75).abs()).clamp(0, 1)
    shine = glass * band.clamp(max=1) * col(params["reflection"])
    tint = glass * (col(params["tint"]) * (1 - col(params["fade"]) * (0.5 + 0.5 * q / hh).clamp(0, 1)))
    alpha = torch.maximum(solid, (tint + shine).clamp(max=1))
    glow = shine * (1 - solid) * torch.where(col(params["tint"]) > 0.5, 0.6, 0.9)
    u, v = texture_space(p, q, size)
    height = torch.where(frame < lens, dome(frame, col(params["thick"]) * 0.6), 0.15 * (q + p.abs() - centre))
    return Shape(alpha, height, u, v, second=(glass - solid).clamp(min=0), glow=glow)
