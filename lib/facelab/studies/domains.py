"""Sets of faces in visible light and in near infrared: both kinds of picture of one split, and who is on them.

Taught in: lesson 08.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.data.aligned import AlignedFaces, FinelyDrawn, aligned, finely_drawn
from facelab.data.cache import Cached, cached
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset
from facelab.data.infrared import InfraredFaces, InfraredPhotographs
from facelab.data.joined import JoinedFaces, joined
from facelab.errors import LayoutError

MADE = {InfraredFaces: "rendered", InfraredPhotographs: "simulated"}
"""What near-infrared pictures of computed sets are called."""


@dataclass(frozen=True)
class Domains:
    """One split of a set with visible and near-infrared pictures.

    Args:
        cache: decoded pictures of both, in colour.
        vis, nir: rows of the cache.
        counterpart: row of a visible picture → row of the near-infrared one that shows the same, pixel by pixel.
    """

    cache: Cached
    vis: tuple[int, ...]
    nir: tuple[int, ...]
    counterpart: dict[int, int]

    def __len__(self) -> int:
        return len(self.vis)

    def identity(self, row: int) -> str:
        """Who a row of the cache shows."""
        return self.cache.dataset.items[int(self.cache.indices[row])].who

    def points(self, row: int, size: int) -> Tensor:
        """Landmarks (68, 2) of a row, pixels of a picture ``size`` wide; NaN where the set does not know."""
        found = self.cache.dataset.known_landmarks(int(self.cache.indices[row]), size)
        return torch.full((68, 2), torch.nan) if found is None else found

    def made(self, row: int) -> str:
        """How a near-infrared picture came about, a word of :data:`MADE`; empty where a camera took it."""
        index, dataset = int(self.cache.indices[row]), self.cache.dataset
        if isinstance(dataset, JoinedFaces):
            dataset, _ = dataset.part(index)
        dataset = dataset.base if isinstance(dataset, AlignedFaces | FinelyDrawn) else dataset
        return next((word for kind, word in MADE.items() if isinstance(dataset, kind)), "")


def domains(data: str, split: str, size: int, align: bool = True) -> Domains:
    """One split of a set with visible and near-infrared pictures.

    Args:
        data: ``synth:nir``, ``lfw:nir``, ``casia``, …
        split: ``"train"``, ``"val"`` or ``"test"``.
        size: side, pixels.
        align: eyes at their canonical places; else as they come, and computed pictures drawn as finely as aligned
            ones are, so that alignment is all that differs.

    Raises:
        LayoutError: the set has not both kinds.

    Taught in: lesson 08.
    """
    dataset = open_dataset(data)
    if not {"vis", "nir"} <= set(dataset.groups):
        hint = "Use synth:nir, synth:600:nir, lfw:nir, casia, or other colour photographs with :nir behind their name."
        raise LayoutError(dataset.root, "visible and near-infrared pictures", f"neither marked in {data}", hint)
    dataset = _each(aligned if align else finely_drawn, dataset)
    cache = cached(dataset, size, 3)
    row, mine = {int(index): place for place, index in enumerate(cache.indices)}, set(cache.rows(split))
    of = lambda name: tuple(row[i] for i in dataset.groups[name] if row.get(i) in mine)  # noqa: E731
    partner = {row[a]: row[b] for a, b in dataset.pairs if a in row and b in row}
    return Domains(cache, of("vis"), of("nir"), partner)


def _each(change: Callable[[FaceDataset], FaceDataset], dataset: FaceDataset) -> FaceDataset:
    """Each part of a joined set by itself: its pictures are then shared with runs on that part alone."""
    return joined([change(part) for part in dataset.parts]) if dataset.parts else change(dataset)
