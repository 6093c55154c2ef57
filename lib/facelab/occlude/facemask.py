"""Facemasks worn on faces: fitted to landmarks by a homography, drawn from parameters, with the hole they make.

Everything is computed at the coordinates a pixel has on the flat mask: ``across`` from -1 (the wearer's ear at the
picture's left) to 1, ``down`` from 0 (bridge of the nose) to 1 (chin). No picture of a mask is stored anywhere.
Taught in: lesson 06.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude import fitting
from facelab.occlude.chance import Draws, Params
from facelab.occlude.face import fill, measures
from facelab.occlude.facelight import in_light_of
from facelab.occlude.geometry import Shape, capsule, col, cover
from facelab.occlude.surface import render, sample_surface

PROFILE = 40.0  # degrees: beyond it six points of a flat mask cannot be trusted
TYPES = ("surgical", "n95", "kn95", "cloth", "cup")


@dataclass(frozen=True)
class Cut:
    """How a type of facemask is cut, in units of the flat mask.

    Args:
        peak: how far the upper edge rises at the nose.
        sag: how far it falls towards the ears.
        corner: height of the lower corners, 0..1.
        point: how pointed the chin is; 2 is round, 1 a wedge.
        bulge: how far the cloth stands out, in half widths.
    """

    peak: float
    sag: float
    corner: float
    point: float
    bulge: float


CUTS = {
    "surgical": Cut(0.05, 0.16, 0.72, 2.6, 0.35),
    "n95": Cut(0.10, 0.26, 0.62, 2.0, 0.75),
    "kn95": Cut(0.14, 0.24, 0.58, 1.5, 0.60),
    "cloth": Cut(0.10, 0.22, 0.66, 1.9, 0.40),
    "cup": Cut(0.04, 0.30, 0.60, 2.2, 0.90),
}
"""Cuts by type; each mask draws its own near them."""


@dataclass(frozen=True)
class Worn:
    """Faces wearing facemasks.

    Args:
        image: (N, C, H, W) in [-1, 1].
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.
        types: of each facemask.
        doubts: why a fit is not to be trusted, ``""`` where it is: ``"no landmarks"`` (an average face was assumed) or
            ``"profile"``.
    """

    image: Tensor
    hole: Tensor
    types: tuple[str, ...]
    doubts: tuple[str, ...]


# families of print, colour schemes, how often a second family is mixed in
MATERIALS = {
    "surgical": (("flat",), ("light", "light", "light", "muted", "vivid", "dark", "any"), 0.0),
    "n95": (("flat",), ("light", "light", "light", "grey"), 0.0),
    "kn95": (("flat",), ("light", "light", "dark", "grey", "muted"), 0.0),
    "cloth": (("flat", "flat", "stripes", "checks", "dots", "plaid", "knit", "weave", "noise", "speckle"),
              ("any", "dark", "muted", "vivid", "earth", "grey"), 0.15),
    "cup": (("flat", "weave"), ("light", "light", "grey", "muted"), 0.0),
}  # fmt: skip


def sample(points: Tensor, generator: torch.Generator, kind: str) -> Params:
    """Draw the parameters of one type for faces (N, 68, 2).

    Returns:
        Dict of (N, …) tensors: the material (see :func:`facelab.occlude.surface.sample_surface`); ``peak sag corner
        point bulge`` of its cut; ``left right`` half widths as seen; ``matrix`` (N, 3, 3) mask to picture; ``scale``
        (N, 2) pixels of a unit across and down; ``ears`` (N, 2, 2) pixels; and what is sewn on.
    """
    draws, cut = Draws(generator, len(points)), CUTS[kind]
    families, schemes, mixed = MATERIALS[kind]
    u = draws.uniform
    out = sample_surface(draws, families, schemes, mixed)
    out |= {"noise": out["noise"] * 0.4, "gloss": out["gloss"] * 0.3, "shadow": u(0.12, 0.4), "shadow_y": u(0.0, 0.03)}
    out |= {"peak": cut.peak + u(-0.03, 0.04), "sag": cut.sag + u(-0.05, 0.06), "corner": cut.corner + u(-0.06, 0.06),
            "point": cut.point * u(0.9, 1.15), "bulge": cut.bulge * u(0.8, 1.2)}  # fmt: skip
    out |= _placed(points, out, draws)
    never = torch.zeros(draws.count)
    return out | {
        "folds": u(2.5, 4.2) if kind == "surgical" else never,
        "ridge": draws.chance(1.0 if kind == "kn95" else 0.35 if kind == "cloth" else 0.0).float(),
        "valve": draws.chance(0.4 if kind == "n95" else 0.1 if kind == "kn95" else 0.0).float(),
        "valve_x": u(-0.35, 0.35), "valve_y": u(0.5, 0.68),
        "clip": draws.chance(0.8 if kind in ("n95", "cup") else 0.3 if kind == "kn95" else 0.0).float(),
        "rim": draws.chance(0.8).float() * u(0.02, 0.06), "strap": u(0.012, 0.03) * (1 if kind != "cloth" else 1.4),
        "straps": draws.chance(0.9).float(), "over": torch.full((draws.count,), float(kind in ("n95", "cup"))),
    }  # fmt: skip


def _placed(points: Tensor, cut: Params, draws: Draws) -> Params:
    """The homography from the flat mask to each face, with a little slack in how it is worn."""
    on_face, turned, face = fitting.anchors(points), fitting.pose(points), measures(points)
    far = 1 - 0.42 * (turned != 0).float()
    left, right = torch.where(turned < 0, far, 1.0), torch.where(turned > 0, far, 1.0)
    low, high = cut["corner"], cut["sag"]
    zero, one = torch.zeros_like(low), torch.ones_like(low)
    across = torch.stack([-left, zero, right, -0.86 * left, zero, 0.86 * right], 1)
    down = torch.stack([high, zero, high, low, one, low], 1)
    width = face["width"][:, None, None]
    slack = draws.normal(1, 2) * 0.012 + draws.normal(6, 2) * 0.008
    matrix = fitting.homography(torch.stack([across, down], -1), on_face + slack * width)
    unit = torch.stack([(on_face[:, 2] - on_face[:, 0]).norm(dim=1) / (left + right),
                        (on_face[:, 4] - on_face[:, 1]).norm(dim=1)], 1)  # fmt: skip
    away = (points[:, 16] - points[:, 0]) * 0.03
    ears = torch.stack([points[:, 0] - away, points[:, 16] + away], 1)
    return {"matrix": matrix, "left": left, "right": right, "scale": unit, "ears": ears, "turned": turned}


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


def _straps(a: Tensor, p: Params, size: tuple[int, int]) -> Tensor:
    """About the distance in pixels to loops from the corners to the ears, or to bands around the head."""
    y = torch.arange(size[0], dtype=torch.float32).view(1, -1, 1)
    x = torch.arange(size[1], dtype=torch.float32).view(1, 1, -1)
    thin = col(p["strap"] * p["scale"][:, 0])
    out = torch.full_like(a, 1e3)
    for side, ear, sign in (("left", 0, -1), ("right", 1, 1)):
        high = torch.stack([sign * 0.98 * p[side], p["sag"] + 0.03], -1)
        low = torch.stack([sign * 0.86 * p[side], p["corner"] - 0.04], -1)
        for end, drop in ((high, 0.0), (low, 0.25)):
            start = fitting.project(p["matrix"], end[:, None])[:, 0]
            above = torch.stack([sign * 0.3 * p["scale"][:, 0], (1.6 * drop - 0.32) * p["scale"][:, 0]], -1)
            goal = p["ears"][:, ear] + p["over"][:, None] * above
            ends = [(point[:, 0, None, None], point[:, 1, None, None]) for point in (start, goal)]
            out = torch.minimum(out, capsule(x, y, *ends, thin))
    return torch.where(col(p["straps"]) > 0, out, torch.full_like(out, 1e3))


def wear(images: Tensor, landmarks: Tensor | None, generator: torch.Generator, types: Sequence[str] = TYPES) -> Worn:
    """Put a facemask on each face.

    Args:
        images: (N, C, H, W) in [-1, 1], C 1 or 3, on the CPU; not changed.
        landmarks: (N, 68, 2) pixels (x, y); None, or rows with a NaN, stand for a canonical frontal face.
        generator: the only source of randomness; the same state gives the same bits.
        types: names from :data:`TYPES` to choose from.

    Raises:
        BadConfig: an unknown type.

    Source: MaskTheFace (Anwar & Raychowdhury 2020) for the six points and three pose ranges; masks are drawn here.
    Taught in: lesson 06.
    """
    types = (types,) if isinstance(types, str) else tuple(types)
    if unknown := [name for name in types if name not in TYPES] or ([] if types else ["nothing"]):
        raise BadConfig("types", ", ".join(unknown), "names from " + ", ".join(TYPES))
    points = fill(landmarks, len(images), tuple(images.shape[-2:]))
    chosen = [types[k] for k in torch.randint(len(types), (len(images),), generator=generator).tolist()]
    image, hole = images.clone(), images.new_zeros(len(images), 1, *images.shape[-2:])
    for kind in sorted(set(chosen)):
        rows = torch.tensor([k for k, name in enumerate(chosen) if name == kind])
        params = in_light_of(images[rows], points[rows], sample(points[rows], generator, kind))
        image[rows], hole[rows] = render(images[rows], shape(params, tuple(images.shape[-2:])), params)
    return Worn(image, hole, tuple(chosen), tuple(_doubts(landmarks, points)))


def _doubts(landmarks: Tensor | None, points: Tensor) -> list[str]:
    known = torch.zeros(len(points), dtype=torch.bool) if landmarks is None else landmarks.isfinite().flatten(1).all(1)
    aside = fitting.yaw(points).abs() > PROFILE
    return ["no landmarks" if not here else "profile" if far else "" for here, far in zip(known, aside, strict=True)]
