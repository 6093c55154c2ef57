"""Two heaps of faces without pairs, visible and near-infrared: what a translator is trained on and judged by.

Nobody who is seen in visible light while it trains is seen in near infrared: the training people are divided in two.
So no counterpart is in the other heap, and what the translator makes of a face can be held against a truth that it was
never shown. Sets that know the counterpart are ``synth:nir``, ``lfw:nir`` (there it is simulated); ``casia`` has none.
Taught in: lesson 08.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from facelab.data.aligned import AlignedFaces, aligned
from facelab.data.augment import random_view
from facelab.data.cache import Cached, cached
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset
from facelab.data.joined import joined
from facelab.data.splits import bucket
from facelab.errors import BadConfig, LayoutError
from facelab.images import to_channels
from facelab.metrics.baselines import mean_face
from facelab.seeding import generator
from facelab.studies.batches import Loader, shuffled
from facelab.studies.parts import refuse_empty
from facelab.studies.trials import Trial
from facelab.systems.vis2nir import as_seen

HALF = 50  # per cent of the training people are seen in visible light, the others in near infrared
JUDGED = 100  # people of a trial


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
        item = self.cache.dataset.items[int(self.cache.indices[row])]
        return item.identity if item.identity is not None else item.file.name

    def points(self, row: int, size: int) -> Tensor:
        """Landmarks (68, 2) of a row, pixels of a picture ``size`` wide; NaN where the set does not know."""
        found = self.cache.dataset.known_landmarks(int(self.cache.indices[row]), size)
        return torch.full((68, 2), torch.nan) if found is None else found


def domains(data: str, split: str, size: int, channels: int | None = None, align: bool = True) -> Domains:
    """One split of a set with visible and near-infrared pictures.

    Args:
        data: ``synth:nir``, ``lfw:nir``, ``casia``, …
        split: ``"train"``, ``"val"`` or ``"test"``.
        size: side, pixels. channels: of visible pictures; None and 3 are the same here.
        align: eyes at their canonical places.

    Raises:
        LayoutError: the set has not both kinds.

    Taught in: lesson 08.
    """
    dataset = open_dataset(data)
    if not {"vis", "nir"} <= set(dataset.groups):
        hint = "Use synth:nir, synth:600:nir, lfw:nir, casia, or other colour photographs with :nir behind their name."
        raise LayoutError(dataset.root, "visible and near-infrared pictures", f"neither marked in {data}", hint)
    dataset = _aligned(dataset) if align else dataset
    cache = cached(dataset, size, 3)
    row, mine = {int(index): place for place, index in enumerate(cache.indices)}, set(cache.rows(split))
    of = lambda name: tuple(row[i] for i in dataset.groups[name] if row.get(i) in mine)  # noqa: E731
    partner = {row[a]: row[b] for a, b in dataset.pairs if a in row and b in row}
    return Domains(cache, of("vis"), of("nir"), partner)


def _aligned(dataset: FaceDataset) -> AlignedFaces | FaceDataset:
    """Each part of a joined set by itself: its pictures are then shared with runs on that part alone."""
    return joined([aligned(part) for part in dataset.parts]) if dataset.parts else aligned(dataset)


def divided(part: Domains) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Rows of visible and of near-infrared pictures such that nobody is in both; half of the people each."""
    visible = {who for who in map(part.identity, (*part.vis, *part.nir)) if bucket("visible", who) < HALF}
    return (
        tuple(row for row in part.vis if part.identity(row) in visible),
        tuple(row for row in part.nir if part.identity(row) not in visible),
    )


def translating_loader(part: Domains, cfg: Any, seed: int) -> Loader:
    """Training batches as a pure function of the step number.

    Args:
        part: training people.
        cfg: ``batch channels paired view``, and whether visible pictures are equalised, see
            :func:`facelab.systems.vis2nir.as_seen`.
        seed: of every draw.

    Returns:
        step → dict of ``vis`` (N, C, S, S) and ``nir`` (N, 1, S, S) in [-1, 1], of other people, each by itself moved a
        little and perhaps mirrored; where the configuration is ``paired``, ``truth`` (N, 1, S, S), moved as ``vis``.

    Raises:
        LayoutError: one of the heaps is empty. BadConfig: pairs are wanted, and the set has none.

    Taught in: lesson 08.
    """
    vis, nir = divided(part)
    refuse_empty(dataclasses.replace(part, vis=vis if nir else ()))
    if cfg.paired and not part.counterpart:
        raise BadConfig("lambda_pixel", cfg.lambda_pixel, f"0 for {part.cache.dataset.name}, which knows no pairs")
    some, others = shuffled(len(vis), seed), shuffled(len(nir), seed + 1)

    def load(step: int) -> dict[str, Tensor]:
        random, at = generator(seed, "translating", step), step * cfg.batch
        rows = [vis[place] for place in some(at, cfg.batch)]
        seen = [to_channels(part.cache.batch(rows), cfg.channels)]
        seen += [to_channels(part.cache.batch([part.counterpart[row] for row in rows]), 1)] if cfg.paired else []
        seen = _moved(torch.cat(seen, 1), random, cfg.view)
        away = to_channels(part.cache.batch([nir[place] for place in others(at, cfg.batch)]), 1)
        out = {"vis": as_seen(seen[:, : cfg.channels], cfg), "nir": _moved(away, random, cfg.view)}
        return out | ({"truth": seen[:, cfg.channels :]} if cfg.paired else {})

    return load


def _moved(images: Tensor, random: torch.Generator, share: float) -> Tensor:
    return random_view(images, None, random, shift=share, scale=share, degrees=100 * share)[0]


def training_loader(data: str, cfg: Any, seed: int) -> Loader:
    """The training batches of a run, see :func:`translating_loader`."""
    return translating_loader(domains(data, "train", cfg.size, align=cfg.align), cfg, seed)


def nir_trial(part: Domains, count: int, channels: int, kind: str) -> Trial:
    """One visible picture a person beside its near-infrared counterpart, people evenly spread.

    A set without counterparts has another near-infrared picture of the same person in its place: then identity and
    rank-1 mean something, PSNR and SSIM do not.

    Args:
        part: held-out people. count: people at most. channels: of visible pictures. kind: label.

    Raises:
        LayoutError: nobody is in this part.
    """
    first: dict[str, int] = {}
    for row in part.vis:
        first.setdefault(part.identity(row), row)
    partner = part.counterpart or _of_the_same(part, first)
    rows = [row for _, row in sorted(first.items()) if row in partner]
    refuse_empty(dataclasses.replace(part, vis=tuple(rows)))
    rows = [rows[place * len(rows) // min(count, len(rows))] for place in range(min(count, len(rows)))]
    shown = to_channels(part.cache.batch(rows), channels)
    truth = to_channels(part.cache.batch([partner[row] for row in rows]), 1)
    points = torch.stack([part.points(row, truth.shape[-1]) for row in rows])
    everywhere, who = torch.ones_like(truth), tuple(part.identity(row) for row in rows)
    return Trial(shown, truth, everywhere, points, (kind,) * len(rows), who, whole=True)


def _of_the_same(part: Domains, first: dict[str, int]) -> dict[int, int]:
    """Row of a visible picture → the first near-infrared row of the same person."""
    nir: dict[str, int] = {}
    for row in part.nir:
        nir.setdefault(part.identity(row), row)
    return {row: nir[who] for who, row in first.items() if who in nir}


def held_out_trial(data: str, cfg: Any, count: int, seed: int) -> Trial:
    """What is looked at while a run trains: validation people, with their eyes where this run has them."""
    return nir_trial(domains(data, "val", cfg.size, align=cfg.align), count, cfg.channels, "val")


def nir_trials(data: str, cfg: Any, count: int = JUDGED, seed: int = 1) -> dict[str, Trial]:
    """Test people, one picture each, eyes aligned whatever the run had: all variants are shown the same pictures.

    Args:
        data: see :func:`domains`; of joined sets each is a trial of its own.
        cfg: ``size channels``. count: people a trial, at most. seed: nothing is drawn here.

    Taught in: lesson 08.
    """
    return {
        name: nir_trial(domains(name, "test", cfg.size), min(count, JUDGED), cfg.channels, name)
        for name in data.split("+")
    }


def mean_nir(data: str, size: int, channels: int) -> Tensor:
    """Mean near-infrared face (1, S, S) of the training people, eyes aligned."""
    part = domains(data, "train", size)
    return to_channels(mean_face(part.cache, part.nir), 1)


def judged_people(data: str, count: int) -> list[str]:
    """Who the first trial of :func:`nir_trials` shows, in order; at 64 px."""
    return list(nir_trial(domains(data.split("+")[0], "test", 64), min(count, JUDGED), 3, "").identities)
