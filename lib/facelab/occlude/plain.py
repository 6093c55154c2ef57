"""Plain occluders: black squares, patches, and a face cut off by the picture's edge."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.face import sides
from facelab.occlude.geometry import Shape, box, col, cover, dome, halves, local, texture_space
from facelab.occlude.surface import ANY, plain, sample_surface

PUBLISHED = ((10, 10), (15, 10), (15, 15), (20, 20))


def anywhere(draws: Draws, size: tuple[int, int], margin: float = 0.1) -> Params:
    """Centres ``x y`` anywhere in the frame but a margin (fraction of the side)."""
    height, width = size
    return {
        "x": draws.uniform(margin * width, (1 - margin) * width),
        "y": draws.uniform(margin * height, (1 - margin) * height),
    }


def _several(draws: Draws, size: tuple[int, int]) -> Params:
    """Up to three pieces: offsets (N, 3, 2) in pixels from the first, far outside where a sample has fewer."""
    offsets = (draws.uniform(-0.5, 0.5, 3, 2) * min(size)).round()
    offsets[:, 0] = 0
    count = draws.pick([1.0, 2.0, 3.0], [0.6, 0.25, 0.15])
    missing = torch.arange(3)[None] >= count[:, None]
    return {"offsets": torch.where(missing[..., None], 1e4, offsets)}


def sample_squares(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """Black squares at the published sizes 10×10, 15×10, 15×15 and 20×20 of a frame of 64 to 128 px."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    published = torch.tensor(PUBLISHED, dtype=torch.float32)[draws.pick(range(len(PUBLISHED)))]
    published = published * (min(frame) / draws.uniform(64.0, 128.0))[:, None]
    surface = plain(sample_surface(draws, ("flat",)), softness=0.5, blur=0, shadow=0, match=0, noise=0, jpeg=0, gloss=0)
    surface |= plain({k: surface[k] for k in ("palette", "uneven", "mix")}, palette=0, uneven=0, mix=0)
    extent = published.round().clamp(min=2)
    middle = anywhere(draws, frame)  # moved so that the sides fall between pixels: a black square has no soft edge
    place = {k: middle[k].round() - 0.5 + (extent[:, j] % 2) / 2 for j, k in enumerate(("x", "y"))}
    return surface | place | _several(draws, frame) | {
        "width": extent[:, 0], "height": extent[:, 1],
        "angle": torch.zeros(draws.count), "radius": torch.zeros(draws.count),
    }  # fmt: skip


def sample_patch(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """Rectangles of any size, colour and texture, turned or not, their corners sharp or round."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    base = min(frame) * draws.uniform(0.15, 0.6)
    ratio = torch.exp(draws.uniform(-0.6, 0.6))
    return sample_surface(draws, ANY) | anywhere(draws, frame) | _several(draws, frame) | {
        "width": base * ratio, "height": base / ratio, "angle": draws.chance(0.6) * draws.uniform(-90.0, 90.0),
        "radius": draws.chance(0.5) * draws.uniform(0.0, 0.8),
    }  # fmt: skip


def shape_boxes(params: Params, size: tuple[int, int]) -> Shape:
    """Up to three rectangles."""
    p, q = local(params, size)
    hw, hh = halves(params)
    radius = col(params["radius"]) * torch.minimum(hw, hh)
    distance = None
    for k in range(3):
        dx, dy = col(params["offsets"][:, k, 0]), col(params["offsets"][:, k, 1])
        if bool((dx < 9e3).any()):
            one = box(p - dx, q - dy, hw, hh, radius)
            distance = one if distance is None else torch.minimum(distance, one)
    u, v = texture_space(p, q, size)
    return Shape(cover(distance, params["softness"]), dome(distance, 0.06 * min(size)), u, v)


def sample_edge(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A bar from one side of the picture, sometimes from two: black, plain or like a blurred background."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    families = ("flat", "flat", "gradient", "noise", "marble", "terrace")
    surface = plain(sample_surface(draws, families, mixed=0.2), relief=0, gloss=0)
    surface["palette"] = surface["palette"] * (~draws.chance(0.35)).view(-1, 1, 1)
    surface["zoom"], surface["shadow"] = surface["zoom"] * 0.5, surface["shadow"] * draws.chance(0.3)
    side = draws.pick([0.0, 1.0, 2.0, 3.0])
    turn = torch.deg2rad(90 * side)
    height, width = frame
    depth = min(frame) * draws.uniform(0.1, 0.42)
    return surface | {
        "x": width / 2 - torch.cos(turn) * width / 2, "y": height / 2 - torch.sin(turn) * height / 2,
        "width": 2 * depth, "height": 2 * depth * draws.uniform(0.4, 1.2) * draws.chance(0.25),
        "angle": 90 * side + draws.normal() * 4 * draws.chance(0.5), "turned": draws.pick([-1.0, 1.0]),
    }  # fmt: skip


def shape_edge(params: Params, size: tuple[int, int]) -> Shape:
    """Half planes: ``width / 2`` in from the side, and ``height / 2`` in from a neighbouring side."""
    p, q = local(params, size)
    hw, hh = halves(params)
    neighbour = q * col(params["turned"]) + min(size) / 2 - hh
    distance = torch.minimum(p - hw, torch.where(hh > 0, neighbour, 1e4))
    u, v = texture_space(p, q, size)
    return Shape(cover(distance, params["softness"]), torch.zeros_like(p), u, v)
