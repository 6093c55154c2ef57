"""Types of facemasks and their parameters: cut, cloth, what is sewn on, and where each sits on its face.

Taught in: lesson 06.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.occlude import fitting
from facelab.occlude.chance import Draws, Params
from facelab.occlude.colour import SCHEMES, SHADES
from facelab.occlude.face import measures
from facelab.occlude.surface import sample_surface
from facelab.occlude.texture import FAMILY_NAMES


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
TYPES = tuple(CUTS)
FITS = ("pose", "upright")
PRINTS = (
    "flat", "stripes", "checks", "dots", "plaid", "knit", "weave", "noise", "speckle", "terrace", "voronoi", "marble",
    "text",
)  # fmt: skip

# families of print, colour schemes, how often a second family is mixed in
MATERIALS = {
    "surgical": (("flat",), ("light", "light", "light", "muted", "vivid", "dark", "any"), 0.0),
    "n95": (("flat",), ("light", "light", "light", "grey"), 0.0),
    "kn95": (("flat",), ("light", "light", "dark", "grey", "muted"), 0.0),
    "cloth": (("flat", *PRINTS), ("any", "dark", "muted", "vivid", "earth", "grey", "light"), 0.3),
    "cup": (("flat", "weave"), ("light", "light", "grey", "muted"), 0.0),
}

# has folds; how often a ridge, a valve, a clip is sewn on; width of its straps; whether they go over the head
SEWN = {
    "surgical": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "n95": (0.0, 0.0, 0.4, 0.8, 1.0, 1.0),
    "kn95": (0.0, 1.0, 0.1, 0.3, 1.0, 0.0),
    "cloth": (0.0, 0.35, 0.0, 0.0, 1.4, 0.0),
    "cup": (0.0, 0.0, 0.0, 0.8, 1.0, 1.0),
}


@dataclass(frozen=True)
class Look:
    """What is decided about facemasks and not drawn; the default leaves everything to chance.

    Args:
        colour: red, green and blue in [0, 1].
        print: one of :data:`PRINTS`.
        offset: how far it slips, in heights of the mask; positive = down.
        tilt: degrees it is turned about its middle; positive = clockwise.
        fit: ``"pose"`` ties six points of the mask to the face by a homography; ``"upright"`` only moves it there and
            scales it, whichever way the face is turned.

    Raises:
        BadConfig: an impossible value.
    """

    colour: tuple[float, float, float] | None = None
    print: str | None = None
    offset: float = 0.0
    tilt: float = 0.0
    fit: str = "pose"

    def __post_init__(self):
        if self.colour is not None and not (len(self.colour) == 3 and all(0 <= value <= 1 for value in self.colour)):
            raise BadConfig("colour", self.colour, "red, green and blue from 0 to 1")
        if self.print is not None and self.print not in PRINTS:
            raise BadConfig("print", self.print, "one of " + ", ".join(PRINTS))
        if self.fit not in FITS:
            raise BadConfig("fit", self.fit, "one of " + ", ".join(FITS))
        for name, most in (("offset", 1.0), ("tilt", 45.0)):
            if not abs(getattr(self, name)) <= most:
                raise BadConfig(name, getattr(self, name), f"a number from {-most:g} to {most:g}")


CHANCE = Look()


def sample(points: Tensor, generator: torch.Generator, kinds: Sequence[str], look: Look = CHANCE) -> Params:
    """Draw the parameters of a batch.

    Args:
        points: (N, 68, 2) landmarks, pixels, without gaps.
        generator: the only source of randomness.
        kinds: type of each facemask, N names.
        look: what is decided and not drawn.

    Returns:
        Dict of (N, …) tensors: the material (see :func:`facelab.occlude.surface.sample_surface`); ``peak sag corner
        point bulge`` of its cut; ``left right`` half widths as seen; ``matrix`` (N, 3, 3) mask to picture; ``scale``
        (N, 2) pixels of a unit across and down; ``ears`` (N, 2, 2) pixels; and what is sewn on.
    """
    draws = Draws(generator, len(points))
    u, out = draws.uniform, _as_decided(_material(draws, kinds), look)
    peak, sag, corner, point, bulge = torch.tensor([astuple(CUTS[kind]) for kind in kinds]).unbind(1)
    folds, ridge, valve, clip, thick, over = torch.tensor([SEWN[kind] for kind in kinds]).unbind(1)
    out |= {"noise": out["noise"] * 0.4, "gloss": out["gloss"] * 0.3, "shadow": u(0.12, 0.4), "shadow_y": u(0.0, 0.05)}
    out |= {"peak": peak + u(-0.03, 0.04), "sag": sag + u(-0.05, 0.06), "corner": corner + u(-0.06, 0.06),
            "point": point * u(0.9, 1.15), "bulge": bulge * u(0.8, 1.2)}  # fmt: skip
    out |= _placed(points, out, draws, look)
    sometimes = lambda often: draws.chance(often).float()  # noqa: E731
    return out | {
        "folds": folds * u(2.5, 4.2), "ridge": sometimes(ridge), "valve": sometimes(valve), "clip": sometimes(clip),
        "valve_x": u(-0.35, 0.35), "valve_y": u(0.5, 0.68), "rim": sometimes(0.8) * u(0.02, 0.06),
        "strap": u(0.012, 0.03) * thick, "straps": sometimes(0.9), "over": over,
    }  # fmt: skip


def _material(draws: Draws, kinds: Sequence[str]) -> Params:
    """Surfaces from the families and schemes of each type."""
    chance = torch.rand(draws.count, 2, generator=draws.generator).tolist()
    pick = lambda names, share: names[int(share * len(names))]  # noqa: E731
    families = [FAMILY_NAMES.index(pick(MATERIALS[k][0], one)) for k, (one, _) in zip(kinds, chance, strict=True)]
    schemes = [SCHEMES.index(pick(MATERIALS[k][1], two)) for k, (_, two) in zip(kinds, chance, strict=True)]
    mixed = torch.tensor([MATERIALS[kind][2] for kind in kinds])
    out = sample_surface(draws, torch.tensor(families), torch.tensor(schemes), mixed)
    return out | {"match": out["match"].clamp(min=0.3)}


def _as_decided(surface: Params, look: Look) -> Params:
    """The surface with the colour and the print that were asked for."""
    out = dict(surface)
    if look.print is not None:
        out["family"] = torch.full_like(surface["family"], FAMILY_NAMES.index(look.print))
        out["mix"] = torch.zeros_like(surface["mix"])
    if look.colour is not None:
        shades = torch.linspace(0.55, 1.25, SHADES)[:, None] * torch.tensor(look.colour)
        out["palette"] = (shades + 0.02).clamp(0, 1).expand_as(surface["palette"]).clone()
        out["match"], out["uneven"] = torch.zeros_like(surface["match"]), surface["uneven"] * 0.5
    return out


def _placed(points: Tensor, cut: Params, draws: Draws, look: Look) -> Params:
    """The homography from the flat mask to each face, with a little slack in how it is worn."""
    on_face, turned, face = fitting.anchors(points), fitting.pose(points), measures(points)
    if look.fit == "upright":
        on_face, turned = fitting.upright(on_face), torch.zeros_like(turned)
    far = 1 - 0.42 * (turned != 0).float()
    left, right = torch.where(turned < 0, far, 1.0), torch.where(turned > 0, far, 1.0)
    low, high = cut["corner"], cut["sag"]
    zero, one = torch.zeros_like(low), torch.ones_like(low)
    across = torch.stack([-left, zero, right, -0.86 * left, zero, 0.86 * right], 1)
    down = torch.stack([high, zero, high, low, one, low], 1)
    width = face["width"][:, None, None]
    slack = draws.normal(1, 2) * 0.012 + draws.normal(6, 2) * 0.008
    goal = fitting.slipped(on_face + slack * width, look.offset, look.tilt)
    matrix = fitting.homography(torch.stack([across, down], -1), goal)
    unit = torch.stack([(on_face[:, 2] - on_face[:, 0]).norm(dim=1) / (left + right),
                        (on_face[:, 4] - on_face[:, 1]).norm(dim=1)], 1)  # fmt: skip
    away = (points[:, 16] - points[:, 0]) * 0.03
    ears = torch.stack([points[:, 0] - away, points[:, 16] + away], 1)
    return {"matrix": matrix, "left": left, "right": right, "scale": unit, "ears": ears}
