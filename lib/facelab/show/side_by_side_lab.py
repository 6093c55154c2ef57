"""The lab of lesson 10 on systems: any two of them on the same damaged face.

Taught in: lesson 10.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from torch import Tensor

from facelab.faces.descriptor import descriptors
from facelab.faces.models import available
from facelab.images import composite, to_channels
from facelab.restoration import Restoration
from facelab.show.lab import WHITE, Drawn, Lab, chooser, error_map, face_chooser
from facelab.show.verdicts import named, number
from facelab.studies.evaluation import measure
from facelab.studies.judging import ELSE, exchangeable
from facelab.studies.side_by_side import MOVED, Contestant, answers, cut_for, entitled, guesses
from facelab.studies.trials import Trial

MEAN = "mean face in the true hole"
NOBODY = ("input", "truth", MEAN, ELSE)
"""What can stand at a side without a network; the last only where there are other people to take pixels from."""
VIEWS = ("answer", "difference from the truth", "raw")
QUESTIONS = {"frontalize": "how the person looks from the front", "vis2nir": "how the face looks in near infrared"}
"""What a system that makes whole pictures anew answers."""
SAID = ("psnr", "psnr_hole", "ssim", "identity", "sharpness", "iou")


def side_by_side_lab(
    trials: Mapping[str, Trial], contestants: Mapping[str, Contestant], names: Sequence[str] | None = None
) -> Lab:
    """Put any two systems side by side on the same damaged face.

    A system is asked when it is first looked at, one face at a time. One that makes whole pictures anew is shown the
    face cut out as it knows faces, and held against the truth in that frame. The mean face is that of the trial's other
    faces: with the face itself in it, it would know what is asked.

    Args:
        trials: damage → trial; the same faces in each, see :func:`facelab.studies.side_by_side.damaged`.
        contestants: of :func:`facelab.studies.side_by_side.contestants`; there may be none.
        names: of the faces.

    Returns:
        A lab; its controls are ``face damage left right view``.

    Raises:
        ValueError: no trial, or trials of different length.

    Taught in: lesson 10.
    """
    counts = {damage: len(test) for damage, test in trials.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"one and the same number of faces is needed for every damage, and at least one, not {counts}")
    dlib, sides = available(), [*contestants, *_nobody(trials)]

    @cache
    def known(face: int) -> Tensor | None:
        test = next(iter(trials.values())).at([face])
        return descriptors(test.truth, test.points) if dlib else None

    @lru_cache(maxsize=256)
    def answer(name: str, damage: str, face: int) -> tuple[Restoration, str, Tensor]:
        return _answered(name, trials[damage], face, contestants, damage, known(face))

    def draw(face: int, damage: str, left: str, right: str, view: str) -> Drawn:
        test = trials[damage]
        panels, words = {f"{damage}: input": test.occluded[face]}, []
        for mark, name in (("", left), (" ", right)):  # no two labels are the same, though both sides may be
            found, said, truth = answer(name, damage, face)
            panels[_label(name, view) + mark * (left == right)] = _seen(found, truth, view)
            words.append(said)
        panels["truth  "] = test.truth[face]
        words += [f"White: {WHITE:.0%} of the range off, or more."] * (view == VIEWS[1])
        return panels, " <br>".join(dict.fromkeys(words))

    first, second = _beginning(contestants, sides)
    return Lab(draw, {
        "face": face_chooser(next(iter(counts.values())), names), "damage": chooser("damage", list(trials)),
        "view": chooser("show", VIEWS), "left": chooser("left", sides, first), "right": chooser("right", sides, second),
    })  # fmt: skip


def _nobody(trials: Mapping[str, Trial]) -> list[str]:
    """:data:`NOBODY`, without the stranger where there is none."""
    strangers = all(exchangeable(test.identities) for test in trials.values())
    return [name for name in NOBODY if strangers or name != ELSE]


def _beginning(contestants: Mapping[str, Contestant], sides: Sequence[str]) -> tuple[str, str]:
    """The two sides that the lab opens with: systems that fill holes, or else guesses."""
    fill = [name for name, system in contestants.items() if not system.whole]
    return tuple([*fill, MEAN, *([ELSE] if ELSE in sides else []), "input"][:2])


def _label(name: str, view: str) -> str:
    """Above a side: what of it is shown."""
    return name + {"answer": "", "raw": ", raw"}.get(view, ", off")


def _seen(found: Restoration, truth: Tensor, view: str) -> Tensor:
    image = found.raw[0] if view == "raw" else found.image[0]
    return error_map(image, to_channels(truth, len(image))) if view == VIEWS[1] else image


def _answered(
    name: str, test: Trial, face: int, contestants: Mapping[str, Contestant], damage: str, known: Tensor | None
) -> tuple[Restoration, str, Tensor]:
    """What a side shows of one face, what is said of it, and the truth (C, H, W) in the frame of what is shown."""
    one, system = test.at([face]), contestants.get(name)
    if system is not None and system.cut and one.points.isfinite().all():
        one = cut_for(system, one)
        known = None if known is None else descriptors(one.truth, one.points)
    found = _by_nobody(name, test, face) if system is None else answers({name: system}, one)[name]
    judged = dataclasses.replace(
        one, truth=to_channels(one.truth, found.image.shape[1]), pixelwise=system is None or system.pixelwise
    )
    shown_hole = None if system is None or system.given or not one.hole.any() else found.hole
    values = measure(found.image, judged, hole=shown_hole, known=known)
    told = [f"{named(metric)} {number(metric, values[metric].item(), unit=True)}" for metric in SAID
            if metric in values and values[metric].isfinite().all()]  # fmt: skip
    if system is not None and system.pixelwise and not one.hole.any():
        moved = ((found.image - one.occluded).abs() / 2 > MOVED).any(1).float().mean().item()
        told.append(f"{moved:.0%} of the pixels changed")
    words = "The mean is of the other faces shown." if name == MEAN else about(system, damage)
    same = ["equal to the truth"] if "psnr" in values and values["psnr"].isinf().all() else []
    return found, f"<b>{name}</b>: {', '.join(same + told)}. {words}".strip(), one.truth[0]


def _by_nobody(name: str, test: Trial, face: int) -> Restoration:
    """A side without a network: the input, the truth, or a guess in the true hole."""
    hole = test.hole[face : face + 1]
    if name == "truth":
        image = test.truth[face : face + 1]
    elif name == "input":
        image = test.untouched[face : face + 1]
    elif name == MEAN:
        others = (test.truth.sum(0) - test.truth[face]) / max(len(test) - 1, 1)  # a face alone: mid grey
        image = composite(test.untouched[face : face + 1], others[None], hole)
    else:
        image = guesses(test, biharmonic=False)[name][face : face + 1]  # of all, who are one another's strangers
    return Restoration(image, hole, image)


def about(system: Contestant | None, damage: str) -> str:
    """What has to be known before a side's numbers are read; ``""`` where it does what it is for.

    Args:
        system: None: no network. damage: one of :data:`facelab.studies.side_by_side.DAMAGES`.
    """
    if system is None:
        return ""
    if system.whole:
        asked = QUESTIONS.get(system.name, "how the picture looks made anew")
        framed = ", in a frame of its own (not that of the truth shown beside it)" if system.cut else ""
        return (
            f"It answers another question, {asked}{framed}: these numbers do not rank it among those that fill holes."
        )
    told = "It was told the hole. " if system.given and damage != "nothing" else ""
    if damage == "nothing":
        return "Nothing is wrong with this face: whatever it changes is harm."
    if not entitled(system, damage):
        return f"{told}It answers another question: this damage ({damage}) is not what it was made for."
    return told.strip()
