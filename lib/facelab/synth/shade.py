"""How light comes back from a surface, in four bands, and what a camera makes of it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from facelab.synth.view import Light, towards

_WRAP = np.array([0.30, 0.17, 0.13, 0.38], np.float32)  # light goes a little around the edge inside skin, most in red and beyond
EXPOSURE = 1.42


def lamp(light: Light) -> np.ndarray:
    """Colour (4,) of a light."""
    return 1 + light.warmth * np.array([0.12, 0.0, -0.16, 0.0], np.float32)


def shade(
    albedo: np.ndarray, normals: np.ndarray, gloss: np.ndarray, open_: np.ndarray, strand: np.ndarray,
    eye: np.ndarray, light: Light, lit: np.ndarray | float = 1.0,
) -> np.ndarray:  # fmt: skip
    """Light (P, 4) that reaches the camera.

    Args:
        albedo: (P, 4). normals: (P, 3) unit, in the head's axes. gloss, open_, strand: (P,), see
            :class:`facelab.synth.part.Part`.
        eye: (3,) unit, from the head to the camera.
        light: where it comes from.
        lit: (P,) share of the lamp that nothing stands before.

    Source: Lambert's law; Blinn 1977 for highlights; Kajiya and Kay 1989 for hair.
    """
    to, eye = towards(light).astype(np.float32), eye.astype(np.float32)
    facing = normals @ to
    wrapped = np.clip((facing[:, None] + _WRAP) / (1 + _WRAP), 0, None) ** 1.25
    sky = open_ * (0.80 + 0.20 * normals[:, 1])
    diffuse = light.ambient * sky[:, None] + light.strength * wrapped * (np.asarray(lit) * (0.55 + 0.45 * open_))[..., None]
    half = (to + eye) / np.linalg.norm(to + eye)
    near = np.clip(normals @ half, 0, 1)
    spot = np.where(gloss > 0.45, near**110 * 3.0, near**14) * (facing > -0.1)
    rise = normals[:, 1]  # the strand runs up, along the surface
    along = (half[1] - rise * (normals @ half)) / np.sqrt(np.clip(1 - rise**2, 1e-6, 1))
    across = np.clip(1 - along**2, 0, 1) ** 22 * np.clip(facing + 0.2, 0, 1)
    shine = gloss * (spot * (1 - strand) + 0.35 * across * strand) * (light.strength + 0.25 * light.ambient) * lit
    rim = 0.05 * gloss * (1 - np.clip(normals @ eye, 0, 1)) ** 4
    return (albedo * diffuse + (0.55 * shine + rim)[:, None] * np.where(strand[:, None] > 0.5, 0.25 + 0.75 * albedo, 1.0)) * lamp(light)


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB's curve, 0..1, highlights rolled off."""
    x = linear * EXPOSURE
    x = np.where(x > 0.7, 0.7 + 0.3 * np.tanh((x - 0.7) / 0.3), x).clip(0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)


def backdrop(size: int, seed: int) -> np.ndarray:
    """What is behind, (size, size, 4) linear: plain grey for seed 0, else soft blots and a gradient."""
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
    """A camera's own contribution to an encoded picture (S, S, C): exposure, softness, noise; none for seed 0."""
    if seed == 0:
        return picture
    random = np.random.default_rng([13, seed])
    picture = gaussian_filter(picture * random.uniform(0.86, 1.1), (*[random.uniform(0, 0.55)] * 2, 0))
    grain = random.standard_normal(picture.shape) * random.uniform(0.002, 0.018)
    return (picture + grain).clip(0, 1)
