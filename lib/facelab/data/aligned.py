"""A set with every face at the same place: eyes level, as far apart and as high as in any other picture.

An aligned picture is drawn finer than wanted and made smaller, which smooths a sensor's grain. For comparisons
:class:`FinelyDrawn` does the same to pictures that stay where they are.

Taught in: lesson 08.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from facelab import images
from facelab.data import cache
from facelab.data.dataset import FaceDataset
from facelab.data.fingerprints import fingerprint
from facelab.errors import BadConfig, BadImage, LayoutError
from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_matrix, transform, warp

SUFFIX = ":aligned"
VERSION = 1  # raise when an aligned picture would come out differently
_FINER = 1.75  # times as many pixels a side as wanted are looked at
_ROOM = 1.3  # times as wide as its own a rendered picture is drawn, for canonical squares reach beyond
_MOST = 1024  # pixels a side that a picture is drawn with; sides above 450 px are therefore looked at less finely


@dataclass
class AlignedFaces(FaceDataset):
    """Pictures of another set, brought to canonical eyes; indices are that set's.

    A picture without a face stays in the list, is in no group and no pair, and cannot be opened.

    Args:
        base: the set of pictures as they are.
        marks: (len(base), 68, 2) landmarks for pictures of :data:`facelab.data.cache.KNOWN` pixels, NaN = no face.
        leads: index of the picture whose eyes decide, of each item: its own, but for the infrared picture of a pair,
            which follows the other one, so that both stay alike pixel by pixel.

    Other fields as of :class:`FaceDataset`.
    """

    base: FaceDataset | None = None
    marks: Tensor | None = None
    leads: list[int] = field(default_factory=list)

    def __getitem__(self, index: int) -> Tensor:
        return self.at(index, cache.KNOWN, self.channels)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        """As of :class:`FaceDataset`.

        A set that can show more than its pictures is looked at with room around them, so that nothing is missing where
        the canonical square reaches beyond. Above 788 pixels that would be more than can be drawn: there, as in
        photographs of any size, the picture's edge is repeated.
        """
        fine = _finer(size)
        marks = self._face(self.leads[index], fine)
        wide = 2 * round(fine * _ROOM / 2)
        picture = self.base.around(index, wide, channels, wide / fine) if wide <= _MOST else None
        if picture is None:
            picture = self.base.at(index, fine, channels)
        else:
            marks = marks + (wide - fine) / 2
        return images.resize(warp(picture, eye_matrix(marks, fine), (fine, fine)), size)

    def known_landmarks(self, index: int, size: int) -> Tensor | None:
        try:
            matrix = eye_matrix(self._face(self.leads[index], size), size)
            return transform(self._face(index, size), matrix)
        except BadImage:
            return None

    def known_yaw(self, index: int) -> float | None:
        return self.base.known_yaw(index)

    def family(self, index: int) -> str:
        return self.base.family(index)

    def _face(self, index: int, size: int) -> Tensor:
        """Landmarks (68, 2) of a picture of the base set, ``size`` pixels wide; raises ``BadImage``."""
        points = self.marks[index]
        if not torch.isfinite(points).all():
            raise BadImage(self.relative(index), "no face was found that could be aligned")
        return (points + 0.5) * (size / cache.KNOWN) - 0.5


def _finer(size: int) -> int:
    """How many pixels a side are looked at where ``size`` are wanted."""
    return min(round(_FINER * size), max(size, round(_MOST / _ROOM)))


@dataclass
class FinelyDrawn(FaceDataset):
    """Computed pictures of another set, as they are but drawn as finely as aligned ones are, and made smaller.

    Args:
        base: the set; indices are its own.

    Other fields as of :class:`FaceDataset`.
    """

    base: FaceDataset | None = None

    def __getitem__(self, index: int) -> Tensor:
        return self.base[index]

    def at(self, index: int, size: int, channels: int) -> Tensor:
        return images.resize(self.base.at(index, _finer(size), channels), size)

    def known_landmarks(self, index: int, size: int) -> Tensor | None:
        return self.base.known_landmarks(index, size)

    def known_yaw(self, index: int) -> float | None:
        return self.base.known_yaw(index)

    def family(self, index: int) -> str:
        return self.base.family(index)


def finely_drawn(dataset: FaceDataset) -> FaceDataset:
    """The same set drawn finer, see :class:`FinelyDrawn`; photographs and whole joined sets come back as they are.

    Args:
        dataset: any set of faces.

    Taught in: lesson 08.
    """
    if not dataset.made or dataset.parts:
        return dataset
    return FinelyDrawn(
        dataset.name + ":fine", dataset.root, dataset.items, dataset.channels, dataset.frame, dataset.groups,
        dataset.pairs, dataset.notes, f"/finely {_FINER} {fingerprint(dataset)}", base=dataset,
    )  # fmt: skip


def aligned(dataset: FaceDataset) -> AlignedFaces:
    """The same set with canonical eyes.

    Args:
        dataset: any set of faces. Their landmarks are looked for when they were not yet.

    Raises:
        BadConfig: it is aligned already.
        LayoutError: no picture shows a face.
        MissingPart: landmarks must be looked for, and dlib is not here.

    Taught in: lesson 08.
    """
    if isinstance(dataset, AlignedFaces):
        raise BadConfig("dataset", dataset.name, "a set that is not aligned yet")
    marks, lost = cache.landmarks(dataset, cache.KNOWN)
    leads = list(range(len(dataset)))
    for leader, follower in _one_sitting(dataset):
        leads[follower] = leader
    found = torch.isfinite(marks).flatten(1).all(1)
    usable = [bool(found[index] and found[leads[index]]) for index in range(len(dataset))]
    if not any(usable):
        hint = "Use another set of photographs."
        raise LayoutError(dataset.root, "pictures that show a face", f"none among {len(dataset):,}", hint)
    notes = [f"no face was found in {len(lost):,} of {len(dataset):,} pictures; they are left out"] if lost else []
    groups = {name: [row for row in rows if usable[row]] for name, rows in dataset.groups.items()}
    pairs = [(a, b) for a, b in dataset.pairs if usable[a] and usable[b]]
    made = f"/aligned {VERSION} {EYE_DISTANCE} {EYE_HEIGHT} {_FINER} {_ROOM} {fingerprint(dataset)}"
    return AlignedFaces(
        dataset.name + SUFFIX, dataset.root, dataset.items, dataset.channels, dataset.frame, groups, pairs,
        [*dataset.notes, *notes], made, base=dataset, marks=marks, leads=leads,
    )  # fmt: skip


def _one_sitting(dataset: FaceDataset) -> list[tuple[int, int]]:
    """Pairs (visible, infrared) of a set: both show the same, pixel by pixel."""
    visible, infrared = (set(dataset.groups.get(name, ())) for name in ("vis", "nir"))
    return [(a, b) for a, b in dataset.pairs if a in visible and b in infrared]
