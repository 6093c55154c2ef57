"""Turned faces with their frontal counterparts: the batches that frontalization trains on, and its trials.

Pairs come from the dataset (:attr:`facelab.data.dataset.FaceDataset.pairs`): rendered heads, turned photographs, K-FACE.
Taught in: lesson 07.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from facelab.data import splits
from facelab.data.augment import random_light, random_view
from facelab.data.cache import Cached, cached
from facelab.data.catalogue import open_dataset
from facelab.data.kface import CAMERAS, angle_index, shot_of
from facelab.errors import LayoutError
from facelab.seeding import generator
from facelab.studies.batches import Loader, shuffled

SHIFT, SCALE, DEGREES = 0.04, 0.08, 5.0  # how much a turned face is moved in its frame; the frontal one stays


@dataclass(frozen=True)
class Pairs:
    """Turned faces of one split, each with its frontal counterpart.

    Args:
        cache: decoded pictures.
        rows: (row of the turned face, row of the frontal one), rows of the cache.
        angles: 0 … 12 a pair, see :func:`facelab.data.kface.angle_index`.
        identities: who each pair shows.
    """

    cache: Cached
    rows: tuple[tuple[int, int], ...]
    angles: tuple[int, ...]
    identities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)


def yaw_at(dataset: Any, index: int) -> float:
    """Degrees by which the head is turned in a picture: the set knows, or K-FACE's name says; 0 where nobody does."""
    known = dataset.known_yaw(index)
    if known is not None:
        return known
    shot = shot_of(dataset.items[index].file)
    return CAMERAS[shot.camera].yaw if shot else 0.0


def pairs(name: str, split: str, size: int, channels: int | None = None) -> Pairs:
    """Every pair of one split of a dataset.

    Raises:
        LayoutError: the set has no pairs, or nobody is in this split.
    """
    dataset = open_dataset(name)
    cache = cached(dataset, size, channels)
    members = set(splits.split(dataset, split))
    row = {int(index): place for place, index in enumerate(cache.indices)}
    kept = [(a, b) for a, b in dataset.pairs if a in members and a in row and b in row]
    if not kept:
        found = "none" if not dataset.pairs else "none in this split"
        hint = "Use synth, synth:600, lfw:turned, kface, or another set of photographs with :turned behind its name."
        raise LayoutError(dataset.root, "turned faces with a frontal counterpart", found, hint)
    return Pairs(
        cache, tuple((row[a], row[b]) for a, b in kept), tuple(angle_index(yaw_at(dataset, a)) for a, _ in kept),
        tuple(str(dataset.items[a].identity) for a, _ in kept),
    )  # fmt: skip


def turning_loader(part: Pairs, batch: int, seed: int, view_until: int | None = None) -> Loader:
    """Training batches as a pure function of the step number.

    Args:
        part: pairs of training people.
        batch: pairs a batch.
        seed: of every draw.
        view_until: the step from which turned faces are no longer moved in their frame, only mirrored.

    Returns:
        step → dict of ``side`` and ``front`` (N, C, S, S), and ``angle`` (N,) int64.
    """
    places = shuffled(len(part), seed)

    def load(step: int) -> dict[str, Tensor]:
        random, chosen = generator(seed, "turning", step), places(step * batch, batch)
        side, front = (part.cache.batch([part.rows[place][k] for place in chosen]) for k in (0, 1))
        angle = torch.tensor([part.angles[place] for place in chosen])
        if view_until is None or step < view_until:
            side, _ = random_view(side, None, random, SHIFT, SCALE, DEGREES, flip=0.0)
        both = random_light(torch.cat([side, front], -1), random, 0.08)
        side, front = both.split(side.shape[-1], -1)
        mirrored = torch.rand(batch, generator=random) < 0.5
        flip = lambda images: torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)  # noqa: E731
        return {"side": flip(side), "front": flip(front), "angle": torch.where(mirrored, 12 - angle, angle)}

    return load


def training_loader(data: str, cfg: Any, seed: int) -> Loader:
    """The training batches of a run: ``cfg`` has ``size channels batch view_steps``."""
    return turning_loader(pairs(data, "train", cfg.size, cfg.channels), cfg.batch, seed, cfg.view_steps)
