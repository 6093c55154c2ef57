"""Turned faces with their frontal counterparts: the batches that frontalization trains on.

Pairs come from :attr:`facelab.data.dataset.FaceDataset.pairs`: of rendered heads, turned photographs, K-FACE.
Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from facelab.data import splits
from facelab.data.augment import moved, placed, random_placement
from facelab.data.cache import Cached, cached
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset
from facelab.data.kface import CAMERAS, angle_index, shot_of
from facelab.data.matches import matches
from facelab.errors import BadConfig, LayoutError
from facelab.images import to_channels
from facelab.nets.warping import mirrored_field, places
from facelab.seeding import generator
from facelab.studies.batches import Loader, shuffled
from facelab.studies.parts import refuse_empty

SHIFT, SCALE, DEGREES = 0.04, 0.08, 5.0  # how much a turned face is moved in its frame; the frontal one stays
GREY = 0.1  # share of pairs whose pictures lose their colour: photographs may have none


@dataclass(frozen=True)
class Pairs:
    """Turned faces of one split, each with its frontal counterpart.

    Args:
        cache: decoded pictures.
        rows: (row of the turned face, row of the frontal one), rows of the cache.
        angles: 0 … 12 a pair, see :func:`facelab.data.kface.angle_index`.
        identities: who each pair shows.
        matches: places → (N, 3, 32, 32), where each place of the frontal face is seen in the turned one, see
            :func:`facelab.synth.match.match`; None where the set does not know.
    """

    cache: Cached
    rows: tuple[tuple[int, int], ...]
    angles: tuple[int, ...]
    identities: tuple[str, ...]
    matches: Callable[[list[int]], Tensor] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def who(self) -> tuple[int, ...]:
        """The same people as :attr:`identities`, as numbers from 0 on."""
        numbers = {name: number for number, name in enumerate(sorted(set(self.identities)))}
        return tuple(numbers[name] for name in self.identities)


def yaw_at(dataset: FaceDataset, index: int) -> float:
    """Degrees by which the head is turned in a picture: the set knows, or K-FACE's name says; 0 where nobody does."""
    known = dataset.known_yaw(index)
    if known is not None:
        return known
    shot = shot_of(dataset.items[index].file)
    return CAMERAS[shot.camera].yaw if shot else 0.0


def pairs(name: str, split: str, size: int, channels: int | None = None, matched: bool = False) -> Pairs:
    """Every pair of one split of a dataset; none where nobody is in it.

    Args:
        name: a dataset with pairs. split: ``"train"``, ``"val"`` or ``"test"``.
        size: side, pixels. channels: 1 or 3; None = the dataset's own.
        matched: with :attr:`Pairs.matches`, where the set knows them; computed at the first use.

    Raises:
        LayoutError: the set has no pairs at all.

    Taught in: 07.
    """
    dataset = open_dataset(name)
    if not dataset.pairs:
        hint = "Use synth, synth:600, lfw:turned, kface, or another set of photographs with :turned behind its name."
        raise LayoutError(dataset.root, "turned faces with a frontal counterpart", "none", hint)
    cache = cached(dataset, size, channels)
    members = set(splits.split(dataset, split))
    row = {int(index): place for place, index in enumerate(cache.indices)}
    usable = [k for k, (a, b) in enumerate(dataset.pairs) if a in members and a in row and b in row]
    kept = [dataset.pairs[k] for k in usable]
    maps = matches(dataset) if matched else None
    look = None if maps is None else lambda places: torch.from_numpy(maps[[usable[k] for k in places]]).float()
    return Pairs(
        cache, tuple((row[a], row[b]) for a, b in kept), tuple(angle_index(yaw_at(dataset, a)) for a, _ in kept),
        tuple(str(dataset.items[a].identity) for a, _ in kept), look,
    )  # fmt: skip


def turning_loader(part: Pairs, batch: int, seed: int, view_until: int | None = None) -> Loader:
    """Training batches as a pure function of the step number.

    Args:
        part: pairs of training people.
        batch: pairs a batch.
        seed: of every draw.
        view_until: the step from which turned faces are no longer moved in their frame, only mirrored.

    Returns:
        step → dict of ``side`` and ``front`` (N, C, S, S) in [-1, 1], ``angle`` (N,) int64, 0 … 12, ``who`` (N,)
        int64, the people as numbers, and where the part has them ``match`` (N, 3, 32, 32).

    Raises:
        LayoutError: there are no pairs.

    Taught in: 07.
    """
    refuse_empty(part)
    places = shuffled(len(part), seed)

    def load(step: int) -> dict[str, Tensor]:
        random, chosen = generator(seed, "turning", step), places(step * batch, batch)
        side, front = (part.cache.batch([part.rows[place][k] for place in chosen]) for k in (0, 1))
        angle, who = (torch.tensor([list_[place] for place in chosen]) for list_ in (part.angles, part.who))
        out = {"side": side, "front": front, "angle": angle, "who": who}
        if part.matches is not None:
            out["match"] = part.matches(chosen)
        if view_until is None or step < view_until:
            theta, _ = random_placement(batch, random, SHIFT, SCALE, DEGREES, flip=0.0)
            out = moved_aside(out, theta)
        out = mirrored(out, torch.rand(batch, generator=random) < 0.5)
        return greyed(out, torch.rand(batch, generator=random) < GREY)

    return load


def moved_aside(batch: dict[str, Tensor], theta: Tensor) -> dict[str, Tensor]:
    """The batch with its turned faces moved in their frames, ``theta`` as of :func:`facelab.data.augment.placed`."""
    out = batch | {"side": placed(batch["side"], theta)}
    if "match" in batch:
        n, _, height, width = batch["match"].shape
        here = places(height, width)[None]
        flow, seen = batch["match"][:, :2], batch["match"][:, 2:]
        known = (flow != 0).any(1, keepdim=True) | (seen > 0)
        there = moved((here + flow).flatten(2).transpose(1, 2), theta).transpose(1, 2).view(n, 2, height, width)
        seen = seen * (there.abs() < 1).all(1, keepdim=True)
        out["match"] = torch.cat([(there - here) * known, seen], 1)
    return out


def mirrored(batch: dict[str, Tensor], which: Tensor) -> dict[str, Tensor]:
    """The batch with some of its pairs mirrored, ``which`` (N,) of them: pictures, angles and matches."""
    choose = lambda flipped, kept: torch.where(which.view(-1, 1, 1, 1), flipped, kept)  # noqa: E731
    out = batch | {name: choose(batch[name].flip(-1), batch[name]) for name in ("side", "front")}
    out["angle"] = torch.where(which, 12 - batch["angle"], batch["angle"])
    if "match" in batch:
        out["match"] = choose(mirrored_field(batch["match"]), batch["match"])
    return out


def greyed(batch: dict[str, Tensor], which: Tensor) -> dict[str, Tensor]:
    """The batch with both pictures of some pairs in grey, ``which`` (N,) of them; grey pictures stay as they are."""
    if batch["side"].shape[1] == 1:
        return batch
    choose = which.view(-1, 1, 1, 1)
    grey = lambda pictures: to_channels(to_channels(pictures, 1), 3)  # noqa: E731
    return batch | {name: torch.where(choose, grey(batch[name]), batch[name]) for name in ("side", "front")}


def training_loader(data: str, cfg: Any, seed: int) -> Loader:
    """The training batches of a run: ``cfg`` has ``model copy size channels batch view_steps lambda_match``.

    Raises:
        BadConfig: the flows of copies are to be taught by matches, and the set knows none.
    """
    part = pairs(data, "train", cfg.size, cfg.channels, matched=cfg.lambda_match > 0)
    if cfg.model == "flow" and cfg.copy and part.matches is None:
        raise BadConfig("copy", True, f"False for {data}, which does not know where places are seen: --set copy=false")
    return turning_loader(part, cfg.batch, seed, cfg.view_steps)
