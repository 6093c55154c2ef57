"""How light comes back from a surface, in four bands, and what a camera makes of it.

Taught in: lesson 07.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from facelab.synth.view import Light, towards

# Inside skin light goes a little around the edge, most in red and beyond.
_WRAP = np.array([0.30, 0.17, 0.13, 0.38], np.float32)
EXPOSURE = 1.42  # linear light that comes back from a face in canonical light fills the curve


def lamp(light: Light) -> np.ndarray:
    """Colour (4,) of a light, 1 = white."""
    return 1 + light.warmth * np.array([0.12, 0.0, -0.16, 0.0], np.float32)


def shade(
    albedo: np.ndarray, normals: np.ndarray, gloss: np.ndarray, open_: np.ndarray, strand: np.ndarray,
    eye: np.ndarray, light: Light,
) -> np.ndarray:  # fmt: skip
    """Light that reaches the camera.

    Args:
        albedo: (P, 4). normals: (P, 3) unit, in the head's axes.
        gloss, open_, strand: (P,); ``open_`` is the share of ambient light, see :class:`facelab.synth.part.Part`.
        eye: (3,) unit, from the head to the camera.
        light: where it comes from.

    Returns:
        (P, 4) linear, before :data:`EXPOSURE`.

    Source: Lambert's law; Blinn 1977 for highlights; Kajiya and Kay 1989 for hair.
    """
    to, eye = towards(light).astype(np.float32), eye.astype(np.float32)
    facing = normals @ to
    wrapped = np.clip((facing[:, None] + _WRAP) / (1 + _WRAP), 0, None) ** 1.25
    sky = open_ * (0.80 + 0.20 * normals[:, 1])
    direct = (0.55 + 0.45 * open_).astype(np.float64)  # a hollow loses some of the lamp, too
    diffuse = light.ambient * sky[:, None] + light.strength * wrapped * direct[:, None]
    half = (to + eye) / np.linalg.norm(to + eye)
    near = np.clip(normals @ half, 0, 1)
    spot = np.where(gloss > 0.45, near**110 * 3.0, near**14) * (facing > -0.1)
    rise = normals[:, 1]  # the strand runs up, along the surface
    along = (half[1] - rise * (normals @ half)) / np.sqrt(np.clip(1 - rise**2, 1e-6, 1))
    across = np.clip(1 - along**2, 0, 1) ** 22 * np.clip(facing + 0.2, 0, 1)
    shine = gloss * (spot * (1 - strand) + 0.35 * across * strand) * (light.strength + 0.25 * light.ambient)
    rim = 0.05 * gloss * (1 - np.clip(normals @ eye, 0, 1)) ** 4
    tint = np.where(strand[:, None] > 0.5, 0.25 + 0.75 * albedo, 1.0)  # hair colours its highlights
    return (albedo * diffuse + (0.55 * shine + rim)[:, None] * tint) * lamp(light)


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB's curve, 0..1, highlights rolled off; any shape.

    Source: IEC 61966-2-1 for the curve.
    """
    x = linear * EXPOSURE
    x = np.where(x > 0.7, 0.7 + 0.3 * np.tanh((x - 0.7) / 0.3), x).clip(0, 1)
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
    low, share = at.astype(int), (at % 1)[:, None, None]
    rows = small[low] * (1 - share) + small[low + 1] * share
    wide = rows[:, low] * (1 - share[None, :, 0]) + rows[:, low + 1] * share[None, :, 0]
    wide = wide * np.linspace(*random.uniform(0.7, 1.3, 2), size)[:, None, None]
    return np.concatenate([wide, wide.mean(2, keepdims=True) * 0.7], 2).clip(0.004, 0.95)


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
    picture = gaussian_filter(picture * random.uniform(0.86, 1.1), (*[random.uniform(0, 0.55)] * 2, 0))
    grain = random.standard_normal(picture.shape) * random.uniform(0.002, 0.018)
    return (picture + grain).clip(0, 1)
