"""Fixed sets of occluded faces with truth, the same for every model that is measured on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.occlude import TRAIN_KINDS, UNSEEN_KINDS, occlude
from facelab.seeding import generator
from facelab.studies.parts import Faces, refuse_empty

__all__ = ["TRAIN_KINDS", "UNSEEN_KINDS", "Trial", "trial"]


@dataclass(frozen=True)
class Trial:
    """A fixed set of occluded faces with truth: the same for every model that is measured on it.

    Args:
        occluded, truth: (N, C, S, S). hole: (N, 1, S, S). points: (N, 68, 2).
        kinds: occluder of each. identities: who each shows.
    """

    occluded: Tensor
    truth: Tensor
    hole: Tensor
    points: Tensor
    kinds: tuple[str, ...]
    identities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.truth)


def trial(
    part: Faces,
    count: int,
    seed: int,
    kinds: Sequence[str] = TRAIN_KINDS,
    area: tuple[float, float] | None = (0.10, 0.20),
    chunk: int = 32,
) -> Trial:
    """Draw a fixed trial: pictures evenly spread over the part, occluders drawn from ``kinds``, no augmentation.

    Args:
        part: held-out faces.
        count: how many (at most one a picture).
        seed: of the occluders.
        kinds: which occluders; see :data:`facelab.occlude.UNSEEN_KINDS`.
        area: share of hidden pixels, from and to; None takes them as they come.

    Raises:
        LayoutError: nobody is in this part.
    """
    refuse_empty(part)
    count = min(count, len(part))
    places = [int(i * len(part) / count) for i in range(count)]
    random, drawn, truths, points = generator(seed, "trial", *kinds), [], [], []
    for start in range(0, count, chunk):
        truth, marks = part.take(places[start : start + chunk])
        drawn.append(occlude(truth, marks, random, kinds=kinds, area=area))
        truths.append(truth)
        points.append(marks)
    return Trial(
        torch.cat([d.image for d in drawn]), torch.cat(truths), torch.cat([d.hole for d in drawn]), torch.cat(points),
        tuple(kind for d in drawn for kind in d.kinds), tuple(part.identity(place) for place in places),
    )  # fmt: skip
