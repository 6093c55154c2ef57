"""Several datasets as one: ``synth:600+lfw:turned``. People keep the split they have in their own set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from facelab import images
from facelab.data.dataset import FaceDataset, Item
from facelab.errors import BadConfig


@dataclass
class JoinedFaces(FaceDataset):
    """Datasets one after the other; ``parts`` are they. Pairs and groups are joined, pictures have the most channels."""

    parts: list[FaceDataset] = field(default_factory=list)

    def part(self, index: int) -> tuple[FaceDataset, int]:
        """The dataset a picture belongs to, and its index there."""
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

    def known_landmarks(self, index: int, size: int) -> Tensor | None:
        part, own = self.part(index)
        return part.known_landmarks(own, size)

    def known_yaw(self, index: int) -> float | None:
        part, own = self.part(index)
        return part.known_yaw(own)

    def family(self, index: int) -> str:
        part, own = self.part(index)
        return part.family(own)


def joined(parts: list[FaceDataset]) -> JoinedFaces:
    """Datasets as one.

    Raises:
        BadConfig: one of them twice.
    """
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise BadConfig("dataset", "+".join(names), "each set once")
    items, pairs, groups = [], [], {}
    for part in parts:
        start = len(items)
        pairs += [(start + a, start + b) for a, b in part.pairs]
        for name, rows in part.groups.items():
            groups.setdefault(name, []).extend(start + row for row in rows)
        items += [Item(Path("/joined") / part.name / part.relative(k), item.identity) for k, item in enumerate(part.items)]
    notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
    return JoinedFaces(
        "+".join(names), Path("/joined"), items, max(part.channels for part in parts), groups=groups, pairs=pairs, notes=notes,
        made="".join(part.made for part in parts), parts=parts,
    )  # fmt: skip
