"""Systems side by side: the same faces damaged in four ways, and everybody whose job it is beside those who guess.

``python -m facelab.studies.side_by_side [DATA]`` writes ``notebooks/figures/10_protocol.json``, see
:mod:`facelab.studies.side_by_side_record`.
Taught in: lesson 10.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.faces.descriptor import descriptors
from facelab.images import composite
from facelab.metrics.holes import iou
from facelab.metrics.image import psnr
from facelab.metrics.intervals import bootstrap
from facelab.occlude.batch import Occluded
from facelab.restoration import Restoration
from facelab.seeding import generator
from facelab.studies.cards import from_cards
from facelab.studies.contestants import Contestant, contestants, cut_for
from facelab.studies.evaluation import fills, summary, training_mean
from facelab.studies.facemasks import facemask_trial
from facelab.studies.inpainting import hole_trial
from facelab.studies.judging import ELSE, exchangeable, judged, others
from facelab.studies.parts import Faces, faces
from facelab.studies.trials import Trial, drawn_trial, trial

__all__ = [
    "DAMAGES", "JOBS", "MOVED", "Contestant", "answers", "contestants", "cut_for", "damaged",
    "entitled", "from_cards", "guesses", "harm", "paired", "protocol",
]  # fmt: skip

DAMAGES = ("occluder", "facemask", "irregular hole", "nothing")
JOBS = {
    "oagan": ("occluder", "facemask"),
    "mask_removal": ("facemask",),
    "hog_inpaint": ("occluder", "facemask", "irregular hole"),
}
"""What each system is for; "nothing" is asked of all, whole-picture systems included."""
MOVED = 4 / 255
"""A pixel that moves by more than this, as a share of the range, has been changed."""
NETS = ("effnet-lite0", "effnet-lite1")
APART = ("psnr", "ssim", "identity", "same", "recognised", "sharpness")
"""Metrics whose differences are written down, picture by picture."""
SEED = 1


def entitled(contestant: Contestant, damage: str) -> bool:
    """Whether repairing this damage is a system's job; leaving a whole face alone is everybody's.

    Args:
        contestant: see :func:`contestants`. damage: one of :data:`DAMAGES`.
    """
    return damage == "nothing" or damage in JOBS.get(contestant.name, ())


def damaged(part: Faces, damage: str, count: int, seed: int = SEED) -> Trial:
    """The same faces, evenly spread over a part, damaged in one of four ways.

    Args:
        part: held-out faces. damage: one of :data:`DAMAGES`; occluders hide 10 to 20 % of a picture, facemasks what
            they hide, irregular holes 20 to 30 %; "nothing" is the truth with an empty hole.
        count: how many, at most. seed: of the damage.

    Raises:
        BadConfig: no such damage. LayoutError: nobody is in this part.

    Taught in: lesson 10.
    """
    draw = {
        "occluder": partial(trial, part, count, seed),
        "facemask": partial(facemask_trial, part, count, seed),
        "irregular hole": partial(hole_trial, part, count, seed),
        "nothing": partial(drawn_trial, part, count, _whole),
    }
    if damage not in draw:
        raise BadConfig("damage", damage, "one of " + ", ".join(DAMAGES))
    return draw[damage]()


def _whole(images: Tensor, points: Tensor) -> Occluded:
    return Occluded(images, torch.zeros_like(images[:, :1]), ("nothing",) * len(images))


def answers(
    contestants: Mapping[str, Contestant], test: Trial, only: Sequence[str] | None = None
) -> dict[str, Restoration]:
    """What each system makes of a trial: ``image``, ``hole`` and ``raw``, see :class:`facelab.restoration.Restoration`.

    Args:
        contestants: by name. test: the damaged faces. only: some of the names.
    """
    return {name: one.restore(test.occluded, test.hole if one.given else None)
            for name, one in contestants.items() if only is None or name in only}  # fmt: skip


def guesses(test: Trial, mean: Tensor | None = None, biharmonic: bool = True) -> dict[str, Tensor]:
    """Rows without a network: the input, the mean face and the smoothest surface in the true hole, and another person's
    pixels in it: sharp, and wrong. That row needs other people: it is missing where one has over half the pictures.

    Args:
        test: damaged faces. mean: (C, S, S), the training people's. biharmonic: also that one (slow).
    """
    mean_row, smooth = "mean face in the true hole", "biharmonic in the true hole"
    found = fills(test, mean, biharmonic)
    rows = {"input": found["input"]} | {row: found[row] for row in (mean_row, smooth) if row in found}
    if exchangeable(test.identities):
        rows[ELSE] = composite(test.untouched, test.truth[others(test.identities)], test.hole)
    return rows


def paired(values_a: Tensor, values_b: Tensor, people: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The difference of two rows on the same pictures, and its 95 % interval over people.

    Args:
        values_a, values_b: (N,) each; a pair without a finite difference is left out, and counted.
        people: who the N pictures show. seed: of the resampling.

    Returns:
        ``mean`` of a − b, ``low`` and ``high``, None where no pair is left; ``left_out``, how many are, where some are.

    Taught in: lesson 10.
    """
    apart = values_a.double() - values_b.double()
    left = int((~torch.isfinite(apart)).sum())
    apart = torch.where(torch.isfinite(apart), apart, torch.nan)
    ends = (apart.nanmean().item(), *bootstrap(apart, generator(seed, "paired"), people))
    mean, low, high = (None if math.isnan(end) else round(end, 4) for end in ends)
    return {"mean": mean, "low": low, "high": high} | ({"left_out": left} if left else {})


def protocol(
    data: str, size: int = 128, count: int = 100, seed: int = SEED, names: Sequence[str] | None = None,
    identity: bool = True, nets: Sequence[str] = NETS, damages: Sequence[str] = DAMAGES[:3], biharmonic: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Everybody whose job it is on the same damaged faces, beside those who guess.

    Args:
        data: a dataset of the catalogue; its test people are shown in its own channels. size: side, pixels.
        count: faces, at most. seed: of the damage. names: of systems; None = all that are here.
        identity, nets: see :func:`facelab.studies.judging.judged`.
        damages: of :data:`DAMAGES`, without "nothing", which :func:`harm` is for. biharmonic: also that row (slow).

    Returns:
        Damage → ``count``, ``people``, ``hidden`` (share of a picture), ``told`` (systems that were told the hole),
        ``rows`` (row → metric → mean, low, high) and ``apart`` (``"a − b"`` → metric → the same, of the difference).
        The row :data:`facelab.studies.judging.ELSE`, where there is one, also says how far it is from whom its pixels
        are ``to_donor``.

    Taught in: lesson 10.
    """
    part, who = faces(data, "test", size), contestants(names)
    mean = training_mean(data, size, part.take([0])[0].shape[1])
    return {damage: _on(damaged(part, damage, count, seed), damage, who, mean, identity, nets, biharmonic)
            for damage in damages}  # fmt: skip


def _on(
    test: Trial, damage: str, who: Mapping[str, Contestant], mean: Tensor, identity: bool, nets: Sequence[str],
    biharmonic: bool,
) -> dict[str, Any]:  # fmt: skip
    mine = {name: one for name, one in who.items() if entitled(one, damage)}
    rows, said = guesses(test, mean, biharmonic), answers(mine, test)
    known = descriptors(test.truth, test.points) if identity else None
    values = judged(test, rows | {name: answer.image for name, answer in said.items()}, nets, identity, known=known)
    for name, answer in said.items():
        if not mine[name].given:
            values[name]["iou"] = iou(answer.hole, test.hole)
    if known is not None:
        if ELSE in rows:
            donors = known[others(test.identities)]
            values[ELSE]["to_donor"] = (descriptors(rows[ELSE], test.points) - donors).norm(dim=1)
        for row in values.values():
            row["identity_gain"] = values["input"]["identity"] - row["identity"]
    return {
        "count": len(test), "people": len(set(test.identities)), "hidden": round(test.hole.mean().item(), 4),
        "told": [name for name, one in mine.items() if one.given],
        "rows": {name: summary(row, test.identities) for name, row in values.items()},
        "apart": _apart(values, list(mine), test.identities),
    }  # fmt: skip


def _apart(values: Mapping[str, Mapping[str, Tensor]], systems: Sequence[str], people: Sequence[str]) -> dict[str, Any]:
    """Each system against every guess, and against each system before it."""
    guessed = [row for row in values if row not in systems and row != "input"]
    pairs = [(a, b) for place, a in enumerate(systems) for b in [*guessed, *systems[:place]]]
    metrics = [metric for metric in APART if metric in values["input"]]
    return {f"{a} − {b}": {metric: paired(values[a][metric], values[b][metric], people) for metric in metrics}
            for a, b in pairs}  # fmt: skip


def harm(contestants: Mapping[str, Contestant], test: Trial, identity: bool = True) -> dict[str, dict[str, Any]]:
    """What each system does to faces that nothing was laid on.

    The photographs are as they are: they may hold glasses, caps, hands, microphones, which a system may rightly take
    away. What is counted here is what it changes, not what it spoils.

    Args:
        contestants: by name. test: faces that nothing was drawn on, see :func:`damaged`.
        identity: measure identity distance (needs dlib).

    Returns:
        Name → ``changed`` (share of pixels of which a channel moved by more than 4 of 255 levels), ``touched`` (share
        of pictures with such a pixel), ``psnr`` to the picture itself (those left as they are are left out),
        ``identity`` (distance to it) and ``hole`` (share of the picture), each with its interval. A whole-picture
        system is shown the faces cut out as it wants them. Of it there is only ``identity``: its pixels are what it is
        asked for, a turned head or another light. Who is told an empty hole is told the answer.

    Taught in: lesson 10.
    """
    seen = {one.cut: cut_for(one, test) for one in contestants.values()}
    known = {cut: descriptors(some.truth, some.points) for cut, some in seen.items()} if identity else {}
    return {name: summary(_harm(one, seen[one.cut], known.get(one.cut)), test.identities)
            for name, one in contestants.items()}  # fmt: skip


def _harm(one: Contestant, test: Trial, known: Tensor | None) -> dict[str, Tensor]:
    answer, values = one.restore(test.occluded, test.hole if one.given else None), {}
    if one.pixelwise and not one.whole:
        moved = (answer.image - test.occluded).abs().amax(1) > 2 * MOVED
        values = {"changed": moved.float().mean((1, 2)), "touched": moved.flatten(1).any(1).float()}
        values["psnr"] = psnr(answer.image, test.occluded)
    if known is not None:
        values["identity"] = (descriptors(answer.image, test.points) - known).norm(dim=1)
    if answer.hole is not None:
        values["hole"] = answer.hole.mean((1, 2, 3))
    return values


if __name__ == "__main__":
    from facelab.studies.side_by_side_record import main

    sys.exit(main(sys.argv[1:]))
