"""Real heads that nobody has turned but their owners: ``python -m facelab.studies.side_poses [DATA] [WEIGHTS]``.

Of everybody who was photographed both from the front and from aside, the photograph that is turned furthest is turned
to the front, and asked whose it is. The frontal photograph is another one, with another expression: nothing is compared
pixel by pixel. Writes ``notebooks/figures/07_sides.json`` and ``notebooks/figures/07_sides.jpg``.
Taught in: lesson 07.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from facelab import files
from facelab.data import cache
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset
from facelab.data.splits import split
from facelab.data.turned import FRONTAL
from facelab.errors import LayoutError
from facelab.faces.descriptor import descriptors
from facelab.faces.landmarks import yaw
from facelab.images import grid, to_channels
from facelab.studies.evaluation import rank1, run_restore, summary
from facelab.studies.small_files import jpeg
from facelab.studies.trials import Trial
from facelab.studies.turning_trials import spread
from facelab.systems import frontalize
from facelab.train.weights import read_card

ASIDE = 20.0  # degrees, as :func:`facelab.faces.landmarks.yaw` estimates them
SHOWN = 10  # people in the figure, evenly spread over all of them


def side_poses(data: str, size: int, channels: int, trained: str = "") -> Trial:
    """Everybody's photograph that is turned furthest, and the one that is turned least.

    Args:
        data: photographs of people, several of each. size, channels: of the pictures.
        trained: the data of the weights that are judged; of a set among it only the test part is taken.

    Returns:
        A trial in the order of the people's names; ``kinds`` say the degrees. ``points`` belong to the frontal
        photographs, ``shown_points`` to the turned ones.

    Raises:
        LayoutError: nobody was photographed both from the front and turned by :data:`ASIDE` degrees and more.
    """
    dataset = open_dataset(data)
    marks, _ = cache.landmarks(dataset, size)
    turned = yaw(marks)
    of: dict[str, list[int]] = {}
    for index in unseen(dataset, trained):
        if torch.isfinite(marks[index]).all():
            of.setdefault(str(dataset.items[index].identity), []).append(index)
    pairs = {}
    for who, own in sorted(of.items()):
        side, front = max(own, key=lambda k: abs(turned[k])), min(own, key=lambda k: abs(turned[k]))
        if abs(turned[side]) >= ASIDE and abs(turned[front]) <= FRONTAL:
            pairs[who] = side, front
    if not pairs:
        raise LayoutError(dataset.root, "people photographed from the front and from aside", "nobody", "Use orl.")
    sides, fronts = (list(places) for places in zip(*pairs.values(), strict=True))
    pictures = [torch.stack([dataset.at(k, size, channels) for k in places]) for places in (sides, fronts)]
    kinds = tuple(f"{turned[k]:+.0f}°" for k in sides)
    everywhere = torch.ones(len(pairs), 1, size, size)
    return Trial(*pictures, everywhere, marks[fronts], kinds, tuple(pairs), whole=True, shown_points=marks[sides])


def unseen(dataset: FaceDataset, trained: str) -> list[int]:
    """Places of people that weights were not trained on: all, or the test part of a set that was trained on."""
    base = lambda name: name.partition(":")[0]  # noqa: E731
    known = base(dataset.name) in map(base, trained.split("+"))
    return split(dataset, "test") if known else list(range(len(dataset)))


def study(test: Trial, restore: Callable) -> tuple[dict[str, Any], Tensor]:
    """Whose face a turned photograph is said to show, before and after it is turned to the front.

    What a photograph's landmarks are is known; those of an answer are looked for in it, as anybody would.

    Args:
        test: of :func:`side_poses`. restore: pictures (N, C, S, S) to a restoration.

    Returns:
        Mean and 95 % interval over people of the identity distance and rank-1 for ``input`` and ``frontalize``, and of
        their difference, ``identity_gain``; and the answers (N, C, S, S).
    """
    known = descriptors(test.truth, test.points)
    image, _, _ = run_restore(restore, *test.shown)
    vectors = {"input": descriptors(test.occluded, test.shown_points), "frontalize": descriptors(image)}
    values = {}
    for name, mine in vectors.items():
        values[name] = {"identity": (mine - known).norm(dim=1), "rank1": rank1(mine, known)}
    values["frontalize"]["identity_gain"] = values["input"]["identity"] - values["frontalize"]["identity"]
    rows = {name: summary(row, test.identities) for name, row in values.items()}
    each = {who: [test.kinds[k], *(round(float(row["identity"][k]), 3) for row in values.values())]
            for k, who in enumerate(test.identities)}  # fmt: skip
    return {"people": len(test), "rows": rows, "yaw, before, after": each}, image


def main(data: str = "orl", weights: str = frontalize.NAME) -> int:
    """Measure a dataset with weights, those that ship by default, and draw."""
    (model, cfg), card = frontalize.load(weights), read_card(weights)
    test = side_poses(data, cfg.size, cfg.channels, str(card["data"]))
    channels = open_dataset(data).channels
    restore = partial(_in_channels, partial(frontalize.restore, model), channels)
    found, image = study(test, restore)
    places = spread(range(len(test)), SHOWN)
    strips = [to_channels(part[places], 3) for part in (test.occluded, image, test.truth)]
    sheet = grid(torch.cat(strips), len(places), 0)
    target = files.project_root() / "notebooks" / "figures"
    about = {"data": data, "weights": card["sha256"], "size": cfg.size, "at least": f"{ASIDE:g} degrees"}
    about["shown"] = [test.identities[k] for k in places]
    files.write_bytes(target / "07_sides.jpg", jpeg(sheet))
    files.write_text(target / "07_sides.json", json.dumps(about | found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(found["rows"], indent=1))
    return 0


def _in_channels(restore: Callable, channels: int, pictures: Tensor) -> Any:
    """What ``restore`` answers, in grey where the photographs are."""
    answer = restore(pictures)
    return answer._replace(image=to_channels(to_channels(answer.image, channels), pictures.shape[1]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
