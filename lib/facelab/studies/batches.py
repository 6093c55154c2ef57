"""From pictures on disk to training batches: view, light, occluder, and who is shown beside whom."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from facelab.data.augment import random_light, random_view
from facelab.data.cache import Cached, cached, landmarks
from facelab.data.catalogue import open_dataset
from facelab.data.splits import bucket
from facelab.errors import BadConfig, FacelabError, LayoutError
from facelab.files import data_root
from facelab.images import resize
from facelab.occlude import TRAIN_KINDS, occlude
from facelab.occlude.cutouts import Cutout
from facelab.seeding import generator

#: For a dataset without natural photographs: kinds shown unpaired, on people and kinds the paired part never uses.
NATURAL_KINDS = ("cap", "scarf")
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
        item = self.cache.dataset.items[int(self.cache.indices[self.rows[place]])]
        return item.identity or item.file.name


def faces(name: str, split: str, size: int, channels: int | None = None) -> Faces:
    """One split of a dataset of the catalogue, decoded and with landmarks.

    Args:
        name: e.g. ``"orl"``; of a set with groups only the bare faces (:data:`BARE`), its covered ones are
            :func:`natural_photographs`.
        split: ``"train"``, ``"val"`` or ``"test"``.
        size: side in pixels.
        channels: 1 or 3; None = the dataset's own.
    """
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


def split_off_natural(part: Faces, percent: int = 20) -> tuple[Faces, Faces]:
    """Divide a training part by identity into a paired and a natural part; no person is in both."""
    natural = [place for place in range(len(part)) if bucket("natural", part.identity(place)) < percent]
    chosen = set(natural)
    paired = [place for place in range(len(part)) if place not in chosen]
    pick = lambda places: Faces(part.cache, part.points, tuple(part.rows[p] for p in places))  # noqa: E731
    return pick(paired), pick(natural)


def refuse_empty(part: Faces) -> None:
    """Raise ``LayoutError`` where a part has no picture: too few people for the split."""
    if not len(part):
        found, hint = "none of them in this split", "A split takes a share of the people: use a larger set."
        raise LayoutError(part.cache.dataset.root, "pictures of more people", found, hint)


Loader = Callable[[int], dict[str, Tensor]]


def _shuffled(size: int, seed: int) -> Callable[[int, int], list[int]]:
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
        critic_from: the step from which a critic needs ``clean`` and ``natural``; before it they are not drawn.
        cutouts: your own occluders, one more kind of the paired part.
        people: for an identity head: all identities, whose order numbers them; empty = no labels.

    Returns:
        step → dict of ``occluded hole truth`` and, for the critic, ``clean`` and, with ``natural``, ``natural``.
        ``clean`` shows other pictures than ``truth`` (while there are others), so real and fake are independent. With
        ``people`` also ``label`` and ``clean_label`` (N,): who is shown.
    """

    refuse_empty(paired)

    places = _shuffled(len(paired), seed)
    number = {name: index for index, name in enumerate(people)}

    def labels(chosen: list[int]) -> Tensor:
        return torch.tensor([number[paired.identity(place)] for place in chosen])

    def view(part: Faces, chosen: list[int], random: torch.Generator) -> tuple[Tensor, Tensor]:
        return random_view(*part.take(chosen), random, scale=scale)

    def for_critic(step: int) -> dict[str, Tensor]:
        random = generator(seed, "critic", step)
        taken, ahead = set(places(2 * step * batch, batch)), places((2 * step + 1) * batch, 3 * batch)
        others = [place for place in ahead if place not in taken] or ahead  # at an epoch's end a picture could recur
        chosen = [others[k % len(others)] for k in range(batch)]
        clean, _ = view(paired, chosen, random)
        out = {"clean": random_light(clean, random)} | ({"clean_label": labels(chosen)} if number else {})
        if natural is not None and len(natural):
            some = torch.randint(len(natural), (batch,), generator=random).tolist()
            pictures, points = view(natural, some, random)
            if natural_kinds:
                pictures = occlude(pictures, points, random, kinds=natural_kinds).image
            out["natural"] = random_light(pictures, random)
        return out

    def load(step: int) -> dict[str, Tensor]:
        random = generator(seed, "batch", step)
        chosen = places(2 * step * batch, batch)
        truth, points = view(paired, chosen, random)
        truth = random_light(truth, random)
        drawn = occlude(truth, points, random, kinds=kinds, cutouts=cutouts)
        out = {"truth": truth, "occluded": drawn.image, "hole": drawn.hole}
        out |= {"label": labels(chosen)} if number else {}
        return out | (for_critic(step) if step >= critic_from else {})

    return load


def training_loader(
    name: str, size: int, channels: int, batch: int, seed: int, critic_from: int = 0,
    cutouts: Sequence[Cutout] | None = None, classes: int = 0,
) -> Loader:  # fmt: skip
    """The standard training batches on a dataset: natural photographs for colour, withheld truth for ``orl``.

    The settings are those of :func:`occlusion_loader`.

    Which natural set serves which dataset: its own covered photographs (:data:`COVERED`); else ``realmasks`` for colour
    where it is here; otherwise a disjoint part of the training people under :data:`NATURAL_KINDS`, which the paired
    part then never uses. With ``classes`` the batches carry labels for an identity head.

    Raises:
        BadConfig: ``classes`` is not the number of people of the paired part.
    """
    paired, kinds, natural_kinds = faces(name, "train", size, channels), paired_kinds(channels), ()
    if channels == 3 and (name in COVERED or kinds == TRAIN_KINDS):
        natural = natural_photographs("train", size, name if name in COVERED else "realmasks")
    else:
        (paired, natural), natural_kinds = split_off_natural(paired), NATURAL_KINDS
    people = sorted({paired.identity(place) for place in range(len(paired))}) if classes else []
    if len(people) != classes:
        raise BadConfig("classes", classes, f"0, or {len(people)}: the people trained on")
    return occlusion_loader(
        paired, batch, seed, natural=natural, natural_kinds=natural_kinds, kinds=kinds, critic_from=critic_from,
        cutouts=cutouts, people=people,
    )  # fmt: skip


def paired_kinds(channels: int) -> tuple[str, ...]:
    """Occluders of the paired part: all training kinds where real masked photographs (colour) serve as natural ones."""
    natural = channels == 3 and (data_root() / "realmasks").exists()  # a damaged copy must raise, not be passed over
    return TRAIN_KINDS if natural else tuple(kind for kind in TRAIN_KINDS if kind not in NATURAL_KINDS)


def progressive(load: Loader, size: int, steps: int) -> Loader:
    """The same batches, resized to ``size`` pixels for the first ``steps`` steps: the cheap part of a long run."""

    def loader(step: int) -> dict[str, Tensor]:
        batch = load(step)
        return {name: resize(value, size) for name, value in batch.items()} if step < steps else batch

    return loader
