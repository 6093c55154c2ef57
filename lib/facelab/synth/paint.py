"""What is painted on the skin of a head, in rest coordinates: brows, eyes, lips, beard, freckles, wrinkles.

Taught in: lesson 07.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter

from facelab.synth import spectra
from facelab.synth.head import MOUTH, bump, mean_head, smooth_step
from facelab.synth.part import LABELS
from facelab.synth.person import Person

_BROW = PchipInterpolator([-5, 9, 14, 24, 37, 48, 57, 90], [14, 14.5, 16.5, 19.6, 21.9, 20.4, 13.5, -5])
_BROW_HALF = PchipInterpolator([-5, 7, 11, 22, 37, 48, 56, 61, 90], [0.02, 0.8, 3.5, 4.0, 3.5, 2.7, 1.7, 0.7, 0.01])
_LIP_TOP = PchipInterpolator([0, 3, 7.4, 17.6, 27, 60], [-62.4, -61.6, -60.6, -62.4, MOUTH, MOUTH])
_LIP_LOW = PchipInterpolator([0, 8.1, 17.2, 27, 60], [-76.8, -76.3, -73.6, MOUTH, MOUTH])

EYE = 30.3  # mm from the middle of the face to the middle of an eye's opening
Shape = tuple[int, int]


def noise(shape: Shape, random: np.random.Generator, blur: tuple[float, float] | float) -> np.ndarray:
    """Smooth noise of mean 0 and standard deviation 1.

    Args:
        shape: rows and columns. random: generator.
        blur: standard deviation of the blur in points, along rows and columns.

    Returns:
        (R·C,) float32.
    """
    field = gaussian_filter(random.standard_normal(shape).astype(np.float32), blur, mode="wrap")
    return ((field - field.mean()) / (field.std() + 1e-9)).ravel()


def lids(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights of the upper and the lower lid's edge at places ``x`` at rest, all (V,) mm; they meet in the corners."""
    off = np.abs(x) - EYE
    arch = np.clip(1 - (off / 12.6) ** 2, 0, 1)
    corner = -0.4 + 0.05 * off
    skew = 1 - 0.018 * off  # the highest place lies towards the nose
    return corner + 6.4 * arch**0.6 * skew, corner - 3.5 * arch**0.7


def eye_opening(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far inside the opening of an eye places at rest are, all (V,) mm; negative on the skin."""
    upper, lower = lids(x)
    return np.minimum(np.minimum(upper - y, y - lower), 12.6 - np.abs(np.abs(x) - EYE))


@lru_cache(maxsize=4)
def regions(fine: float) -> dict[str, np.ndarray]:
    """Shares 0..1 of every point (V,) that belong to a region of the mean head, the same for everybody."""
    head = mean_head(fine)
    x, y = head.rest[:, 0], head.rest[:, 1]
    ahead, ax = smooth_step(np.cos(head.azimuth), 0.05, 0.3), np.abs(x)
    upper, lower = lids(x)
    lip = np.minimum(_LIP_TOP(ax) - y, y - _LIP_LOW(ax))
    jaw = smooth_step(y, -30 - 12 * smooth_step(ax, 30, 66) + 30 * smooth_step(ax, 55, 70), -52)
    jaw = jaw * smooth_step(np.cos(head.azimuth), -0.1, 0.25)
    under_lip = smooth_step(ax, 30, 20) * smooth_step(y, -74, -79) * ahead
    on_chin = smooth_step(head.rest[:, 2], 45, 65)  # not under it
    flush = bump(x, y, (44, -30), (18, 14)) + bump(x, y, (0, -37), (11, 9)) + 0.5 * bump(x, y, (0, -100), (16, 10))
    return {
        "ahead": ahead, "eye": smooth_step(eye_opening(x, y), -0.35, 0.35) * ahead,
        "lash": np.exp(-(((y - upper) / 1.0) ** 2)) * (np.abs(ax - EYE) < 13.2) * ahead,
        "low lash": np.exp(-(((y - lower) / 0.8) ** 2)) * (np.abs(ax - EYE) < 12.4) * ahead,
        "crease": np.exp(-(((y - upper - 3.2) / 1.0) ** 2)) * smooth_step(np.abs(ax - EYE), 14, 8) * ahead,
        "lips": smooth_step(lip, -0.5, 0.9) * (ax < 27) * ahead,
        "line": np.exp(-(((y - MOUTH) / 0.7) ** 2)) * (ax < 28) * ahead,
        "nostrils": bump(x, y, (6.9, -45.8), (4.2, 2.1), 2.6) * ahead, "jaw": jaw,
        "moustache": smooth_step(y, -47, -51) * smooth_step(y, -62, -58.5) * smooth_step(ax, 33, 22) * ahead,
        "goatee": (under_lip + smooth_step(np.abs(ax - 29), 5, 2) * smooth_step(y, -54, -60) * ahead) * on_chin,
        "flush": flush * ahead,
        "bags": bump(x, y, (30, -13), (13, 4.5)) * ahead, "shade": _shade(x, y, ahead),
        "freckles": bump(x, y, (30, -24), (30, 20)) * ahead, "wrinkles": _wrinkles(x, y, ahead),
    }  # fmt: skip


def _shade(x: np.ndarray, y: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Share of the ambient light that arrives."""
    dark = 0.22 * bump(x, y, (16, 4), (7, 7)) + 0.22 * bump(x, y, (33, 9), (16, 4))
    dark = dark + 0.18 * bump(x, y, (45, 3), (5, 5)) + 0.3 * bump(x, y, (17, -22), (5, 16))
    mouth = 0.28 * bump(x, y, (0, -50), (11, 2.5)) + 0.25 * bump(x, y, (0, -84), (17, 4.5))
    dark += mouth + 0.3 * bump(x, y, (28, -67), (4, 4))
    dark += 0.25 * bump(x, y, (20.5, -43), (3, 7)) + 0.3 * smooth_step(y, -116, -121)
    return 1 - np.clip(dark, 0, 0.7) * ahead


def _wrinkles(x: np.ndarray, y: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Depth 0..1 of an old face's wrinkles."""
    ax = np.abs(x)
    fold = np.exp(-(((ax - (19.5 - 0.62 * (y + 42))) / 1.6) ** 2)) * smooth_step(y, -78, -64) * smooth_step(y, -38, -46)
    brow = sum(np.exp(-(((y - h - 2.5 * np.cos(x / 17)) / 1.2) ** 2)) for h in (36, 45, 54)) * smooth_step(ax, 46, 28)
    crow = sum(np.exp(-(((y - 1 - slope * (ax - 45)) / 0.9) ** 2)) for slope in (-0.5, 0.0, 0.45))
    crow = crow * smooth_step(ax, 46, 49) * smooth_step(ax, 61, 54)
    return np.clip(fold + 0.55 * brow + 0.6 * crow, 0, 1) * ahead


def brow_cover(x: np.ndarray, y: np.ndarray, thickness: float) -> np.ndarray:
    """Share of brow hair at places at rest.

    Args:
        x, y: (V,) mm. thickness: 1 = the mean brow's.

    Returns:
        (V,) 0..1.
    """
    off = np.abs(y - _BROW(np.abs(x))) / (_BROW_HALF(np.abs(x)) * thickness)
    return smooth_step(off, 1.35, 0.55)


def paint_skin(who: Person, fine: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Somebody's head, the eyes and the inside of the mouth left out.

    Args:
        who: whose. fine: of the head's grid.

    Returns:
        Albedo (V, 4), gloss (V,), ambient light (V,) and labels (V,), see :class:`facelab.synth.part.Part`.
    """
    head, part = mean_head(fine), regions(fine)
    x, y, random = head.rest[:, 0], head.rest[:, 1], np.random.default_rng(who.grain)
    coarse, middle, small = (noise(head.shape, random, blur / fine) for blur in (9.0, 3.0, 0.8))
    blood = who.blood * (1 - 0.65 * who.melanin) + 0.5 * part["flush"] * (0.5 + who.blood) * (1 - 0.6 * who.melanin)
    blood = blood + 0.10 * coarse + 0.07 * middle
    melanin = who.melanin + 0.02 * coarse + 0.012 * small + 0.06 * part["bags"] * (0.4 + who.age)
    spots = smooth_step(noise(head.shape, random, 1.0 / fine), 1.1, 1.9) * part["freckles"] * who.freckles
    melanin = np.clip(melanin + 0.16 * spots + _moles(x, y, random) * 0.45, 0, 1.2)
    blood = blood + part["lips"] * who.lips + 0.25 * part["bags"]
    albedo = spectra.skin(melanin, blood, who.carotene) * (1 + 0.02 * small)[:, None]
    light = part["shade"] * (1 - 0.4 * who.age * part["wrinkles"]) * (1 - 0.25 * part["crease"])
    drawn = 1 - 0.35 * who.age * part["wrinkles"] - 0.85 * part["nostrils"] - 0.5 * part["line"]
    albedo *= (drawn - 0.22 * part["lips"] * (y > MOUTH))[:, None]
    albedo, label = _beard(albedo, who, part, head.shape, random)
    brow = np.clip(brow_cover(x, y, who.brows[0]) * (1 + 0.3 * noise(head.shape, random, (0.5, 0.9))), 0, 1)
    brow = brow * part["ahead"] * who.brows[1]
    albedo = _over(albedo, who.hair * 0.75, brow)
    dark = np.clip(part["lash"] * (0.55 + 0.45 * who.lashes) + part["low lash"] * (0.18 + 0.3 * who.lashes), 0, 1)
    albedo = _over(albedo, np.array(spectra.HAIR["black"]), dark * (1 - 0.4 * (who.hair[0] > 0.3)))
    label = np.where(brow > 0.35, LABELS.index("brows"), np.where(part["lips"] > 0.5, LABELS.index("lips"), label))
    gloss = 0.10 + 0.08 * bump(x, y, (0, -30), (10, 22)) + 0.05 * bump(x, y, (0, 45), (40, 20)) + 0.22 * part["lips"]
    return albedo, gloss, light, label


def _over(below: np.ndarray, above: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Paint (V, 4) covered by another to a share (V,)."""
    return below * (1 - share[:, None]) + above * share[:, None]


def _moles(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Depth 0..1 of a few dark spots."""
    out = np.zeros_like(x)
    for _ in range(random.poisson(1.6)):
        at = random.uniform((-62, -105), (62, 60))
        out += np.exp(-(((x - at[0]) ** 2 + (y - at[1]) ** 2) / random.uniform(0.8, 2.2) ** 2))
    return out


def _beard(albedo: np.ndarray, who: Person, part: dict, shape: Shape, random: np.random.Generator) -> tuple:
    """The skin (V, 4) with somebody's beard on it, and the labels (V,) so far."""
    lip = part["moustache"]
    full, chin = np.clip(part["jaw"] + lip, 0, 1), np.clip(part["goatee"] + lip, 0, 1)
    covers = {"none": 0 * lip, "stubble": 0.3 * full, "moustache": lip, "goatee": chin, "full": full}
    cover = covers[who.beard] * (1 - part["lips"])
    strands = noise(shape, random, (1.6, 0.6))
    share = np.clip(cover * (1 + 0.22 * strands), 0, 0.96)
    share = share if who.beard != "stubble" else share * (1 + 0.25 * noise(shape, random, 0.5))
    hair = who.hair * np.clip(1 + 0.3 * strands, 0.4, 1.8)[:, None]
    label = np.where(share > 0.6, LABELS.index("hair"), LABELS.index("skin"))
    return _over(albedo, hair, np.clip(share, 0, 1)), label


def paint_mouth(
    albedo: np.ndarray, gloss: np.ndarray, light: np.ndarray, label: np.ndarray, parted: float, fine: float
) -> None:
    """Paint what is seen between parted lips into a head's arrays, in place: teeth above, dark below.

    Args:
        albedo, gloss, light, label: (V, 4) and (V,), what is painted so far.
        parted: 0 closed, 1 open: closed lips show no teeth.
        fine: of the head's grid.
    """
    head = mean_head(fine)
    some = np.flatnonzero(head.inside > 0)
    inside, x = head.inside[some], head.rest[some, 0]
    teeth = smooth_step(inside, 0.72, 0.55) * min(1.0, parted)
    gaps = (0.84 + 0.16 * np.cos(x * np.pi / 8.2) ** 2) * (0.5 + 0.5 * smooth_step(np.abs(x), 24, 10))
    albedo[some] = spectra.TEETH * (teeth * gaps)[:, None] + spectra.MOUTH * (1 - teeth)[:, None] * (0.5 + 0.5 * parted)
    gloss[some], light[some], label[some] = 0.1, 0.85, LABELS.index("mouth")
