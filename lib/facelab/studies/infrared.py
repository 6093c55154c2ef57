"""Two heaps of faces without pairs, visible and near-infrared: what a translator is trained on and judged by.

Nobody who is seen in visible light while it trains is seen in near infrared: the training people are divided in two.
So no counterpart is in the other heap, and what the translator makes of a face can be held against a truth that it was
never shown. Sets that know the counterpart are ``synth:nir``, ``lfw:nir`` (there it is simulated); ``casia`` has none.
Taught in: lesson 08.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from facelab.data.augment import random_view
from facelab.data.catalogue import open_dataset
from facelab.data.splits import bucket
from facelab.errors import BadConfig
from facelab.images import to_channels
from facelab.metrics.baselines import mean_face
from facelab.seeding import generator
from facelab.studies.batches import Loader, shuffled
from facelab.studies.domains import Domains, domains
from facelab.studies.parts import refuse_empty
from facelab.studies.trials import ANOTHER, Trial
from facelab.studies.turning_trials import spread
from facelab.systems.vis2nir import as_seen

__all__ = [
    "HALF", "JUDGED", "Domains", "counted", "divided", "domains", "held_out_trial", "judged_people", "lacking",
    "mean_nir", "nir_trial", "nir_trials", "training_loader", "translating_loader",
]  # fmt: skip

HALF = 50  # per cent of the training people are seen in visible light, the others in near infrared
JUDGED = 100  # people of a trial


def counted(part: Domains, split: str) -> Any:
    """What a card says of a split: of the training people, how much of each kind a run is shown.

    Args:
        part: see :func:`domains`. split: its name.

    Returns:
        ``{"vis": {"pictures": …, "people": …}, "nir": …}`` of training people, see :func:`divided`; of others the
        number of visible pictures.
    """
    if split != "train":
        return len(part)
    heaps = dict(zip(("vis", "nir"), divided(part), strict=True))
    return {k: {"pictures": len(rows), "people": len(set(map(part.identity, rows)))} for k, rows in heaps.items()}


def lacking(cfg: Any, data: str) -> str:
    """Why a configuration cannot be trained on a set: it wants the counterpart of every visible picture.

    Args:
        cfg: with ``paired``. data: see :func:`domains`; nothing is decoded.

    Returns:
        A reason in words; empty where it can be trained.
    """
    if not cfg.paired:
        return ""
    dataset = open_dataset(data)
    alone = set(dataset.groups.get("vis", ())) - {visible for visible, _ in dataset.pairs}
    return f"no pairs in {data}" if alone else ""


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
        LayoutError: one of the heaps is empty. BadConfig: pairs are wanted, and the set has not one of every picture.

    Taught in: lesson 08.
    """
    vis, nir = divided(part)
    refuse_empty(dataclasses.replace(part, vis=vis if nir else ()))
    if cfg.paired and (alone := sum(row not in part.counterpart for row in vis)):
        which = f"{alone:,} of {len(vis):,} visible pictures"
        raise BadConfig("lambda_pixel", cfg.lambda_pixel, f"0 for {part.cache.dataset.name}: no pairs of {which}")
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

    Whoever has no counterpart has another near-infrared picture in its place. The trial says so, and answers to it are
    not held against it pixel by pixel: identity and rank-1 mean something then, PSNR and SSIM do not.

    Args:
        part: held-out people. count: people at most. channels: of visible pictures. kind: label.

    Returns:
        A trial with ``truth_is``; where that is ``"another picture"``, with landmarks of either picture.

    Raises:
        LayoutError: nobody is in this part.
    """
    partner = _partners(part)
    rows = sorted(partner, key=part.identity)
    refuse_empty(dataclasses.replace(part, vis=tuple(rows)))
    rows = spread(rows, count)
    shown = to_channels(part.cache.batch(rows), channels)
    truth = to_channels(part.cache.batch([partner[row] for row in rows]), 1)
    points, theirs = (torch.stack([part.points(row, truth.shape[-1]) for row in some])
                      for some in (rows, [partner[row] for row in rows]))  # fmt: skip
    everywhere, who = torch.ones_like(truth), tuple(part.identity(row) for row in rows)
    alike, kinds = all(partner[row] == part.counterpart.get(row) for row in rows), (kind,) * len(rows)
    made = " and ".join(sorted({part.made(partner[row]) for row in rows} - {""}))
    if alike:
        return Trial(shown, truth, everywhere, points, kinds, who, whole=True, truth_is=made)
    return Trial(shown, truth, everywhere, theirs, kinds, who, whole=True, shown_points=points, truth_is=ANOTHER,
                 pixelwise=False)  # fmt: skip


def _partners(part: Domains) -> dict[int, int]:
    """A visible row of each person → its counterpart, or, of whoever has none, another near-infrared row."""
    out: dict[str, tuple[int, int]] = {}
    for row in part.vis:
        if row in part.counterpart:
            out.setdefault(part.identity(row), (row, part.counterpart[row]))
    seen: dict[str, int] = {}
    for row in part.nir:
        seen.setdefault(part.identity(row), row)
    for row in part.vis:
        if (who := part.identity(row)) in seen:
            out.setdefault(who, (row, seen[who]))
    return dict(out.values())


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
