"""How light comes back from a surface, in four bands, and what a camera makes of it.

Taught in: lesson 07.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from facelab.synth.view import DISTANCE, Light, towards

# Inside skin light goes a little around the edge, most in red and beyond.
_WRAP = np.array([0.30, 0.17, 0.13, 0.38], np.float32)
EXPOSURE = 1.42  # linear light that comes back from a face in canonical light fills the curve


def lamp(light: Light) -> np.ndarray:
    """Colour (4,) of a light, 1 = white."""
    return 1 + light.warmth * np.array([0.12, 0.0, -0.16, 0.0], np.float32)


def reach(light: Light, depth: np.ndarray | float) -> np.ndarray | float:
    """How much of a lamp's light arrives, 1 at the distance of the head's middle.

    Args:
        light: one that is near stands on the line from the head to the camera.
        depth: (...) mm from the camera's plane.

    Returns:
        (...), or 1.0 for a lamp that is far away.

    Source: light falls off with the square of the distance; along the camera's axis, as depth counts.
    Taught in: lesson 08.
    """
    return 1.0 if light.near == 0 else (light.near / (light.near + depth - DISTANCE)) ** 2


def shade(
    albedo: np.ndarray, normals: np.ndarray, gloss: np.ndarray, open_: np.ndarray, strand: np.ndarray,
    eye: np.ndarray, light: Light, arrives: np.ndarray | float = 1.0,
) -> np.ndarray:  # fmt: skip
    """Light that reaches the camera.

    Args:
        albedo: (P, 4). normals: (P, 3) unit, in the head's axes.
        gloss, open_, strand: (P,); ``open_`` is the share of ambient light, see :class:`facelab.synth.part.Part`.
        eye: (3,) unit, from the head to the camera.
        light: where it comes from.
        arrives: (P,) share of the lamp's strength, see :func:`reach`.

    Returns:
        (P, 4) linear, before :data:`EXPOSURE`.

    Source: Lambert's law; Blinn 1977 for highlights; Kajiya and Kay 1989 for hair.
    """
    to, eye = towards(light).astype(np.float32), eye.astype(np.float32)
    facing, rise, albedo = normals @ to, normals[:, 1], albedo.T  # channel by channel: numpy is slow on short axes
    wrapped = np.maximum((facing + _WRAP[:, None]) / (1 + _WRAP[:, None]), 0) ** 1.25
    sky = open_ * (0.80 + 0.20 * rise)
    direct = (0.55 + 0.45 * open_).astype(np.float64)  # a hollow loses some of the lamp, too
    strength = light.strength * arrives
    diffuse = light.ambient * sky + strength * wrapped * direct
    half = (to + eye) / np.linalg.norm(to + eye)
    near = normals @ half
    spot, across = _spot(near, facing, gloss, strand), _across(near, facing, rise, half[1], strand)
    shine = gloss * (spot * (1 - strand) + 0.35 * across * strand) * (strength + 0.25 * light.ambient)
    rim = 0.05 * gloss * (1 - np.clip(normals @ eye, 0, 1)) ** 4
    tint = np.where(strand > 0.5, 0.25 + 0.75 * albedo, 1.0)  # hair colours its highlights
    return ((albedo * diffuse + (0.55 * shine + rim) * tint) * lamp(light)[:, None]).T


def _spot(near: np.ndarray, facing: np.ndarray, gloss: np.ndarray, strand: np.ndarray) -> np.ndarray:
    """Highlights (P,) of smooth surfaces; 0 on hair, and where the lamp does not reach: powers take their time."""
    some = np.flatnonzero((facing > -0.1) & (strand != 1))  # rounding makes 1.0000001 of some hair; bits stay
    glossy, out = gloss[some] > 0.45, np.zeros_like(near)
    power = np.clip(near[some], 0, 1) ** np.where(glossy, 110, 14).astype(near.dtype)
    out[some] = np.where(glossy, power * 3.0, power)
    return out


def _across(near: np.ndarray, facing: np.ndarray, rise: np.ndarray, half: float, strand: np.ndarray) -> np.ndarray:
    """Highlights (P,) of hair, which run across it; 0 where there is none."""
    some = np.flatnonzero(strand)
    rise, out = rise[some], np.zeros_like(near)  # the strand runs up, along the surface
    along = (half - rise * near[some]) / np.sqrt(np.clip(1 - rise**2, 1e-6, 1))
    out[some] = np.clip(1 - along**2, 0, 1) ** 22 * np.clip(facing[some] + 0.2, 0, 1)
    return out


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB's curve, 0..1, highlights rolled off; any shape.

    Source: IEC 61966-2-1 for the curve.
    """
    x = np.asarray(linear * EXPOSURE)
    high = x > 0.7
    x[high] = 0.7 + 0.3 * np.tanh((x[high] - 0.7) / 0.3)
    x = x.clip(0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)


def backdrop(size: int, seed: int) -> np.ndarray:
    """What is behind.

    Args:
        size: side, pixels. seed: 0 is plain grey, others soft blots and a gradient.

    Returns:
        (size, size, 4) linear, as shaded surfaces are.
    """
    if seed == 0:
        return np.broadcast_to(np.array([0.26, 0.27, 0.29, 0.2]), (size, size, 4)).copy()
    random = np.random.default_rng([11, seed])
    blur = random.uniform(0.8, 5, 2)
    tone, tint = (gaussian_filter(random.standard_normal((24, 24, n)), (*blur, 0)) for n in (1, 3))
    blots = tone / (tone.std() + 1e-6) + 0.25 * tint / (tint.std() + 1e-6)
    small = blots * random.uniform(0.01, 0.11) + (0.2 * random.random(3) + 0.8 * random.random()) ** 1.7 * 0.7 + 0.02
    at = np.linspace(0, 22.99, size)
    low, share = at.astype(int), at % 1
    small = np.ascontiguousarray(small.transpose(2, 0, 1))
    rows = small[:, low] * (1 - share[:, None]) + small[:, low + 1] * share[:, None]
    wide = rows.take(low, 2) * (1 - share) + rows.take(low + 1, 2) * share
    wide *= np.linspace(*random.uniform(0.7, 1.3, 2), size)[:, None]
    infrared = (wide[0] + wide[1] + wide[2]) / 3 * 0.7
    return np.concatenate([wide, infrared[None]]).clip(0.004, 0.95).transpose(1, 2, 0)


def sensor(picture: np.ndarray, seed: int) -> np.ndarray:
    """A camera's own contribution to a picture: exposure, softness, noise.

    Args:
        picture: (S, S, C) encoded, 0..1. seed: of the camera; 0 has no contribution.

    Returns:
        (S, S, C) encoded, 0..1.
    """
    if seed == 0:
        return picture
    random = np.random.default_rng([13, seed])
    bands = picture.transpose(2, 0, 1) * random.uniform(0.86, 1.1)
    bands = gaussian_filter(bands, (0, *[random.uniform(0, 0.55)] * 2))
    grain = random.standard_normal(picture.shape) * random.uniform(0.002, 0.018)
    return (bands + grain.transpose(2, 0, 1)).clip(0, 1).transpose(1, 2, 0)
