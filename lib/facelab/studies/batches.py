"""From pictures in memory to training batches: view, light, occluder, and who is shown beside whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from facelab.data.augment import random_light, random_view
from facelab.errors import BadConfig
from facelab.files import data_root
from facelab.images import resize
from facelab.occlude import TRAIN_KINDS, occlude
from facelab.occlude.cutouts import Cutout
from facelab.seeding import generator
from facelab.studies.parts import COVERED, Faces, faces, natural_photographs, refuse_empty, split_off_natural

#: For a dataset without natural photographs: kinds shown unpaired, on people and kinds the paired part never uses.
NATURAL_KINDS = ("cap", "scarf")
Loader = Callable[[int], dict[str, Tensor]]


def shuffled(size: int, seed: int) -> Callable[[int, int], list[int]]:
    """``places(start, count)`` of an endless list in which every epoch of ``size`` places has an order of its own."""

    @lru_cache(maxsize=2)
    def order(epoch: int) -> list[int]:
        return torch.randperm(size, generator=generator(seed, "order", epoch)).tolist()

    return lambda start, count: [order(i // size)[i % size] for i in range(start, start + count)]


def occlusion_loader(
    paired: Faces,
    batch: int,
    seed: int,
    *,
    kinds: Sequence[str] = TRAIN_KINDS,
    natural: Faces | None = None,
    natural_kinds: Sequence[str] = (),
    scale: float = 0.15,
    view_until: int | None = None,
    critic_from: int = 0,
    cutouts: Sequence[Cutout] | None = None,
    people: Sequence[str] = (),
) -> Loader:
    """Training batches for OA-GAN as a pure function of the step number.

    Args:
        paired: clean faces that get occluders drawn on.
        batch: pictures a batch.
        seed: of every draw.
        kinds: occluders of the paired part.
        natural: pictures whose truth is not used: already occluded photographs, or clean faces that get
            ``natural_kinds`` drawn on and their truth forgotten.
        natural_kinds: see above; empty for photographs.
        scale: largest relative change of size in augmentation.
        view_until: the step from which pictures are only mirrored: what is resampled is softer than a photograph.
        critic_from: the step from which a critic needs ``clean`` and ``natural``; before it they are not drawn.
        cutouts: your own occluders, one more kind of the paired part.
        people: for an identity head: all identities, whose order numbers them; empty = no labels.

    Returns:
        step → dict of ``occluded hole truth`` and, for the critic, ``clean`` and, with ``natural``, ``natural``.
        ``clean`` shows other pictures than ``truth`` (while there are others), so real and fake are independent. With
        ``people`` also ``label`` and ``clean_label`` (N,): who is shown.
    """

    refuse_empty(paired)
    places, view = shuffled(len(paired), seed), partial(view_at, scale=scale, until=view_until)
    number = {name: index for index, name in enumerate(people)}

    def labels(chosen: list[int]) -> Tensor:
        return torch.tensor([number[paired.identity(place)] for place in chosen])

    def for_critic(step: int) -> dict[str, Tensor]:
        random = generator(seed, "critic", step)
        taken, ahead = set(places(2 * step * batch, batch)), places((2 * step + 1) * batch, 3 * batch)
        others = [place for place in ahead if place not in taken] or ahead  # at an epoch's end a picture could recur
        chosen = [others[k % len(others)] for k in range(batch)]
        clean, _ = view(paired, chosen, random, step)
        out = {"clean": random_light(clean, random)} | ({"clean_label": labels(chosen)} if number else {})
        if natural is not None and len(natural):
            some = torch.randint(len(natural), (batch,), generator=random).tolist()
            out["natural"] = _natural(*view(natural, some, random, step), random, natural_kinds)
        return out

    def load(step: int) -> dict[str, Tensor]:
        random = generator(seed, "batch", step)
        chosen = places(2 * step * batch, batch)
        truth, points = view(paired, chosen, random, step)
        truth = random_light(truth, random)
        drawn = occlude(truth, points, random, kinds=kinds, cutouts=cutouts)
        out = {"truth": truth, "occluded": drawn.image, "hole": drawn.hole}
        out |= {"label": labels(chosen)} if number else {}
        return out | (for_critic(step) if step >= critic_from else {})

    return load


def view_at(
    part: Faces, chosen: list[int], random: torch.Generator, step: int, *, scale: float, until: int | None
) -> tuple[Tensor, Tensor]:
    """The chosen pictures and landmarks, shifted, scaled, rotated and mirrored; late in a run only mirrored."""
    still = {"shift": 0.0, "scale": 0.0, "degrees": 0.0}
    return random_view(*part.take(chosen), random, **({"scale": scale} if until is None or step < until else still))


def _natural(pictures: Tensor, points: Tensor, random: torch.Generator, kinds: Sequence[str]) -> Tensor:
    """Pictures whose truth is not used; with ``kinds`` those occluders are drawn on."""
    if kinds:
        pictures = occlude(pictures, points, random, kinds=kinds).image
    return random_light(pictures, random)


def training_loader(name: str, cfg: Any, seed: int, cutouts: Sequence[Cutout] | None = None) -> Loader:
    """The training batches of a run: natural photographs for colour, withheld truth for ``orl``.

    Which natural set serves which dataset: its own covered photographs (``COVERED``); else ``realmasks`` for colour
    where it is here; otherwise a disjoint part of the training people under :data:`NATURAL_KINDS`, which the paired
    part then never uses. With an identity head the batches carry labels.

    Args:
        name: a dataset of the catalogue.
        cfg: a system's configuration, with ``size channels batch classes critic_from view_steps`` and ``steps
            small_size small_until``.
        seed: of every draw.
        cutouts: your own occluders.

    Returns:
        See :func:`occlusion_loader`; with ``small_size`` the pictures are so small before step ``steps * small_until``.

    Raises:
        LayoutError: nobody is in the training part, or the files are not laid out as the catalogue says.
        BadConfig: ``classes`` is not the number of people of the paired part.
    """
    kinds, natural_kinds = paired_kinds(cfg.channels), ()
    paired = paired_part(name, cfg.size, cfg.channels)
    if _has_photographs(name, cfg.channels):
        natural = natural_photographs("train", cfg.size, name if name in COVERED else "realmasks")
    else:
        natural, natural_kinds = split_off_natural(faces(name, "train", cfg.size, cfg.channels))[1], NATURAL_KINDS
    people = people_of(name, cfg.size, cfg.channels) if cfg.classes else []
    if len(people) != cfg.classes:
        raise BadConfig("classes", cfg.classes, f"0, or {len(people)}: the people trained on")
    load = occlusion_loader(
        paired, cfg.batch, seed, natural=natural, natural_kinds=natural_kinds, kinds=kinds, critic_from=cfg.critic_from,
        cutouts=cutouts, people=people, view_until=cfg.view_steps,
    )  # fmt: skip
    return progressive(load, cfg.small_size, int(cfg.steps * cfg.small_until)) if cfg.small_size else load


def paired_part(name: str, size: int, channels: int) -> Faces:
    """The training faces that get occluders drawn on; all of them where natural photographs serve beside them."""
    part = faces(name, "train", size, channels)
    return part if _has_photographs(name, channels) else split_off_natural(part)[0]


def people_of(name: str, size: int, channels: int) -> list[str]:
    """Identities of the paired part, sorted: what an identity head tells apart."""
    paired = paired_part(name, size, channels)
    return sorted({paired.identity(place) for place in range(len(paired))})


def _has_photographs(name: str, channels: int) -> bool:
    return channels == 3 and (name in COVERED or paired_kinds(channels) == TRAIN_KINDS)


def masked_photographs_here(channels: int) -> bool:
    """Whether real masked photographs, which are in colour, can serve as natural pictures."""
    return channels == 3 and (data_root() / "realmasks").exists()  # a damaged copy must raise, not be passed over


def paired_kinds(channels: int) -> tuple[str, ...]:
    """Occluders of the paired part: all training kinds where real masked photographs (colour) serve as natural ones."""
    return (
        TRAIN_KINDS
        if masked_photographs_here(channels)
        else tuple(kind for kind in TRAIN_KINDS if kind not in NATURAL_KINDS)
    )


def progressive(load: Loader, size: int, steps: int) -> Loader:
    """The same batches, resized to ``size`` pixels for the first ``steps`` steps: the cheap part of a long run."""

    def loader(step: int) -> dict[str, Tensor]:
        batch = load(step)
        return {name: resize(value, size) for name, value in batch.items()} if step < steps else batch

    return loader
