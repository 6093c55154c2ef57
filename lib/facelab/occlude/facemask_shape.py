"""The outline, relief, seams and straps of facemasks as maps, from their parameters.

Everything is computed at the coordinates a pixel has on the flat mask: ``across`` from -1 (the wearer's ear at the
picture's left) to 1, ``down`` from 0 (bridge of the nose) to 1 (chin). No picture of a mask is stored anywhere.
Taught in: lesson 06.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.occlude import fitting
from facelab.occlude.chance import Params
from facelab.occlude.geometry import Shape, capsule, col, cover


def shape(params: Params, size: tuple[int, int]) -> Shape:
    """Outline, relief, seams and straps of facemasks, as maps (N, H, W)."""
    a, d = fitting.grid(params["matrix"], size)
    wide, tall = col(params["scale"][:, 0]), col(params["scale"][:, 1])
    distance = _outline(a, d, params) * torch.minimum(wide, tall)
    body = cover(distance, params["softness"])
    height, glow = _relief(a, d, distance, params)
    loops = _straps(a, params, size)
    alpha = torch.maximum(body, cover(loops, params["softness"]))
    glow = torch.where(distance < 0.5, glow, torch.zeros_like(glow))
    valve, on = _valve(a, d, params)
    second = torch.maximum(_clip(a, d, params), on * 0.6)
    return Shape(alpha, height * wide + valve * wide, a * 0.5, d * 0.6, second * (distance < 0), glow)


def _outline(a: Tensor, d: Tensor, p: Params) -> Tensor:
    """About the signed distance to the mask's edge, in units of the flat mask."""
    side = torch.where(a < 0, -a / col(p["left"]), a / col(p["right"])).clamp(max=3)
    top = col(p["sag"]) * side.square() - col(p["peak"]) * torch.exp(-(side / 0.22).square())
    bottom = 1 - (1 - col(p["corner"])) * side.clamp(min=1e-4).pow(col(p["point"]))
    edge = torch.maximum(top - d, d - bottom)
    return torch.maximum(edge, 0.8 * (side - 1 - 0.06 * (d - 0.45)))


def _relief(a: Tensor, d: Tensor, distance: Tensor, p: Params) -> tuple[Tensor, Tensor]:
    """Height in half widths, and light: the bulge over nose and chin, folds, a ridge, the sewn rim."""
    wide = col(p["scale"][:, 0])
    bulge = col(p["bulge"]) * (1 - a.square().clamp(max=1)) * (1 - (1.6 * (d - 0.45)).square()).clamp(min=0)
    ridge = -col(p["ridge"]) * 0.55 * (a.square() + 4e-4).sqrt()
    turn = 6.283 * col(p["folds"]) * (d - 0.06 * a.square() - 0.2)
    inside = ((d - 0.24).clamp(0, 0.08) * (0.86 - d).clamp(0, 0.08) / 0.0064) * (col(p["folds"]) > 0)
    pleat = torch.sin(turn) * inside
    rim = ((distance / wide + col(p["rim"])).abs() < 0.012).float() * (col(p["rim"]) > 0)
    crease = (pleat - 0.75).clamp(min=0) * 0.7
    seam = col(p["ridge"]) * (a.abs() < 0.012).float() * 0.08
    return bulge + ridge + 0.02 * pleat, -0.10 * rim - crease - seam


def _valve(a: Tensor, d: Tensor, p: Params) -> tuple[Tensor, Tensor]:
    """A round outlet: its height in half widths, and where it is."""
    away = ((a - col(p["valve_x"])).square() + (1.2 * (d - col(p["valve_y"]))).square()).sqrt()
    on = ((0.17 - away) / 0.02).clamp(0, 1) * col(p["valve"])
    return on * (0.12 + 0.02 * torch.cos(away * 110)), on


def _clip(a: Tensor, d: Tensor, p: Params) -> Tensor:
    """A strip of metal over the nose."""
    top = col(p["sag"]) * a.square() - col(p["peak"]) * torch.exp(-(a / 0.22).square()) + 0.06
    return ((a.abs() < 0.27) & ((d - top).abs() < 0.022)).float() * col(p["clip"])


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


def _straps(a: Tensor, p: Params, size: tuple[int, int]) -> Tensor:
    """About the distance in pixels to loops from the corners to the ears, or to bands around the head."""
    y = torch.arange(size[0], dtype=torch.float32).view(1, -1, 1)
    x = torch.arange(size[1], dtype=torch.float32).view(1, 1, -1)
    thin = col(p["strap"] * p["scale"][:, 0])
    out = torch.full_like(a, 1e3)
    for pair in _loops(p):
        ends = [(point[:, 0, None, None], point[:, 1, None, None]) for point in pair]
        out = torch.minimum(out, capsule(x, y, *ends, thin))
    return torch.where(col(p["straps"]) > 0, out, torch.full_like(out, 1e3))


def reach(p: Params) -> tuple[Tensor, Tensor]:
    """The box around each facemask and its straps: (N, 2) lowest and highest x and y, pixels."""
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
