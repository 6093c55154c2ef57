"""Parts of datasets that a study works on: decoded faces with landmarks, one split, with or without truth."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from facelab.data.cache import Cached, cached, landmarks
from facelab.data.catalogue import CATALOGUE, open_dataset
from facelab.data.dataset import Item
from facelab.data.splits import bucket
from facelab.errors import BadConfig, FacelabError, LayoutError
from facelab.occlude.face import fill
from facelab.occlude.facemask import doubts

#: Groups of a dataset whose faces are bare, and may serve as truth; where a set has none of them, all its faces may.
BARE = ("without_mask", "neutral", "truth")
#: Groups of photographs in which something real hides the face: the natural ones, without truth.
COVERED = {"realmasks": ("with_mask",), "rof": ("masked", "sunglasses"), "deocclusion": ("natural_occluded",)}


@dataclass(frozen=True)
class Faces:
    """Rows of a cache with their landmarks.

    Args:
        cache: decoded pictures.
        points: (len(cache), 68, 2) pixels, NaN where unknown.
        rows: the rows that belong to this part.
    """

    cache: Cached
    points: Tensor
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Images (N, C, S, S) and landmarks (N, 68, 2) at places 0 … len - 1 of this part."""
        rows = [self.rows[place] for place in places]
        return self.cache.batch(rows), self.points[rows]

    def identity(self, place: int) -> str:
        """Who the picture at this place shows; its file name where the set does not say."""
        return self._item(place).who

    def name(self, place: int) -> str:
        """The file name of the picture at this place."""
        return self._item(place).file.name

    def _item(self, place: int) -> Item:
        return self.cache.dataset.items[int(self.cache.indices[self.rows[place]])]


def faces(name: str, split: str, size: int, channels: int | None = None) -> Faces:
    """One split of a dataset of the catalogue, decoded and with landmarks.

    Args:
        name: e.g. ``"orl"``; of a set with groups only the bare faces (:data:`BARE`), its covered ones are
            :func:`natural_photographs`.
        split: ``"train"``, ``"val"`` or ``"test"``.
        size: side in pixels.
        channels: 1 or 3; None = the dataset's own.

    Raises:
        BadConfig: a set of holes.
    """
    if name in CATALOGUE and not CATALOGUE[name].faces:
        raise BadConfig("data", name, "a set of faces: these pictures are holes")
    dataset = open_dataset(name)
    cache = cached(dataset, size, channels)
    known = [name for name in BARE if name in dataset.groups]
    rows = _rows_of(cache, known, (split,)) if known else cache.rows(split)
    return Faces(cache, _points(dataset, cache, size), tuple(rows))


def _rows_of(cache: Cached, groups: Sequence[str], splits: Sequence[str]) -> list[int]:
    members = {row for name in groups for row in cache.rows_of(cache.dataset.groups.get(name, []))}
    return [row for split in splits for row in cache.rows(split) if row in members]


def _points(dataset, cache: Cached, size: int) -> Tensor:
    try:
        return landmarks(dataset, size)[0][torch.from_numpy(cache.indices)]
    except (FacelabError, ImportError) as error:  # no dlib here: occluders fall back to the canonical face
        what = "occluders are placed on an average face, so batches differ"
        warnings.warn(f"no landmarks ({error}): {what}", stacklevel=3)
        return torch.full((len(cache), 68, 2), torch.nan)


def natural_photographs(split: str | Sequence[str], size: int, name: str = "realmasks") -> Faces:
    """Real photographs of covered faces, without truth, in colour; ``realmasks``: people wearing a facemask.

    Args:
        split: one or more of ``"train"``, ``"val"``, ``"test"``.
        size: side in pixels.
        name: a dataset of :data:`COVERED`.
    """
    cache = cached(open_dataset(name), size, 3)
    rows = _rows_of(cache, COVERED[name], [split] if isinstance(split, str) else split)
    return Faces(cache, torch.full((len(cache), 68, 2), torch.nan), tuple(rows))


def split_off_natural(part: Faces, percent: int = 10) -> tuple[Faces, Faces]:
    """Divide a training part by identity into a paired and a natural part; no person is in both.

    The natural part is kept small: the finder learns from people, and a small set has few.
    """
    natural = [place for place in range(len(part)) if bucket("natural", part.identity(place)) < percent]
    chosen = set(natural)
    paired = [place for place in range(len(part)) if place not in chosen]
    pick = lambda places: Faces(part.cache, part.points, tuple(part.rows[p] for p in places))  # noqa: E731
    return pick(paired), pick(natural)


def doubtful(part: Faces) -> dict[str, int]:
    """How many faces of a part wear what is drawn on them perhaps in the wrong place, by reason.

    Nobody is left out for that; a card says how many they are.
    """
    points = part.points[list(part.rows)]
    reasons = doubts(points, fill(points, len(part), part.cache.size))
    return {reason: reasons.count(reason) for reason in sorted(set(reasons)) if reason}


def refuse_empty(part: Any) -> None:
    """Raise ``LayoutError`` where a part has no picture: too few people for the split.

    Args:
        part: a :class:`Faces`, or anything else with a length and a ``cache``.
    """
    if not len(part):
        found, hint = "none of them in this split", "A split takes a share of the people: use a larger set."
        raise LayoutError(part.cache.dataset.root, "pictures of more people", found, hint)
