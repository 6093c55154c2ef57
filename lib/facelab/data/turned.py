"""Photographs from the front whose heads were turned: real faces, an angle that is known, and a true frontal picture.

``lfw:turned`` is made of every photograph of ``lfw`` that shows its face from the front; people keep their split.
Taught in: lesson 07.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facelab.data import cache
from facelab.data.dataset import FaceDataset, Item
from facelab.errors import LayoutError
from facelab.faces.landmarks import yaw as yaw_of
from facelab.seeding import derive
from facelab.synth.photo import MOST, VERSION, relief, turn, turned_landmarks, turned_match

SUFFIX = ":turned"
VIEWS = 4  # turned pictures of a photograph
FRONTAL = 12.0  # degrees; a photograph whose face is turned further by itself is left out
_LEAST, _PITCH = 8.0, 6.0  # degrees
_MATCHED = 64  # pixels of the relief that matches are read from


@dataclass
class TurnedFaces(FaceDataset):
    """Photographs and what became of them.

    Args:
        base: the set of photographs; its items at :attr:`sources` are this set's.
        sources: index into ``base`` of each item.
        angles: (yaw, pitch) by which each was turned, degrees; (0, 0) is the photograph itself.
        marks: (len(base), 68, 2) landmarks for a picture of 128 pixels.

    Other fields as of :class:`FaceDataset`.
    """

    base: FaceDataset | None = None
    sources: list[int] = field(default_factory=list)
    angles: list[tuple[float, float]] = field(default_factory=list)
    marks: Tensor | None = None

    def __getitem__(self, index: int) -> Tensor:
        return self.at(index, cache.KNOWN, self.channels)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        source, (yaw, pitch) = self.sources[index], self.angles[index]
        photo = self.base.at(source, size, channels)
        if not yaw and not pitch:
            return photo
        points = _scaled(self.marks[source], size)
        return turn(photo, points, yaw, pitch, _relief(points.numpy().tobytes(), size))

    def known_landmarks(self, index: int, size: int) -> Tensor:
        points = _scaled(self.marks[self.sources[index]], size)
        return turned_landmarks(points, *self.angles[index], _relief(points.numpy().tobytes(), size))

    def known_match(self, index: int, size: int) -> np.ndarray:
        points = _scaled(self.marks[self.sources[index]], _MATCHED)
        return turned_match(points, *self.angles[index], size, _relief(points.numpy().tobytes(), _MATCHED))

    def known_yaw(self, index: int) -> float:
        return self.angles[index][0]


@lru_cache(maxsize=4)
def _relief(points: bytes, size: int) -> np.ndarray:
    """The relief under a photograph, kept for the next angle."""
    return relief(torch.frombuffer(bytearray(points), dtype=torch.float32).view(68, 2), size)


def _scaled(points: Tensor, size: int) -> Tensor:
    return (points + 0.5) * (size / cache.KNOWN) - 0.5


def turned(base: FaceDataset, views: int = VIEWS) -> TurnedFaces:
    """Every frontal photograph of a set, itself first, then turned.

    Args:
        base: photographs. Their landmarks are looked for when they were not yet.
        views: turned pictures of each; half to either side, angles spread evenly from 8 to 60 degrees.

    Raises:
        LayoutError: no photograph shows a face from the front.
        MissingPart: landmarks must be looked for, and dlib is not here.

    Taught in: 07.
    """
    marks, _ = cache.landmarks(base, cache.KNOWN)
    frontal = [k for k in range(len(base)) if torch.isfinite(marks[k]).all() and abs(yaw_of(marks[k])) <= FRONTAL]
    if not frontal:
        found, hint = f"none among {len(base):,}", "Use another set of photographs."
        raise LayoutError(base.root, "photographs of faces from the front", found, hint)
    items, sources, angles, pairs = [], [], [], []
    for source in frontal:
        first, item = len(items), base.items[source]
        for yaw, pitch in [(0.0, 0.0), *_angles(base.relative(source), views)]:
            pairs += [(len(items), first)] if len(items) > first else []
            items.append(Item(_named(item.file, yaw), item.who))
            sources.append(source)
            angles.append((yaw, pitch))
    made = f"/turned {VERSION} {cache.fingerprint(base)}"
    note = f"from {len(frontal):,} of {len(base):,} photographs, those that show their face from the front"
    return TurnedFaces(
        base.name + SUFFIX, base.root, items, base.channels, pairs=pairs, notes=[*base.notes, note], made=made,
        base=base, sources=sources, angles=angles, marks=marks,
    )  # fmt: skip


def _named(file: Path, yaw: float) -> Path:
    return file if not yaw else file.with_name(f"{file.stem}@{yaw:+.1f}{file.suffix}")


def _angles(name: str, views: int) -> list[tuple[float, float]]:
    """(yaw, pitch), degrees, for one photograph, the same on every machine: one of each stratum, sides in turn."""
    random = np.random.default_rng(derive(0, "turned", name) % 2**32)
    side, out = 1 if random.random() < 0.5 else -1, []
    for stratum in random.permutation(views):
        low = _LEAST + (MOST - _LEAST) * stratum / views
        size = low + (MOST - _LEAST) / views * random.random()
        out.append((math.copysign(size, side), float(random.uniform(-_PITCH, _PITCH))))
        side = -side
    return [(round(float(yaw), 1), round(pitch, 1)) for yaw, pitch in out]
