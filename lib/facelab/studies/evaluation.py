"""One protocol for every restoration system: fixed faces, baselines beside the model, intervals, worst cases.

Every picture is measured by itself (never a tiled grid), every mean comes with a 95 % bootstrap interval over people.
Taught in: lesson 04; read critically in lesson 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from facelab.data.cache import Cached
from facelab.faces.descriptor import descriptors
from facelab.metrics.baselines import fill_biharmonic, fill_mean, mean_face
from facelab.metrics.fid import fid
from facelab.metrics.frechet import frechet
from facelab.metrics.holes import iou
from facelab.metrics.image import l1_inside, psnr, psnr_inside, ssim
from facelab.metrics.intervals import bootstrap
from facelab.metrics.sharpness import sharpness
from facelab.nets.features import FeatureNet, feature_net
from facelab.seeding import generator
from facelab.studies.parts import faces
from facelab.studies.trials import Trial

FRECHET_LEAST = 100


def run_restore(restore: Callable, *shown: Tensor, chunk: int = 16):
    """Apply ``restore`` to pictures, and to what else is given with each, in chunks.

    Args:
        restore: pictures (and a hole, where one is given) to a restoration.
        shown: (N, ...) each, the pictures first; see :attr:`facelab.studies.trials.Trial.shown`.
        chunk: pictures at a time.

    Returns:
        (image, hole, raw) on the CPU, whole; None for the hole of a system without one.
    """
    parts = [restore(*some) for some in zip(*(given.split(chunk) for given in shown), strict=True)]
    whole = lambda some: None if some[0] is None else torch.cat([one.float().cpu() for one in some])  # noqa: E731
    return tuple(whole([part[i] for part in parts]) for i in range(3))


def fills(test: Trial, mean: Tensor | None, biharmonic: bool = True) -> dict[str, Tensor]:
    """The baseline rows: what one gets without learning, the true hole given for free."""
    rows = {"input": test.untouched}
    if test.whole:
        return rows | ({} if mean is None else {"mean face": mean.expand_as(test.truth)})
    if mean is not None:
        rows["mean face in the true hole"] = fill_mean(test.occluded, test.hole, mean)
    if biharmonic:
        rows["biharmonic in the true hole"] = fill_biharmonic(test.occluded, test.hole)
    return rows


def measure(
    output: Tensor, test: Trial, *, hole: Tensor | None = None, nets: Mapping[str, FeatureNet] | None = None,
    known: Tensor | None = None, inception: nn.Module | None = None, points: Tensor | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Every metric of one row, a value a picture (Fréchet distances: one value).

    Where the truth is another picture, nothing is measured pixel by pixel.

    Args:
        output: (N, C, S, S), the row's pictures.
        test: the faces they answer to.
        hole: predicted hole, where the row has one.
        nets: feature nets of Fréchet distances, metric → net; at least :data:`FRECHET_LEAST` pictures are needed.
        known: the truth's face descriptors (N, 128); given, the identity distance is measured too (slow), and of a
            whole trial, whether each is nearest to the truth's among all of them.
        inception: of :func:`facelab.metrics.fid.inception`; given, FID is measured too, under its own name.
        points: landmarks (N, 68, 2) by which the row's faces are cut out for ``known``; None = those of an answer, see
            :attr:`facelab.studies.trials.Trial.made_points`.
    """
    values = _pixel_by_pixel(output, test) if test.pixelwise else {}
    values["sharpness"] = sharpness(output, test.truth, test.hole)
    if hole is not None:
        values["iou"] = iou(hole, test.hole)
    if known is not None:
        mine = descriptors(output, test.made_points if points is None else points)
        values["identity"] = (mine - known).norm(dim=1)
        if test.whole:
            values["rank1"] = rank1(mine, known)
    for name, net in (nets or {}).items() if len(test) >= FRECHET_LEAST else ():
        values[name] = torch.tensor([frechet(net.pooled(output), net.pooled(test.truth))])
    if inception is not None and len(test) >= FRECHET_LEAST:
        values["fid"] = torch.tensor([fid(output, test.truth, inception)])
    return values


def _pixel_by_pixel(output: Tensor, test: Trial) -> dict[str, Tensor]:
    before = psnr(test.untouched, test.truth)
    after, similar = psnr(output, test.truth), ssim(output, test.truth)
    return {
        "psnr": after,
        "psnr_gain": after - before,
        "ssim": similar,
        "ssim_gain": similar - ssim(test.untouched, test.truth),
        "psnr_hole": psnr_inside(output, test.truth, test.hole),
        "l1_hole": l1_inside(output, test.truth, test.hole),
    }


def rank1(described: Tensor, gallery: Tensor) -> Tensor:
    """Whether each face is nearest to its own entry of a gallery, (N,) 0 or 1.

    Args:
        described: (N, 128). gallery: (N, 128), one entry a person, in the same order.

    Taught in: lesson 07.
    """
    apart = torch.cdist(described, gallery, compute_mode="donot_use_mm_for_euclid_dist")  # to the last digit
    return (apart.nan_to_num(torch.inf).argmin(1) == torch.arange(len(gallery))).float() * apart.isfinite().any(1)


def summary(values: Mapping[str, Tensor], people: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Mean and 95 % interval of each metric; infinite PSNR (a perfect picture) is left out and counted."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        if len(value) == 1 and len(people) != 1:
            out[name] = {"mean": round(value.item(), 4)}
            continue
        finite = torch.where(torch.isfinite(value), value, torch.nan)
        low, high = bootstrap(finite, generator(seed, "bootstrap", name), people)
        out[name] = {"mean": _round(finite.nanmean().item()), "low": _round(low), "high": _round(high)}
        if (left := int((~torch.isfinite(value)).sum())) > 0:
            out[name]["left_out"] = left
    return out


def _round(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def evaluate(
    models: Mapping[str, Callable],
    test: Trial,
    *,
    mean: Tensor | None = None,
    net: str | None = "effnet-lite0",
    second_net: str | None = None,
    identity: bool = True,
    biharmonic: bool = True,
    inception: nn.Module | None = None,
) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """Measure models and baselines on one trial.

    Args:
        models: name → ``restore`` (what the trial shows to a restoration).
        test: held-out faces with occluders.
        mean: the training people's mean face (C, S, S), for its baseline row.
        net: named feature net of the Fréchet distance; None leaves it out.
        second_net: another one, for ``frechet_second``: whoever was trained on the first net's features may please it.
        identity: measure identity distance (needs dlib).
        biharmonic: also the classical row (slow at 128 px).
        inception: the network of FID; None leaves it out.

    Returns:
        The table (row → metric → mean, low, high), and the values of each picture (row → metric → (N,)).
    """
    named = {"frechet": net, "frechet_second": second_net}
    nets = {metric: feature_net(name) for metric, name in named.items() if name}
    known = descriptors(test.truth, test.points) if identity else None
    values, rows = {}, {**fills(test, mean, biharmonic)}
    for name, picture in rows.items():
        points = test.shown_points if name == "input" else None
        values[name] = measure(picture, test, nets=nets, known=known, inception=inception, points=points)
    for name, restore in models.items():
        image, hole, raw = run_restore(restore, *test.shown)
        values[name] = measure(
            image, test, hole=None if test.given else hole, nets=nets, known=known, inception=inception
        )
        if torch.isfinite(raw).all() and not test.whole:
            values[f"{name}, raw"] = measure(raw, test)
    for row in values.values():
        if "identity" in row:  # the same people before and after: their differences say more than two means
            row["identity_gain"] = values["input"]["identity"] - row["identity"]
    table = {name: summary(row, test.identities) for name, row in values.items()}
    return table, values


def best_and_worst(values: Mapping[str, Tensor], metric: str = "psnr_gain", count: int = 4) -> tuple[list, list]:
    """Places of the ``count`` highest and the ``count`` lowest values of a metric."""
    order = torch.argsort(values[metric], descending=True).tolist()
    return order[:count], order[-count:][::-1]


def training_mean(data: str, size: int, channels: int) -> Tensor:
    """Mean face (C, S, S) of the training people."""
    part = faces(data, "train", size, channels)
    cache: Cached = part.cache
    return mean_face(cache, part.rows)


def table_text(rows: Mapping[str, Mapping[str, Any]], metrics: Sequence[str] | None = None) -> str:
    """A table for people: one row a method, ``mean [low, high]`` a cell."""
    names = metrics or [m for m in next(iter(rows.values())) if m != "l1_hole"]
    extra = {m for row in rows.values() for m in row} - set(names) - {"l1_hole"}
    names = [*names, *sorted(extra)] if metrics is None else list(names)
    lines = ["| row | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for label, row in rows.items():
        lines.append(f"| {label} | " + " | ".join(_cell(row.get(name)) for name in names) + " |")
    return "\n".join(lines)


def _cell(entry: Mapping[str, Any] | None) -> str:
    if not entry or entry["mean"] is None:
        return "–"
    digits = 2 if abs(entry["mean"]) >= 1.5 else 3
    text = f"{entry['mean']:.{digits}f}"
    return text + (f" [{entry['low']:.{digits}f}, {entry['high']:.{digits}f}]" if entry.get("low") is not None else "")
