"""How much light of which colour comes back from what a head is made of, in four bands: red, green, blue, 850 nm.

Reflectances are linear, 0..1. At 850 nm melanin hardly absorbs and blood absorbs little: skins of all colours are
about as light as each other, lips and freckles fade, dark irises and dyed cloth turn grey, many dark lenses are clear.

Source: near published spectra: Jacques 2013, "Optical properties of biological tissues: a review" (melanin, blood);
Angelopoulou 2001, "Understanding the color of human skin"; the numbers are ours.
Taught in: lessons 07 and 08.
"""

from __future__ import annotations

import numpy as np

BANDS = ("red", "green", "blue", "850 nm")
"""The order of every last axis of four in this package."""
PALE = np.array([0.80, 0.535, 0.405, 0.62])  # the lightest skin, little blood
MELANIN = np.array([2.15, 2.62, 2.92, 0.42])  # optical depth of the darkest skin
BLOOD = np.array([0.10, 0.46, 0.36, 0.04])
CAROTENE = np.array([0.0, 0.05, 0.30, 0.0])

HAIR = {
    "black": (0.016, 0.013, 0.012, 0.09), "dark brown": (0.042, 0.024, 0.015, 0.20),
    "brown": (0.095, 0.054, 0.030, 0.28), "light brown": (0.19, 0.115, 0.062, 0.38),
    "blond": (0.42, 0.29, 0.145, 0.50), "red": (0.23, 0.085, 0.034, 0.40), "grey": (0.33, 0.325, 0.32, 0.42),
}  # fmt: skip
IRIS = {
    "dark brown": (0.035, 0.018, 0.010, 0.17), "brown": (0.085, 0.042, 0.018, 0.20), "hazel": (0.13, 0.095, 0.04, 0.21),
    "green": (0.12, 0.15, 0.085, 0.20), "blue": (0.12, 0.19, 0.27, 0.19), "grey": (0.19, 0.22, 0.24, 0.20),
}  # fmt: skip
SCLERA = np.array([0.66, 0.62, 0.58, 0.55])
PUPIL = np.array([0.008, 0.007, 0.007, 0.012])
TEETH = np.array([0.70, 0.66, 0.56, 0.60])
MOUTH = np.array([0.10, 0.03, 0.03, 0.10])
LENS = {"clear": (0.93, 0.93, 0.93, 0.93), "dark": (0.07, 0.07, 0.075, 0.55)}
"""Share of light that passes a lens once."""


def skin(melanin: np.ndarray | float, blood: np.ndarray | float, carotene: np.ndarray | float = 0.0) -> np.ndarray:
    """Reflectance of skin: light that enters it is absorbed by three pigments, Beer and Lambert's law.

    Args:
        melanin: (...) 0 the lightest skin, 1 the darkest.
        blood: (...) 0 pale, 1 flushed; lips about 1.5 more than the skin around them.
        carotene: (...) 0 none, 1 yellowish.

    Returns:
        (..., 4) linear, 0..1.
    """
    depth = np.asarray(melanin)[..., None] * MELANIN + np.asarray(blood)[..., None] * BLOOD
    return PALE * np.exp(-depth - np.asarray(carotene)[..., None] * CAROTENE)


def cloth(colour: np.ndarray) -> np.ndarray:
    """Reflectance (4,) of dyed cloth of a linear colour (3,): most dyes do not absorb at 850 nm."""
    return np.append(colour, 0.45 + 0.2 * colour.mean())
