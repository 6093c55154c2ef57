"""Who somebody is: everything that stays the same from picture to picture.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facelab.errors import BadConfig
from facelab.synth import spectra
from facelab.synth.modes import shapes

STYLES = ("bald", "shaven", "short", "parted", "swept", "curly", "bob", "long", "tied", "fringe")
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
# Hair styles of those who can grow a beard and of those who cannot, with how often each occurs.
_WITH_BEARD = STYLES[:6], np.array([0.09, 0.16, 0.27, 0.2, 0.16, 0.12])
_WITHOUT = STYLES[2:], np.array([0.06, 0.07, 0.09, 0.13, 0.2, 0.2, 0.12, 0.13])
_LEAN = {
    "square jaw": 0.7, "brow ridge": 0.7, "wide jaw": 0.4, "long chin": 0.3, "full upper lip": -0.4,
    "full lower lip": -0.4, "eyes large": -0.4, "brows high": -0.5, "wide nose": 0.3,
}  # fmt: skip
"""By how many standard deviations the two differ from the mean, in opposite directions."""
_TOGETHER = (
    {"nose ahead": 1, "long nose": -1, "tip up": 1, "high bridge": -0.5},
    {"nose ahead": 1, "long nose": 1, "high bridge": 1, "hump": 1},
    {"wide nose": 1, "broad tip": 1, "wide bridge": 0.5},
    {"wide jaw": 1, "pointed chin": -1, "wide head": -1, "square jaw": 0.5, "jowls": 0.5},
    {"chin ahead": 1, "long chin": 1, "pointed chin": 0.5},
)
_MOST = 1.6
"""Modes that make one thing of each other, and how many standard deviations of it, of either sign, a face has."""


@dataclass(frozen=True, eq=False)  # compared and cached as objects: arrays have no one answer to ==
class Person:
    """Somebody who does not exist. ``dataclasses.replace`` makes somebody else of him or her.

    Args:
        number: decided everything else.
        shape: (K,) coordinates in the shape modes, standard deviations.
        melanin, blood, carotene: of the skin, see :func:`facelab.synth.spectra.skin`.
        age: 0 young, 1 old: wrinkles, bags, grey hair.
        hair, iris: reflectances (4,).
        style: one of :data:`STYLES`. hairline: mm, how high above the mean.
        length: mm of hair below the pupils, where the style hangs. volume: mm away from the skull.
        beard: one of :data:`BEARDS`.
        brows: (thickness, darkness), 1 = the mean. lips: extra blood of the lips. lashes: 0..1.
        freckles: 0..1. ears: relative size.
        grain: seed of skin noise, moles, strands.
    """

    number: int
    shape: np.ndarray
    melanin: float
    blood: float
    carotene: float
    age: float
    hair: np.ndarray
    iris: np.ndarray
    style: str
    hairline: float
    length: float
    volume: float
    beard: str
    brows: tuple[float, float]
    lips: float
    lashes: float
    freckles: float
    ears: float
    grain: int


def person(number: int) -> Person:
    """The person of a number, always the same one.

    Args:
        number: ≥ 0.

    Raises:
        BadConfig: a negative number, or none.
    """
    if not isinstance(number, int | np.integer) or number < 0:
        raise BadConfig("person", number, "a whole number, 0 or more")
    return _drawn(int(number))


@lru_cache(maxsize=256)
def _drawn(number: int) -> Person:
    """The person of a number: everything in a fixed order from one generator."""
    random = np.random.default_rng([7, number])
    bearded = bool(random.random() < 0.5)  # whoever can grow a beard: jaw, brows and hair follow, on average
    shape = _shape(random, bearded)
    melanin = float(random.beta(1.0, 1.8))
    age = float(random.beta(1.3, 2.0))
    hair = _hair(random, melanin, age)
    choices, weights = _WITH_BEARD if bearded else _WITHOUT
    iris = "dark brown" if random.random() < melanin * 1.6 - 0.1 else random.choice(list(spectra.IRIS))
    return Person(
        number, _fixed(shape.astype(np.float32)), melanin, float(random.uniform(0.1, 0.75)),
        float(random.uniform(0, 0.8)), age, _fixed(hair), _fixed(np.array(spectra.IRIS[str(iris)])),
        str(random.choice(choices, p=weights)),
        float(random.normal(0, 5) + 6 * age * bearded), float(random.uniform(60, 150)), float(random.uniform(5, 15)),
        str(random.choice(BEARDS, p=[0.45, 0.22, 0.1, 0.1, 0.13])) if bearded else "none",
        (float(random.uniform(0.6, 1.55) * (1.1 if bearded else 0.8)), float(random.uniform(0.5, 1.0))),
        float(random.uniform(0.5, 1.3) + (0 if bearded else random.uniform(0, 1.0))),
        float(random.uniform(0, 0.3) if bearded else random.uniform(0.3, 1.0)),
        float(max(0.0, random.uniform(-1.5, 1.0)) * (1 - melanin)), float(random.uniform(0.88, 1.14)),
        int(random.integers(2**31)),
    )  # fmt: skip


def _shape(random: np.random.Generator, bearded: bool) -> np.ndarray:
    """Coordinates (K,) in the shape modes."""
    names = shapes()[0]
    shape = np.clip(random.normal(size=len(names)), -2.2, 2.2)
    for name, amount in _LEAN.items():
        shape[names.index(name)] += amount if bearded else -amount
    for group in _TOGETHER:
        at, along = [names.index(name) for name in group], np.array(list(group.values()))
        along = along / np.sqrt((along**2).sum())
        much = (shape[at] * along).sum()
        shape[at] -= (much - np.clip(much, -_MOST, _MOST)) * along
    return shape


def _fixed(values: np.ndarray) -> np.ndarray:
    """The array, not to be written to: a person is shared by all who ask for the number."""
    values.flags.writeable = False
    return values


def _hair(random: np.random.Generator, melanin: float, age: float) -> np.ndarray:
    """Reflectance (4,) of hair: dark with dark skin, grey with age."""
    light = ("brown", "light brown", "blond", "red", "dark brown")
    dark = ("black", "black", "dark brown")
    name = str(random.choice(dark if random.random() < 1.8 * melanin else light))
    grey = np.clip((age - 0.55) * 2.5 + random.normal(0, 0.2), 0, 1)
    return np.array(spectra.HAIR[name]) * (1 - grey) + np.array(spectra.HAIR["grey"]) * grey
