"""Facemasks drawn on bare faces: the batches that face-mask removal trains on, and the trials it is judged by.

Taught in: lesson 06.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from facelab.data.augment import coarser, random_frames, random_light, repeat_edges
from facelab.occlude import occlude
from facelab.occlude.batch import Occluded
from facelab.occlude.facemask import CHANCE, TYPES, Look, wear
from facelab.seeding import generator
from facelab.studies.batches import Loader, masked_photographs_here, progressive, shuffled, view_at
from facelab.studies.parts import Faces, faces, natural_photographs, refuse_empty, split_off_natural
from facelab.studies.trials import Trial, drawn_trial

#: For a dataset without photographs of masked faces: the type shown unpaired, which the paired part never uses.
NATURAL_TYPES = ("cup",)


def facemask_loader(
    paired: Faces,
    batch: int,
    seed: int,
    *,
    types: Sequence[str] = TYPES,
    look: Look = CHANCE,
    bare: float = 0.0,
    framed: float = 0.0,
    soft: float = 0.0,
    scale: float = 0.2,
    view_until: int | None = None,
    natural: Faces | None = None,
    natural_types: Sequence[str] = (),
) -> Loader:
    """Training batches as a pure function of the step number.

    Args:
        paired: bare faces that get facemasks drawn on.
        batch: pictures a batch.
        seed: of every draw.
        types: of the facemasks.
        look: what is decided about them and not drawn.
        bare: share of the pictures that stay as they are, with an empty hole.
        framed: share of the pictures beyond whose photograph's edge pixels are repeated, as in many crops of faces.
        soft: share of the pictures that look as if enlarged from fewer pixels, down to a third of the side.
        scale: largest relative change of size in augmentation.
        view_until: the step from which pictures are only mirrored.
        natural: pictures whose truth is not used: photographs, or bare faces that get ``natural_types``.
        natural_types: see above; empty for photographs.

    Returns:
        step → dict of ``occluded hole truth`` and, with ``natural``, ``natural``.
    """
    refuse_empty(paired)
    places, view = shuffled(len(paired), seed), partial(view_at, scale=scale, until=view_until)

    def unpaired(step: int) -> Tensor:
        random = generator(seed, "natural", step)
        some = torch.randint(len(natural), (batch,), generator=random).tolist()
        pictures, points = view(natural, some, random, step)
        if natural_types:
            pictures = wear(pictures, points, random, natural_types).image
        return random_light(pictures, random)

    def load(step: int) -> dict[str, Tensor]:
        random = generator(seed, "batch", step)
        truth, points = view(paired, places(step * batch, batch), random, step)
        truth = random_light(truth, random)
        worn = wear(truth, points, random, types, look)
        off = (torch.rand(batch, generator=random) < bare).view(-1, 1, 1, 1)
        out = {"truth": truth, "occluded": torch.where(off, truth, worn.image)}
        out["hole"] = torch.where(off, torch.zeros_like(worn.hole), worn.hole)
        if view_until is None or step < view_until:
            out = _as_cropped(out, random, framed, soft)
        return out | ({"natural": unpaired(step)} if natural is not None and len(natural) else {})

    return load


def _as_cropped(batch: dict[str, Tensor], random: torch.Generator, framed: float, soft: float) -> dict[str, Tensor]:
    """What cropping does to photographs: see ``framed`` and ``soft`` of :func:`facemask_loader`."""
    count, _, *size = batch["truth"].shape
    if framed:
        frames = random_frames(count, tuple(size), random, framed)
        batch = {name: repeat_edges(pictures, frames) for name, pictures in batch.items()}
    if soft:
        few = torch.rand(count, generator=random) < soft
        factor = 1 / 3 + 2 / 3 * torch.rand(1, generator=random).item()
        for name in ("truth", "occluded"):  # alike; the hole is where it was
            batch[name][few] = coarser(batch[name][few], factor)
    return batch


def paired_types(channels: int) -> tuple[str, ...]:
    """Types drawn with truth: all of them where photographs of real facemasks (colour) serve as unpaired pictures."""
    return TYPES if masked_photographs_here(channels) else tuple(kind for kind in TYPES if kind not in NATURAL_TYPES)


def training_loader(name: str, cfg: Any, seed: int) -> Loader:
    """The training batches of a run; unpaired pictures are ``realmasks`` for colour where it is here.

    Args:
        name: a dataset of the catalogue.
        cfg: the configuration of ``mask_removal``.
        seed: of every draw.

    Raises:
        LayoutError: nobody is in the training part, or the files are not laid out as the catalogue says.
    """
    part, types = faces(name, "train", cfg.size, cfg.channels), ()
    natural = None
    if not masked_photographs_here(cfg.channels):  # who is shown unpaired is left out of the paired part, used or not
        part, natural = split_off_natural(part)
        types = NATURAL_TYPES
    elif cfg.natural_every:
        natural = natural_photographs("train", cfg.size)
    if cfg.natural_every and natural is not None:
        refuse_empty(natural)
    load = facemask_loader(
        part, cfg.batch, seed, types=paired_types(cfg.channels), look=Look(fit=cfg.fit), bare=cfg.bare,
        framed=cfg.framed, soft=cfg.soft, view_until=cfg.view_steps, natural=natural if cfg.natural_every else None,
        natural_types=types,
    )  # fmt: skip
    return progressive(load, cfg.small_size, int(cfg.steps * cfg.small_until)) if cfg.small_size else load


def facemask_trial(part: Faces, count: int, seed: int, types: Sequence[str] = TYPES) -> Trial:
    """A fixed trial: pictures evenly spread over the part, facemasks of ``types``, all tied to the face.

    Args:
        part: held-out faces.
        count: how many (at most one a picture).
        seed: of the facemasks.
        types: see :data:`facelab.occlude.facemask.TYPES`.

    Raises:
        LayoutError: nobody is in this part.
    """
    random = generator(seed, "facemasks", *types)
    return drawn_trial(part, count, lambda images, points: wear(images, points, random, types))


def other_drawing(part: Faces, count: int, seed: int) -> Trial:
    """The same with OA-GAN's own occluder ``facemask``, which is drawn in another way: no homography, other cloth.

    Args:
        part: held-out faces. count: how many (at most one a picture). seed: of the occluders.

    Raises:
        LayoutError: nobody is in this part.
    """
    random = generator(seed, "other drawing")

    def cover(images: Tensor, points: Tensor) -> Occluded:
        return occlude(images, points, random, kinds=("facemask",))

    return drawn_trial(part, count, cover)
