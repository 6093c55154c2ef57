"""The lab of lesson 10 on judges: do one thing to true faces, and see which number notices.

Taught in: lesson 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import torch
from torch import Tensor

from facelab.faces.descriptor import descriptors
from facelab.faces.models import available
from facelab.metrics.frechet import frechet
from facelab.nets.features import feature_net
from facelab.show.judging_figures import said_level
from facelab.show.lab import WHITE, Drawn, Lab, chooser, error_map, face_chooser, slider
from facelab.show.verdicts import bound, content, named, number
from facelab.studies.evaluation import FRECHET_LEAST, measure
from facelab.studies.judging import ATTACKS, attacked, attacked_points, exchangeable
from facelab.studies.trials import Trial

NOTHING = "the truth itself"
"""What we say of a picture to which nothing was done."""
ONE_FACE = ("psnr", "ssim", "identity", "sharpness")


def judges_lab(test: Trial, names: Sequence[str] | None = None, net: str = "effnet-lite0") -> Lab:
    """Attack true faces, harmlessly or not, and read what every judge says.

    The Fréchet distance is that of the whole set after the attack, and a number alone: a set that is held against its
    own truths could be at 0, where no other set of real faces is, so that nothing says how much is too much.

    Args:
        test: whose truths are attacked; two faces or more, no person in more than half of them.
        names: of the faces.
        net: feature net of the Fréchet distance.

    Returns:
        A lab; its controls are ``face attack level``, the last from nothing (0) to the most (1) of the attack.

    Raises:
        ValueError: too few faces, or too many of one person.

    Taught in: lesson 10.
    """
    if len(test) < 2 or not exchangeable(test.identities):
        told = f"{len(test)} of {len(set(test.identities))} people"
        raise ValueError(f"two faces or more are needed, nobody in more than half of them, not {told}")
    after, of_the_set, known = _askers(test, net)

    def draw(face: int, attack: str, level: float) -> Drawn:
        low, high = ATTACKS[attack].levels
        controls["level"].disabled = low == high
        level = round(low + (high - low) * level, 6)
        pictures, points = (part[face : face + 1] for part in after(attack, level))
        values = measure(pictures, test.at([face]), known=known(face), points=points)
        panels = {"truth": test.truth[face], f"{attack} {said_level(attack, level)}".strip(): pictures[0]}
        panels[f"the difference, white = {WHITE:.0%}"] = error_map(pictures[0], test.truth[face])
        found = {name: values[name].item() for name in ONE_FACE if name in values}
        harm = NOTHING if torch.equal(pictures[0], test.truth[face]) else ATTACKS[attack].harm
        return panels, _said(attack, harm, found, of_the_set(attack, level), len(test))

    controls = {
        "face": face_chooser(len(test), names),
        "attack": chooser("attack", list(ATTACKS)),
        "level": slider("level", 0.5, 0.0, 1.0, 0.1),
    }
    return Lab(draw, controls)


def _askers(test: Trial, net: str) -> tuple[Callable, Callable, Callable]:
    """What a lab asks again and again, each answered once: pictures and landmarks after an attack, Fréchet distance of
    the set after it, a face's descriptor (None without dlib)."""
    features, dlib = feature_net(net), available()
    real = features.pooled(test.truth)

    @lru_cache(maxsize=4)
    def after(attack: str, level: float) -> tuple[Tensor, Tensor]:
        return attacked(test, attack, level), attacked_points(test, attack, level)

    @cache
    def of_the_set(attack: str, level: float) -> float:
        return frechet(features.pooled(after(attack, level)[0]), real)

    @cache
    def known(face: int) -> Tensor | None:
        return descriptors(test.truth[face : face + 1], test.points[face : face + 1]) if dlib else None

    return after, of_the_set, known


def _said(attack: str, harm: str, found: dict[str, float], apart: float, count: int) -> str:
    """Every judge's number, and who lets the picture pass; ``harm``: what we say of it."""
    what = "" if ATTACKS[attack].what == attack else f"{ATTACKS[attack].what}; "
    words = f"<b>{attack}</b>: {what}we say: <b>{harm}</b>. "
    told = [f"{named(name)} <b>{number(name, value, unit=True)}</b>" for name, value in found.items()]
    note = "a set held against its own truths could be at 0"
    few = "few: " * (count < FRECHET_LEAST)
    told.append(f"Fréchet distance ({few}all {count} faces; {note}) <b>{number('frechet', apart)}</b>")
    happy = {named(name): content(name, value) for name, value in found.items() if not math.isnan(value)}
    wanted = {named(name): bound(name) for name in found}
    pleased = [name for name, good in happy.items() if good]
    others = [f"{name} (wants {wanted[name]})" for name, good in happy.items() if not good]
    words += " · ".join(told) + f". Content: {', '.join(pleased) or 'nobody'}"
    return words + f". Not content: {', '.join(others) or 'nobody'}."
