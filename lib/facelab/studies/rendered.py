"""Rendered heads judged by dlib, which never saw one: ``python -m facelab.studies.rendered [FOLDER]``.

Does its detector find them, do its landmarks lie where the exact ones are, does its descriptor tell them apart as it
tells people apart? Writes ``notebooks/figures/07_heads.json`` (figures with 95 % intervals over people) and
``notebooks/figures/07_heads.jpg`` (32 of them). The people are numbered from 5000 on: none was looked at while heads
were designed, and ``synth`` has numbers below 240.
Taught in: lesson 07.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor

from facelab import files
from facelab.data.kface_names import FRONTAL_CAMERA, Shot
from facelab.data.synth import FIRST, shots_of, view_of
from facelab.faces.descriptor import descriptors
from facelab.faces.detect import detect
from facelab.faces.landmarks import find_landmarks
from facelab.metrics.identity import SAME_PERSON
from facelab.metrics.intervals import bootstrap
from facelab.seeding import generator
from facelab.studies.small_files import jpeg
from facelab.synth.render import VERSION, Rendered, render
from facelab.synth.view import View

PEOPLE, SIZE, SEED = 5000, 128, 1
"""The first person's number, side in pixels, seed of views and intervals."""
YAWS = (0, 15, 30, 45, 60, 75, 90)
REGIONS = {
    "jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48), "mouth": slice(48, 68),
}  # fmt: skip


def study(frontal: int = 300, known: int = 150, turned: int = 100, size: int = SIZE) -> dict[str, Any]:
    """All figures.

    Args:
        frontal: people whose canonical picture is searched for a face. known: people for the descriptor.
        turned: people a yaw. size: side of all pictures, pixels.

    Returns:
        What ``07_heads.json`` holds: shares 0..1, distances in inter-ocular distances, each with ``low`` and ``high``.

    Raises:
        MissingPart: dlib or its model files are not installed.
    """
    about = {"what": "rendered heads judged by dlib", "first person": PEOPLE, "size": size, "seed": SEED,
             "interval": "95 %, over people: exact binomial for shares, bootstrap for the rest",
             "render version": VERSION}  # fmt: skip
    front = canonical_study(frontal, size)
    return about | front | {"identity": identity_study(known, size), "found by yaw": yaw_study(turned, size)}


def canonical_study(people: int, size: int = SIZE) -> dict[str, Any]:
    """Share of canonical pictures in which a face is found, and how far its landmarks lie from the exact ones.

    A face's distance is the median over its landmarks, in exact inter-ocular distances; the mean over faces is told.

    Args:
        people: how many. size: pixels.
    """
    found, apart = [], []
    for number in range(PEOPLE, PEOPLE + people):
        picture = render(number, None, size)
        boxes = detect(picture.image, doubtful=False)
        found.append(bool(boxes))
        if boxes:
            apart.append(_apart(find_landmarks(picture.image, boxes[0]), picture.landmarks))
    rows = torch.stack(apart) if apart else torch.zeros(0, 68)
    parts = {name: _told(rows[:, part].median(1).values) for name, part in REGIONS.items()}
    overall = {"all": _told(rows.median(1).values)} | parts
    return {"found": _share(found), "landmarks": {"faces": len(rows), "distance": overall}}


def _apart(points: Tensor, exact: Tensor) -> Tensor:
    """Distances (68,) in inter-ocular distances."""
    between = (exact[42:48].mean(0) - exact[36:42].mean(0)).norm()
    return (points - exact).norm(dim=1) / between


def identity_study(people: int, size: int = SIZE) -> dict[str, Any]:
    """How well the descriptor tells the same person from another: three pictures of each, turned up to 30 degrees.

    Faces are cut out by their exact landmarks. The interval resamples people among the pairs of one person; the pairs
    of two are held fixed.

    Args:
        people: how many, at least 2. size: pixels.
    """
    pictures = [picture for number in range(PEOPLE, PEOPLE + people) for picture in _three(number, size)]
    vectors = descriptors(torch.stack([p.image for p in pictures]), torch.stack([p.landmarks for p in pictures]))
    who = torch.arange(people).repeat_interleave(3)
    distance = torch.cdist(vectors, vectors)
    later = torch.ones_like(distance, dtype=torch.bool).triu(1)
    alike = later & (who[:, None] == who[None])
    same, other = distance[alike], distance[later & ~alike]
    farther = area_under(same, other)
    return {
        "pictures": len(pictures), "pairs": {"same": len(same), "different": len(other)}, "yaw": "-30 to 30 degrees",
        "auc": _told(farther, who[:, None].expand_as(distance)[alike].tolist()), "threshold": SAME_PERSON,
        "same nearer": round(float((same < SAME_PERSON).float().mean()), 4),
        "different nearer": round(float((other < SAME_PERSON).float().mean()), 4),
        "median distance": {"same": round(float(same.median()), 4), "different": round(float(other.median()), 4)},
    }  # fmt: skip


def area_under(same: Tensor, other: Tensor) -> Tensor:
    """Whose mean is the area under the ROC curve: for each distance, the share of the others that are larger.

    Args:
        same: (P,) distances within a person. other: (Q,) distances between people; ties count half.

    Returns:
        (P,) float64, 0..1.

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve".
    """
    order = other.sort().values
    below, upto = (torch.searchsorted(order, same, right=right) for right in (False, True))
    return 1 - (below + upto).double() / (2 * len(other))


def shot_view(number: int, yaw: float, seed: int) -> View:
    """A K-FACE-like look at somebody who wears nothing: light and expression by chance, the yaw as told.

    Args:
        number: of the person. yaw: degrees. seed: tells shots of one person apart.
    """
    random = np.random.default_rng([23, SEED, number, seed])
    light, expression = int(random.integers(1, 31)), int(random.integers(1, 4))
    camera = FRONTAL_CAMERA + (1 if random.random() < 0.5 else -1)  # the frontal one would be the canonical view
    return dataclasses.replace(view_of(Shot(str(FIRST + number), 1, light, expression, camera)), yaw=yaw)


def _three(number: int, size: int) -> list[Rendered]:
    """Somebody's canonical picture and two shots within 30 degrees."""
    yaws = np.random.default_rng([29, SEED, number]).uniform(-30, 30, 2)
    views = [View(), *(shot_view(number, float(yaw), k) for k, yaw in enumerate(yaws))]
    return [render(number, view, size) for view in views]


def yaw_study(people: int, size: int = SIZE) -> dict[str, dict[str, float]]:
    """Share of shots in which a face is found, yaw by yaw, sides in turn.

    Args:
        people: how many a yaw, the same ones. size: pixels.
    """
    out = {}
    for yaw in YAWS:
        views = [shot_view(PEOPLE + k, yaw * (-1.0) ** k, yaw) for k in range(people)]
        pictures = [render(PEOPLE + k, view, size).image for k, view in enumerate(views)]
        out[str(yaw)] = _share([bool(detect(picture, doubtful=False)) for picture in pictures])
    return out


def _told(values: Tensor, groups: Sequence[Hashable] | None = None) -> dict[str, float | None]:
    """Mean, interval and number of people; None where there is nobody."""
    count = len(values) if groups is None else len(set(groups))
    if not count:
        return {"mean": None, "low": None, "high": None, "people": 0}
    low, high = bootstrap(values, generator(SEED, "heads"), groups)
    return {"mean": round(float(values.mean()), 4), "low": round(low, 4), "high": round(high, 4), "people": count}


def _share(hits: Sequence[bool]) -> dict[str, float]:
    """The same of a share, one picture a person. A bootstrap has no width where all or none are hit; this has.

    Source: Clopper and Pearson 1934, by scipy.
    """
    low, high = binomtest(sum(hits), len(hits)).proportion_ci(0.95)
    share = {"mean": sum(hits) / len(hits), "low": low, "high": high}
    return {name: round(float(value), 4) for name, value in share.items()} | {"people": len(hits)}


def contact_sheet(rows: int = 4, columns: int = 8, size: int = SIZE) -> Tensor:
    """People as ``synth`` shows them, the canonical picture of one and a turned one of the next.

    Args:
        rows, columns: of the sheet. size: of each picture, pixels.

    Returns:
        (3, rows · size, columns · size) in [-1, 1].
    """
    numbers = range(PEOPLE, PEOPLE + rows * columns)
    views = [view_of(shots_of(number)[-1 if number % 2 else 0]) for number in numbers]
    pictures = torch.stack([render(number, view, size).image for number, view in zip(numbers, views, strict=True)])
    return pictures.view(rows, columns, 3, size, size).permute(2, 0, 3, 1, 4).reshape(3, rows * size, columns * size)


def main(folder: str | Path | None = None) -> int:
    """Measure and draw into ``notebooks/figures``, or into a folder given."""
    target = Path(folder) if folder else files.project_root() / "notebooks" / "figures"
    files.write_bytes(target / "07_heads.jpg", jpeg(contact_sheet()))
    result = study()
    files.write_text(target / "07_heads.json", json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
