"""Thin things: hair over the face, leaves, twigs, wires."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params, hashed
from facelab.occlude.face import sides
from facelab.occlude.geometry import Shape, by_variant, capsule, col, cover, dome, halves, local, texture_space, wave
from facelab.occlude.plain import anywhere
from facelab.occlude.surface import sample_surface

HAIRS = 64


def sample_strands(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A lock of hair, a few leaves, a branching twig or wires."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    variant = draws.pick(range(3), [0.4, 0.35, 0.25])
    tall = min(frame) * torch.where(variant == 0, draws.uniform(0.6, 1.5), draws.uniform(0.35, 0.9))
    surface = sample_surface(draws, ("flat", "noise", "gradient", "marble", "speckle", "ridged", "wood"))
    surface["zoom"] = surface["zoom"] * 1.3
    seeds = surface["seed"]
    return surface | anywhere(draws, frame, 0.2) | {
        "variant": variant, "width": tall * draws.uniform(0.25, 0.7), "height": tall,
        "angle": draws.uniform(-180.0, 180.0),
        "curl": draws.uniform(0.02, 0.3), "bend": draws.uniform(-0.5, 0.5), "phases": draws.uniform(0.0, 1.0, 3),
        "density": draws.uniform(6.0, 26.0), "thick": draws.uniform(0.25, 0.95), "spread": draws.uniform(-0.7, 0.7),
        "offsets": hashed(seeds, 41, HAIRS * 3).view(-1, HAIRS, 3), "leaves": draws.uniform(-1.0, 1.0, 4, 3),
        "several": draws.pick([1.0, 2.0, 3.0, 4.0]), "veins": draws.uniform(3.0, 9.0),
    }  # fmt: skip


def _hair(params: Params, size: tuple[int, int]) -> Shape:
    """Strands side by side along a bent axis; each has its own thickness, length and shade."""
    p, q = local(params, size)
    hw, hh = halves(params)
    b = q / hh
    axis = hw * (col(params["bend"]) * b * b + col(params["curl"]) * wave(b, params["phases"]))
    across = (p - axis) / (hw * (1 + col(params["spread"]) * b).clamp(min=0.15))
    count = col(params["density"])
    place = ((across + 1) / 2).clamp(0, 0.999) * count
    cell = place.floor().long().clamp(0, HAIRS - 1).flatten(1)
    own = params["offsets"].gather(1, cell[..., None].expand(-1, -1, 3)).unflatten(1, p.shape[1:])
    half = 0.5 * (0.3 + 0.7 * own[..., 0]) * col(params["thick"])
    reach = 0.55 + 0.45 * own[..., 1]
    taper = (1 - (b / reach).abs().pow(3)).clamp(min=0)
    pitch = 2 * hw / count * (1 + col(params["spread"]) * b).clamp(min=0.15)
    off = (place - place.floor() - 0.5).abs()
    distance = torch.maximum((off - half * taper) * pitch, (across.abs() - 1) * hw)
    distance = torch.maximum(distance, (b.abs() - reach) * hh)
    u, v = texture_space(p * 2, q * 0.5, size)
    relief = pitch * (1 - (off / half.clamp(min=0.1)).square()).clamp(min=0)
    return Shape(cover(distance, params["softness"]), relief, u, v, glow=0.25 * (own[..., 2] - 0.5))


def _leaf(p: Tensor, q: Tensor, wide: Tensor, tall: Tensor, veins: Tensor) -> tuple[Tensor, Tensor]:
    """Signed distance to one pointed leaf along q, and its veins."""
    b = (q / tall).clamp(-1, 1)
    edge = wide * (1 - b * b) * (1 - 0.35 * b)
    distance = torch.maximum((p.abs() - edge) * 0.85, q.abs() - tall)
    stalk = torch.maximum(p.abs() - 0.8, (q - 1.2 * tall).abs() - 0.25 * tall)
    vein = (1 - 1.2 * p.abs()).clamp(0, 1) + 0.5 * (torch.sin(veins * 3.14 * (b - 0.6 * p.abs() / wide)) > 0.85)
    return torch.minimum(distance, stalk), vein.clamp(max=1)


def _leaves(params: Params, size: tuple[int, int]) -> Shape:
    """One to four leaves from about one point."""
    p, q = local(params, size)
    hw, hh = halves(params)
    distance, vein = torch.full_like(p, 1e3), torch.zeros_like(p)
    for k in range(4):
        turn = col(params["leaves"][:, k, 0]) * 1.6
        x, y = p - 0.4 * hw * col(params["leaves"][:, k, 1]), q - 0.2 * hh * col(params["leaves"][:, k, 2])
        a, b = torch.cos(turn) * x + torch.sin(turn) * y, torch.cos(turn) * y - torch.sin(turn) * x + 0.5 * hh
        one, mark = _leaf(a, b, 0.6 * hw, 0.6 * hh, col(params["veins"]))
        one = torch.where(col(params["several"]) > k, one, 1e3)
        vein = torch.where(one < distance, mark, vein)
        distance = torch.minimum(distance, one)
    u, v = texture_space(p, q, size)
    return Shape(
        cover(distance, params["softness"]), dome(distance, 0.3 * hw) * 0.6 - 0.8 * vein, u, v, glow=0.1 * vein
    )


def _twig(params: Params, size: tuple[int, int]) -> Shape:
    """A stem with side branches, or wires."""
    p, q = local(params, size)
    hw, hh = halves(params)
    p = p - hw * (col(params["bend"]) * (q / hh).square() + col(params["curl"]) * wave(q / hh, params["phases"]))
    thick = (0.02 + 0.07 * col(params["thick"])) * hw
    distance = capsule(p, q, (0 * hw, -hh), (0 * hw, hh), thick * 0.6, thick * 1.4)
    for k in range(4):
        y = (k - 1.5) * 0.45 * hh + 0.2 * hh * col(params["leaves"][:, k, 0])
        tip = (hw * col(params["leaves"][:, k, 1]) * 1.3, y - hh * (0.35 + 0.25 * col(params["leaves"][:, k, 2])))
        distance = torch.minimum(distance, capsule(p, q, (0 * hw, y), tip, thick, 0.5 * thick))
    u, v = texture_space(p, q, size)
    return Shape(cover(distance, params["softness"]), dome(distance, 2 * thick), u, v)


def shape_strands(params: Params, size: tuple[int, int]) -> Shape:
    """Variant 0 hair, 1 leaves, 2 twig."""
    return by_variant(params, (_hair, _leaves, _twig), size)
