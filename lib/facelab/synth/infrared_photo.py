"""A colour photograph of a face as a camera for 850 nm with a lamp beside it might have recorded it: a SIMULATION.

A colour photograph does not hold what such a camera sees; here the physics that is known is put in its place.

Simulated: skin's melanin and blood, read from its colour, hardly absorb at 850 nm: skins grow alike, lips and freckles
fade. Hair, beards and brows grow lighter, as :data:`facelab.synth.spectra.HAIR` says; dyed cloth and the white of the
eye move towards skin. The light in the photograph, as far as it is smooth, is taken out, and a lamp at the camera is
put in: the face by Lambert's law on the mean head's relief, with light that falls off with distance before a dark
background. Then exposure for the cheeks, a little blur, noise.

Not simulated: veins, which show at 850 nm; the other structure of irises, the wide dark pupil and the lamp's glint in
it; which dye vanishes and which does not (all count as half clear); sunglasses that turn clear; hard shadows and
highlights, which fade but stay; skin's greater translucency, but for softened wrinkles; a nose or a hairstyle that is
not the mean head's. A black-and-white photograph holds no pigments: its skin is a default skin, only its light is new.
A result is therefore called "simulated" in every figure and table, and no score on it says how well
real infrared pictures are served.
Taught in: lesson 08.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from facelab.images import is_grey
from facelab.synth.infrared_shape import Shape, guided, matte, shape_of
from facelab.synth.shade import EXPOSURE, encode
from facelab.synth.spectra import BLOOD, HAIR, MELANIN, PALE, TEETH, skin

VERSION = 1  # raise when a picture would come out differently
CHEEK, DARKER = 0.60, 0.12
"""How light a cheek without melanin is recorded, 0..1, and the share that the darkest skin's lacks."""
_USUAL, _SPREAD, _CAST = np.array([0.30, 0.35]), 0.25, 0.13  # melanin and blood of skin; log units of a lamp's colour
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_LAMP, _WRAP = 730.0, 0.25  # mm from the lamp to the ears; light that goes around an edge
_BEHIND, _BLUR, _NOISE = 0.08, 1 / 366, 0.006  # light on the background; share of the side; share of white
_FINE = np.log(0.0015)  # darker is not told from black


def simulate_nir(photo: Tensor, landmarks: Tensor) -> Tensor:
    """A photograph as a near-infrared picture, simulated; see the module for what that leaves out.

    Args:
        photo: (3, S, S) in [-1, 1], sRGB, a face roughly from the front; grey in three channels, too.
        landmarks: (68, 2) pixels.

    Returns:
        (1, S, S) in [-1, 1]. The same photograph gives the same bits.

    Raises:
        ValueError: not three channels or not square; no face, see :func:`facelab.synth.infrared_shape.shape_of`.

    Source: Beer and Lambert's law on the pigments of :mod:`facelab.synth.spectra`, near Jacques 2013, "Optical
    properties of biological tissues: a review", and Angelopoulou 2001, "Understanding the color of human skin". Reading
    melanin and blood from log colours follows Tsumura et al. 1999; the rest is ours.
    Taught in: lesson 08.
    """
    if photo.dim() != 3 or photo.shape[0] != 3 or photo.shape[1] != photo.shape[2]:
        raise ValueError(f"a picture {tuple(photo.shape)}: (3, S, S) is needed")
    photo, size = photo.detach().cpu().float().contiguous(), photo.shape[-1]
    shape, colours = shape_of(landmarks, size), (photo.double().numpy() + 1) / 2
    logs = np.log(np.maximum(decode(colours), np.exp(_FINE)))
    light = np.log(np.tensordot(_LUMA, np.exp(logs), 1))
    cheeks = _cheeks(light, shape)
    usual, cast = _usual(np.median(logs[:, cheeks], 1), is_grey(photo))
    changes = _changes(logs - cast[:, None, None], light - np.median(light[cheeks]), usual, shape)
    linear = _relit(light, usual, changes, shape, matte(colours, light, shape))
    tone = decode(np.array(CHEEK * (1 - DARKER * usual[0]))) / EXPOSURE
    linear = gaussian_filter(linear * (tone / np.median(linear[cheeks])), _BLUR * size)
    noise = np.random.default_rng([17, zlib.crc32(photo.numpy().tobytes())]).normal(0, _NOISE, linear.shape)
    out = (encode(linear) + noise).clip(0, 1)
    return torch.from_numpy(out.astype(np.float32) * 2 - 1)[None]


def decode(encoded: np.ndarray) -> np.ndarray:
    """sRGB's curve undone, 0..1 to linear 0..1. Source: IEC 61966-2-1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0) + 0.055) / 1.055) ** 2.4)


def pigments(logs: np.ndarray) -> np.ndarray:
    """What skin of such a colour is made of: ``logs = log shading + log PALE - m MELANIN - b BLOOD``, solved for each
    pixel. Three equations, three unknowns: any colour has an answer, sensible only where there is skin.

    Args:
        logs: (3, ...) logarithms of linear red, green and blue.

    Returns:
        (3, ...): log shading, melanin (0 the lightest, 1 the darkest skin), blood.
    """
    system = np.stack([np.ones(3), -MELANIN[:3], -BLOOD[:3]], 1)
    pale = np.log(PALE[:3]).reshape(3, *[1] * (logs.ndim - 1))
    return np.tensordot(np.linalg.inv(system), logs - pale, 1)


def _cheeks(light: np.ndarray, shape: Shape) -> np.ndarray:
    """(S, S) True on the lighter half of the face's skin: not beard, not shadow."""
    found = (shape.face > 0.9) & (shape.features < 0.1)
    if found.sum() < 20:
        found = shape.face >= np.quantile(shape.face, 0.95)
    return found & (light >= np.median(light[found]) - 0.1)


def _usual(logs: np.ndarray, grey: bool) -> tuple[np.ndarray, np.ndarray]:
    """Melanin and blood (2,) of the face's skin, and the colour (3,) of the light, log units.

    The skin's colour has two degrees of freedom, and so have pigments; that lamps are about white and skins about
    usual decides what is whose (the most probable pair under normal distributions).
    """
    system = -np.stack([MELANIN[:3], BLOOD[:3]], 1)
    system, colour = system - system.mean(0), logs - np.log(PALE[:3])
    colour = colour - colour.mean()
    if grey:
        return _USUAL, colour - system @ _USUAL
    normal = system.T @ system / _CAST**2 + np.eye(2) / _SPREAD**2
    found = _USUAL + np.linalg.solve(normal, system.T @ (colour - system @ _USUAL) / _CAST**2)
    found = found.clip(0, 1)
    return found, colour - system @ found


def _changes(logs: np.ndarray, darker: np.ndarray, usual: np.ndarray, shape: Shape) -> np.ndarray:
    """How melanin and blood (2, S, S) differ from the face's usual ones, as far as colours can be trusted.

    Dark pixels have no certain colour, and what is far from skin is none; JPEG's colours are coarse, so both are
    smoothed along the picture's own edges.
    """
    off = pigments(logs)[1:] - usual[:, None, None]
    trust = np.exp(-((np.minimum(darker, 0) / 1.5) ** 2) - (off[0] / 0.6) ** 2 - (off[1] / 1.2) ** 2)
    trust *= np.clip(1.5 * shape.face, 0.25, 1)
    off = np.stack([off[0].clip(-0.35, 0.5), off[1].clip(-0.5, 1.2)]) * trust
    return guided(darker, off, max(2, len(darker) // 40), 0.02)


def _relit(light: np.ndarray, usual: np.ndarray, changes: np.ndarray, shape: Shape, person: np.ndarray) -> np.ndarray:
    """Light (S, S) at 850 nm from the log luminance, the skin's pigments and the lamp at the camera."""
    size = len(light)
    left = light - _luminance(usual) - _visible(light - _luminance(usual), shape)
    drop = _luminance(usual[:, None, None] + changes) - _luminance(usual)
    changes, drop = changes * (share := _explained(left, drop)), drop * share
    base = guided(left - drop, left - drop, max(2, size // 16), 0.08)
    fine = left - drop - base
    base = base - _uneven(left, shape)
    tone = np.interp(base, *_TONES) + 0.3 * shape.eyes * np.minimum(base, 0)
    pigment = -np.tensordot([MELANIN[3], BLOOD[3]], changes, 1)
    front = np.exp(pigment + tone + (0.7 + 0.3 * shape.features) * fine) * _lamp(shape)
    behind = _BEHIND * np.exp(0.5 * (base + fine).clip(-3, 1))
    return front * person + behind * (1 - person)


def _uneven(left: np.ndarray, shape: Shape) -> np.ndarray:
    """Most of the light (S, S) on the skin that is smooth, and was not fitted; a wide shadow, for instance."""
    size = len(left)
    mean = gaussian_filter(left * shape.face, size / 14) / (gaussian_filter(shape.face, size / 14) + 0.02)
    return 0.65 * gaussian_filter(mean.clip(-1, 0.6) * shape.face * (1 - shape.features), size / 64)


def _luminance(amounts: np.ndarray) -> np.ndarray:
    """Log luminance (...) of skin with melanin and blood (2, ...)."""
    return np.log(skin(*amounts)[..., :3] @ _LUMA)


def _explained(left: np.ndarray, drop: np.ndarray) -> np.ndarray:
    """Share (S, S) 0..1 of a change of pigment that the luminance confirms: what reads as more melanin is darker. A
    shadow of another colour, or a highlight, is no pigment."""
    size, weight = len(left), np.abs(drop)
    share = np.clip(left / np.where(weight < 1e-3, 1e-3, drop), 0, 1)
    return gaussian_filter(share * weight, size / 100) / (gaussian_filter(weight, size / 100) + 1e-3)


def _visible(shading: np.ndarray, shape: Shape) -> np.ndarray:
    """The smooth part (S, S) of the photograph's own light, log units: a quadratic in the face's normals and places.

    Beards and glasses are outliers: they weigh little (six rounds of reweighted least squares, Cauchy's weights).
    Source: Basri and Jacobs 2003: nine functions of the normal hold nearly all of a Lambertian face's light.
    """
    size = len(shading)
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    right, down, near = shape.normals
    terms = [np.ones_like(x), right, down, near, x, y, right**2 - down**2, right * down, x * right]
    basis, weight = np.stack(terms).reshape(9, -1), (shape.face * (1 - shape.features)).ravel()
    use = np.flatnonzero(weight > 0.3)[::2]
    use = use if len(use) > 30 else np.argsort(weight)[-30:]
    some, seen = basis[:, use], shading.ravel()[use]
    rest = seen - np.median(seen)
    for _ in range(6):
        trust = weight[use] / (1 + (rest / np.where(rest < 0, 0.25, 0.4)) ** 2) + 1e-6
        ridge = 0.02 * trust.sum() * np.diag([0.0] + [1.0] * 8)
        amounts = np.linalg.solve((some * trust) @ some.T + ridge, (some * trust) @ seen)
        rest = seen - amounts @ some
    low, high = np.percentile(amounts @ some, [2, 98])  # beyond the face the fit is a guess
    return (amounts @ basis).clip(low, high).reshape(size, size)


def _lamp(shape: Shape) -> np.ndarray:
    """Light (S, S) of a lamp at the camera: Lambert's law, and the inverse square of the distance."""
    sure = gaussian_filter(shape.face, len(shape.face) / 32)  # the relief has no hair
    facing = sure * shape.normals[2] + (1 - sure) * (0.55 + 0.45 * shape.normals[2])
    return ((facing + _WRAP) / (1 + _WRAP)) ** 1.25 * (_LAMP / (_LAMP - shape.near.clip(-95, 100))) ** 2


def _tones() -> tuple[np.ndarray, np.ndarray]:
    """What is so much darker or lighter than skin to the eye, and how much at 850 nm: logarithms, from spectra."""
    usual = skin(*_USUAL)
    things = [HAIR[name] for name in ("black", "dark brown", "brown", "light brown")] + [usual, TEETH]
    ratios = np.array([(np.log(_LUMA @ thing[:3] / (_LUMA @ usual[:3])), np.log(thing[3] / usual[3]))
                       for thing in map(np.asarray, things)])  # fmt: skip
    first, last = ratios[0], ratios[-1]
    return tuple(np.concatenate([[first - (2, 0.9)], ratios, [last + (2, 0.3)]]).T)


_TONES = _tones()
