"""Several datasets as one: ``synth:600+lfw:turned``. People keep the split they have in their own set.

Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from facelab import images
from facelab.data.dataset import FaceDataset, Item
from facelab.data.fingerprints import fingerprint
from facelab.errors import BadConfig


@dataclass
class JoinedFaces(FaceDataset):
    """Datasets one after the other. Pairs and groups are joined; pictures have as many channels as any set's.

    Args:
        parts: the datasets.

    Other fields as of :class:`FaceDataset`.
    """

    def part(self, index: int) -> tuple[FaceDataset, int]:
        """The dataset a picture belongs to, and its index there.

        Raises:
            IndexError: there is no such picture.
        """
        for part in self.parts:
            if index < len(part):
                return part, index
            index -= len(part)
        raise IndexError(index)

    def __getitem__(self, index: int) -> Tensor:
        part, own = self.part(index)
        return images.to_channels(part[own], self.channels)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        part, own = self.part(index)
        return part.at(own, size, channels)

    def around(self, index: int, size: int, channels: int, times: float) -> Tensor | None:
        part, own = self.part(index)
        return part.around(own, size, channels, times)

    def known_landmarks(self, index: int, size: int) -> Tensor | None:
        part, own = self.part(index)
        return part.known_landmarks(own, size)

    def known_match(self, index: int, size: int) -> np.ndarray | None:
        part, own = self.part(index)
        return part.known_match(own, size)

    def known_yaw(self, index: int) -> float | None:
        part, own = self.part(index)
        return part.known_yaw(own)

    def family(self, index: int) -> str:
        part, own = self.part(index)
        return part.family(own)


def joined(parts: list[FaceDataset]) -> JoinedFaces:
    """Datasets as one.

    Args:
        parts: two or more, in the order in which their pictures shall be.

    Raises:
        BadConfig: one of them twice, or rendered people twice: the first of a larger set are the same.
    """
    name = "+".join(part.name for part in parts)
    once = {"synth" if part.name.startswith("synth:") else part.name for part in parts}
    if len(once) < len(parts):
        raise BadConfig("dataset", name, "each set once, rendered people included")
    root = Path("/joined") / name  # nothing lies there
    items, pairs, groups = [], [], {}
    for part in parts:
        start = len(items)
        pairs += [(start + a, start + b) for a, b in part.pairs]
        for group, rows in part.groups.items():
            groups.setdefault(group, []).extend(start + row for row in rows)
        items += [Item(root / part.name / part.relative(k), item.identity) for k, item in enumerate(part.items)]
    notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
    made = "/joined " + " ".join(fingerprint(part) for part in parts)  # theirs, for nothing of ours changes with a file
    channels = max(part.channels for part in parts)
    return JoinedFaces(name, root, items, channels, groups=groups, pairs=pairs, notes=notes, made=made, parts=parts)
