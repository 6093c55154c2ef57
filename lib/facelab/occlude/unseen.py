"""Kinds kept from training, to measure what a network does with occluders it never saw."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.colour import palettes
from facelab.occlude.face import fill, measures, sides
from facelab.occlude.freeform import outline_distance, smooth_radii
from facelab.occlude.geometry import Shape, box, capsule, col, cover, dome, halves, local, oval, texture_space
from facelab.occlude.photographs import crops, sample_crop
from facelab.occlude.plain import anywhere
from facelab.occlude.surface import sample_surface


def sample_hand(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A hand before the face, about 120 px of 128 long with its wrist, fingers spread or closed.

    Source: size and free placement from OA-GAN's released data loader.
    """
    frame, draws = sides(size), Draws(generator, len(landmarks))
    tall = min(frame) * draws.uniform(0.55, 0.95)
    surface = sample_surface(draws, ("flat", "flat", "gradient", "noise"), ("skin",), mixed=0.05)
    surface["palette"] = palettes(draws, ("skin",), (0.03, 0.08))
    surface["gloss"], surface["relief"] = surface["gloss"] * 0.3, draws.uniform(0.5, 0.9)
    surface["colour2"] = (surface["palette"][:, 0] * 0.6 + torch.tensor([0.42, 0.33, 0.33])).clamp(0, 1)
    return surface | anywhere(draws, frame, 0.2) | {
        "width": tall * draws.uniform(0.5, 0.62), "height": tall, "angle": draws.uniform(-110.0, 110.0),
        "spread": draws.uniform(0.0, 0.28), "curl": draws.uniform(-0.12, 0.12, 5),
        "lengths": draws.uniform(0.85, 1.1, 5),
        "mirrored": draws.pick([-1.0, 1.0]), "back": draws.chance(0.6).float(), "thumb": draws.uniform(0.25, 1.1),
    }  # fmt: skip


def _fingers(params: Params, hw: Tensor, hh: Tensor) -> list[tuple]:
    """Base, knuckle, tip and radius of four fingers and a thumb, in local pixels."""
    out = []
    for k, (x, y, length) in enumerate(
        ((-0.66, -0.02, 0.78), (-0.22, -0.12, 0.92), (0.22, -0.1, 0.86), (0.64, 0.02, 0.68))
    ):
        turn = col(params["spread"]) * (k - 1.5) + 0.3 * col(params["curl"][:, k])
        reach = length * hh * 0.95 * col(params["lengths"][:, k])
        bend = turn + col(params["curl"][:, k])
        base = (x * 0.72 * hw, y * hh)
        knuckle = (base[0] + torch.sin(turn) * 0.5 * reach, base[1] - torch.cos(turn) * 0.5 * reach)
        tip = (knuckle[0] + torch.sin(bend) * 0.5 * reach, knuckle[1] - torch.cos(bend) * 0.5 * reach)
        out.append((base, knuckle, tip, 0.165 * hw * (0.9 if k == 3 else 1.0)))
    turn = col(params["thumb"])
    base, reach = (0.5 * hw, 0.45 * hh), 0.6 * hh * col(params["lengths"][:, 4])
    knuckle = (base[0] + torch.sin(turn) * 0.6 * reach, base[1] - torch.cos(turn) * 0.6 * reach)
    tip = (knuckle[0] + torch.sin(turn * 0.6) * 0.45 * reach, knuckle[1] - torch.cos(turn * 0.6) * 0.45 * reach)
    return [*out, (base, knuckle, tip, 0.2 * hw)]


def shape_hand(params: Params, size: tuple[int, int]) -> Shape:
    """Palm, wrist and fingers; each bulges by itself, with dark lines between, nails on the back."""
    p, q = local(params, size)
    p = p * col(params["mirrored"])
    hw, hh = halves(params)
    palm = box(p, q - 0.32 * hh, 0.6 * hw, 0.42 * hh, 0.36 * hw)
    wrist = capsule(p, q, (0 * hw, 0.6 * hh), (0.05 * hw, 2.4 * hh), 0.42 * hw, 0.55 * hw)
    body = torch.minimum(palm, wrist)
    distance, height = body, dome(body, 0.5 * hw)
    second, glow = torch.zeros_like(p), torch.zeros_like(p)
    for base, knuckle, tip, radius in _fingers(params, hw, hh):
        one = torch.minimum(
            capsule(p, q, base, knuckle, radius * 1.08, radius), capsule(p, q, knuckle, tip, radius, radius * 0.8)
        )
        beside = (one < 0.5 * radius) & (q < base[1] + 0.12 * hh)
        glow = glow - 0.13 * (1 - (one - distance).abs() / 2).clamp(0, 1) * beside
        joint = ((p - knuckle[0]).square() + (q - knuckle[1]).square()).sqrt() / radius
        glow = glow - 0.07 * (1 - (joint - 0.5).abs() * 3).clamp(0, 1) * (one < 0)
        nail = oval(p - tip[0], q - tip[1], 0.5 * radius, 0.62 * radius, 2.4)
        second = torch.maximum(second, 0.8 * cover(nail) * col(params["back"]))
        rise = (dome(one, radius) + 0.25 * radius) * cover(one, 0.6 * radius)
        height = torch.maximum(height, rise)
        distance = torch.minimum(distance, one)
    u, v = texture_space(p, q, size)
    return Shape(cover(distance, params["softness"]), height, u, v, second, glow)


def sample_cup(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A cup or mug at the mouth or in the lower part of the picture, its long side about 64 px of 128.

    Source: size and lower band from OA-GAN's released data loader.
    """
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    tall = min(frame) * draws.uniform(0.38, 0.62)
    at_mouth = draws.chance(0.65)
    surface = sample_surface(
        draws, ("flat", "flat", "gradient", "stripes", "dots", "noise", "plaid", "voronoi"), mixed=0.1
    )
    surface["zoom"] = surface["zoom"].clamp(max=1.5)
    near_x, near_y = (
        face["mouth"][:, 0] + 0.15 * tall * draws.normal(),
        face["mouth"][:, 1] + tall * draws.uniform(0.15, 0.45),
    )
    low = frame[0] - 0.5 * tall - draws.uniform(-0.1, 0.15) * frame[0]
    return surface | {
        "x": torch.where(at_mouth, near_x, draws.uniform(0.15, 0.85) * frame[1]),
        "y": torch.where(at_mouth, near_y, low),
        "width": tall * draws.uniform(0.65, 0.95), "height": tall, "angle": draws.uniform(-22.0, 22.0),
        "taper": draws.uniform(-0.02, 0.22), "open": draws.uniform(0.12, 0.34),
        "handle": draws.pick([-1.0, 0.0, 1.0], [0.3, 0.4, 0.3]),
        "logo": draws.chance(0.6) * draws.uniform(0.2, 0.5), "sleeve": draws.chance(0.35).float(),
    }  # fmt: skip


def shape_cup(params: Params, size: tuple[int, int]) -> Shape:
    """A tapered cylinder with an open rim, a handle or a sleeve, and a badge."""
    p, q = local(params, size)
    hw, hh = halves(params)
    bow = col(params["open"])
    wide = 0.85 * hw * (1 - col(params["taper"]) * (q / hh).clamp(-1.2, 1.2))
    round_ = (1 - (p / wide).square()).clamp(min=0).sqrt()
    foot = hh + 0.8 * bow * wide * (round_ - 1)
    body = torch.maximum(torch.maximum(p.abs() - wide, q - foot), -q - hh)
    top = 0.85 * hw * (1 + col(params["taper"]))
    mouth = oval(p, q + hh, top, top * bow)
    inner = oval(p, q + hh, top * 0.91, top * bow * 0.86)
    side = col(params["handle"])
    ring = oval(p - side * 1.02 * hw, q + 0.05 * hh, 0.34 * hw, 0.5 * hh, 2.4).abs() - 0.085 * hw
    ring = torch.where(side == 0, 1e3, ring)
    distance = torch.minimum(torch.minimum(body, mouth), ring)
    on_mouth, dark = cover(mouth), cover(inner)
    badge = oval(p, q - 0.15 * hh, col(params["logo"]).clamp(min=0.05) * hw, col(params["logo"]).clamp(min=0.05) * hw)
    second = cover(badge) * (params["logo"] > 0).view(-1, 1, 1) * (1 - on_mouth)
    band = (
        ((q - 0.1 * hh - 0.5 * bow * wide * (round_ - 1)).abs() < 0.42 * hh)
        * col(params["sleeve"])
        * (body < 0)
        * (1 - on_mouth)
    )
    height = torch.where(body < ring, wide * 0.85 * round_, dome(ring, 0.09 * hw)) * (1 - on_mouth)
    glow = 0.12 * (on_mouth - dark) - dark * (0.45 + 0.2 * (q + hh) / (top * bow))
    u, v = texture_space(torch.asin((p / wide).clamp(-0.99, 0.99)) * wide, q, size)
    return Shape(cover(distance, params["softness"]), height, u, v, (second - band).abs(), glow)


def sample_photo_blob(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A smooth blob filled with a piece of a photograph."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    base, ratio = min(frame) * draws.uniform(0.25, 0.6), torch.exp(draws.uniform(-0.4, 0.4))
    return sample_surface(draws) | sample_crop(draws) | anywhere(draws, frame, 0.15) | {
        "width": base * ratio, "height": base / ratio, "angle": draws.uniform(0.0, 360.0), "radii": smooth_radii(draws),
        "bulge": draws.chance(0.5) * draws.uniform(0.02, 0.2),
    }  # fmt: skip


def shape_photo_blob(params: Params, size: tuple[int, int]) -> Shape:
    """The blob, as flat as a print or slightly bulging."""
    p, q = local(params, size)
    distance = outline_distance(params, p, q)
    u, v = texture_space(p, q, size)
    height = dome(distance, (col(params["bulge"]) * min(size)).clamp(min=1)) * (col(params["bulge"]) > 0)
    return Shape(cover(distance, params["softness"]), height, u, v, picture=crops(params, p, q))


def sample_photo_bar(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """A straight bar across the frame, filled with a piece of a photograph."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    return sample_surface(draws) | sample_crop(draws) | anywhere(draws, frame, 0.25) | {
        "width": min(frame) * draws.uniform(0.8, 3.0), "height": min(frame) * draws.uniform(0.1, 0.28),
        "angle": draws.uniform(-90.0, 90.0), "bulge": draws.chance(0.3) * draws.uniform(0.3, 1.0),
    }  # fmt: skip


def shape_photo_bar(params: Params, size: tuple[int, int]) -> Shape:
    """The bar, flat or rounded like a pole."""
    p, q = local(params, size)
    hw, hh = halves(params)
    distance = box(p, q, hw, hh, 0.05 * hh)
    u, v = texture_space(p, q, size)
    height = dome(distance, hh) * col(params["bulge"])
    return Shape(cover(distance, params["softness"]), height, u, v, picture=crops(params, p, q))
