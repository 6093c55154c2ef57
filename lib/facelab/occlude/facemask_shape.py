"""The outline, relief, seams and straps of facemasks as maps, from their parameters.

Everything is computed at the coordinates a pixel has on the flat mask: ``across`` from -1 (the wearer's ear at the
picture's left) to 1, ``down`` from 0 (bridge of the nose) to 1 (chin). No picture of a mask is stored anywhere.
Taught in: lesson 06.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude import fitting
from facelab.occlude.chance import Params, take
from facelab.occlude.geometry import Shape, col, cover, segment

SEWN_ON = ("ridge", "folds", "rim", "clip", "valve", "valve_x", "valve_y", "scale", "sag", "peak")


def shape(params: Params, size: tuple[int, int]) -> Shape:
    """Outline, relief, seams and straps of facemasks.

    Args:
        params: of :func:`facelab.occlude.facemask_kinds.sample`, N facemasks.
        size: (height, width) of the maps, pixels.

    Returns:
        Maps (N, H, W): coverage in [0, 1], height in pixels, and the rest of a ``Shape``.
    """
    a, d = fitting.grid(params["matrix"], size)
    wide, tall = col(params["scale"][:, 0]), col(params["scale"][:, 1])
    distance = _outline(a, d, params).mul_(torch.minimum(wide, tall))
    alpha = cover(torch.minimum(distance, _straps(params, size)), params["softness"])
    height, glow, second = _relief(a, params), torch.zeros_like(a), torch.zeros_like(a)
    height.mul_((1 - (1.6 * (d - 0.45)).square_()).clamp_(min=0))  # the bulge ends above and below
    sewn = {name: params[name] for name in SEWN_ON}
    for worn, draw in (("ridge", _ridge), ("folds", _folds), ("rim", _rim), ("clip", _clip), ("valve", _valve)):
        rows = (params[worn] > 0).nonzero()[:, 0]  # most masks have few of these: only theirs are worked out
        if len(rows):
            parts = draw(a[rows], d[rows], distance[rows], take(sewn, rows))
            for whole, part in zip((height, glow, second), parts, strict=True):
                if part is not None:
                    whole.index_add_(0, rows, part)
    glow.mul_(distance < 0.5)
    second.clamp_(max=1).mul_(distance < 0)
    return Shape(alpha, height.mul_(wide), a * 0.5, d * 0.6, second, glow)


def _outline(a: Tensor, d: Tensor, p: Params) -> Tensor:
    """About the signed distance to the mask's edge, in units of the flat mask."""
    side = torch.maximum(a * (-1 / col(p["left"])), a * (1 / col(p["right"]))).clamp_(max=3)
    far = side.square()
    top = (far * (-1 / 0.22**2)).exp_().mul_(-col(p["peak"])).addcmul_(far, col(p["sag"]))
    lift = side.clamp(min=1e-4).log_().mul_(col(p["point"])).exp_().mul_(1 - col(p["corner"]))  # above the chin
    edge = torch.maximum(top.sub_(d), lift.add_(d).sub_(1))
    return torch.maximum(edge, side.mul_(0.8).sub_(0.8 - 0.048 * 0.45).sub_(d, alpha=0.048))


def _relief(a: Tensor, p: Params) -> Tensor:
    """Height in half widths of the bulge over nose and chin, were it as high everywhere as in the middle."""
    return (1 - a.square().clamp_(max=1)).mul_(col(p["bulge"]))


Parts = tuple[Tensor | None, Tensor | None, Tensor | None]  # height in half widths, light, share of the second colour


def _ridge(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> Parts:
    """A fold down the middle, and its seam."""
    ridge = col(p["ridge"])
    return (a.square() + 4e-4).sqrt_().mul_(-0.55 * ridge), (a.abs() < 0.012) * (-0.08 * ridge), None


def _folds(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> Parts:
    """Pleats across, dark where they turn."""
    turn = 6.283 * col(p["folds"]) * (d - 0.06 * a.square() - 0.2)
    inside = (d - 0.24).clamp_(0, 0.08).mul_((0.86 - d).clamp_(0, 0.08)).div_(0.0064)
    pleat = turn.sin_().mul_(inside)
    return 0.02 * pleat, (pleat - 0.75).clamp_(min=0).mul_(-0.7), None


def _rim(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> Parts:
    """The sewn line along the edge."""
    return None, ((distance / col(p["scale"][:, 0]) + col(p["rim"])).abs_() < 0.012) * -0.10, None


def _clip(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> Parts:
    """A strip of metal over the nose."""
    top = col(p["sag"]) * a.square() - col(p["peak"]) * torch.exp(-(a / 0.22).square()) + 0.06
    return None, None, ((a.abs() < 0.27) & ((d - top).abs() < 0.022)) * col(p["clip"])


def _valve(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> Parts:
    """A round outlet."""
    away = ((a - col(p["valve_x"])).square() + (1.2 * (d - col(p["valve_y"]))).square()).sqrt()
    on = ((0.17 - away) / 0.02).clamp(0, 1) * col(p["valve"])
    return on * (0.12 + 0.02 * torch.cos(away * 110)), None, on * 0.6


def _loops(p: Params) -> list[tuple[Tensor, Tensor]]:
    """Where each of four straps begins on the mask and ends at an ear, (N, 2) pixels each."""
    out = []
    for side, ear, sign in (("left", 0, -1), ("right", 1, 1)):
        high = torch.stack([sign * 0.98 * p[side], p["sag"] + 0.03], -1)
        low = torch.stack([sign * 0.86 * p[side], p["corner"] - 0.04], -1)
        for end, drop in ((high, 0.0), (low, 0.25)):
            start = fitting.project(p["matrix"], end[:, None])[:, 0]
            above = torch.stack([sign * 0.3 * p["scale"][:, 0], (1.6 * drop - 0.32) * p["scale"][:, 0]], -1)
            out.append((start, p["ears"][:, ear] + p["over"][:, None] * above))
    return out


def _straps(p: Params, size: tuple[int, int]) -> Tensor:
    """About the distance in pixels to loops from the corners to the ears, or to bands around the head."""
    y = torch.arange(size[0], dtype=torch.float32).view(1, -1, 1)
    x = torch.arange(size[1], dtype=torch.float32).view(1, 1, -1)
    ends = [[point[..., None, None].unbind(1) for point in pair] for pair in _loops(p)]
    near = torch.stack([segment(x, y, start, end)[0] for start, end in ends]).amin(0)
    out = near.add_(1e-8).sqrt_().sub_(col(p["strap"] * p["scale"][:, 0]))  # once for all four: they are equally thick
    return out.add_((1 - col(p["straps"])) * 1e3)


def reach(p: Params) -> tuple[Tensor, Tensor]:
    """The box around each facemask and its straps.

    Args:
        p: of :func:`facelab.occlude.facemask_kinds.sample`, N facemasks.

    Returns:
        Two (N, 2): lowest and highest x and y, pixels; perhaps outside the picture.
    """
    one = torch.ones_like(p["sag"])
    edge = torch.stack([
        torch.stack([a, d], -1)
        for a, d in ((-1.1 * p["left"], 0.3 * one), (1.1 * p["right"], 0.3 * one), (-1.1 * p["left"], p["corner"]),
                     (1.1 * p["right"], p["corner"]), (0 * one, -0.05 - p["peak"]), (-0.4 * p["left"], -0.02 * one),
                     (0.4 * p["right"], -0.02 * one), (0 * one, 1.02 * one), (-0.4 * p["left"], 1.0 * one),
                     (0.4 * p["right"], 1.0 * one))
    ], 1)  # fmt: skip
    points = torch.cat([fitting.project(p["matrix"], edge), *(goal[:, None] for _, goal in _loops(p))], 1)
    return points.amin(1), points.amax(1)
