"""What an occluder is made of and how it sits in the photograph: texture, light, shadow, blur, noise."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.images import to_channels
from facelab.occlude.chance import Draws, Params, Window, grain
from facelab.occlude.colour import SCHEMES, palettes
from facelab.occlude.geometry import Shape, col
from facelab.occlude.texture import FAMILY_NAMES, paint

ANY = tuple(FAMILY_NAMES)
CLOTH = ("flat", "stripes", "checks", "dots", "plaid", "knit", "weave", "noise", "terrace", "speckle")
PLAIN = ("flat", "flat", "gradient", "noise")


def sample_surface(
    draws: Draws,
    families: tuple[str, ...] | Tensor = ANY,
    schemes: tuple[str, ...] | Tensor = SCHEMES,
    mixed: float | Tensor = 0.35,
) -> Params:
    """Draw a material and the light on it.

    Args:
        draws: how many, from which generator.
        families: texture families that may be drawn, see ``texture.FAMILIES``; or the number of each sample's, (N,).
        schemes: colour schemes that may be drawn, see ``colour.SCHEMES``; or the number of each sample's, (N,).
        mixed: how often a second family is mixed in.

    Returns:
        Dict of (N,) tensors: ``seed family family2 mix zoom warp rough turn uneven``, ``palette`` (N, 5, 3),
        ``colour2`` (N, 3); ``ambient light_angle light_tilt relief gloss shine``; ``softness blur`` (pixels,
        0..1), ``shadow shadow_x shadow_y`` (strength, fractions of the frame), ``match`` 0..1, ``noise jpeg``.
    """
    u = draws.uniform
    family = lambda: draws.pick([FAMILY_NAMES.index(name) for name in families])  # noqa: E731
    return _sample_light(draws) | {
        "seed": draws.seeds(),
        "family": families if isinstance(families, Tensor) else family(),
        "family2": draws.pick(range(len(FAMILY_NAMES))),
        "mix": draws.chance(mixed) * u(0.2, 0.8), "zoom": torch.exp(u(-0.7, 0.9)),
        "warp": draws.pick([0.0, 0.03, 0.12, 0.4]), "rough": u(0.25, 0.85),
        "turn": draws.chance(0.5) * u(0.0, 180.0), "uneven": u(0.05, 0.6),
        "palette": palettes(draws, schemes), "colour2": palettes(draws)[:, 0],
    }  # fmt: skip


def _sample_light(draws: Draws) -> Params:
    """Light, sharpness and everything else the photograph does to a surface."""
    u = draws.uniform
    return {
        "ambient": u(0.35, 0.9), "light_angle": u(0.0, 360.0), "light_tilt": u(0.3, 1.1),
        "relief": u(0.3, 1.0), "gloss": draws.chance(0.5) * u(0.0, 0.5), "shine": u(6.0, 40.0),
        "softness": u(0.8, 1.6), "blur": draws.chance(0.6) * u(0.0, 1.0),
        "shadow": draws.chance(0.7) * u(0.05, 0.4), "shadow_x": u(-0.03, 0.03), "shadow_y": u(-0.01, 0.04),
        "match": draws.chance(0.6) * u(0.1, 0.7), "noise": draws.chance(0.6) * u(0.0, 0.05),
        "jpeg": draws.chance(0.3) * u(0.05, 0.3),
    }  # fmt: skip


SURFACE = tuple(sample_surface(Draws(torch.Generator().manual_seed(0), 1)))


def plain(surface: Params, **fixed: float) -> Params:
    """The same surface with some fields set to one value for all samples."""
    return surface | {name: torch.full_like(surface[name], value) for name, value in fixed.items()}


def _with(amount: Tensor) -> Tensor:
    """Which samples have any of it: what few of them have is worked out for those alone."""
    return (amount > 0).nonzero()[:, 0]


def _smooth(maps: Tensor) -> Tensor:
    """A 3×3 binomial blur, edges repeated."""
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + padded[:, :, 2:]).mul_(0.25).add_(padded[:, :, 1:-1], alpha=0.5)
    return (rows[..., :-2] + rows[..., 2:]).mul_(0.25).add_(rows[..., 1:-1], alpha=0.5)


def hole_of(coverage: Tensor) -> Tensor:
    """The hole that an occluder leaves: ``min(1, 2 × coverage)``, so a pixel that is half covered or more is all hole.

    Args:
        coverage: (N, 1, H, W) in [0, 1], 1 = covered.

    Were the hole the coverage itself, a pixel covered by a share a would keep a · (1 − a) of the occluder even after a
    perfect fill: every soft outline would stay behind as a thin line, most of all at one half.
    """
    return (2 * coverage).clamp(max=1)


def coverage_of(shape: Shape, surface: Params) -> Tensor:
    """How much of each pixel the occluder covers (N, 1, H, W), after the photograph's blur."""
    alpha, amount = shape.alpha[:, None], surface["blur"].view(-1, 1, 1, 1)
    if not bool((amount > 0).any()):
        return alpha
    soft = torch.lerp(alpha, _smooth(alpha), amount)
    return torch.where(alpha == soft, alpha, soft).clamp(0, 1)


def _lit(colour: Tensor, height: Tensor, s: Params) -> Tensor:
    """Lambert shading and a Blinn highlight from the relief's slope; a flat facing surface keeps its colour."""
    dx = F.pad((height[:, :, 2:] - height[:, :, :-2]).div_(2), (1, 1)).mul_(col(s["relief"]))
    dy = F.pad((height[:, 2:] - height[:, :-2]).div_(2), (0, 0, 1, 1)).mul_(col(s["relief"]))
    turn, tilt = torch.deg2rad(col(s["light_angle"])), col(s["light_tilt"])
    lx, ly, lz = torch.cos(turn) * torch.sin(tilt), torch.sin(turn) * torch.sin(tilt), torch.cos(tilt)
    length = (1 + dx * dx).add_(dy * dy).rsqrt_()
    across, down = dx.mul_(lx), dy.mul_(ly)
    ambient = col(s["ambient"])
    lambert = (lz - across).sub_(down).mul_(length).clamp_(min=0).div_(lz)
    lit = colour * lambert.clamp_(max=1.6).mul_(1 - ambient).add_(ambient)[:, None]
    if len(rows := _with(s["gloss"])):
        shine = (1 + lz[rows] - across[rows]).sub_(down[rows]).mul_(length[rows]).mul_((2 + 2 * lz[rows]).rsqrt())
        shine = shine.clamp_(0, 1).pow_(col(s["shine"][rows])).mul_(col(s["gloss"][rows]))
        lit.index_add_(0, rows, shine[:, None].expand(-1, lit.shape[1], -1, -1))
    return lit


def _textured(shape: Shape, s: Params, side: int) -> Tensor:
    """Texture from a tile of ``side`` pixels, fetched at the shape's coordinates, or the picture it brought along."""
    tile = paint(s, side)
    zoom = col(s["zoom"])
    where = torch.stack([shape.u * (2 * zoom), shape.v * (2 * zoom)], -1)
    colour = F.grid_sample(tile, where, mode="bilinear", padding_mode="reflection", align_corners=False)
    if shape.picture is not None:
        colour = torch.lerp(colour, shape.picture, shape.has_picture[:, None])
    if len(rows := _with(shape.second.flatten(1).amax(1))):
        second = torch.lerp(colour[rows], s["colour2"][rows, :, None, None], shape.second[rows, None])
        colour = colour.index_copy_(0, rows, second)
    return colour


def _matched(colour: Tensor, cover: Tensor, photo: Tensor, s: Params) -> Tensor:
    """Bring the occluder's mean luminance towards the photograph's (N,), in place."""
    mine = (to_channels(colour, 1) * cover).sum((1, 2, 3)) / cover.sum((1, 2, 3)).clamp(min=1)
    gain = ((photo + 0.05) / (mine + 0.05)).clamp(0.4, 2.5).pow(s["match"])
    return colour.mul_(gain.view(-1, 1, 1, 1))


def _compressed(colour: Tensor, strength: Tensor) -> Tensor:
    """Round 8×8 cosine coefficients as JPEG does, in place; ``strength`` (N,) is the coarsest step."""
    rows = _with(strength)
    height, width = colour.shape[-2:]
    if not len(rows) or height % 8 or width % 8:
        return colour
    k = torch.arange(8, dtype=torch.float32)
    cosine = torch.cos(torch.pi * (2 * k + 1) * k[:, None] / 16) * 0.5
    cosine[0] /= 2**0.5
    steps = (0.15 + (k[:, None] + k) / 8) * strength[rows].view(-1, 1, 1, 1, 1, 1)
    blocks = colour[rows].unflatten(3, (width // 8, 8)).unflatten(2, (height // 8, 8)).transpose(3, 4)
    freq = cosine @ blocks @ cosine.T
    freq = (freq / steps).round() * steps
    back = (cosine.T @ freq @ cosine).transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return colour.index_copy_(0, rows, back.clamp_(0, 1))


def _shadow(cover: Tensor, s: Params, frame: tuple[int, int]) -> Tensor:
    """The occluder's outline, moved and blurred wide, times its strength; exactly 0 a few pixels away."""
    cell = 2 ** max(0, (min(frame) // 32).bit_length() - 1)
    tall, wide = (2 * whole / part for whole, part in zip(frame, cover.shape[-2:], strict=True))
    small = _smooth(F.avg_pool2d(cover, cell, ceil_mode=True))
    eye = torch.zeros(len(cover), 2, 3)
    eye[:, 0, 0] = eye[:, 1, 1] = 1
    eye[:, 0, 2], eye[:, 1, 2] = -wide * s["shadow_x"], -tall * s["shadow_y"]
    grid = F.affine_grid(eye, tuple(small.shape), align_corners=False)
    moved = F.grid_sample(small, grid, padding_mode="border", align_corners=False)
    full = F.interpolate(moved, size=cover.shape[-2:], mode="bilinear", align_corners=False)
    return full * s["shadow"].view(-1, 1, 1, 1)


def render(
    images: Tensor, shape: Shape, surface: Params, coverage: Tensor | None = None, window: Window | None = None
) -> tuple[Tensor, Tensor]:
    """Put shapes of given surfaces into images.

    Args:
        images: (N, C, H, W) in [-1, 1]; not changed.
        shape: N shapes.
        surface: see :func:`sample_surface`.
        coverage: the result of :func:`coverage_of` where it is at hand.
        window: which part of larger pictures ``images`` are; None: they are whole.

    Returns:
        (occluded (N, C, H, W), hole (N, 1, H, W)); the hole as :func:`hole_of` makes it.
    """
    cover = coverage_of(shape, surface) if coverage is None else coverage
    frame = tuple(cover.shape[-2:]) if window is None else window.frame
    side = max(min(frame) // (1 if window is None else 2), 32)
    colour = _lit(_textured(shape, surface, side), shape.height, surface).add_(shape.glow[:, None])
    if len(rows := _with(surface["blur"])):
        sharp = colour[rows]
        colour.index_copy_(0, rows, sharp.lerp_(_smooth(sharp), surface["blur"][rows].view(-1, 1, 1, 1)))
    photo = (to_channels(images, 1).mean((1, 2, 3)) + 1) / 2 if window is None else window.light
    colour = _matched(colour, cover, photo, surface)
    if len(rows := _with(surface["noise"])):
        part = None if window is None else window.rows(rows)
        speckles = grain(surface["seed"][rows] + 1, 3, tuple(cover.shape[-2:]), part)
        colour.index_add_(0, rows, speckles.mul_(surface["noise"][rows].view(-1, 1, 1, 1)))
    worn = _compressed(colour.clamp_(0, 1), surface["jpeg"]).mul_(2).sub_(1)
    bare = 1 - cover
    shaded = images - (images + 1).mul_(_shadow(cover, surface, frame)).mul_(bare)
    return shaded.mul_(bare).add_(to_channels(worn, images.shape[1]) * cover), hole_of(cover)
