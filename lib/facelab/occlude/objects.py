"""Things people hold: balls, cans, boxes, paper, microphones."""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude.chance import Draws, Params
from facelab.occlude.colour import palettes
from facelab.occlude.face import fill, measures, sides
from facelab.occlude.geometry import (
    Shape,
    box,
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
from facelab.occlude.surface import ANY, sample_surface


def sample_thing(landmarks: Tensor, generator: torch.Generator, size: int | tuple[int, int]) -> Params:
    """An object held anywhere before the face, its long side a quarter to two thirds of the frame."""
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    variant = draws.pick(range(5), [0.2, 0.2, 0.2, 0.2, 0.2])
    tall = min(frame) * draws.uniform(0.25, 0.65)
    slim = draws.uniform(0.45, 1.0)
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    stick = variant == 4
    surface = sample_surface(draws, ANY)
    surface["colour2"] = palettes(draws)[:, 0]
    near_x = face["mouth"][:, 0] + 0.3 * face["width"] * draws.normal()
    near_y = face["mouth"][:, 1] + face["width"] * draws.uniform(0.1, 0.5)
    return surface | {
        "variant": variant,
        "x": torch.where(stick, near_x, draws.uniform(0.1, 0.9) * frame[1]),
        "y": torch.where(stick, near_y, draws.uniform(0.1, 0.9) * frame[0]),
        "width": torch.where(stick, 0.3, slim) * tall, "height": tall,
        "angle": torch.where(stick, draws.uniform(-45.0, 45.0), draws.uniform(-60.0, 60.0)),
        "corners": corners * (1 + draws.uniform(-0.25, 0.15, 4, 2)), "corner": draws.uniform(0.02, 0.5),
        "taper": draws.uniform(-0.15, 0.15), "lid": draws.uniform(0.08, 0.25), "lean": draws.uniform(-0.5, 0.5),
        "label": draws.chance(0.5).float(), "rows": draws.uniform(4.0, 9.0), "phases": draws.uniform(0.0, 1.0, 3),
    }  # fmt: skip


def _ball(params: Params, size: tuple[int, int]) -> Shape:
    """A ball, or a fruit of uneven outline; texture and light wrap around it."""
    p, q = local(params, size)
    hw, hh = halves(params)
    r = torch.maximum(hw, 0.75 * hh)
    bump = 1 + 0.04 * wave(torch.atan2(q, p), params["phases"])
    distance = oval(p, q, r * bump, hh.minimum(r * 1.1) * bump)
    inside = (1 - (p / r).square() - (q / r).square()).clamp(min=0.02).sqrt()
    u, v = texture_space(p / (0.4 + 0.6 * inside), q / (0.4 + 0.6 * inside), size)
    stripe = (q.abs() < 0.16 * hh) * col(params["label"])
    return Shape(cover(distance, params["softness"]), 0.7 * r * inside, u, v, second=stripe * 1.0)


def _can(params: Params, size: tuple[int, int]) -> Shape:
    """A cylinder seen a little from above: bottle, can, tube; with a lid and sometimes a label."""
    p, q = local(params, size)
    hw, hh = halves(params)
    wide = 0.75 * hw * (1 - col(params["taper"]) * q / hh)
    round_ = (1 - (p / wide).square()).clamp(min=0).sqrt()
    bow = col(params["lid"]) * 0.6 * wide * round_
    body = torch.maximum(p.abs() - wide, torch.maximum(q - hh - bow, -q - hh))
    lid = oval(p, q + hh, wide, col(params["lid"]) * 0.6 * wide + 0.5)
    distance = torch.minimum(body, lid)
    label = ((q - bow).abs() < 0.5 * hh) * col(params["label"]) * (lid > 0)
    u, v = texture_space(torch.asin((p / wide).clamp(-0.99, 0.99)) * wide, q - bow, size)
    on_lid = cover(lid)
    glow = 0.15 * on_lid - 0.2 * (1 - (lid - 1).abs() / 1.5).clamp(0, 1)
    return Shape(
        cover(distance, params["softness"]), (1 - on_lid) * 0.9 * wide * round_, u, v, second=label * 1.0, glow=glow
    )


def _box(params: Params, size: tuple[int, int]) -> Shape:
    """A box showing its front, a side and its top, each in its own light."""
    p, q = local(params, size)
    hw, hh = 0.75 * halves(params)[0], 0.75 * halves(params)[1]
    dx, dy = col(params["lean"]) * hw, -(0.15 + col(params["lid"])) * hh
    front = box(p, q, hw, hh, 0.02 * hw)
    sign = torch.sign(dx)
    zero = torch.zeros_like(dx)

    def face(*corners):
        return polygon(p, q, torch.stack([torch.cat([x, y], -1).flatten(1) for x, y in corners], 1))

    right = sign * hw
    side = face((right, -hh), (right + dx, -hh + dy), (right + dx, hh + dy), (right, hh))
    top = face((-hw, -hh), (-hw + dx, -hh + dy), (hw + dx, -hh + dy), (hw, -hh + zero))
    distance = torch.minimum(front, torch.minimum(side, top))
    in_front = cover(front)
    on_side = (1 - in_front) * (side < top)
    glow = -0.25 * on_side + 0.1 * (1 - in_front) * (top <= side)
    u, v = texture_space(p + 0.4 * on_side * q, q, size)
    label = cover(box(p, q + 0.2 * hh, 0.6 * hw, 0.4 * hh, 0.1 * hw)) * col(params["label"])
    return Shape(cover(distance, params["softness"]), 0 * p, u, v, second=label, glow=glow)


def _sheet(params: Params, size: tuple[int, int]) -> Shape:
    """A sheet of paper, a card, a book or a fan: four loose corners, a bend, sometimes lines of print."""
    p, q = local(params, size)
    hw, hh = halves(params)
    points = params["corners"] * torch.stack([params["width"], params["height"]], -1)[:, None] / 2
    distance = polygon(p, q, points)
    bend = wave((p + q * col(params["lean"])) / hw, params["phases"], 0.6)
    line = (q / hh * col(params["rows"])) % 1.0
    word = torch.sin(p / hw * 17 + (q / hh * col(params["rows"])).floor() * 5) > -0.6
    margin = distance < -0.12 * torch.minimum(hw, hh)
    print_ = (line < 0.45) * word * margin * col(params["label"])
    spine = -0.2 * (1 - (p + 0.8 * hw).abs() / 2).clamp(0, 1)
    u, v = texture_space(p, q, size)
    return Shape(cover(distance, params["softness"]), 0.25 * hw * bend, u, v, second=0.85 * print_, glow=spine)


def _microphone(params: Params, size: tuple[int, int]) -> Shape:
    """A ball of wire mesh on a tapered handle that leaves the frame."""
    p, q = local(params, size)
    hw, hh = halves(params)
    head = oval(p, q + hh * 0.7, hw, 1.15 * hw)
    handle = capsule(p, q, (0 * hw, -0.6 * hh), (0 * hw, 2.2 * hh), 0.62 * hw, 0.42 * hw)
    collar = box(p, q + hh * 0.7 - 1.0 * hw, 0.8 * hw, 0.16 * hw, 0.05 * hw)
    distance = torch.minimum(torch.minimum(head, handle), collar)
    on_head = cover(head)
    mesh = 0.5 + 0.25 * torch.sin(p * 2.1) + 0.25 * torch.sin(q * 2.1)
    height = torch.where(head < 0, dome(head, hw), (0.36 * hw * hw - p * p).clamp(min=0).sqrt())
    u, v = texture_space(p, q, size)
    glow = on_head * (0.25 * mesh - 0.12) + 0.15 * cover(collar)
    return Shape(
        cover(distance, params["softness"]), height, u, v, second=0.9 * torch.maximum(on_head, cover(collar)), glow=glow
    )


def shape_thing(params: Params, size: tuple[int, int]) -> Shape:
    """Variant 0 ball, 1 can, 2 box, 3 sheet, 4 microphone."""
    return by_variant(params, (_ball, _can, _box, _sheet, _microphone), size)
