"""Faces with irregular holes: the batches that inpainting trains on, and the trials it is judged by.

Taught in: lesson 09.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import torch
from torch import Tensor

from facelab.data.augment import random_light
from facelab.data.catalogue import open_dataset
from facelab.data.hole_pictures import published_holes
from facelab.files import data_root
from facelab.images import composite
from facelab.occlude.batch import Occluded
from facelab.occlude.irregular import BUCKETS, irregular_holes
from facelab.seeding import generator
from facelab.studies.batches import Loader, shuffled, view_at
from facelab.studies.parts import Faces, faces, refuse_empty
from facelab.studies.trials import Trial, drawn_trial
from facelab.systems.hog_inpaint import oracle_guide

JUDGED = (0.2, 0.3)
"""The bucket that goals are set for, and that is looked at while a run trains."""


def emptied(images: Tensor, hole: Tensor) -> Tensor:
    """The pictures (N, C, H, W) with grey where the hole (N, 1, H, W) is."""
    return composite(images, images.new_zeros(()).expand_as(images), hole)


def label(bucket: tuple[float, float]) -> str:
    """A bucket in words: ``"holes of 20 to 30 %"``."""
    return f"holes of {100 * bucket[0]:.0f} to {100 * bucket[1]:.0f} %"


def inpainting_loader(
    part: Faces, batch: int, seed: int, *, share: tuple[float, float] = (0.02, 0.6), scale: float = 0.15,
    view_until: int | None = None, crop: int = 0, crop_until: int = 0,
) -> Loader:  # fmt: skip
    """Training batches as a pure function of the step number.

    Args:
        part: faces that get holes.
        batch: pictures a batch.
        seed: of every draw.
        share: hidden share of a picture, from and to.
        scale: largest relative change of size in augmentation.
        view_until: the step from which pictures are only mirrored.
        crop, crop_until: windows of this side are cut out of pictures and holes before step ``crop_until``.

    Returns:
        step → dict of ``truth`` (N, C, S, S) and ``hole`` (N, 1, S, S).
    """
    refuse_empty(part)
    places, view = shuffled(len(part), seed), partial(view_at, scale=scale, until=view_until)

    def load(step: int) -> dict[str, Tensor]:
        random = generator(seed, "inpainting", step)
        truth, _ = view(part, places(step * batch, batch), random, step)
        truth = random_light(truth, random)
        made = {"truth": truth, "hole": irregular_holes(batch, random, tuple(truth.shape[-2:]), share)}
        return windows(made, crop, random) if step < crop_until else made

    return load


def windows(batch: dict[str, Tensor], side: int, random: torch.Generator) -> dict[str, Tensor]:
    """Of each picture a square of ``side`` pixels at a random place, the same place in all maps (N, C, H, W)."""
    height, width = batch["truth"].shape[-2:]
    tops = torch.randint(height - side + 1, (len(batch["truth"]),), generator=random).tolist()
    lefts = torch.randint(width - side + 1, (len(batch["truth"]),), generator=random).tolist()
    cut = lambda maps: [m[:, y : y + side, x : x + side] for m, y, x in zip(maps, tops, lefts, strict=True)]  # noqa: E731
    return {name: torch.stack(cut(maps)) for name, maps in batch.items()}


def training_loader(data: str, cfg: Any, seed: int) -> Loader:
    """The training batches of a run.

    Args:
        data: a dataset of the catalogue.
        cfg: a system's configuration, with ``size channels batch steps share_low share_high view_steps`` and ``crop
            crop_until``.
        seed: of every draw.

    Raises:
        LayoutError: nobody is in the training part, or the files are not laid out as the catalogue says.
    """
    part = faces(data, "train", cfg.size, cfg.channels)
    return inpainting_loader(
        part, cfg.batch, seed, share=(cfg.share_low, cfg.share_high), view_until=cfg.view_steps, crop=cfg.crop,
        crop_until=int(cfg.steps * cfg.crop_until),
    )  # fmt: skip


def hole_trial(part: Faces, count: int, seed: int, bucket: tuple[float, float] = JUDGED) -> Trial:
    """A fixed trial: pictures evenly spread over the part, holes whose share is drawn from one bucket.

    Args:
        part: held-out faces.
        count: how many (at most one a picture).
        seed: of the holes.
        bucket: hidden share, from and to; see :data:`facelab.occlude.irregular.BUCKETS`.

    Raises:
        LayoutError: nobody is in this part.
    """
    random, kind = generator(seed, "holes", *map(str, bucket)), label(bucket)

    def cover(images: Tensor, points: Tensor) -> Occluded:
        hole = irregular_holes(len(images), random, tuple(images.shape[-2:]), bucket)
        return Occluded(emptied(images, hole), hole, (kind,) * len(images))

    return drawn_trial(part, count, cover, given=True)


def with_oracle(test: Trial, cfg: Any) -> Trial:
    """The same trial, with the true guide told to a painter that never knew another."""
    if cfg.guide == "none" or cfg.true_until < 1:
        return test
    return dataclasses.replace(test, told=(oracle_guide(test.truth, test.hole, cfg),))


def hole_trials(data: str, cfg: Any, count: int, seed: int) -> dict[str, Trial]:
    """The protocol: one trial a bucket, the same faces in each, the bucket of the goals first; then published holes.

    Args:
        data: a dataset of the catalogue. cfg: a configuration, with ``size channels``.
        count: pictures a trial. seed: of the holes.
    """
    part = faces(data, "test", cfg.size, cfg.channels)
    order = [JUDGED, *(bucket for bucket in BUCKETS if bucket != JUDGED)]
    own = {label(bucket): hole_trial(part, count, seed, bucket) for bucket in order}
    groups = [group for group in _published() if group.endswith("_test")]
    return own | {f"published holes ({group})": published_trial(part, count, group) for group in groups}


def _published() -> list[str]:
    """Groups of published holes that are here; a damaged copy raises."""
    here = (data_root() / "irregular").exists()
    return list(open_dataset("irregular").groups) if here else []


def published_trial(part: Faces, count: int, group: str) -> Trial:
    """A fixed trial with holes of a published set, evenly spread over it.

    Args:
        part: held-out faces. count: how many (at most one a picture).
        group: see :func:`facelab.data.hole_pictures.open_irregular`.

    Raises:
        LayoutError: nobody is in this part, or the holes are not here.
    """
    dataset, taken, count = open_dataset("irregular"), 0, min(count, len(part))
    among = len(dataset.groups.get(group, ()))

    def cover(images: Tensor, points: Tensor) -> Occluded:
        nonlocal taken
        places = [(taken + k) * among // count for k in range(len(images))]
        taken += len(images)
        hole = published_holes(dataset, group, places, images.shape[-1])
        return Occluded(emptied(images, hole), hole, (group,) * len(images))

    return drawn_trial(part, count, cover, given=True)
