"""The lab of lesson 10 on judges: do one thing to true faces, and see which number notices.

Taught in: lesson 10.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from torch import Tensor

from facelab.faces.descriptor import descriptors
from facelab.faces.models import available
from facelab.metrics.frechet import frechet
from facelab.nets.features import feature_net
from facelab.show.judging_figures import said_level
from facelab.show.lab import Drawn, Lab, chooser, face_chooser, slider
from facelab.show.verdicts import bound, content, named, number
from facelab.studies.evaluation import measure
from facelab.studies.judging import ATTACKS, attacked, attacked_points, frechet_bias
from facelab.studies.trials import Trial

WHITE = 0.2
"""Difference that is drawn white, share of the range from black to white."""
ONE_FACE = ("psnr", "ssim", "identity", "sharpness")


def error_map(found: Tensor, wanted: Tensor) -> Tensor:
    """How far off every pixel is, (1, H, W) in [-1, 1]: black not at all, white by :data:`WHITE` of the range or more.

    Args:
        found, wanted: (C, H, W) in [-1, 1].
    """
    return ((found - wanted).abs().mean(0, keepdim=True) / 2 / WHITE).clamp(0, 1) * 2 - 1


def one_face(test: Trial, face: int) -> Trial:
    """A trial of one face of a trial."""
    parts = {"kinds", "identities", "doubts", "occluded", "truth", "hole", "points", "shown_points"}
    taken = {name: getattr(test, name) for name in parts}
    cut = {name: part[face : face + 1] for name, part in taken.items() if part is not None}
    return dataclasses.replace(test, told=tuple(part[face : face + 1] for part in test.told), **cut)


def judges_lab(test: Trial, names: Sequence[str] | None = None, net: str = "effnet-lite0") -> Lab:
    """Attack true faces, harmlessly or not, and read what every judge says.

    The Fréchet distance is that of the whole set after the attack; it is content where that is no further away than
    one half of the real faces from the other.

    Args:
        test: whose truths are attacked; four faces or more of two people or more.
        names: of the faces.
        net: feature net of the Fréchet distance.

    Returns:
        A lab; its controls are ``face attack level``, the last from nothing (0) to the most (1) of the attack.

    Taught in: lesson 10.
    """
    after, of_the_set, known, half = _askers(test, net)

    def draw(face: int, attack: str, level: float) -> Drawn:
        low, high = ATTACKS[attack].levels
        controls["level"].disabled = low == high
        level = round(low + (high - low) * level, 6)
        pictures, points = (part[face : face + 1] for part in after(attack, level))
        values = measure(pictures, one_face(test, face), known=known(face), points=points)
        panels = {"truth": test.truth[face], f"{attack} {said_level(attack, level)}".strip(): pictures[0]}
        panels[f"the difference, white = {WHITE:.0%}"] = error_map(pictures[0], test.truth[face])
        found = {name: values[name].item() for name in ONE_FACE if name in values}
        return panels, _said(attack, found, of_the_set(attack, level), half, len(test))

    controls = {
        "face": face_chooser(len(test), names),
        "attack": chooser("attack", list(ATTACKS)),
        "level": slider("level", 0.5, 0.0, 1.0, 0.1),
    }
    return Lab(draw, controls)


def _askers(test: Trial, net: str) -> tuple[Callable, Callable, Callable, float]:
    """What a lab asks again and again, each answered once: pictures and landmarks after an attack, Fréchet distance of
    the set after it, a face's descriptor (None without dlib); and the distance of two halves of the real faces."""
    features, dlib = feature_net(net), available()
    real, middle = features.pooled(test.truth), len(test) // 2

    @lru_cache(maxsize=4)
    def after(attack: str, level: float) -> tuple[Tensor, Tensor]:
        return attacked(test, attack, level), attacked_points(test, attack, level)

    @cache
    def of_the_set(attack: str, level: float) -> float:
        return frechet(features.pooled(after(attack, level)[0]), real)

    @cache
    def known(face: int) -> Tensor | None:
        return descriptors(test.truth[face : face + 1], test.points[face : face + 1]) if dlib else None

    return after, of_the_set, known, frechet_bias(net, test.truth, [middle])[middle]


def _said(attack: str, found: dict[str, float], apart: float, half: float, count: int) -> str:
    """Every judge's number, and who lets the picture pass."""
    what = "" if ATTACKS[attack].what == attack else f"{ATTACKS[attack].what}; "
    words = f"<b>{attack}</b>: {what}a person would say: <b>{ATTACKS[attack].harm}</b>. "
    told = [f"{named(name)} <b>{number(name, value, unit=True)}</b>" for name, value in found.items()]
    told.append(f"Fréchet distance (all {count} faces) <b>{number('frechet', apart)}</b>")
    happy = {named(name): content(name, value) for name, value in found.items() if not math.isnan(value)}
    wanted = {named(name): bound(name) for name in found}
    happy["Fréchet distance"] = apart <= half
    wanted["Fréchet distance"] = f"{half:.1f} or less, as between two halves of the real faces"
    pleased = [name for name, good in happy.items() if good]
    others = [f"{name} (wants {wanted[name]})" for name, good in happy.items() if not good]
    words += " · ".join(told) + f". Content: {', '.join(pleased) or 'nobody'}"
    return words + f". Not content: {', '.join(others) or 'nobody'}."
