"""Fixed sets of occluded faces with truth, the same for every model that is measured on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from facelab.images import to_channels
from facelab.occlude import TRAIN_KINDS, UNSEEN_KINDS, occlude
from facelab.seeding import generator
from facelab.studies.batches import paired_kinds
from facelab.studies.parts import Faces, faces, refuse_empty

__all__ = ["AREA", "TRAIN_KINDS", "UNSEEN_KINDS", "Trial", "drawn_trial", "standard_trials", "trial"]

AREA = (0.10, 0.20)
ANOTHER = "another picture"
"""What a trial says of its truth where that is no counterpart, see :class:`Trial`."""
EACH = ("occluded", "truth", "hole", "points", "kinds", "identities", "doubts", "shown_points")
"""What a trial holds one of for each face."""


@dataclass(frozen=True)
class Trial:
    """A fixed set of occluded faces with truth: the same for every model that is measured on it.

    Args:
        occluded, truth: (N, C, S, S). hole: (N, 1, S, S). points: (N, 68, 2).
        kinds: occluder of each. identities: who each shows.
        doubts: why an occluder may sit wrongly on each face, ``""`` where nothing speaks against it.
        given: the hole is told to whoever restores them.
        told: what else is, (N, ...) each.
        whole: the whole picture is made anew, and asked whose face it is: every truth shows somebody else.
        shown_points: (N, 68, 2) landmarks of what is shown, where they are not those of the truth.
        truth_is: what the truth is where that must be said: ``"rendered"``, ``"simulated"`` (computed from what is
            shown), or ``"another picture"`` of the same people; ``""``: nothing to say.
        pixelwise: answers can be held against the truth pixel by pixel; not where that is another picture.
    """

    occluded: Tensor
    truth: Tensor
    hole: Tensor
    points: Tensor
    kinds: tuple[str, ...]
    identities: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    given: bool = False
    told: tuple[Tensor, ...] = ()
    whole: bool = False
    shown_points: Tensor | None = None
    truth_is: str = ""
    pixelwise: bool = True

    @property
    def shown(self) -> tuple[Tensor, ...]:
        """What a restorer is shown: the pictures, the holes where these are given, and what else it is told."""
        return (self.occluded, self.hole, *self.told) if self.given else (self.occluded,)

    @property
    def untouched(self) -> Tensor:
        """What is shown, in the truth's channels: the answer of whoever does nothing."""
        return to_channels(self.occluded, self.truth.shape[1])

    @property
    def made_points(self) -> Tensor:
        """Landmarks (N, 68, 2) of an answer: the truth's, or where that is another picture, those of what is shown."""
        return self.points if self.pixelwise or self.shown_points is None else self.shown_points

    def at(self, places: Sequence[int]) -> Trial:
        """The same trial of some of its faces, in the order asked for; from the end where a place is negative."""
        pick = lambda part: part[list(places)] if isinstance(part, Tensor) else tuple(part[k] for k in places)  # noqa: E731
        parts = {name: getattr(self, name) for name in EACH}
        cut = {name: pick(part) for name, part in parts.items() if part is not None and len(part)}
        return dataclasses.replace(self, told=tuple(pick(part) for part in self.told), **cut)

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
    random = generator(seed, "trial", *kinds)
    return drawn_trial(
        part, count, lambda images, points: occlude(images, points, random, kinds=kinds, area=area), chunk
    )


def drawn_trial(
    part: Faces, count: int, cover: Callable[[Tensor, Tensor], Any], chunk: int = 32, given: bool = False
) -> Trial:
    """A fixed trial of pictures evenly spread over a part, without augmentation.

    Args:
        part: held-out faces.
        count: how many (at most one a picture).
        cover: pictures (N, C, S, S) and landmarks to something with ``image``, ``hole``, ``kinds``, and perhaps
            ``doubts``.
        chunk: pictures drawn at a time.
        given: the hole is told to whoever restores them.

    Raises:
        LayoutError: nobody is in this part.
    """
    refuse_empty(part)
    count = min(count, len(part))
    places = [int(i * len(part) / count) for i in range(count)]
    drawn, truths, points = [], [], []
    for start in range(0, count, chunk):
        truth, marks = part.take(places[start : start + chunk])
        drawn.append(cover(truth, marks))
        truths.append(truth)
        points.append(marks)
    return Trial(
        torch.cat([d.image for d in drawn]), torch.cat(truths), torch.cat([d.hole for d in drawn]), torch.cat(points),
        tuple(kind for d in drawn for kind in d.kinds), tuple(part.identity(place) for place in places),
        tuple(doubt for d in drawn for doubt in getattr(d, "doubts", ())), given,
    )  # fmt: skip


def standard_trials(
    data: str, size: int, channels: int, count: int = 256, seed: int = 1, kinds: Sequence[str] | None = None
) -> dict[str, Trial]:
    """The two trials of OA-GAN's protocol, on held-out people: kinds trained on, kinds never trained on.

    ``kinds`` are those that the weights were trained on, as their card says; None where no card does.
    """
    part, known = faces(data, "test", size, channels), [kind for kind in kinds or () if kind in TRAIN_KINDS]
    return {
        "trained kinds": trial(part, count, seed, tuple(known) or paired_kinds(channels), AREA),
        "unseen kinds": trial(part, count, seed, UNSEEN_KINDS, AREA),
    }
