"""A telephone at the ear or held in front."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.colour import palettes
from facelab.occlude.face import fill, measures, sides
from facelab.occlude.geometry import Shape, box, col, cover, dome, halves, local, oval, texture_space
from facelab.occlude.surface import sample_surface


def sample_phone(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A rounded slab, its long side about 80 px of 128; beside the cheek or anywhere.

    Source: size and free placement from OA-GAN's released data loader.
    """
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    tall = min(frame) * draws.uniform(0.42, 0.75)
    side, at_ear = draws.pick([-1.0, 1.0]), draws.chance(0.5)
    ear_x = face["nose"][:, 0] + side * face["width"] * draws.uniform(0.3, 0.55)
    ear_y = face["nose"][:, 1] + face["width"] * draws.uniform(-0.15, 0.25)
    surface = sample_surface(draws, ("flat", "flat", "gradient", "noise", "marble", "stripes", "terrace"))
    surface["colour2"] = palettes(draws, ("dark", "dark", "grey", "any"))[:, 0]
    surface["gloss"] = draws.uniform(0.0, 0.6)
    return surface | {
        "x": torch.where(at_ear, ear_x, draws.uniform(0.1, 0.9) * frame[1]),
        "y": torch.where(at_ear, ear_y, draws.uniform(0.1, 0.9) * frame[0]),
        "width": tall * draws.uniform(0.44, 0.58), "height": tall,
        "angle": torch.where(at_ear, side * draws.uniform(-5.0, 35.0), draws.uniform(-90.0, 90.0)),
        "corner": draws.uniform(0.08, 0.3), "screen": draws.chance(0.4).float(), "lenses": draws.pick([1.0, 2.0, 3.0]),
        "island": draws.uniform(0.32, 0.5), "slant": draws.uniform(-0.8, 0.8),
        "streak": draws.chance(0.6) * draws.uniform(0.05, 0.35),
    }  # fmt: skip


def shape_phone(params: Params, size: tuple[int, int]) -> Shape:
    """The back with its camera, or the front with its screen."""
    p, q = local(params, size)
    hw, hh = halves(params)
    distance = box(p, q, hw, hh, col(params["corner"]) * hw)
    front = col(params["screen"])
    display = box(p, q, 0.93 * hw, 0.9 * hh, 0.5 * col(params["corner"]) * hw)
    island_w, count = col(params["island"]) * hw, col(params["lenses"])
    cx, cy = -0.9 * hw + island_w, -0.95 * hh + 1.2 * island_w
    island = box(p - cx, q - cy, island_w * 0.85, island_w, 0.5 * island_w)
    eye = oval(p - cx, (q - cy).abs() - 0.45 * island_w * (count > 1), 0.34 * island_w, 0.34 * island_w)
    third = torch.where(count > 2, oval(p - cx - 0.4 * island_w, q - cy, 0.3 * island_w, 0.3 * island_w), 1e3)
    lens = torch.minimum(eye, third)
    second = torch.where(front > 0, cover(display), torch.maximum(0.35 * cover(island), cover(lens)))
    streak = (1 - 2.5 * (p / hw + col(params["slant"]) * q / hh).abs()).clamp(0, 1) * col(params["streak"])
    rim = -0.15 * (1 - (distance + 1.5).abs()).clamp(0, 1)
    glint = (
        (1 - front)
        * 0.5
        * cover(oval(p - cx + 0.12 * island_w, (q - cy).abs() - 0.55 * island_w, 0.1 * island_w, 0.1 * island_w))
    )
    u, v = texture_space(p, q, size)
    height = dome(distance, 0.05 * min(size)) + (1 - front) * dome(island, 1.5)
    return Shape(cover(distance, params["softness"]), height, u, v, second, streak + rim + glint)
